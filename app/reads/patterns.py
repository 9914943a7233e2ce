"""Shapes of patterns, their evidence and their history."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Evidence, Pattern, PatternEvent, Provenance, Repo
from app.domain.ids import Kind, parse_as
from app.domain.languages import language_of
from app.domain.pattern import PatternStatus
from app.domain.viewer import Permission
from app.domain.words import Word
from app.reads.page import plain
from app.reads.shape import (
    ACTOR,
    NEWEST_FIRST,
    Filter,
    Key,
    Many,
    One,
    Only,
    Order,
    Part,
    Rows,
    Shape,
    in_organization,
    is_one_of,
    ordered,
    tried_last,
)


class PatternOrderField(Word):
    """What patterns can be ordered by."""

    CREATED_AT = "CREATED_AT", "When they were first found or written."
    UPDATED_AT = "UPDATED_AT", "When they last changed."
    NAME = "NAME", "Their names, byte by byte."
    ADOPTION = "ADOPTION", "How much of the applicable code conforms; those without a measurement come last."
    TIER = "TIER", "Their tiers by rank; those without one come last."


# Proof is mostly looked at, not read through.
FEW = 3


def search_terms(text: str) -> str:
    """Spell a full-text query: every word must occur, as itself or as the start of a longer one."""
    return " & ".join(f"'{word}':*" for word in re.findall(r"\w+", text)[:20])


def _once(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Work something out before the first row is looked at: PostgreSQL would do so again for each."""
    return select(value).scalar_subquery()


def _terms(value: ColumnElement[Any]) -> ColumnElement[Any]:
    english, simple = (func.to_tsquery(plain(language), value) for language in ("english", "simple"))
    # "in" says nothing in English, but may become "instance": nothing but such words is taken as it stands.
    return _once(case((func.numnode(english) == literal_column("0"), simple), else_=english))


def _language_and_path(path: str) -> str:
    # Both in one value, the language on its first line: no language has a line break, and a path may have any.
    return f"{language_of(path) or ''}\n{path}"


def _covers(rows: Rows, value: ColumnElement[Any]) -> ColumnElement[bool]:
    line_break = literal_column("chr(10)", Integer)
    language = _once(func.split_part(value, line_break, literal_column("1", Integer)))
    path = _once(func.substr(value, func.strpos(value, line_break) + literal_column("1", Integer)))
    globs = func.unnest(rows.c.scope_include).table_valued(column("glob", Text), name="globs").render_derived("globs")
    marks = func.translate(globs.c.glob, literal_column("'?{'"), literal_column("'**'"))
    folder = func.split_part(marks, literal_column("'*'"), literal_column("1", Integer))
    covers = and_(
        or_(func.cardinality(rows.c.scope_languages) == literal_column("0"), language == any_(rows.c.scope_languages)),
        # What globs begin with tells most paths from those they cover. PostgreSQL keeps 32 regular expressions ready;
        # where there are more scopes it makes each anew, which takes as long as twenty rows.
        or_(
            func.cardinality(rows.c.scope_include) == literal_column("0"),
            exists(select(globs).correlate(rows).where(func.starts_with(path, folder))),
        ),
        path.op("~")(rows.c.scope_include_regex),
        or_(rows.c.scope_exclude_regex.is_(None), not_(path.op("~")(rows.c.scope_exclude_regex))),
    )
    # PostgreSQL takes a regular expression for as cheap as a comparison of numbers.
    return tried_last(rows, covers)


def _equal(column: str, kind: Kind, argument: str) -> Filter:
    return Filter(
        lambda rows, value: rows.c[column] == value,
        Uuid(),
        lambda given: parse_as(kind, given, field=argument),
        finds=True,
    )


def _among(column: str) -> Filter:
    of_one = Filter(lambda rows, value: rows.c[column] == value, Text(), lambda given: given[0])
    return Filter(lambda rows, value: rows.c[column] == any_(value), ARRAY(Text), of_one=of_one)


def _says(rows: Rows, value: ColumnElement[Any]) -> ColumnElement[bool]:
    return rows.c.search.op("@@")(_terms(value))


SEARCH = Filter(
    _says,
    Text(),
    search_terms,
    # The weights are those of the search column: a name counts more than a description, that more than a why.
    lambda rows, value: cast(func.ts_rank(rows.c.search, _terms(value)), Double),
    finds=True,
)

PATTERNS = Many(
    "Pattern",
    order=NEWEST_FIRST,
    orders={
        PatternOrderField.CREATED_AT: ordered(),
        PatternOrderField.UPDATED_AT: ordered("updated_at"),
        PatternOrderField.NAME: ordered("name"),
        PatternOrderField.ADOPTION: ordered(Key("adoption", nullable=True)),
        PatternOrderField.TIER: ordered(Key("tier_rank", nullable=True)),
    },
    filters={
        "repo_id": _equal("repo_id", Kind.REPO, "repoId"),
        "organization_id": _equal("organization_id", Kind.ORGANIZATION, "organizationId"),
        "owner_id": _equal("owner_id", Kind.USER, "ownerId"),
        "status": _among("status"),
        "category": _among("category"),
        "tier": _among("tier"),
        "type": Filter(lambda rows, value: rows.c.type == value, Text()),
        "language": Filter(lambda rows, value: rows.c.language == value, Text()),
        "search": replace(
            SEARCH, of_owner=replace(SEARCH, condition=lambda rows, value: tried_last(rows, _says(rows, value)))
        ),
        "similar_only": Filter(lambda rows, _: rows.c.similar_to_id.is_not(None), Boolean(), finds=True),
        "path": Filter(_covers, Text(), _language_and_path),
    },
)

