"""The history of a pattern and the audit log only grow."""

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AuditEntry, Organization, Pattern, PatternEvent, Repo, Table
from tests import factories as make
from tests.factories import FACTORIES


@pytest.mark.parametrize("table", ["pattern_events", "audit_entries"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
async def test_history_is_neither_changed_nor_removed(table: str, statement: str, session: AsyncSession) -> None:
    await FACTORIES[table](session)
    with pytest.raises(IntegrityError, match=f"{table} is append-only"):
        await session.execute(text(statement.format(table)))
    await session.rollback()
    assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


async def test_history_is_not_changed_by_an_insert_either(session: AsyncSession) -> None:
    await make.pattern_event(session)
    again = "INSERT INTO pattern_events SELECT * FROM pattern_events ON CONFLICT (id) DO UPDATE SET message = 'x'"
    with pytest.raises(IntegrityError, match="pattern_events is append-only"):
        await session.execute(text(again))
    await session.rollback()
    assert await session.scalar(select(PatternEvent.message)) is None


@pytest.mark.parametrize("parents", [Pattern, Repo, Organization])
async def test_the_history_goes_with_its_pattern_its_repo_or_its_organization(
    parents: type[Table], session: AsyncSession
) -> None:
    event = await make.pattern_event(session)
    stays = await make.pattern_event(session)
    theirs = {Pattern: event.pattern_id, Repo: event.repo_id, Organization: event.organization_id}
    await session.execute(text(f"DELETE FROM {parents.__tablename__} WHERE id = :id"), {"id": theirs[parents]})
    await session.commit()
    assert (await session.scalars(select(PatternEvent.id))).all() == [stays.id]


async def test_the_history_goes_with_its_repo_in_a_restored_dump_too(session: AsyncSession) -> None:
    event = await make.pattern_event(session)
    # Cascades run in the order in which the foreign keys were made; a dump makes them again by name.
    definition = "FOREIGN KEY (repo_id, organization_id) REFERENCES repos (id, organization_id) ON DELETE CASCADE"
    for table in ("pattern_events", "patterns"):
        name = f"fk_{table}_repo_id_organization_id"
        await session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        await session.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))
    await session.execute(delete(Repo).where(Repo.id == event.repo_id))
    assert await session.scalar(select(func.count()).select_from(PatternEvent)) == 0
    await session.rollback()


async def test_the_audit_log_outlives_its_organization(session: AsyncSession) -> None:
    entry = await make.audit_entry(session)
    await session.execute(delete(Organization).where(Organization.id == entry.organization_id))
    await session.commit()
    kept = await session.scalar(select(AuditEntry.organization_id))
    assert kept == entry.organization_id
    await session.execute(delete(AuditEntry))
    assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 0


async def test_the_audit_log_of_the_installation_stays(session: AsyncSession) -> None:
    await make.audit_entry(session, organization_id=None)
    with pytest.raises(IntegrityError, match="audit_entries is append-only"):
        await session.execute(delete(AuditEntry))
