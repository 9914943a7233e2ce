"""History: every change of a pattern takes its number in the transaction that makes it, so numbers go by commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Integer,
    Uuid,
    bindparam,
    column,
    insert,
    select,
    table,
    update,
)
from sqlalchemy import Table as Rows
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.db.models import Pattern, PatternEvent, Repo, Table
from app.db.prepared import Prepared
from app.db.tx import ENTRIES, Stroke, Telling, Tx
from app.domain.events import PatternsChanged
from app.domain.ids import new_id
from app.domain.pattern import PatternEventKind, PatternStatus

LONGEST_MESSAGE = 2000

# Statements about tables, made once: what the ORM adds to them costs more than they do.
_REPOS, _EVENTS, _PATTERNS = (Table.metadata.tables[each.__tablename__] for each in (Repo, PatternEvent, Pattern))

# The pattern as a statement that changes it leaves it. Whatever else is read in the same statement, of patterns, their
# history or the audit log, is as it was before.
CHANGED = table(
    "changed", *(column(each.name, each.type) for each in _PATTERNS.c if not isinstance(each.type, TSVECTOR))
)


def _counting(repo_id: ColumnElement[UUID]) -> Any:
    counted = _REPOS.c.change_sequence + bindparam("steps", type_=Integer)
    return (
        update(_REPOS)
        .where(_REPOS.c.id == repo_id)
        .values(change_sequence=counted)
        .returning(_REPOS.c.change_sequence, _REPOS.c.id)
    )


_COUNT = _counting(bindparam("counted", type_=Uuid))
_WRITE = insert(_EVENTS)


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the history of a pattern; without statuses it moved nothing.

    `changes` are columns of the pattern that are written together with the step.
    """

    pattern_id: UUID
    kind: PatternEventKind
    message: str | None = None
    from_status: PatternStatus | None = None
    to_status: PatternStatus | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


def touch(pattern: Pattern, now: datetime) -> None:
    """Count a change that a person made."""
    pattern.version += 1
    pattern.updated_at = pattern.touched_at = now


async def record(
    tx: Tx, repo_id: UUID, organization_id: UUID, actor_id: UUID | None, at: datetime, steps: Sequence[Step]
) -> None:
    """Write steps into the history of a repository's patterns; nobody as actor stands for a job.

    From here to the commit the repository's counter is held, so that a transaction writes all its steps at its end.
    """
    if not steps:
        return
    rows = [_row(step, repo_id, organization_id, actor_id, at) for step in steps]
    last = await (_record_one(tx, steps[0], rows[0]) if len(steps) == 1 else _record_many(tx, steps, rows))
    tx.publish(PatternsChanged(repo_id, last))


async def record_alone(
    tx: Stroke, repo_id: UUID, organization_id: UUID, actor_id: UUID | None, at: datetime, step: Step, seen_version: int
) -> bool:
    """Write one step as `record` does, if the pattern still has the version that was seen; else nothing, and say so."""
    row = _row(step, repo_id, organization_id, actor_id, at)
    (entry,) = tx.entries
    statement = _alone(tuple(step.changes), tuple(entry), tx.telling)
    values = {**tx.values, **_values(step, row, entry)}
    written = await statement.row(tx.writers, **values, seen_version=seen_version)
    if written is None:
        return False
    sequence, *told = written
    tx.told = told[0] if told else None
    tx.publish(PatternsChanged(repo_id, sequence))
    return True


def _row(step: Step, repo_id: UUID, organization_id: UUID, actor_id: UUID | None, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "pattern_id": step.pattern_id,
        "repo_id": repo_id,
        "organization_id": organization_id,
        "kind": step.kind,
        "from_status": step.from_status,
        "to_status": step.to_status,
        "actor_id": actor_id,
        "message": None if step.message is None else step.message[:LONGEST_MESSAGE],
        "at": at,
    }


