"""How far candidates were compared.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nothing was compared yet: every repository is, once, after this step.
    op.add_column("repos", sa.Column("compared_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_repos_compared_sequence_range"), "repos", "compared_sequence >= 0")


def downgrade() -> None:
    op.drop_column("repos", "compared_sequence")
