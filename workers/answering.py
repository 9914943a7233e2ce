"""Answering: jobs that somebody waits for tell what they found, or why they refuse, and change nothing."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from app.domain import errors
from app.domain.errors import Conflict, NotFound, Refusal, Unavailable
from app.domain.jobs import Question
from app.domain.source import SourceFailed
from app.gateways import git
from app.reads import repos
from app.reads.repos import IndexedFile
from app.runtime import Runtime
from app.services.indexing import Owner
from workers.ingest.step import sources_of

Q = TypeVar("Q", bound=Question)


def answering(find: Callable[[Runtime, Q], Awaitable[dict[str, Any]]]) -> Callable[[Runtime, Q], Awaitable[None]]:
    """Make a job of what finds an answer; a refusal is an answer too."""

    async def run(runtime: Runtime, question: Q) -> None:
        try:
            told: dict[str, Any] = {"answer": await find(runtime, question)}
        except Refusal as refusal:
            told = {"refusal": errors.spell(refusal)}
        except SourceFailed as failed:
            told = {"refusal": errors.spell(Unavailable(failed.sentence))}
        await runtime.tell(question.ask_id, told)

    return run


class Reading:
    """A repository as it was read last."""

    def __init__(self, runtime: Runtime, owner: Owner, commit: str, files: dict[str, IndexedFile]) -> None:
        self.owner, self.commit, self.files = owner, commit, files
        self.cache = sources_of(runtime).cache(owner.repo_id)

    @classmethod
    async def of(cls, runtime: Runtime, question: Question) -> "Reading":
        """Open a repository, or refuse one that was never read."""
        async with runtime.read() as session:
            repo = await repos.find(session, question.repo_id)
            if repo is None:
                raise NotFound("No such repository.")
            if repo.last_ingested_commit is None:
                raise Conflict("The repository has not been read yet; start a run first.")
            files = await repos.files_of(session, repo.id)
        return cls(runtime, Owner(repo.id, repo.organization_id), repo.last_ingested_commit, files)

    async def content(self, blob_id: str) -> bytes | None:
        """Read one blob."""
        async for blob in git.blobs(self.cache, [blob_id]):
            return blob.content
        return None
