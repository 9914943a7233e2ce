"""When a schedule is due.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repos", sa.Column("schedule_due_at", sa.DateTime(timezone=True)))
    # Nothing acted on schedules before: what they missed is made up for by one run.
    op.execute("UPDATE repos SET schedule_due_at = now() WHERE schedule_cron IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_repos_schedule_due_at"), "repos", "schedule_due_at IS NULL OR schedule_cron IS NOT NULL"
    )
    op.create_index(
        "ix_repos_schedule_due_at",
        "repos",
        ["schedule_due_at"],
        postgresql_where=sa.text("schedule_due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_repos_schedule_due_at", "repos")
    op.drop_constraint(op.f("ck_repos_schedule_due_at"), "repos")
    op.drop_column("repos", "schedule_due_at")
