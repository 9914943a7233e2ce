"""No row holds what makes no sense: vocabularies, lengths, ranges, and what belongs together."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import CheckConstraint, Enum, Text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Pattern, Table
from app.domain.pattern import PatternStatus
from app.domain.repo import IngestionStatus, SourceKind
from app.domain.run import RunStatus
from tests import factories as make
from tests.db.expecting import refused
from tests.factories import FACTORIES, Factory

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


COLUMNS = [(table.name, column) for table in Table.metadata.sorted_tables for column in table.columns]
VOCABULARIES = [(table, column.name) for table, column in COLUMNS if isinstance(column.type, Enum)]


@pytest.mark.parametrize(("table", "column"), VOCABULARIES)
async def test_a_word_outside_the_vocabulary_is_refused(
    table: str, column: str, session: AsyncSession, broom: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await FACTORIES[table](session)
    with pytest.raises(asyncpg.CheckViolationError):
        await broom.execute(f"UPDATE {table} SET {column} = 'NONSENSE'")


async def test_an_api_key_has_no_unknown_scope(session: AsyncSession) -> None:
    await refused(session, make.api_key(session, scopes=["patterns:read", "everything"]), "ck_api_keys_scopes")


LENGTHS: list[tuple[Factory, str, int]] = [
    (make.user, "login", 64),
    (make.user, "email", 254),
    (make.user, "name", 200),
    (make.identity, "issuer", 255),
    (make.identity, "subject", 255),
    (make.organization, "slug", 40),
    (make.organization, "name", 200),
    (make.invitation, "email", 254),
    (make.api_key, "name", 100),
    (make.api_key, "prefix", 16),
    (make.audit_entry, "action", 100),
    (make.audit_entry, "object", 200),
    (make.audit_entry, "address", 64),
    (make.audit_entry, "credential", 200),
    (make.repo, "full_name", 300),
    (make.repo, "url", 2000),
    (make.repo, "branch", 255),
    (make.repo, "default_branch", 255),
    (make.repo, "last_error", 2000),
    (make.repo, "schedule_cron", 100),
    (make.repo_file, "path", 2048),
    (make.repo_file, "language", 50),
    (make.pull_request, "reference", 100),
    (make.pull_request, "title", 500),
    (make.run, "error_code", 100),
    (make.run, "error_message", 2000),
    (make.run_event, "message", 2000),
    (make.pattern, "name", 200),
    (make.pattern, "description", 4000),
    (make.pattern, "suggested_category", 100),
    (make.pattern, "rationale", 1000),
    (make.pattern, "rejection_reason", 500),
    (make.pattern, "extraction_reasoning", 4000),
    (make.pattern, "consistency_note", 500),
    (make.pattern, "rule_text", 20000),
    (make.pattern, "insight_text", 1000),
    (make.fingerprint, "fingerprint", 200),
    (make.evidence, "path", 4096),
    (make.evidence, "snippet", 500),
    (make.evidence, "author", 200),
    (make.provenance, "title", 300),
    (make.provenance, "description", 1000),
    (make.pattern_event, "message", 2000),
    (make.violation, "snippet", 500),
    (make.violation, "message", 2000),
    (make.violation, "suggested_fix", 4000),
    (make.failed_job, "job_id", 200),
    (make.failed_job, "function", 100),
    (make.failed_job, "error", 4000),
]


@pytest.mark.parametrize(("factory", "column", "most"), LENGTHS)
async def test_a_text_may_be_so_long_and_not_longer(
    factory: Factory, column: str, most: int, session: AsyncSession
) -> None:
    await factory(session, **{column: "x" * most})
    with pytest.raises(IntegrityError, match=r"ck_\w+_(length|shape)"):
        await factory(session, **{column: "x" * (most + 1)})


async def test_lengths_count_characters_and_not_bytes(session: AsyncSession) -> None:
    await make.pattern(session, rationale="規" * 1000)


async def test_the_longest_names_of_every_alphabet_fit_into_their_indexes(session: AsyncSession) -> None:
    def unlike(characters: int) -> str:
        return "".join(chr(0x20000 + 7919 * number % 0xA000) for number in range(characters))

    await make.identity(session, issuer=unlike(255), subject=unlike(255))
    await make.repo(session, full_name=unlike(300))
    await make.repo_file(session, path=unlike(512))
    await make.pattern(session, name=unlike(200))
    await make.fingerprint(session, fingerprint=unlike(200))
    await make.failed_job(session, job_id=unlike(200))


# The globs of a scope, made by us from texts that are bounded, and the bytes behind which no person stands.
UNBOUNDED = {("patterns", "scope_include_regex"), ("patterns", "scope_exclude_regex")}


def test_every_text_has_a_bound() -> None:
    unbounded = {
        (table.name, column.name)
        for table in Table.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Text)
        and not any(
            isinstance(check, CheckConstraint) and column.name in str(check.sqltext) for check in table.constraints
        )
    }
    assert unbounded == UNBOUNDED


NONSENSE: list[tuple[Factory, dict[str, Any], str]] = [
    (make.user, {"login": ""}, "ck_users_login_length"),
    (make.user, {"email": "Ada@example.com"}, "ck_users_email_lower"),
    (make.sign_in, {"secret_hash": b""}, "ck_sessions_secret_hash_length"),
    (make.invitation, {"token_hash": b"secret"}, "ck_invitations_token_hash_length"),
    (make.api_key, {"secret_hash": b"secret"}, "ck_api_keys_secret_hash_length"),
    (make.api_key, {"name": ""}, "ck_api_keys_name_length"),
    *(
        (make.organization, {"slug": slug}, "ck_organizations_slug_shape")
        for slug in ("", "x", "Upper", "-a", "a-", "a--b", "a_b", "a b", "ab\n", "größe")
    ),
    (make.organization, {"name": ""}, "ck_organizations_name_length"),
    (make.repo, {"source": SourceKind.GITHUB}, "ck_repos_github_installation"),
    (make.repo, {"full_name": ""}, "ck_repos_full_name_length"),
    (make.repo, {"file_count": -1}, "ck_repos_file_count_range"),
    (make.repo, {"last_ingested_commit": "main"}, "ck_repos_last_ingested_commit_shape"),
    (make.repo_file, {"path": ""}, "ck_repo_files_path_length"),
    (make.repo_file, {"size_bytes": -1}, "ck_repo_files_size_bytes_range"),
    (make.repo_file, {"blob_id": "A" * 40}, "ck_repo_files_blob_id_shape"),
    (make.run, {"commit_sha": "0" * 41}, "ck_ingestion_runs_commit_sha_shape"),
    (make.run, {"fraction": 1.01}, "ck_ingestion_runs_fraction_range"),
    (make.run, {"fraction": math.nan}, "ck_ingestion_runs_fraction_range"),
    (make.run, {"cost_usd": -0.01}, "ck_ingestion_runs_cost_usd_range"),
    (make.run, {"cost_usd": math.nan}, "ck_ingestion_runs_cost_usd_range"),
    (make.run, {"eta_seconds": math.inf}, "ck_ingestion_runs_eta_seconds_range"),
    (make.run, {"finished_at": None}, "ck_ingestion_runs_finished_at"),
    (make.run, {"status": RunStatus.RUNNING, "finished_at": NOW}, "ck_ingestion_runs_finished_at"),
    (make.run, {"status": RunStatus.RUNNING, "started_at": None}, "ck_ingestion_runs_started_at"),
    (make.run, {"status": RunStatus.FAILED, "error_code": None}, "ck_ingestion_runs_error_code"),
    (make.run, {"status_before": IngestionStatus.INGESTING}, "ck_ingestion_runs_status_before_settled"),
    (make.run_event, {"sequence": 0}, "ck_run_events_sequence_range"),
    (make.pattern, {"name": ""}, "ck_patterns_name_length"),
    (make.pattern, {"version": 0}, "ck_patterns_version_range"),
    (make.pattern, {"status": PatternStatus.DEFERRED, "deferred_at": None}, "ck_patterns_deferred_at"),
    (make.pattern, {"conforming": 13}, "ck_patterns_conforming_range"),
    (make.pattern, {"conforming": -1}, "ck_patterns_conforming_range"),
    (make.pattern, {"conforming": None}, "ck_patterns_adoption_together"),
    (make.pattern, {"applicable": None}, "ck_patterns_adoption_together"),
    (make.pattern, {"instances": None}, "ck_patterns_tier_counted"),
    (make.pattern, {"new_file_adoption": 1.5}, "ck_patterns_new_file_adoption_range"),
    (make.pattern, {"oldest": NOW, "newest": NOW - DAY}, "ck_patterns_establishment_range"),
    (make.pattern, {"author_names": ["x"] * 11}, "ck_patterns_author_names_length"),
    (make.pattern, {"rule_definition": ["no object"]}, "ck_patterns_rule_definition_shape"),
    (make.pattern, {"backtest_violations": 4}, "ck_patterns_backtest_together"),
    (
        make.pattern,
        {
            "backtest_violations": 4,
            "backtest_pull_requests": 48,
            "backtest_examined": 47,
            "backtest_window_days": 90,
            "backtest_computed_at": NOW,
        },
        "ck_patterns_backtest_range",
    ),
    (make.evidence, {"start_line": 0}, "ck_evidence_lines_range"),
    (make.evidence, {"start_line": 12, "end_line": 11}, "ck_evidence_lines_range"),
    (make.evidence, {"end_line": None}, "ck_evidence_lines_together"),
    (make.evidence, {"start_line": None, "end_line": None}, "ck_evidence_snippet_placed"),
    (make.evidence, {"commit_sha": None}, "ck_evidence_snippet_placed"),
    (make.evidence, {"is_canonical": True, "is_counterexample": True}, "ck_evidence_canonical_conforms"),
    (make.evidence, {"is_stale": True}, "ck_evidence_stale_reason"),
    *(
        (make.provenance, {"url": url}, "ck_provenance_url_shape")
        for url in ("javascript:alert(1)", "data:text/html,x", "//example.com", "https://", " https://example.com")
    ),
    (make.provenance, {"url": f"https://{'x' * 1993}"}, "ck_provenance_url_length"),
    (make.pattern_event, {"sequence": 0}, "ck_pattern_events_sequence_range"),
    (make.check, {"duration_ms": math.nan}, "ck_checks_duration_ms_range"),
    (make.check, {"files_checked": -1}, "ck_checks_files_checked_range"),
    (make.violation, {"start_line": 0}, "ck_violations_lines_range"),
    (make.violation, {"dismissal_reason": "No reason."}, "ck_violations_dismissal_reason"),
    (make.violation, {"false_positive": True}, "ck_violations_false_positive_dismissed"),
    (make.failed_job, {"attempts": -1}, "ck_failed_jobs_attempts_range"),
]


@pytest.mark.parametrize(("factory", "over", "constraint"), NONSENSE)
async def test_nonsense_is_refused(
    factory: Factory, over: dict[str, Any], constraint: str, session: AsyncSession
) -> None:
    await refused(session, factory(session, **over), constraint)


async def test_a_pattern_is_not_like_itself(session: AsyncSession) -> None:
    pattern = await make.pattern(session)
    itself = update(Pattern).where(Pattern.id == pattern.id)
    await refused(session, session.execute(itself.values(similar_to_id=pattern.id)), "ck_patterns_not_itself")
    await refused(session, session.execute(itself.values(superseded_by_id=pattern.id)), "ck_patterns_not_itself")
