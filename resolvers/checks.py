"""Checks and their violations."""

from datetime import datetime
from typing import cast

import strawberry
from strawberry.types import Info

from app.domain.finding import CheckVerdict
from app.domain.pattern import Severity
from app.reads.roots import ById
from resolvers import lists
from resolvers.context import Context
from resolvers.lists import Connection, Node, forward, one, related
from resolvers.patterns import Pattern
from resolvers.repos import Repo

field = strawberry.field


@strawberry.type(description="A changed line that does not follow an authoritative pattern.")
class Violation(Node):
    """A violation."""

    pattern: Pattern = related("The pattern.")
    path: str = field(description="The file.")
    start_line: int = field(description="Its first line.")
    end_line: int = field(description="Its last line.")
    snippet: str | None = field(description="The text.")
    message: str = field(description="What is wrong with it.")
    severity: Severity = field(description="How grave it is.")
    suggested_fix: str | None = field(description="What to write instead, where that is known.")
    dismissed_at: datetime | None = field(description="When a person dismissed it.")
    dismissal_reason: str | None = field(description="Why.")
    false_positive: bool = field(description="Whether they said that the rule was wrong here.")


@strawberry.type(description="A diff held against the authoritative patterns of a repository.")
class Check(Node):
    """A check."""

    repo: Repo = related("The repository.")
    verdict: CheckVerdict = field(description="What it came to.")
    notes: list[str] = field(description="What could not be checked, and why.")
    patterns_checked: int = field(description="How many patterns were held against the diff.")
    files_checked: int = field(description="How many files the diff changes.")
    violations: Connection[Violation] = forward("What was found.")
    created_at: datetime = field(description="When it was made.")
    duration_ms: float = field(description="How long it took.")


@strawberry.type
class CheckQueries:
    """Where queries about checks begin."""

    @field(description="The check with an id. Refuses: NOT_FOUND, VALIDATION_ERROR.")
    async def check(self, info: Info[Context, None], id: lists.Id) -> Check | None:  # noqa: A002
        """Read one check."""
        return cast("Check", await one(info.context, ById("Check"), id, "check"))
