"""History in a run: the next run reads only new commits, and a branch that was pushed anew is read anew."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun
from app.domain.jobs import Ingest
from app.domain.run import RunStatus, RunTrigger
from app.runtime import Runtime
from app.services import ingesting
from tests import factories as make
from tests.gateways.making import Made
from tests.installed import runtime_for
from tests.workers.conftest import Lend
from workers.ingest.carrying import ingest


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path, lend: Lend) -> AsyncIterator[Runtime]:
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", worker_lease_seconds=15) as runtime:
        with lend(runtime):
            yield runtime


async def note_of(runtime: Runtime, repo_id: UUID, *, force: bool = False) -> str:
    """Carry out a run, and give what its stage came to."""
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL, force=force)
    await ingest(runtime, Ingest(run.id))
    async with runtime.read() as session:
        ended = await session.get_one(IngestionRun, run.id)
    assert ended.status is RunStatus.SUCCEEDED, ended.error_message
    return str(ended.stages[2]["note"])


async def test_the_next_run_reads_only_new_commits(runtime: Runtime, session: AsyncSession, tmp_path: Path) -> None:
    made = Made(tmp_path / "source")
    made.commit({"a.py": "x = 1\n"})
    first = made.commit({"b.py": "x = 1\n"})
    repo = await make.repo(session, url=str(made.folder), branch=None)
    assert await note_of(runtime, repo.id) == "2 commits, 2 of them new"
    made.commit({"a.py": "x = 2\n"})
    assert await note_of(runtime, repo.id) == "3 commits, 1 of them new"
    assert await note_of(runtime, repo.id, force=True) == "3 commits, 0 of them new"
    made.git("reset", "-q", "--hard", first)
    made.commit({"c.py": "x = 3\n"})
    assert await note_of(runtime, repo.id) == "3 commits, 3 of them new", "the branch was pushed anew"
    # Who is who has changed, so all of them are counted again.
    made.commit({".mailmap": "Ada Lovelace <ada@example.com>\n"})
    assert await note_of(runtime, repo.id) == "4 commits, 4 of them new"
