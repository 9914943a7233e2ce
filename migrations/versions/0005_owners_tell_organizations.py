"""Owners tell organizations.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIES = {
    "patterns": ["repo_id"],
    "evidence": ["pattern_id"],
    "provenance": ["pattern_id"],
    "pattern_events": ["pattern_id", "repo_id"],
    "ingestion_runs": ["repo_id"],
    "run_shards": ["run_id"],
    "run_events": ["run_id"],
    "repo_files": ["repo_id"],
    "pull_requests": ["repo_id"],
    "checks": ["repo_id"],
    "violations": ["check_id", "pattern_id"],
}


def upgrade() -> None:
    # Every read asks for the rows of an owner and, to be sure, of its organization. PostgreSQL takes the two for facts
    # that know nothing of each other: with a hundred organizations it expected a hundredth of the rows that there are,
    # and would sort all candidates of a repository instead of reading the first twenty from the queue's index.
    for table, owners in TIES.items():
        for owner in owners:
            op.execute(f"CREATE STATISTICS st_{table}_{owner} (dependencies) ON {owner}, organization_id FROM {table}")
        # An empty table is left as one of which nothing is known yet: that has its plans begin with indexes.
        if op.get_bind().scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table})")):
            op.execute(f"ANALYZE {table}")


def downgrade() -> None:
    for table, owners in TIES.items():
        for owner in owners:
            op.execute(f"DROP STATISTICS st_{table}_{owner}")
