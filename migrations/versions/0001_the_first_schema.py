"""The first schema.

Revision 0001, after nothing. It repeats in small what the models said when it was written: they move on, it does not.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable, SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
TEXT = sa.Text(collation="C")
INFINITE = "'infinity'"
GIT_OBJECT = "~ '^([0-9a-f]{40}|[0-9a-f]{64})$'"
AN_ID = sa.Uuid()


def table(name: str, *parts: SchemaItem) -> None:
    sa.Table(name, SCHEMA, *parts)


def check(name: str, condition: str) -> SchemaItem:
    return sa.CheckConstraint(condition, name=name)


def index(*columns: str, name: str | None = None, where: str | None = None, **options: Any) -> SchemaItem:
    plain = [sa.text(column) if " " in column else column for column in columns]
    return sa.Index(name, *plain, postgresql_where=None if where is None else sa.text(where), **options)


def unique(*columns: str) -> SchemaItem:
    return sa.UniqueConstraint(*columns)


def column(name: str, kind: Any, *parts: SchemaItem, null: bool = False, default: str | None = None) -> SchemaItem:
    return sa.Column(name, kind, *parts, nullable=null, server_default=None if default is None else sa.text(default))


def key(name: str = "id") -> SchemaItem:
    return sa.Column(name, AN_ID, primary_key=True)


def one_of(parents: str, name: str) -> SchemaItem:
    return sa.Column(name, AN_ID, sa.ForeignKey(f"{parents}.id", ondelete="CASCADE"), nullable=False)


def perhaps(parents: str, name: str) -> tuple[SchemaItem, ...]:
    link = sa.Column(name, AN_ID, sa.ForeignKey(f"{parents}.id", ondelete="SET NULL"), nullable=True)
    return link, index(name)


def belongs_to(parents: str, name: str) -> SchemaItem:
    columns = [f"{parents}.id", f"{parents}.organization_id"]
    return sa.ForeignKeyConstraint([name, "organization_id"], columns, ondelete="CASCADE")


def text(name: str, most: int | None = None, least: int = 0, **options: Any) -> tuple[SchemaItem, ...]:
    stored = column(name, TEXT, **options)
    if most is None:
        return (stored,)
    bounds = f"BETWEEN {least} AND {most}" if least else f"<= {most}"
    return stored, check(f"{name}_length", f"char_length({name}) {bounds}")


def texts(name: str, **options: Any) -> SchemaItem:
    return column(name, sa.ARRAY(TEXT), **options)


def object_name(name: str, **options: Any) -> tuple[SchemaItem, ...]:
    return column(name, TEXT, **options), check(f"{name}_shape", f"{name} {GIT_OBJECT}")


def digest(name: str) -> tuple[SchemaItem, ...]:
    stored = column(name, sa.LargeBinary())
    return stored, check(f"{name}_length", f"octet_length({name}) BETWEEN 32 AND 64")


def number(
    name: str, low: float = 0, high: float | None = None, kind: Any = sa.Integer, **options: Any
) -> tuple[SchemaItem, ...]:
    top = "" if high is None else f" AND {name} <= {high}"
    return column(name, kind(), **options), check(f"{name}_range", f"{name} >= {low}{top}")


def amount(name: str, **options: Any) -> tuple[SchemaItem, ...]:
    stored = column(name, sa.Float(), **options)
    return stored, check(f"{name}_range", f"{name} >= 0 AND {name} < {INFINITE}")


def moment(name: str, **options: Any) -> SchemaItem:
    return column(name, sa.DateTime(timezone=True), **options)


def now(name: str) -> SchemaItem:
    return moment(name, default="now()")


def flag(name: str, default: str | None = None) -> SchemaItem:
    return column(name, sa.Boolean(), default=default)


def word(name: str, vocabulary: str, words: str, **options: Any) -> SchemaItem:
    kind = sa.Enum(*words.split(), name=vocabulary, native_enum=False, create_constraint=True, length=32)
    return column(name, kind, **options)


ROLE = ("role", "OWNER ADMIN REVIEWER VIEWER")
INGESTION_STATUS = "PENDING INGESTING INGESTED FAILED"
INGESTION_STAGE = ("ingestion_stage", "FETCH INDEX HISTORY PULLS MINE EXTRACT VERIFY SCORE BACKTEST DONE")
PATTERN_STATUS = "CANDIDATE AUTHORITATIVE REJECTED DEFERRED DEPRECATED"
SEVERITY = ("severity", "ERROR WARNING INFO")
CODE_CATEGORY = ("code_category", "CORE FEATURE FRONTEND BACKEND TEST CONFIG HELPER")
LIVE = "status IN ('QUEUED', 'RUNNING')"

table(
    "users",
    key(),
    *text("login", 64, least=1),
    unique("login"),
    *text("email", 254, least=3, null=True),
    unique("email"),
    check("email_lower", "email = lower(email)"),
    *text("name", 200, null=True),
    *text("avatar_url", 2000, null=True),
    *text("password_hash", 500, null=True),
    flag("is_superadmin", "false"),
    now("created_at"),
)
table(
    "identities",
    key(),
    one_of("users", "user_id"),
    index("user_id"),
    *text("issuer", 255),
    *text("subject", 255),
    unique("issuer", "subject"),
    now("created_at"),
)
table(
    "sessions",
    key(),
    one_of("users", "user_id"),
    index("user_id"),
    *digest("secret_hash"),
    unique("secret_hash"),
    now("created_at"),
    now("last_seen_at"),
    moment("expires_at"),
    index("expires_at"),
    moment("revoked_at", null=True),
)
table(
    "organizations",
    key(),
    *text("slug"),
    unique("slug"),
    check("slug_shape", "slug ~ '^[a-z0-9](-?[a-z0-9])*$' AND char_length(slug) BETWEEN 2 AND 40"),
    *text("name", 200, least=1),
    now("created_at"),
)
table(
    "memberships",
    key(),
    one_of("organizations", "organization_id"),
    one_of("users", "user_id"),
    index("user_id"),
    unique("organization_id", "user_id"),
    index("organization_id", "id"),
    word("role", *ROLE),
    now("created_at"),
)
table(
    "invitations",
    key(),
    one_of("organizations", "organization_id"),
    index("organization_id", "id"),
    *text("email", 254, least=3),
    word("role", *ROLE),
    *digest("token_hash"),
    unique("token_hash"),
    *perhaps("users", "invited_by_id"),
    now("created_at"),
    moment("expires_at"),
    index("expires_at"),
    moment("accepted_at", null=True),
    moment("revoked_at", null=True),
)
table(
    "api_keys",
    key(),
    one_of("organizations", "organization_id"),
    index("organization_id", "id"),
    one_of("users", "user_id"),
    index("user_id"),
    *text("name", 100, least=1),
    *text("prefix", 16, least=1),
    *digest("secret_hash"),
    unique("secret_hash"),
    texts("scopes"),
    check("scopes", "scopes <@ ARRAY['repos:read', 'patterns:read', 'patterns:write', 'ingest', 'check', 'admin']"),
    now("created_at"),
    moment("expires_at", null=True),
    moment("last_used_at", null=True),
    moment("revoked_at", null=True),
)
table(
    "audit_entries",
    key(),
    column("organization_id", AN_ID, null=True),
    index("organization_id", "id"),
    now("at"),
    column("actor_id", AN_ID, null=True),
    *text("action", 100, least=1),
    *text("object", 200, least=1),
    *text("address", 64, null=True),
    *text("credential", 200, null=True),
)
table(
    "repos",
    key(),
    one_of("organizations", "organization_id"),
    unique("organization_id", "id"),
    *text("full_name", 300, least=1),
    unique("organization_id", "full_name"),
    word("source", "source_kind", "GITHUB GIT"),
    *text("url", 2000, least=1),
    column("installation_id", sa.BigInteger(), null=True),
    check("github_installation", "source <> 'GITHUB' OR installation_id IS NOT NULL"),
    *text("branch", 255, null=True),
    *text("default_branch", 255),
    flag("private"),
    word("ingestion_status", "ingestion_status", INGESTION_STATUS, default="'PENDING'"),
    moment("last_ingested_at", null=True),
    index("organization_id", "last_ingested_at", "id", name="ix_repos_oldest_ingestion"),
    index("organization_id", "last_ingested_at DESC NULLS LAST", "id DESC", name="ix_repos_latest_ingestion"),
    *object_name("last_ingested_commit", null=True),
    *text("last_error", 2000, null=True),
    *number("file_count", null=True),
    *number("token_count", null=True),
    column("languages", JSONB(), default="'[]'"),
    *text("schedule_cron", 100, null=True),
    *number("change_sequence", default="0"),
    now("created_at"),
)
table(
    "repo_files",
    key("repo_id"),
    sa.Column("path", TEXT, primary_key=True),
    check("path_length", "octet_length(path) BETWEEN 1 AND 2048"),
    column("organization_id", AN_ID),
    belongs_to("repos", "repo_id"),
    *object_name("blob_id"),
    *text("language", 50, null=True),
    *number("size_bytes", kind=sa.BigInteger),
    *number("token_estimate", null=True),
)
table(
    "pull_requests",
    key(),
    column("repo_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("repos", "repo_id"),
    *text("reference", 100, least=1),
    unique("repo_id", "reference"),
    *text("title", 500),
    *text("author", 200, null=True),
    moment("merged_at"),
    index("repo_id", "merged_at"),
    *text("diff_key", 300, null=True),
)
table(
    "ingestion_runs",
    key(),
    column("repo_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("repos", "repo_id"),
    unique("organization_id", "id"),
    index("repo_id", "id"),
    word("status", "run_status", "QUEUED RUNNING SUCCEEDED FAILED CANCELLED"),
    index("repo_id", name="uq_ingestion_runs_live", where=LIVE, unique=True),
    word("trigger", "run_trigger", "CONNECT MANUAL PUSH SCHEDULE"),
    word("stage", *INGESTION_STAGE),
    column("stages", JSONB()),
    flag("forced", "false"),
    word("status_before", "status_before", INGESTION_STATUS, default="'PENDING'"),
    check("status_before_settled", "status_before <> 'INGESTING'"),
    *object_name("commit_sha", null=True),
    *number("attempt", default="0"),
    moment("leased_until", null=True),
    index("leased_until", name="ix_ingestion_runs_lease", where=LIVE),
    moment("cancel_requested_at", null=True),
    *number("sequence", default="0"),
    now("queued_at"),
    moment("started_at", null=True),
    check("started_at", "status <> 'RUNNING' OR started_at IS NOT NULL"),
    moment("finished_at", null=True),
    check("finished_at", f"({LIVE}) = (finished_at IS NULL)"),
    *text("error_code", 100, null=True),
    check("error_code", "status <> 'FAILED' OR error_code IS NOT NULL"),
    *text("error_message", 2000, null=True),
    *number("patterns_found", default="0"),
    *number("patterns_dropped", default="0"),
    *number("input_tokens", default="0"),
    *number("output_tokens", default="0"),
    *amount("cost_usd", default="0"),
    *number("fraction", 0, 1, kind=sa.Float, default="0"),
    *amount("eta_seconds", null=True),
    column("report", JSONB(), null=True),
)
table(
    "patterns",
    key(),
    column("repo_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("repos", "repo_id"),
    unique("organization_id", "id"),
    index("repo_id", "id", postgresql_include=["organization_id", "status"]),
    now("created_at"),
    now("updated_at"),
    *number("version", 1, default="1"),
    word("type", "pattern_type", "CODE FILESYSTEM"),
    word(
        "category",
        "pattern_category",
        "STRUCTURAL BEHAVIORAL API TESTING NAMING DEPENDENCY DOCUMENTATION FILE_NAMING FILE_STRUCTURE OTHER",
    ),
    word("status", "pattern_status", PATTERN_STATUS),
    word("severity", *SEVERITY),
    word("tier", "confidence_tier", "STRONG EMERGING MODERATE WEAK LEGACY", null=True),
    column(
        "tier_rank",
        sa.SmallInteger(),
        sa.Computed(
            "CASE tier WHEN 'STRONG' THEN 5 WHEN 'EMERGING' THEN 4 WHEN 'MODERATE' THEN 3 WHEN 'WEAK' THEN 2 "
            "WHEN 'LEGACY' THEN 1 ELSE NULL END",
            persisted=True,
        ),
        null=True,
    ),
    *number("instances", null=True),
    *number("applicable", null=True),
    column("conforming", sa.Integer(), null=True),
    column(
        "adoption",
        sa.Float(),
        sa.Computed("conforming::double precision / nullif(applicable, 0)", persisted=True),
        null=True,
    ),
    *number("backtest_violations", null=True),
    column("backtest_pull_requests", sa.Integer(), null=True),
    column("backtest_examined", sa.Integer(), null=True),
    *number("backtest_window_days", 1, null=True),
    moment("backtest_computed_at", null=True),
    column("backtest_caught", sa.Integer(), sa.Computed("coalesce(backtest_violations, 0)", persisted=True)),
    *text("language", 50, null=True),
    *text("name", 200, least=1),
    *text("description", 4000, least=1),
    *text("rationale", 1000, null=True),
    *text("suggested_category", 100, null=True),
    # what people decide
    *text("rejection_reason", 500, null=True),
    *number("defer_count", default="0"),
    moment("deferred_at", null=True),
    check("deferred_at", "status <> 'DEFERRED' OR deferred_at IS NOT NULL"),
    *perhaps("users", "owner_id"),
    *perhaps("users", "validated_by_id"),
    moment("validated_at", null=True),
    now("status_changed_at"),
    *perhaps("users", "status_changed_by_id"),
    flag("pr_review", "true"),
    flag("ai_context", "true"),
    *perhaps("patterns", "similar_to_id"),
    *perhaps("patterns", "superseded_by_id"),
    check("not_itself", "similar_to_id <> id AND superseded_by_id <> id"),
    now("touched_at"),
    # where it comes from
    moment("extracted_at", null=True),
    *text("extracted_by", 200, least=1),
    *text("extraction_reasoning", 4000, null=True),
    *perhaps("ingestion_runs", "run_id"),
    # what makes it checkable
    word("rule_kind", "rule_kind", "AST IMPORT PATH REGEX LLM"),
    column("rule_definition", JSONB()),
    check("rule_definition_shape", "jsonb_typeof(rule_definition) = 'object'"),
    *text("rule_text", 20000),
    flag("rule_exportable"),
    *text("rule_alternative", 1000, null=True),
    texts("scope_languages"),
    texts("scope_include"),
    texts("scope_exclude"),
    *text("scope_include_regex", default="'.*'"),
    *text("scope_exclude_regex", null=True),
    # what was measured
    check("tier_counted", "tier IS NULL OR instances IS NOT NULL"),
    word("consistency", "consistency", "HIGH MEDIUM LOW UNKNOWN", null=True),
    *text("consistency_note", 500, null=True),
    check("conforming_range", "conforming >= 0 AND conforming <= applicable"),
    check("adoption_together", "(conforming IS NULL) = (applicable IS NULL)"),
    *number("authors", null=True),
    texts("author_names", default="'{}'"),
    check("author_names_length", "cardinality(author_names) <= 10"),
    word("age", "age_category", "ESTABLISHED MATURING EMERGING UNKNOWN", default="'UNKNOWN'"),
    moment("oldest", null=True),
    moment("newest", null=True),
    check("establishment_range", "oldest <= newest"),
    word("trend", "trend", "RISING STABLE ERODING DEAD UNKNOWN", default="'UNKNOWN'"),
    *number("new_file_adoption", 0, 1, kind=sa.Float, null=True),
    word("primary_location", *CODE_CATEGORY, null=True),
    column("locations", JSONB(), default="'[]'"),
    column("health_signals", JSONB(), default="'[]'"),
    *text("insight_text", 1000, null=True),
    texts("insight_actions", default="'{}'"),
    check("backtest_range", "backtest_pull_requests BETWEEN 0 AND backtest_examined"),
    check(
        "backtest_together",
        "num_nulls(backtest_violations, backtest_pull_requests, backtest_examined, backtest_window_days, "
        "backtest_computed_at) IN (0, 5)",
    ),
    column(
        "search",
        TSVECTOR(),
        sa.Computed(
            "setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', description), 'B') || "
            "setweight(to_tsvector('english', coalesce(rationale, '')), 'C')",
            persisted=True,
        ),
    ),
    index("search", name="ix_patterns_search", postgresql_using="gin"),
    *(
        index(f"{owner}_id", *columns, name=f"ix_patterns_{owner}_{name}")
        for owner in ("repo", "organization")
        for name, columns in {
            "status": ("status", "id"),
            "updated": ("updated_at", "id"),
            "name": ("name", "id"),
            "adoption_up": ("adoption", "id"),
            "adoption_down": ("adoption DESC NULLS LAST", "id DESC"),
            "tier_up": ("tier_rank", "id"),
            "tier_down": ("tier_rank DESC NULLS LAST", "id DESC"),
        }.items()
    ),
    index(
        "repo_id",
        "tier_rank DESC NULLS LAST",
        "backtest_caught DESC",
        "id",
        name="ix_patterns_triage",
        where="status = 'CANDIDATE'",
    ),
    index("repo_id", "deferred_at", "id", name="ix_patterns_deferred", where="status = 'DEFERRED'"),
)
table(
    "fingerprints",
    sa.Column("repo_id", AN_ID, sa.ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("fingerprint", TEXT, primary_key=True),
    check("fingerprint_length", "char_length(fingerprint) BETWEEN 1 AND 200"),
    one_of("patterns", "pattern_id"),
    index("pattern_id"),
)
table(
    "evidence",
    key(),
    column("pattern_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("patterns", "pattern_id"),
    flag("is_counterexample", "false"),
    column("rank", sa.Integer(), default="0"),
    index("pattern_id", "is_counterexample", "rank", "id"),
    *text("path", 4096, least=1),
    column("start_line", sa.Integer(), null=True),
    column("end_line", sa.Integer(), null=True),
    check("lines_together", "(start_line IS NULL) = (end_line IS NULL)"),
    check("lines_range", "start_line >= 1 AND end_line >= start_line"),
    *text("snippet", 500, null=True),
    *object_name("commit_sha", null=True),
    check("snippet_placed", "snippet IS NULL OR (start_line IS NOT NULL AND commit_sha IS NOT NULL)"),
    *object_name("blob_id", null=True),
    *text("permalink", 6000, null=True),
    *text("author", 200, null=True),
    moment("authored_at", null=True),
    word("code_category", *CODE_CATEGORY, null=True),
    flag("is_canonical", "false"),
    index("pattern_id", name="uq_evidence_canonical", where="is_canonical", unique=True),
    check("canonical_conforms", "NOT (is_canonical AND is_counterexample)"),
    flag("is_stale", "false"),
    *text("stale_reason", 500, null=True),
    check("stale_reason", "NOT is_stale OR stale_reason IS NOT NULL"),
    word("added_by", "evidence_source", "MINER MODEL PERSON"),
    now("added_at"),
)
table(
    "provenance",
    key(),
    column("pattern_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("patterns", "pattern_id"),
    index("pattern_id", "id"),
    word("kind", "provenance_kind", "PULL_REQUEST COMMIT ISSUE DOCUMENT ADR CHAT OTHER"),
    *text("url", 2000),
    check("url_shape", "url ~* '^https?://.'"),
    *text("title", 300, null=True),
    *text("description", 1000, null=True),
    *perhaps("users", "added_by_id"),
    now("added_at"),
)
table(
    "pattern_events",
    key(),
    column("pattern_id", AN_ID),
    column("repo_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("patterns", "pattern_id"),
    belongs_to("repos", "repo_id"),
    index("pattern_id", "id"),
    *number("sequence", 1),
    unique("repo_id", "sequence"),
    word(
        "kind",
        "pattern_event_kind",
        "CREATED PROMOTED REJECTED DEFERRED REOPENED DEMOTED DEPRECATED RESTORED UPDATED MERGED WITHDRAWN "
        "EVIDENCE PROVENANCE MEASURED",
    ),
    word("from_status", "from_status", PATTERN_STATUS, null=True),
    word("to_status", "to_status", PATTERN_STATUS, null=True),
    column("actor_id", AN_ID, null=True),
    *text("message", 2000, null=True),
    now("at"),
)
table(
    "run_events",
    key("run_id"),
    sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=False),
    check("sequence_range", "sequence >= 1"),
    column("organization_id", AN_ID),
    belongs_to("ingestion_runs", "run_id"),
    word("kind", "ingestion_event_kind", "SNAPSHOT STAGE PROGRESS PATTERN LOG RETRY FINISHED"),
    now("at"),
    index("at"),
    word("stage", *INGESTION_STAGE),
    column("progress", JSONB(), null=True),
    *text("message", 2000, null=True),
    *perhaps("patterns", "pattern_id"),
    column("run", JSONB()),
)
table(
    "checks",
    key(),
    column("repo_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("repos", "repo_id"),
    unique("organization_id", "id"),
    index("repo_id", "id"),
    word("verdict", "check_verdict", "SUCCESS FAILURE INCOMPLETE"),
    texts("notes", default="'{}'"),
    *number("patterns_checked"),
    *number("files_checked"),
    *amount("duration_ms"),
    now("created_at"),
)
table(
    "violations",
    key(),
    column("check_id", AN_ID),
    column("pattern_id", AN_ID),
    column("organization_id", AN_ID),
    belongs_to("checks", "check_id"),
    belongs_to("patterns", "pattern_id"),
    index("check_id", "id"),
    index("pattern_id"),
    *text("path", 4096, least=1),
    column("start_line", sa.Integer()),
    column("end_line", sa.Integer()),
    check("lines_range", "start_line >= 1 AND end_line >= start_line"),
    *text("snippet", 500, null=True),
    *text("message", 2000, least=1),
    word("severity", *SEVERITY),
    *text("suggested_fix", 4000, null=True),
    moment("dismissed_at", null=True),
    *text("dismissal_reason", 500, null=True),
    check("dismissal_reason", "dismissal_reason IS NULL OR dismissed_at IS NOT NULL"),
    flag("false_positive", "false"),
    check("false_positive_dismissed", "dismissed_at IS NOT NULL OR NOT false_positive"),
)
table(
    "failed_jobs",
    key(),
    *text("job_id", 200, least=1),
    unique("job_id"),
    *text("function", 100, least=1),
    column("arguments", JSONB()),
    *text("error", 4000),
    *number("attempts"),
    now("failed_at"),
)

APPEND_ONLY = (
    """
    CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only, % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END $$
    """,
    # The rows of a cascade arrive here when their parent is gone already. Which parent goes first, the pattern or its
    # repo, depends on the order in which the foreign keys were made, and a restored dump makes them in another one.
    """
    CREATE FUNCTION pattern_events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM patterns WHERE id = OLD.pattern_id) AND EXISTS (SELECT FROM repos WHERE id = OLD.repo_id)
        THEN
            RAISE EXCEPTION 'pattern_events is append-only, DELETE is refused while the pattern exists'
            USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END $$
    """,
    # What happened in no organization happened in the installation, which never goes.
    """
    CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.organization_id IS NULL OR EXISTS (SELECT FROM organizations WHERE id = OLD.organization_id) THEN
            RAISE EXCEPTION 'audit_entries is append-only, DELETE is refused while the organization exists'
            USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END $$
    """,
    *(
        statement
        for name in ("pattern_events", "audit_entries")
        for statement in (
            f"CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON {name} EXECUTE FUNCTION append_only()",
            f"CREATE TRIGGER stay BEFORE DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION {name}_stay()",
        )
    ),
)


def upgrade() -> None:
    for made in SCHEMA.sorted_tables:
        op.execute(CreateTable(made))
        for beside in sorted(made.indexes, key=lambda found: str(found.name)):
            op.execute(CreateIndex(beside))
    for statement in APPEND_ONLY:
        op.execute(statement)


def downgrade() -> None:
    for made in reversed(SCHEMA.sorted_tables):
        op.execute(DropTable(made))
    for function in ("audit_entries_stay", "pattern_events_stay", "append_only"):
        op.execute(f"DROP FUNCTION {function}()")