TRIAGE = Many(
    "Pattern",
    by="repo_id",
    where=is_one_of("status", PatternStatus.CANDIDATE),
    order=Order((Key("tier_rank", descending=True, nullable=True), Key("backtest_caught", descending=True), Key("id"))),
)
DEFERRED = Many(
    "Pattern", by="repo_id", where=is_one_of("status", PatternStatus.DEFERRED), order=ordered("deferred_at")
)

PATTERN = Shape(
    "Pattern",
    Pattern,
    in_organization(Permission.READ_PATTERNS),
    Kind.PATTERN,
    parts={
        "rule": Part(
            {
                "kind": "rule_kind",
                "definition": "rule_definition",
                "text": "rule_text",
                "exportable": "rule_exportable",
                "alternative": "rule_alternative",
            }
        ),
        "scope": Part({"languages": "scope_languages", "include": "scope_include", "exclude": "scope_exclude"}),
        "confidence": Part(
            {
                name: name
                for name in (
                    "tier",
                    "instances",
                    "consistency",
                    "consistency_note",
                    "applicable",
                    "conforming",
                    "adoption",
                    "authors",
                    "author_names",
                    "age",
                    "oldest",
                    "newest",
                    "trend",
                    "new_file_adoption",
                    "primary_location",
                    "locations",
                )
            },
            given="tier",
        ),
        "insight": Part({"text": "insight_text", "suggested_actions": "insight_actions"}, given="insight_text"),
        "backtest": Part(
            {
                "violations": "backtest_violations",
                "pull_requests": "backtest_pull_requests",
                "examined": "backtest_examined",
                "window_days": "backtest_window_days",
                "computed_at": "backtest_computed_at",
            },
            given="backtest_computed_at",
        ),
        "enforcement": Part({"pr_review": "pr_review", "ai_context": "ai_context"}),
    },
    relations={
        "repo": One("Repo", by="repo_id"),
        "owner": One("User", by="owner_id", seen_by=ACTOR),
        "validated_by": One("User", by="validated_by_id", seen_by=ACTOR),
        "status_changed_by": One("User", by="status_changed_by_id", seen_by=ACTOR),
        "similar_to": One("Pattern", by="similar_to_id"),
        "superseded_by": One("Pattern", by="superseded_by_id"),
        "canonical_evidence": Only("Evidence", by="pattern_id", where=lambda rows: rows.c.is_canonical),
        "evidence": Many(
            "Evidence", by="pattern_id", where=lambda rows: ~rows.c.is_counterexample, order=ordered("rank"), size=FEW
        ),
        "counterexamples": Many(
            "Evidence", by="pattern_id", where=lambda rows: rows.c.is_counterexample, order=ordered("rank"), size=FEW
        ),
        "provenance": Many("Provenance", by="pattern_id", paged=False),
        "history": Many("PatternEvent", by="pattern_id"),
    },
    hidden=frozenset({"search"}),
)

EVIDENCE = Shape("Evidence", Evidence, in_organization(Permission.READ_PATTERNS), Kind.EVIDENCE)

PROVENANCE = Shape(
    "Provenance",
    Provenance,
    in_organization(Permission.READ_PATTERNS),
    Kind.PROVENANCE,
    relations={"added_by": One("User", by="added_by_id", seen_by=ACTOR)},
)

PATTERN_EVENT = Shape(
    "PatternEvent",
    PatternEvent,
    in_organization(Permission.READ_PATTERNS),
    Kind.PATTERN_EVENT,
    relations={
        "pattern": One("Pattern", by="pattern_id"),
        "actor": One("User", by="actor_id", seen_by=ACTOR),
    },
    renamed={"from": "from_status", "to": "to_status"},
)


async def changes_after(
    session: AsyncSession, repo_id: UUID, sequence: int | None, most: int
) -> Sequence[Mapping[str, Any]]:
    """Read the steps in the history of a repository's patterns behind a number, in commit order, or its newest ones.

    Who may see them was asked before.
    """
    rows = PATTERN_EVENT.rows
    query = select(*(rows.c[name] for name in PATTERN_EVENT.columns)).where(rows.c.repo_id == repo_id).limit(most)
    if sequence is None:
        newest = (await session.execute(query.order_by(rows.c.sequence.desc()))).mappings().all()
        return [dict(row) for row in reversed(newest)]
    found = await session.execute(query.where(rows.c.sequence > sequence).order_by(rows.c.sequence))
    return [dict(row) for row in found.mappings()]


async def change_tails(session: AsyncSession, repo_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Tell how far the histories of repositories reach; those that are gone are not named."""
    repos = Repo.__table__
    rows = await session.execute(select(repos.c.id, repos.c.change_sequence).where(repos.c.id.in_(repo_ids)))
    return {row.id: row.change_sequence for row in rows}
