"""Answering: jobs that somebody waits for tell what they found, or why they refuse, and change nothing."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from app.domain import errors
from app.domain.errors import Conflict, NotFound, Refusal, Unavailable
from app.domain.jobs import Question
from app.domain.repo import Owner
from app.domain.snapshot import FileFacts
from app.domain.source import SourceFailed
from app.gateways import git
from app.reads import files, repos
from app.runtime import Runtime
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
    """A repository, or one file of it, at the commit that its stored files stand for."""

    def __init__(self, runtime: Runtime, owner: Owner, commit: str, files: Sequence[FileFacts]) -> None:
        self.owner, self.commit = owner, commit
        self.files = {file.path: file for file in files}
        self.cache = sources_of(runtime).cache(owner.repo_id)

    @classmethod
    async def of(cls, runtime: Runtime, question: Question, *, path: str | None = None) -> "Reading":
        """Open a repository; refuse one that was never read, and one whose files a run is about to change."""
        async with runtime.read() as session:
            repo = await repos.find(session, question.repo_id)
            if repo is None:
                raise NotFound("No such repository.")
            if repo.last_ingested_commit is None:
                raise Conflict("The repository has not been read yet; start a run first.")
            found = await files.snapshot(session, repo.id, path=path)
            # Asked after the files: a run that began meanwhile has taken the commit away before it changed any.
            commit = await files.commit_of(session, repo.id)
        if commit is None or commit != repo.files_commit:
            raise Unavailable("A run is bringing the repository's files up to date; try again when it has done so.")
        return cls(runtime, Owner(repo.id, repo.organization_id), commit, found)

    async def content(self, blob_id: str) -> bytes | None:
        """Read one blob."""
        async with aclosing(git.blobs(self.cache, [blob_id])) as blobs:
            return (await anext(blobs)).content
