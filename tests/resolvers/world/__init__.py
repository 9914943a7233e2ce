"""A small world to ask about: organizations, people of every standing, and rows with every word and every gap."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.domain.ids import Kind, public
from app.domain.viewer import Permission, Viewer

TEXTS = (
    "Exceptions end in Error",
    "Étoile ü ß \N{GREEK SMALL LETTER OMEGA}",
    'quotes " and \\ backslashes',
    "tab\tline\nbreak\r\x7f\x01 \u2028",
    "\N{PILE OF POO} \U0010ffff",
    "100 % _of_ them",
    " ",
    "Exceptions end in Error",
)
PATHS = ("src/a.py", "src/ü.ts", "docs/100%_done.md", "src/deep/er/B.PY", 'odd "name"\n.py', "README")
# What it takes to see objects of a kind; patterns and all that hangs on them take READ_PATTERNS.
NEEDED = {
    Kind.USER: Permission.READ_ORGANIZATION,
    Kind.ORGANIZATION: Permission.READ_ORGANIZATION,
    Kind.MEMBERSHIP: Permission.READ_ORGANIZATION,
    Kind.REPO: Permission.READ_REPOS,
    Kind.INGESTION_RUN: Permission.READ_REPOS,
    Kind.INVITATION: Permission.MANAGE_MEMBERS,
    Kind.API_KEY: Permission.MANAGE_KEYS,
    Kind.AUDIT_ENTRY: Permission.READ_AUDIT,
}


@dataclass
class World:
    """What there is, by whom it can be seen, and how it is addressed."""

    viewers: dict[str, Viewer | None] = field(default_factory=dict)
    ids: dict[Kind, list[tuple[str, UUID | None]]] = field(default_factory=lambda: defaultdict(list))
    slugs: dict[str, str] = field(default_factory=dict)
    full_names: list[str] = field(default_factory=list)
    # By list and the arguments that choose its order, as a document spells them.
    cursors: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def seen(self, kind: Kind, viewer: Viewer | None) -> Sequence[str]:
        """Give the ids of a kind that a viewer may be told."""
        return [text for text, organization_id in self.ids[kind] if may_see(viewer, kind, organization_id)]

    def hidden(self, viewer: Viewer | None) -> set[str]:
        """Give the ids that a viewer must never be told; people are named wherever they did something."""
        return {
            text
            for kind, known in self.ids.items()
            for text, organization_id in known
            if kind is not Kind.USER and not may_see(viewer, kind, organization_id)
        }

    def everywhere(self, kind: Kind) -> Sequence[str]:
        """Give all ids of a kind, and one of an object that is gone."""
        return [*(text for text, _ in self.ids[kind]), public(kind, UUID(int=7 << 76))]


def may_see(viewer: Viewer | None, kind: Kind, organization_id: UUID | None) -> bool:
    """Say who may see what in the product's own words, not in those of the shapes."""
    if viewer is None:
        return False
    if viewer.sees_everything:
        return True
    if organization_id is None:
        return kind is Kind.USER
    return viewer.may(NEEDED.get(kind, Permission.READ_PATTERNS), organization_id)
