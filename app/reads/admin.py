"""Shapes that only superadmins see, and the lists of the whole installation."""

from sqlalchemy import false, true

from app.db.models import FailedJob
from app.domain.ids import Kind
from app.reads.shape import NEWEST_FIRST, Many, Shape, Visibility

FAILED_JOB = Shape(
    "FailedJob",
    FailedJob,
    Visibility(None, lambda rows, sight: true() if sight.everywhere else false()),  # noqa: ARG005
    Kind.FAILED_JOB,
    hidden=frozenset({"arguments"}),
)

ORGANIZATIONS = Many("Organization", order=NEWEST_FIRST)
USERS = Many("User", order=NEWEST_FIRST)
FAILED_JOBS = Many("FailedJob", order=NEWEST_FIRST)
