"""Failing: what is kept of a job that will not be tried again by itself."""

from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from app.db import models
from app.db.tx import Tx
from app.domain.ids import new_id

LONGEST_ERROR = 4000


async def record(tx: Tx, job_id: str, *, function: str, arguments: dict[str, Any], error: str, attempts: int) -> None:
    """Keep a failed job where superadmins see it; of one that failed before, the latest failure."""
    # PostgreSQL stores no NUL, and an error may quote anything.
    words = error.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:LONGEST_ERROR]
    failure = {"function": function[:100], "arguments": arguments, "error": words, "attempts": attempts}
    row = insert(models.FailedJob).values(id=new_id(), job_id=job_id, **failure)
    await tx.session.execute(
        row.on_conflict_do_update(index_elements=["job_id"], set_={**failure, "failed_at": func.now()})
    )
