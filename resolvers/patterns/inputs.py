"""What people say about patterns, as several mutations take it."""

from collections.abc import Sequence
from typing import Any

import strawberry

from app.domain.errors import Invalid
from app.domain.links import Link, checked
from app.domain.pattern import ProvenanceKind
from app.domain.wording import BOUNDS, check_wording
from resolvers.lists import camel
from resolvers.patterns.types import Pattern

field = strawberry.field

CLEARABLE = ("rationale", "owner_id")


@strawberry.input(description="Where an authoritative pattern is enforced.")
class EnforcementInput:
    """Where a pattern is enforced."""

    pr_review: bool = field(description="On pull requests; never if it is about FILE_STRUCTURE.")
    ai_context: bool = field(description="In the files that coding agents read.")


@strawberry.input(description="A link that says why.")
class ProvenanceInput:
    """A link that says why."""

    kind: ProvenanceKind = field(description="What it points at; OTHER leaves it to the service where it can tell.")
    url: str = field(description="The address: http or https, at most 2,000 characters, without a name or password.")
    title: str | None = field(
        default=strawberry.UNSET,
        description="Its title, at most 300 characters; filled in for pull requests, issues and commits on GitHub.",
    )
    description: str | None = field(
        default=strawberry.UNSET, description="What is to be found there, at most 1,000 characters."
    )

    def link(self, place: str = "provenance") -> Link:
        """Give the link as it is kept, or refuse it."""
        return checked(Link(self.kind, self.url, self.title or None, self.description or None), place)


@strawberry.input(description="Where a rule speaks.")
class ScopeInput:
    """Where a rule speaks."""

    languages: list[str] = field(description="In files of these languages; all if empty.")
    include: list[str] = field(description="In paths that match one of these globs; all if empty.")
    exclude: list[str] = field(description="But in none that match one of these.")


@strawberry.type(description="A pattern, as the decision left it.")
class PatternPayload:
    """A pattern, as the decision left it."""

    pattern: Pattern = field(description="The pattern.")


def edits_of(said: Any, *names: str) -> dict[str, Any]:
    """Give what an input sets, by column: what it omits stays, and null clears what can be empty."""
    edits = {name: value for name in names if (value := getattr(said, name)) is not strawberry.UNSET}
    nulls = [name for name, value in edits.items() if value is None and name not in CLEARABLE]
    if nulls:
        raise Invalid("This cannot be cleared.", fields={camel(name): "must not be null" for name in nulls})
    check_wording(**{name: edits[name] for name in BOUNDS if name in edits})
    if "rationale" in edits:
        edits["rationale"] = reason_of(edits["rationale"])
    enforcement: EnforcementInput | None = edits.pop("enforcement", None)
    if enforcement is not None:
        edits |= {"pr_review": enforcement.pr_review, "ai_context": enforcement.ai_context}
    return edits


def reason_of(text: str | None) -> str | None:
    """Give somebody's words as they are; blanks are none."""
    return text if text and text.strip() else None


def links_of(said: Sequence[ProvenanceInput] | None) -> list[Link]:
    """Give links as they are kept, or refuse them at their places."""
    if said is None:
        raise Invalid("This cannot be cleared.", fields={"provenance": "must not be null"})
    return [link.link(f"provenance.{place}") for place, link in enumerate(said or ())]
