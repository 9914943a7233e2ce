"""What files are, and shards of runs.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OBJECT_NAME = "files_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'"
ROLES = ["SOURCE", "TEST", "FIXTURE", "MIGRATION", "EXAMPLE", "GENERATED", "CONFIG", "DOCS", "ASSET"]
STAGES = ["FETCH", "INDEX", "HISTORY", "PULLS", "MINE", "EXTRACT", "VERIFY", "SCORE", "BACKTEST", "DONE"]
FLAGS = ("is_binary", "is_generated", "is_vendored", "is_symlink", "is_detectable", "is_quotable")


def upgrade() -> None:
    op.add_column("repos", sa.Column("files_commit", sa.Text(collation="C")))
    op.create_check_constraint(op.f("ck_repos_files_commit_shape"), "repos", OBJECT_NAME)
    op.add_column("repo_files", sa.Column("role", sa.String(32), server_default=sa.text("'ASSET'"), nullable=False))
    op.create_check_constraint(op.f("ck_repo_files_role"), "repo_files", sa.column("role").in_(ROLES))
    for flag in FLAGS:
        op.add_column("repo_files", sa.Column(flag, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # What was found before has version 0: every file is looked at again by the next run.
    op.add_column(
        "repo_files", sa.Column("facts_version", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "run_shards",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("holder", sa.Uuid()),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("result", postgresql.JSONB(none_as_null=True)),
        sa.PrimaryKeyConstraint("run_id", "stage", "number", name=op.f("pk_run_shards")),
        sa.ForeignKeyConstraint(
            ["run_id", "organization_id"],
            ["ingestion_runs.id", "ingestion_runs.organization_id"],
            name=op.f("fk_run_shards_run_id_organization_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(sa.column("stage").in_(STAGES), name=op.f("ck_run_shards_ingestion_stage")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_run_shards_number_range")),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_run_shards_attempt_range")),
        sa.CheckConstraint("items >= 0", name=op.f("ck_run_shards_items_range")),
        sa.CheckConstraint("done >= 0", name=op.f("ck_run_shards_done_range")),
    )


def downgrade() -> None:
    op.drop_table("run_shards")
    for column in ("facts_version", *reversed(FLAGS), "role"):
        op.drop_column("repo_files", column)
    op.drop_column("repos", "files_commit")
