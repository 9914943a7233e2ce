"""The rows that every contestant reads: the same in every run, made by the database itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.checkers.registry import EDITION
from app.db.address import plain_url
from app.db.migrating import migrate
from tests.ground import administration, beside

REPOS = 20
PATTERNS = 20_000
EVIDENCE = 10
DATABASE = "tenet_bench"
EMAIL = "person-1@example.com"

# Ids as the service makes them: the time in front, so that they grow as rows are made; the rest is scattered.
_NUMBERED = """
CREATE FUNCTION pg_temp.numbered(kind integer, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN (
    lpad(to_hex(1750000000000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8'
    || left(md5(kind || ':' || number), 15)
)::uuid
"""

_PEOPLE = """
INSERT INTO organizations (id, slug, name) VALUES (pg_temp.numbered(1, 1), 'bench', 'The Bench');
INSERT INTO users (id, login, email, name)
SELECT pg_temp.numbered(2, n), 'person-' || n, 'person-' || n || '@example.com', 'Person ' || n
FROM generate_series(1, 5) n;
INSERT INTO memberships (id, organization_id, user_id, role)
SELECT pg_temp.numbered(3, n), pg_temp.numbered(1, 1), pg_temp.numbered(2, n), 'OWNER' FROM generate_series(1, 5) n;
"""

_REPOS = f"""
INSERT INTO repos (
    id, organization_id, full_name, source, url, default_branch, private, ingestion_status, file_count, token_count
)
SELECT pg_temp.numbered(4, n), pg_temp.numbered(1, 1), 'bench/repo-' || n, 'GIT',
    'https://git.example.com/bench/repo-' || n || '.git', 'main', false, 'INGESTED', 400 + n, 500000 + n
FROM generate_series(1, {REPOS}) n;
"""

_PATTERNS = f"""
INSERT INTO patterns (
    id, repo_id, organization_id, name, description, type, category, language, status, severity, rationale, deferred_at,
    owner_id, extracted_at, extracted_by, rule_kind, rule_definition, rule_text, rule_exportable, rule_edition,
    scope_languages, scope_include, scope_exclude, tier, instances, consistency, applicable, conforming, authors,
    author_names, age, trend, locations, insight_text, backtest_violations, backtest_pull_requests, backtest_examined,
    backtest_window_days, backtest_computed_at, status_changed_at, created_at, updated_at
)
SELECT pg_temp.numbered(5, n), pg_temp.numbered(4, 1 + (n - 1) / {PATTERNS // REPOS}), pg_temp.numbered(1, 1),
    (ARRAY['Exceptions end in', 'Handlers begin with', 'Tests live beside', 'Modules never import'])[1 + n % 4]
        || ' "' || left(md5(n::text), 6) || '" (' || n || ')',
    'Code of this kind spells it like this – wherever it stands, in new files as in old ones. ' || repeat(
        'Whoever reads it finds the same shape again, and tools can rely on it. ', 1 + n % 3),
    'CODE', (ARRAY['NAMING', 'STRUCTURAL', 'TESTING', 'API', 'DEPENDENCY'])[1 + n % 5],
    CASE WHEN n % 7 > 0 THEN (ARRAY['Python', 'TypeScript', 'Go'])[1 + n % 3] END,
    status, (ARRAY['ERROR', 'WARNING', 'INFO'])[1 + n % 3],
    CASE WHEN n % 3 > 0 THEN 'It was decided in the review of change ' || n || ', after the second incident.' END,
    CASE WHEN status = 'DEFERRED' THEN born END, CASE WHEN n % 2 = 0 THEN pg_temp.numbered(2, 1 + n % 5) END,
    born, 'naming 1', 'AST', jsonb_build_object('applicable', jsonb_build_object('pattern', 'class $NAME: $$$BODY'),
        'conforming', jsonb_build_object('has', jsonb_build_object('field', 'name', 'regex', 'Error' || n || '$'))),
    'class $NAME: $$$BODY', true, '{EDITION}', ARRAY['Python'], ARRAY['src/**', 'lib/**'], ARRAY['**/generated/**'],
    CASE WHEN n % 11 > 0 THEN (ARRAY['STRONG', 'EMERGING', 'MODERATE', 'WEAK', 'LEGACY'])[1 + n % 5] END,
    10 + n % 90, 'HIGH', 100, 10 + n % 90, 1 + n % 9, ARRAY['Person 1', 'Person 2'], 'ESTABLISHED', 'STABLE',
    '[{{"category": "CORE", "instances": 7}}, {{"category": "TEST", "instances": 3}}]', 'Most files follow it.',
    CASE WHEN tested THEN n % 17 END, CASE WHEN tested THEN n % 5 END, CASE WHEN tested THEN 40 END,
    CASE WHEN tested THEN 90 END, CASE WHEN tested THEN born END, born, born, born + interval '3 days'
FROM generate_series(1, {PATTERNS}) n,
LATERAL (SELECT
    timestamptz '2025-01-01T08:00:00.125Z' + n * interval '17 minutes' AS born,
    n % 6 > 0 AS tested,
    CASE WHEN n % 20 < 10 THEN 'CANDIDATE' WHEN n % 20 < 16 THEN 'AUTHORITATIVE' WHEN n % 20 < 18 THEN 'REJECTED'
        WHEN n % 20 < 19 THEN 'DEFERRED' ELSE 'DEPRECATED' END AS status
) facts;
"""

_EVIDENCE = f"""
INSERT INTO evidence (
    id, pattern_id, organization_id, rank, path, start_line, end_line, snippet, commit_sha, blob_id, author,
    authored_at, code_category, is_canonical, added_by, added_at
)
SELECT pg_temp.numbered(6, n * {EVIDENCE} + place), pg_temp.numbered(5, n), pg_temp.numbered(1, 1), place,
    'src/package_' || n % 50 || '/module_' || left(md5(n || '/' || place), 8) || '.py', 10 + place, 14 + place,
    E'class Reader' || place || E'Error(Exception):\\n    kind = "unreadable"\\n\\n'
        || E'    def __init__(self, path: str) -> None:\\n        super().__init__(f"cannot read {{path}}")\\n',
    left(md5(n::text) || md5(n::text), 40), left(md5(place::text) || md5(n::text), 40), 'Person ' || 1 + n % 5,
    timestamptz '2024-03-01T10:20:30.5Z' + n * interval '9 minutes', 'CORE', place = 0, 'MINER',
    timestamptz '2025-01-01T08:00:00.25Z' + n * interval '17 minutes'
FROM generate_series(1, {PATTERNS}) n, generate_series(0, {EVIDENCE - 1}) place;
"""

# What cleans up by itself would do so in somebody's turn.
_SETTLED = ("patterns", "evidence", "pattern_events", "repos")


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where the rows are, and the ids that operations ask for."""

    database_url: str
    user_id: UUID
    repos: list[UUID]
    patterns: list[UUID]
    candidates: list[UUID]


@asynccontextmanager
async def data_set(server_url: str) -> AsyncIterator[DataSet]:
    """Make a database of our own on a server, and drop it afterwards."""
    async with administration(server_url) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    url = beside(server_url, DATABASE)
    try:
        await migrate(url)
        yield await _filled(url)
    finally:
        async with administration(server_url) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


async def _filled(url: str) -> DataSet:
    connection = await asyncpg.connect(plain_url(url), server_settings={"synchronous_commit": "off"})
    try:
        for statements in (_NUMBERED, _PEOPLE, _REPOS, _PATTERNS, _EVIDENCE):
            await connection.execute(statements)
        for table in _SETTLED:
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        await connection.execute("VACUUM (ANALYZE, FREEZE)")
        await connection.execute("CHECKPOINT")
        return DataSet(
            url,
            await connection.fetchval("SELECT id FROM users WHERE email = $1", EMAIL),
            await _ids(connection, "SELECT id FROM repos ORDER BY id"),
            await _ids(connection, "SELECT id FROM patterns ORDER BY id"),
            await _ids(connection, "SELECT id FROM patterns WHERE status = 'CANDIDATE' ORDER BY id"),
        )
    finally:
        await connection.close()


async def _ids(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> list[UUID]:
    return [row[0] for row in await connection.fetch(statement)]
