"""How the domain's vocabularies and values are spelt in GraphQL."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.scalar import ScalarDefinition

from app.domain import confidence, errors, finding, pattern, repo, rule, run, viewer, words
from app.domain.moments import spell
from app.reads import patterns, repos

JSON = NewType("JSON", object)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


class OrderDirection(words.Word):
    """Which way an order goes; nulls come last in both."""

    ASC = "ASC", "Smallest, oldest or alphabetically first at the top."
    DESC = "DESC", "Largest, newest or alphabetically last at the top."


_ERROR_CODES = {
    "UNAUTHENTICATED": "Nobody is signed in, or the credential does not hold.",
    "FORBIDDEN": "The object is visible, but not this action or field.",
    "NOT_FOUND": "There is no such object for this viewer.",
    "VALIDATION_ERROR": "The input is wrong; extensions.fields says where and why.",
    "CONFLICT": "Somebody else was faster; the extensions carry the present state.",
    "INVALID_TRANSITION": "The status does not allow this move.",
    "RATE_LIMITED": "Too much in too short a time; extensions.retryAfter says how many seconds to wait.",
    "QUERY_TOO_COMPLEX": "The document asks for more than one request may.",
    "UPSTREAM_ERROR": "GitHub or Anthropic did not answer as they should.",
    "UNAVAILABLE": "A part of this service does not answer just now; trying again is right.",
    "INTERNAL_ERROR": "A fault of this service; extensions.reference stands in its log.",
    "GRAPHQL_PARSE_FAILED": "The document is not GraphQL.",
    "GRAPHQL_VALIDATION_FAILED": "The document does not fit the schema.",
}


def _register(vocabulary: Any, descriptions: dict[str, str] | None = None) -> None:
    strawberry.enum(vocabulary, description=(vocabulary.__doc__ or "").strip())
    definition: StrawberryEnumDefinition = vocabulary.__strawberry_definition__
    for value in definition.values:
        value.description = descriptions[value.name] if descriptions else vocabulary[value.name].description


for _vocabulary in (
    confidence.AgeCategory,
    confidence.ConfidenceTier,
    confidence.Consistency,
    confidence.Trend,
    finding.CheckVerdict,
    finding.ContextFileFormat,
    pattern.CodeCategory,
    pattern.EvidenceSource,
    pattern.PatternCategory,
    pattern.PatternEventKind,
    pattern.PatternStatus,
    pattern.PatternType,
    pattern.ProvenanceKind,
    pattern.Severity,
    patterns.PatternOrderField,
    repo.IngestionStatus,
    repo.SourceKind,
    repos.RepoOrderField,
    rule.RuleKind,
    run.IngestionEventKind,
    run.IngestionStage,
    run.RunStatus,
    run.RunTrigger,
    run.StageState,
    viewer.Role,
    OrderDirection,
):
    _register(_vocabulary)
_register(errors.ErrorCode, _ERROR_CODES)


def spell_time(moment: datetime | str) -> str:
    """Spell a moment as RFC 3339 in UTC, always with microseconds; JSON columns hold moments spelt so already."""
    if isinstance(moment, str):
        return moment
    return spell(moment)


def read_time(text: object) -> datetime:
    """Read an RFC 3339 moment with its zone."""
    if isinstance(text, str) and _RFC3339.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        else:
            # The database's driver takes the ends of the calendar for infinity, which is no moment.
            if MINYEAR < moment.year < MAXYEAR:
                return moment
    raise GraphQLError("DateTime needs the form of RFC 3339, as 2026-01-31T12:00:00Z.")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in RFC 3339, in UTC: 2026-01-31T12:00:00.000000Z.",
        serialize=spell_time,
        parse_value=read_time,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
