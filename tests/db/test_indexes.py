"""Every order, filter and cascade that a large installation meets is served by an index."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def test_every_foreign_key_has_an_index(session: AsyncSession) -> None:
    without = await session.scalars(
        text("""
            SELECT conrelid::regclass || '.' || conname FROM pg_constraint
            WHERE contype = 'f' AND NOT EXISTS (
                SELECT FROM pg_index
                WHERE indrelid = conrelid AND indpred IS NULL AND indkey[0] = conkey[1]
            )
        """)
    )
    assert without.all() == []


async def test_every_tie_to_an_owner_is_known_to_tell_the_organization(session: AsyncSession) -> None:
    without = await session.scalars(
        text("""
            SELECT conrelid::regclass || '.' || conname FROM pg_constraint
            WHERE contype = 'f' AND cardinality(conkey) = 2 AND NOT EXISTS (
                SELECT FROM pg_statistic_ext
                WHERE stxrelid = conrelid AND stxkind = '{f}'
                    AND stxkeys::int2[] @> conkey AND cardinality(stxkeys::int2[]) = 2
            )
        """)
    )
    assert without.all() == []


async def test_the_rows_of_an_owner_are_not_expected_to_be_fewer_where_there_are_many_organizations(
    session: AsyncSession,
) -> None:
    await session.execute(
        text("""
            INSERT INTO organizations (id, slug, name)
            SELECT gen_random_uuid(), 'organization-' || n, 'One of many' FROM generate_series(1, 50) n
        """)
    )
    await session.execute(
        text("""
            INSERT INTO repos (id, organization_id, full_name, source, url, default_branch, private)
            SELECT id, id, 'one', 'GIT', 'https://git.example.com/one.git', 'main', false FROM organizations
        """)
    )
    await session.execute(
        text("""
            INSERT INTO repo_files (repo_id, path, organization_id, blob_id, size_bytes)
            SELECT id, n::text, id, repeat('a', 40), 1 FROM repos, generate_series(1, 40) n
        """)
    )
    await session.execute(text("ANALYZE repo_files"))
    await session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    await session.execute(
        text("PREPARE theirs AS SELECT FROM repo_files WHERE repo_id = $1 AND organization_id = ANY ($2::uuid[])")
    )
    explained = await session.scalar(text("EXPLAIN (FORMAT JSON) EXECUTE theirs(NULL, NULL)"))
    assert explained is not None
    assert 30 <= explained[0]["Plan"]["Plan Rows"] <= 50


ORDERS = {
    "patterns": {
        "CREATED_AT": "id {0}",
        "UPDATED_AT": "updated_at {0}, id {0}",
        "NAME": "name {0}, id {0}",
        "ADOPTION": "adoption {0} NULLS LAST, id {0}",
        "TIER": "tier_rank {0} NULLS LAST, id {0}",
    },
    "repos": {
        "CREATED_AT": "id {0}",
        "NAME": "full_name {0}, id {0}",
        "LAST_INGESTED_AT": "last_ingested_at {0} NULLS LAST, id {0}",
    },
}


ANY = "'00000000-0000-7000-8000-000000000000'"
TRIAGE = "tier_rank DESC NULLS LAST, backtest_caught DESC, id"


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("table", "owner", "order"),
    [
        *(
            ("patterns", owner, order)
            for owner in ("repo_id", "organization_id")
            for order in ORDERS["patterns"].values()
        ),
        *(("repos", "organization_id", order) for order in ORDERS["repos"].values()),
    ],
)
async def test_every_order_of_the_contract_is_read_from_an_index(
    table: str, owner: str, order: str, direction: str, session: AsyncSession
) -> None:
    await indexed(session, f"SELECT * FROM {table} WHERE {owner} = {ANY} ORDER BY {order.format(direction)}")


@pytest.mark.parametrize(
    "question",
    [
        f"patterns WHERE repo_id = {{}} AND status = 'CANDIDATE' ORDER BY {TRIAGE}",
        "patterns WHERE repo_id = {} AND status = 'DEFERRED' ORDER BY deferred_at, id",
        "patterns WHERE repo_id = {} AND status = 'AUTHORITATIVE' ORDER BY id DESC",
        "evidence WHERE pattern_id = {} AND NOT is_counterexample ORDER BY rank, id",
        "evidence WHERE pattern_id = {} AND is_canonical",
        "provenance WHERE pattern_id = {} ORDER BY id",
        "pattern_events WHERE pattern_id = {} ORDER BY id",
        "pattern_events WHERE repo_id = {} AND sequence > 7 ORDER BY sequence",
        "ingestion_runs WHERE repo_id = {} ORDER BY id DESC",
        "ingestion_runs WHERE repo_id = {} AND status IN ('QUEUED', 'RUNNING')",
        "run_events WHERE run_id = {} AND sequence > 7 ORDER BY sequence",
        "repo_files WHERE repo_id = {} AND path LIKE 'src/%' ORDER BY path",
        "checks WHERE repo_id = {} ORDER BY id",
        "violations WHERE check_id = {} ORDER BY id",
        "memberships WHERE organization_id = {} ORDER BY id",
        "memberships WHERE user_id = {}",
        "invitations WHERE organization_id = {} ORDER BY id",
        "api_keys WHERE organization_id = {} ORDER BY id",
        "audit_entries WHERE organization_id = {} ORDER BY id DESC",
    ],
)
async def test_every_list_of_the_contract_is_read_from_an_index(question: str, session: AsyncSession) -> None:
    await indexed(session, f"SELECT * FROM {question.format(ANY)}")


async def indexed(session: AsyncSession, statement: str) -> None:
    """Expect that an index finds a page and puts it in order, but for ties."""
    for detour in ("seqscan", "bitmapscan", "sort"):
        await session.execute(text(f"SET LOCAL enable_{detour} = off"))
    plan = await session.scalar(text(f"EXPLAIN (FORMAT JSON) {statement} LIMIT 20"))
    assert plan is not None
    nodes = set(kinds(plan[0]["Plan"]))
    assert nodes <= {"Limit", "Incremental Sort", "Index Scan", "Index Only Scan"}, json.dumps(plan)


def kinds(node: dict[str, Any]) -> Iterator[str]:
    yield node["Node Type"]
    for below in node.get("Plans", ()):
        yield from kinds(below)
