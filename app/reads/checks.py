"""Shapes of checks and their violations."""

from app.db.models import Check, Violation
from app.domain.ids import Kind
from app.domain.viewer import Permission
from app.reads.shape import Many, One, Shape, in_organization, ordered

CHECK = Shape(
    "Check",
    Check,
    in_organization(Permission.READ_PATTERNS),
    Kind.CHECK,
    relations={
        "repo": One("Repo", by="repo_id"),
        "violations": Many("Violation", by="check_id", order=ordered()),
    },
)

VIOLATION = Shape(
    "Violation",
    Violation,
    in_organization(Permission.READ_PATTERNS),
    Kind.VIOLATION,
    relations={"pattern": One("Pattern", by="pattern_id")},
)