def _values(step: Step, row: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    values = {f"step_{name}": value for name, value in row.items()}
    values |= {f"entry_{name}": value for name, value in entry.items()}
    values |= {f"change_{name}": value for name, value in step.changes.items()}
    return {**values, "steps": 1, "counted": row["repo_id"]}


async def _record_one(tx: Tx, step: Step, row: Mapping[str, Any]) -> int:
    """Write a step, its changes and who made it in one statement: each more would cost an exchange."""
    entry = tx.entries.pop() if len(tx.entries) == 1 else {}
    statement = _one(tuple(step.changes), tuple(entry))
    connection = await tx.session.connection()
    return int((await connection.execute(statement, _values(step, row, entry))).scalar_one())


async def _record_many(tx: Tx, steps: Sequence[Step], rows: list[dict[str, Any]]) -> int:
    changes: dict[UUID, dict[str, Any]] = {}
    for step in steps:
        changes.setdefault(step.pattern_id, {}).update(step.changes)
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for pattern_id, theirs in changes.items():
        if theirs:
            values = {f"change_{name}": value for name, value in sorted(theirs.items())}
            alike.setdefault(tuple(sorted(theirs)), []).append({**values, "step_pattern_id": pattern_id})
    for columns, values_of_each in alike.items():
        await tx.session.execute(_change(columns), values_of_each)
    last = (await tx.session.execute(_COUNT, {"counted": rows[0]["repo_id"], "steps": len(steps)})).scalar_one()
    numbered = [{**row, "sequence": last - len(steps) + place} for place, row in enumerate(rows, 1)]
    await tx.session.execute(_WRITE, numbered)
    return int(last)


@lru_cache(maxsize=500)
def _one(changed: tuple[str, ...], audited: tuple[str, ...]) -> Executable:
    written, beside = _written(_COUNT.cte("counted"), changed, audited)
    statement: Executable = written.add_cte(*beside)
    return statement


@lru_cache(maxsize=500)
def _alone(changed: tuple[str, ...], audited: tuple[str, ...], telling: Telling | None) -> Prepared:
    """Make the statement that is a transaction by itself: it holds what any other decision would hold, and looks again.

    The rows are read as they are once they are held, not as they were when the statement began; where the version is
    another one by then nothing is held, nothing counted and nothing written.
    """
    held = (
        select(_REPOS.c.id)
        .join(_PATTERNS, _PATTERNS.c.repo_id == _REPOS.c.id)
        .where(_PATTERNS.c.id == bindparam("step_pattern_id", type_=Uuid))
        .where(_PATTERNS.c.version == bindparam("seen_version", type_=Integer))
        .with_for_update(key_share=True, of=(_REPOS, _PATTERNS))
        .cte("held")
    )
    counted = _counting(select(held.c.id).scalar_subquery()).cte("counted")
    written, beside = _written(counted, changed, audited)
    if telling is None:
        return Prepared(written.add_cte(*beside))
    step = written.cte("written")
    return Prepared(select(step.c.sequence, telling.told).add_cte(*beside))


def _written(counted: CTE, changed: tuple[str, ...], audited: tuple[str, ...]) -> tuple[Any, list[CTE]]:
    """Write a step, what it changes and who made it: all of it, or nothing where nothing was counted."""
    names = [name for name in _EVENTS.c.keys() if name != "sequence"]  # noqa: SIM118 - a collection of columns
    step = select(*(_bound("step", _EVENTS, name) for name in names), counted.c.change_sequence)
    written = insert(_EVENTS).from_select([*names, "sequence"], step).returning(_EVENTS.c.sequence)
    beside = []
    if changed:
        change = _change(changed).where(_PATTERNS.c.repo_id == counted.c.id)
        beside.append(change.returning(*(_PATTERNS.c[column.name] for column in CHANGED.c)).cte(CHANGED.name))
    if audited:
        entry = select(*(_bound("entry", ENTRIES, name) for name in audited)).select_from(counted)
        beside.append(insert(ENTRIES).from_select(list(audited), entry).cte("audited"))
    return written, beside


@lru_cache(maxsize=500)
def _change(columns: tuple[str, ...]) -> Any:
    chosen = _PATTERNS.c.id == bindparam("step_pattern_id", type_=Uuid)
    return update(_PATTERNS).where(chosen).values({name: _bound("change", _PATTERNS, name) for name in columns})


def _bound(prefix: str, rows: Rows, name: str) -> Any:
    return bindparam(f"{prefix}_{name}", type_=rows.c[name].type)
