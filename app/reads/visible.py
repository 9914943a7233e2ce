"""What a viewer may see, as SQL: how far the eyes reach is part of a statement, the organizations are bound to it."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, FromClause, Uuid, any_, bindparam, case, column, false, func, true
from sqlalchemy.dialects.postgresql import array

from app.db.models import Organization
from app.domain.viewer import Permission, Viewer

# The permissions that make rows visible; all others guard decisions.
READS = (
    Permission.READ_ORGANIZATION,
    Permission.READ_REPOS,
    Permission.READ_PATTERNS,
    Permission.MANAGE_MEMBERS,
    Permission.MANAGE_KEYS,
    Permission.READ_AUDIT,
)


class Reach(StrEnum):
    """In how many organizations a viewer has a permission; each makes its own, simplest condition."""

    NOWHERE = "nowhere"
    ONE = "one"
    SEVERAL = "several"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a viewer sees: equal sights share statements."""

    reaches: tuple[Reach, ...]
    # The same in one word, by which plans are found: a tuple of enumerations is hashed anew each time.
    word: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Spell the word."""
        object.__setattr__(self, "word", " ".join(self.reaches))

    def reach(self, permission: Permission) -> Reach:
        """Tell in how many organizations the viewer has a permission."""
        return self.reaches[READS.index(permission)]

    @property
    def everywhere(self) -> bool:
        """Tell whether the viewer reads every organization."""
        return self.reaches[0] is Reach.EVERYWHERE

    def covers(
        self, permission: Permission, organization_id: ColumnElement[UUID], *, pinned: bool = False
    ) -> ColumnElement[bool]:
        """Say that a row's organization is one where the viewer has a permission; for `pinned` see `is_pinned`."""
        match self.reach(permission):
            case Reach.EVERYWHERE:
                return true()
            case Reach.NOWHERE:
                return false()
            case Reach.ONE:
                one: ColumnElement[UUID] = bindparam(_name(permission), type_=Uuid)
                return is_pinned(organization_id, one) if pinned else organization_id == one
            case Reach.SEVERAL:
                return organization_id == any_(bindparam(_name(permission), type_=ARRAY(Uuid)))

    def organizations(self, permission: Permission) -> FromClause:
        """Give the ids of the organizations where the viewer has a permission, as rows."""
        match self.reach(permission):
            case Reach.EVERYWHERE:
                return Organization.__table__.alias()
            case Reach.SEVERAL:
                several = func.unnest(bindparam(_name(permission), type_=ARRAY(Uuid)))
                return several.table_valued(column("id", Uuid), name="theirs").render_derived(name="theirs")
            case reach:
                raise ValueError(reach)


def is_pinned(owner: ColumnElement[UUID], value: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Say that rows have one owner, without PostgreSQL's knowing that it is one: an order may then begin with it.

    The rows of an organization that go by their ids need that. PostgreSQL takes organizations for evenly mixed, and
    would walk the primary key through everybody's rows; but those of one that has rested stand behind all that others
    added since. In an order that begins with the organization they come from the index of both.
    """
    return owner == any_(array([value]))


def told_by_owner(is_seen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Look at the organization of rows whose owner tells it already.

    PostgreSQL believes a plain comparison to leave out most of the owner's rows, and would look those of the whole
    organization up besides, to have both in common and to sort what is left. It knows nothing of what a case comes to.
    """
    return case((is_seen, true()), else_=false())


def me() -> ColumnElement[UUID]:
    """Stand for the viewer's own id."""
    return bindparam("me", type_=Uuid)


@dataclass(frozen=True, slots=True)
class View:
    """What one viewer sees: the structure of their sight, and the values to bind to statements made for it."""

    sight: Sight
    bound: Mapping[str, Any]

    @classmethod
    def of(cls, viewer: Viewer) -> "View":
        """Look through a viewer's eyes; every request asks, and most come from those who asked before."""
        standing = viewer.standing
        known = _KNOWN.get(standing)
        if known is None:
            if len(_KNOWN) >= MOST_KNOWN:
                _KNOWN.clear()
            known = _KNOWN[standing] = cls._looked(viewer)
        return known

    @classmethod
    def _looked(cls, viewer: Viewer) -> "View":
        reaches: list[Reach] = []
        bound: dict[str, Any] = {"me": viewer.user_id}
        for permission in READS:
            organizations = viewer.organizations_with(permission)
            if organizations is None:
                reaches.append(Reach.EVERYWHERE)
            elif not organizations:
                reaches.append(Reach.NOWHERE)
            elif len(organizations) == 1:
                reaches.append(Reach.ONE)
                bound[_name(permission)] = organizations[0]
            else:
                reaches.append(Reach.SEVERAL)
                bound[_name(permission)] = organizations
        return cls(Sight(tuple(reaches)), bound)


MOST_KNOWN = 1_000
_KNOWN: dict[Hashable, View] = {}


def _name(permission: Permission) -> str:
    return f"where_{permission.name.lower()}"
