"""History: every change of a pattern takes its number in the transaction that makes it, so numbers go by commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnClause,
    ColumnElement,
    DateTime,
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
from sqlalchemy.sql.visitors import iterate

from app.db.models import Pattern, PatternEvent, Repo, Table
from app.db.prepared import Prepared
from app.db.tx import ENTRIES, Stroke, Telling, Tx
from app.domain.events import PatternsChanged
from app.domain.ids import new_id
from app.domain.pattern import PatternEventKind, PatternStatus

LONGEST_MESSAGE = 2000

# Statements about tables, made once: what the ORM adds to them costs more than they do.
_REPOS, _EVENTS, PATTERNS = (Table.metadata.tables[each.__tablename__] for each in (Repo, PatternEvent, Pattern))

# The pattern as a statement that changes it leaves it. Whatever else is read in the same statement, of patterns, their
# history or the audit log, is as it was before.
CHANGED = table(
    "changed", *(column(each.name, each.type) for each in PATTERNS.c if not isinstance(each.type, TSVECTOR))
)

# What a decision that stands alone binds: about which pattern it is, who takes it, and when.
_ID, BY = bindparam("move_id", type_=Uuid), bindparam("move_by", type_=Uuid)
AT = bindparam("move_at", type_=DateTime(timezone=True))

_COUNT = (
    update(_REPOS)
    .where(_REPOS.c.id == bindparam("counted", type_=Uuid))
    .values(change_sequence=_REPOS.c.change_sequence + bindparam("steps", type_=Integer))
    .returning(_REPOS.c.change_sequence, _REPOS.c.id)
)
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


async def record_alone(tx: Stroke, statement: Prepared, values: Mapping[str, Any]) -> bool | None:
    """Take a decision by a statement of `alone`; False if somebody was faster, None if its conditions do not hold."""
    (entry,) = tx.entries
    said = {f"move_{name}": value for name, value in values.items()}
    said |= {f"entry_{name}": value for name, value in entry.items()}
    found = await statement.row(tx.writers, **tx.values, **said, event_id=new_id())
    if found is None:
        return None
    repo_id, sequence, *told = found
    if sequence is None:
        return False
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
    """Make the statement that writes a step, what it changes and who made it."""
    counted = _COUNT.cte("counted")
    step = {each.name: _bound("step", _EVENTS, each.name) for each in _EVENTS.c if each.name != "sequence"}
    written = _written(counted, step)
    beside = []
    if changed:
        beside.append(_change(changed).where(PATTERNS.c.repo_id == counted.c.id).cte("changed"))
    if audited:
        beside.append(_audited(counted, {name: _bound("entry", ENTRIES, name) for name in audited}))
    statement: Executable = written.add_cte(*beside)
    return statement


def alone(conditions: Sequence[ColumnElement[bool]], changes: Mapping[str, Any], telling: Telling | None) -> Prepared:
    """Make a statement that is a transaction by itself: it moves one pattern, if that is as the conditions say.

    The repository is held first, as by all who decide. The conditions are asked of the pattern as it was when the
    statement began; it is changed as it is when its turn comes, and only if it has the same version still. So where
    somebody was faster nothing is changed, counted or written, and the row that tells it has no number.
    """
    held = (
        select(PATTERNS.c.id, PATTERNS.c.repo_id, PATTERNS.c.version, PATTERNS.c.status)
        .join(_REPOS, _REPOS.c.id == PATTERNS.c.repo_id)
        .where(PATTERNS.c.id == _ID, *conditions)
        .with_for_update(key_share=True, of=_REPOS)
        .cte("held")
    )
    changed = (
        update(PATTERNS)
        .where(PATTERNS.c.id == held.c.id, PATTERNS.c.version == held.c.version)
        .values(changes)
        .returning(*_told_of(telling), held.c.status.label("before"))
        .cte(CHANGED.name)
    )
    counted = (
        update(_REPOS)
        .where(_REPOS.c.id == select(changed.c.repo_id).scalar_subquery())
        .values(change_sequence=_REPOS.c.change_sequence + 1)
        .returning(_REPOS.c.change_sequence)
        .cte("counted")
    )
    step = {
        "id": _bound("event", _EVENTS, "id"),
        "pattern_id": changed.c.id,
        "repo_id": changed.c.repo_id,
        "organization_id": changed.c.organization_id,
        "kind": _bound("move", _EVENTS, "kind"),
        "from_status": changed.c.before,
        "to_status": changed.c.status,
        "actor_id": BY,
        "message": _bound("move", _EVENTS, "message"),
        "at": AT,
    }
    written = _written(counted, step).cte("written")
    entry = {name: _bound("entry", ENTRIES, name) for name in ("id", "action", "object", "address", "credential")}
    audited = _audited(changed, {**entry, "organization_id": changed.c.organization_id, "actor_id": BY})
    told = [] if telling is None else [telling.told]
    return Prepared(select(held.c.repo_id, select(written.c.sequence).scalar_subquery(), *told).add_cte(audited))


def _told_of(telling: Telling | None) -> list[ColumnElement[Any]]:
    """List the columns of a pattern that has been changed which the same statement reads."""
    read = {"id", "repo_id", "organization_id", "status"}
    if telling is not None:
        parts = (part for part in iterate(telling.told) if isinstance(part, ColumnClause))
        read |= {part.name for part in parts if part.table is CHANGED}
    return [column for column in PATTERNS.c if column.name in read]


def _written(counted: CTE, step: Mapping[str, Any]) -> Any:
    told = select(*step.values(), counted.c.change_sequence)
    return insert(_EVENTS).from_select([*step, "sequence"], told).returning(_EVENTS.c.sequence)


def _audited(done: CTE, entry: Mapping[str, Any]) -> CTE:
    told = select(*entry.values()).select_from(done)
    return insert(ENTRIES).from_select(list(entry), told).cte("audited")


@lru_cache(maxsize=500)
def _change(columns: tuple[str, ...]) -> Any:
    chosen = PATTERNS.c.id == bindparam("step_pattern_id", type_=Uuid)
    return update(PATTERNS).where(chosen).values({name: _bound("change", PATTERNS, name) for name in columns})


def _bound(prefix: str, rows: Rows, name: str) -> Any:
    return bindparam(f"{prefix}_{name}", type_=rows.c[name].type)
