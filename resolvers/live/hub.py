"""The hub: an event is encoded once for each distinct selection, and the same bytes go to every client that made it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any
from weakref import WeakValueDictionary

from graphql import GraphQLSchema

from app.domain.viewer import Permission, Viewer
from resolvers.context import Context
from resolvers.engine.documents import Document, Operation
from resolvers.live.carried import CARRIED, Selected, Spelling, parts_of
from resolvers.live.followers import Delivery, Push
from resolvers.live.following import change_of, event_of, follow_patterns, follow_runs
from resolvers.plans.arguments import sources
from resolvers.plans.selection import NoPlan, Selections
from resolvers.transport.protocol import Offer

Follow = Callable[[Context, Push | None], AsyncGenerator[Delivery, None]]


class Broadcast:
    """A subscription whose selection stays inside what events carry."""

    def __init__(self, spelling: Spelling, follow: Follow, shown: Callable[[Delivery], Any]) -> None:
        self._spelling = spelling
        self._follow = follow
        self._shown = shown

    async def told(self, context: Context, offer: Offer | None) -> AsyncGenerator[tuple[bytes | None, Any], None]:
        """Give the bytes of each event that was not taken by `offer`; without bytes the executor tells of the event."""
        spelling = self._spelling

        def push(delivery: Delivery) -> bool:
            body = spelling.of(delivery)
            return body is not None and offer is not None and offer(body)

        told = self._follow(context, None if offer is None else push)
        async with aclosing(told):
            async for delivery in told:
                body = spelling.of(delivery)
                yield body, self._shown(delivery) if body is None else None


class Hub:
    """Knows which subscriptions can be broadcast, and lets equal ones share their bytes."""

    def __init__(self, schema: GraphQLSchema) -> None:
        root = schema.subscription_type
        assert root is not None
        self._root = root
        self._spellings: WeakValueDictionary[Selected, Spelling] = WeakValueDictionary()

    def broadcast(
        self, viewer: Viewer | None, document: Document, operation: Operation, variables: dict[str, Any], cost: int
    ) -> Broadcast | None:
        """Give the subscription as a broadcast, or None where it must be executed for its viewer."""
        if viewer is None:
            return None
        try:
            selections = Selections(document.fragments, variables)
            roots: dict[str, Any] = {}
            selections.collect(self._root, operation.node.selection_set, roots, set())
            ((key, nodes),) = roots.items()
            field = nodes[0].name.value
            if field not in CARRIED:
                return None
            definition = self._root.fields[field]
            event_type: Any = getattr(definition.type, "of_type", definition.type)
            arguments = {name: source.now for name, source in sources(definition, nodes[0], variables).items()}
            selected = Selected(field, key, cost, parts_of(field, event_type, nodes, selections))
        except (NoPlan, ValueError):
            return None
        spelling = self._spellings.get(selected)
        if spelling is None:
            spelling = self._spellings[selected] = Spelling(selected)
        if field == "patternChanges":
            return Broadcast(spelling, _patterns(arguments), change_of)
        needs: tuple[Permission, ...] = ()
        if spelling.reaches("pattern"):
            if viewer.organizations_with(Permission.READ_PATTERNS) != viewer.organizations_with(Permission.READ_REPOS):
                # What the executor says of a pattern differs between organizations then.
                return None
            needs = (Permission.READ_PATTERNS,)
        return Broadcast(spelling, _runs(arguments, needs), event_of)


def _runs(arguments: dict[str, Any], needs: tuple[Permission, ...]) -> Follow:
    def follow(context: Context, push: Push | None) -> AsyncGenerator[Delivery, None]:
        repo_id, run_id = arguments.get("repo_id") or None, arguments.get("run_id") or None
        after, on = arguments.get("after"), bool(arguments.get("follow"))
        return follow_runs(context, repo_id, run_id, after, follow=on, push=push, needs=needs)

    return follow


def _patterns(arguments: dict[str, Any]) -> Follow:
    return lambda context, push: follow_patterns(context, arguments["repo_id"], arguments.get("after"), push=push)
