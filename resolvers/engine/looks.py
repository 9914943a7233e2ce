"""How far a superadmin's eyes reach, and that each of their looks beyond their own organizations is written down."""

import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from app.domain.viewer import Viewer
from app.runtime import Runtime
from app.services import administering

# Root fields that show a superadmin nothing which others would not see; `admin` says itself what it is, each time.
_OWN = frozenset({"admin", "viewer", "rateLimit", "__typename", "__schema", "__type"})
# What a superadmin sees of their own organizations too, whatever they are there: to members it takes a higher role.
HIGHER = frozenset({"apiKeys", "invitations", "auditLog"})
# The same look again is written down once a minute.
NOTED_SECONDS = 60.0
MOST_NOTED = 10_000

Fragments = Mapping[str, FragmentDefinitionNode]


class Looks:
    """Writes the looks of superadmins into the audit log, before they see anything."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._noted: OrderedDict[Hashable, float] = OrderedDict()

    async def note(self, viewer: Viewer, name: str, document: str, variables: Mapping[str, Any] | None) -> None:
        """Write a look down, by the operation's name and the document's hash, unless the same one was a moment ago."""
        # A name is the client's choice, and one document shows this or that by its variables.
        asked = sha256(repr(variables).encode("utf-8", "surrogatepass")).digest()
        key = (viewer.user_id, viewer.credential.id, name, document, asked)
        if self._noted.get(key, 0.0) > time.monotonic():
            return
        async with self._runtime.write() as tx:
            administering.look(tx, viewer, f"readAsSuperadmin {name[:60]} {document[:12]}")
        self._noted[key] = time.monotonic() + NOTED_SECONDS
        self._noted.move_to_end(key)
        if len(self._noted) > MOST_NOTED:
            self._noted.popitem(last=False)


def reaches_beyond(operation: OperationDefinitionNode, roots: tuple[str, ...], fragments: Fragments) -> bool:
    """Tell whether an operation may show somebody who sees everything more than what is theirs.

    Inside an organization everything belongs to it, except its people: they lead on to where else they belong.
    A mutation begins with what its caller may decide on, and says by itself what it did.
    """
    if operation.operation is not OperationType.MUTATION and not _OWN.issuperset(roots):
        return True
    return _leads_on(operation.selection_set, "", fragments, set())


def _leads_on(selected: SelectionSetNode, above: str, fragments: Fragments, seen: set[tuple[str, str]]) -> bool:
    for node in selected.selections:
        inner, below = selected, above
        if isinstance(node, FieldNode):
            name = node.name.value
            if name in HIGHER or (name == "memberships" and above != "viewer"):
                return True
            if node.selection_set is None:
                continue
            inner, below = node.selection_set, name
        elif isinstance(node, InlineFragmentNode):
            inner = node.selection_set
        elif isinstance(node, FragmentSpreadNode):
            spread = (node.name.value, above)
            if spread in seen:
                continue
            seen.add(spread)
            inner = fragments[node.name.value].selection_set
        if _leads_on(inner, below, fragments, seen):
            return True
    return False
