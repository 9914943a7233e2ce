"""What the database keeps true among rows, whoever writes and however many at once."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.db.models import IngestionRun, Organization, Pattern, PatternEvent, RunEvent, Table
from app.domain.confidence import ConfidenceTier
from app.domain.rule import RuleKind
from app.domain.run import LIVE, RunStatus
from tests import factories as make
from tests.db.expecting import refused
from tests.factories import FACTORIES, Factory

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("table", sorted(Table.metadata.tables))
async def test_every_table_has_a_factory(table: str, session: AsyncSession) -> None:
    row = await FACTORIES[table](session)
    assert row.__tablename__ == table


# One of each


async def test_a_repo_has_one_live_run_however_many_start_at_once(session: AsyncSession, engine: AsyncEngine) -> None:
    repo = await make.repo(session)

    async def start() -> None:
        async with AsyncSession(engine) as own:
            await make.run(own, repo, status=RunStatus.QUEUED)

    outcomes = await asyncio.gather(*(start() for _ in range(8)), return_exceptions=True)
    losers = [outcome for outcome in outcomes if outcome is not None]
    assert len(losers) == 7
    assert all("uq_ingestion_runs_live" in str(loser) for loser in losers)
    assert await session.scalar(select(func.count()).where(IngestionRun.status.in_(LIVE))) == 1


async def test_a_repo_can_run_again_when_its_run_ended(session: AsyncSession) -> None:
    repo = await make.repo(session)
    first = await make.run(session, repo, status=RunStatus.RUNNING)
    await refused(session, make.run(session, repo, status=RunStatus.QUEUED), "uq_ingestion_runs_live")
    await session.execute(
        update(IngestionRun).where(IngestionRun.id == first.id).values(status=RunStatus.CANCELLED, finished_at=NOW)
    )
    await make.run(session, repo, status=RunStatus.QUEUED)
    await make.run(session, status=RunStatus.QUEUED)


async def test_a_pattern_has_one_canonical_evidence(session: AsyncSession) -> None:
    pattern = await make.pattern(session)
    await make.evidence(session, pattern, is_canonical=True)
    await make.evidence(session, pattern)
    await make.evidence(session, is_canonical=True)
    await refused(session, make.evidence(session, pattern, is_canonical=True), "uq_evidence_canonical")


async def test_a_person_is_a_member_once(session: AsyncSession) -> None:
    organization, person = await make.organization(session), await make.user(session)
    await make.member(session, organization, person)
    await make.member(session, None, person)
    await refused(session, make.member(session, organization, person), "uq_memberships_organization_id_user_id")


async def test_names_are_taken_once(session: AsyncSession) -> None:
    repo = await make.repo(session)
    organization = await session.get_one(Organization, repo.organization_id)
    await make.repo(session, full_name=repo.full_name)
    for made, constraint in (
        (make.organization(session, slug=organization.slug), "uq_organizations_slug"),
        (make.repo(session, organization, full_name=repo.full_name), "uq_repos_organization_id_full_name"),
        (make.user(session, login=(await make.user(session)).login), "uq_users_login"),
        (make.user(session, email=(await make.user(session)).email), "uq_users_email"),
    ):
        await refused(session, made, constraint)
    await make.user(session, email=None)
    await make.user(session, email=None)


async def test_changes_of_a_repo_are_numbered_without_a_gap(session: AsyncSession, engine: AsyncEngine) -> None:
    pattern = await make.pattern(session)

    async def change() -> int:
        async with AsyncSession(engine, expire_on_commit=False) as own:
            return (await make.pattern_event(own, pattern)).sequence

    assert sorted(await asyncio.gather(*(change() for _ in range(8)))) == [*range(1, 9)]
    await refused(session, make.pattern_event(session, pattern, sequence=8), "uq_pattern_events_repo_id_sequence")


# Whose a row is


@pytest.mark.parametrize(
    "maker",
    [
        make.repo_file,
        make.pull_request,
        make.run,
        make.run_event,
        make.pattern,
        make.evidence,
        make.provenance,
        make.pattern_event,
        make.check,
        make.violation,
    ],
)
async def test_a_row_names_the_organization_of_its_parent(maker: Factory, session: AsyncSession) -> None:
    stranger = await make.organization(session)
    with pytest.raises(IntegrityError, match="foreign key constraint"):
        await maker(session, organization_id=stranger.id)


def test_every_row_that_hangs_below_a_repo_names_its_organization() -> None:
    below = {"repo_id", "pattern_id", "run_id", "check_id"}
    without = {
        table.name
        for table in Table.metadata.sorted_tables
        if below & set(table.columns.keys()) and "organization_id" not in table.columns
    }
    assert without == {"fingerprints"}, "front ends never read these"


# Measured, never claimed


async def test_adoption_is_what_its_counts_give(session: AsyncSession) -> None:
    assert (await make.pattern(session, applicable=12, conforming=9)).adoption == 0.75
    assert (await make.pattern(session, applicable=0, conforming=0)).adoption is None
    unmeasured = await make.pattern(session, rule_kind=RuleKind.LLM, applicable=None, conforming=None)
    assert unmeasured.adoption is None
    with pytest.raises(DBAPIError, match="adoption"):
        await session.execute(update(Pattern).values(adoption=1.0))


async def test_tiers_are_ordered_by_rank(session: AsyncSession) -> None:
    repo = await make.repo(session)
    for tier in (None, *sorted(ConfidenceTier)):
        await make.pattern(session, repo, tier=tier)
    ordered = await session.scalars(select(Pattern.tier).order_by(Pattern.tier_rank.desc().nulls_last()))
    assert ordered.all() == ["STRONG", "EMERGING", "MODERATE", "WEAK", "LEGACY", None]


async def test_without_a_backtest_nothing_was_caught(session: AsyncSession) -> None:
    pattern = await make.pattern(session)
    assert (pattern.backtest_violations, pattern.backtest_caught) == (None, 0)


async def test_name_description_and_rationale_are_searched(session: AsyncSession) -> None:
    named = await make.pattern(session, name="Migrations are numbered")
    reasoned = await make.pattern(session, rationale="A reader finds the migration")
    found = await session.scalars(
        select(Pattern.id)
        .where(Pattern.search.op("@@")(func.to_tsquery("english", "migrat:*")))
        .order_by(func.ts_rank(Pattern.search, func.to_tsquery("english", "migrat:*")).desc())
    )
    assert found.all() == [named.id, reasoned.id]


async def test_what_is_absent_is_null_and_not_the_word_null(session: AsyncSession) -> None:
    await make.run(session, report=None)
    await make.run_event(session, progress=None)
    assert await session.scalar(select(func.count()).where(IngestionRun.report.is_(None))) == 2
    assert await session.scalar(select(func.count()).where(RunEvent.progress.is_(None))) == 1
    for table in Table.metadata.sorted_tables:
        for column in table.columns:
            assert not isinstance(column.type, JSONB) or column.type.none_as_null


# What goes with what


async def test_nothing_of_an_organization_is_left_but_its_audit_log(session: AsyncSession) -> None:
    organization = await make.organization(session)
    repo = await make.repo(session, organization)
    run, pattern = await make.run(session, repo), await make.pattern(session, repo)
    parents: dict[str, Table | None] = {
        **dict.fromkeys(("memberships", "invitations", "api_keys", "audit_entries"), organization),
        **dict.fromkeys(("repo_files", "pull_requests"), repo),
        **dict.fromkeys(("fingerprints", "evidence", "provenance", "pattern_events"), pattern),
    }
    for table, parent in parents.items():
        await FACTORIES[table](session, parent)
    await make.run_event(session, run, pattern_id=pattern.id)
    await make.run_shard(session, run)
    await make.violation(session, await make.check(session, repo), pattern)
    await session.execute(delete(Organization).where(Organization.id == organization.id))
    await session.commit()
    left = [table.name for table in Table.metadata.sorted_tables if await session.scalar(select(table).limit(1))]
    assert sorted(left) == ["audit_entries", "users"]


async def test_what_a_person_decided_outlives_them(session: AsyncSession) -> None:
    person = await make.user(session)
    pattern = await make.pattern(session, owner_id=person.id, validated_by_id=person.id)
    event = await make.pattern_event(session, pattern, actor_id=person.id)
    await session.execute(text("DELETE FROM users"))
    await session.commit()
    owner = await session.scalar(select(Pattern.owner_id))
    assert owner is None
    assert await session.scalar(select(PatternEvent.actor_id).where(PatternEvent.id == event.id)) == person.id
