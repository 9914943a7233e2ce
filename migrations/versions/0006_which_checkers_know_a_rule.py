"""Which checkers made the rules of patterns ready.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of the rules that stand nobody has said: they are tried when they are promoted, or when a run finds them again.
    op.add_column("patterns", sa.Column("rule_edition", sa.String(32)))


def downgrade() -> None:
    op.drop_column("patterns", "rule_edition")
