"""`tenet ingest`: connect a repository or find it connected, run, follow the run live, and tell what was found."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rich.console import Console

from app.cli.asking import Asker, asking
from app.cli.explaining import explain
from app.cli.following import View, view_for
from app.cli.ground import settle
from app.cli.ports import bind
from app.cli.results import as_json, candidates_of, found_in_words, in_words, patterns_of, show_table, summary_of, tell
from app.cli.service import Service, named, running
from app.config import Settings
from app.domain.errors import Fault
from app.domain.source import Source, SourceFailed, SourceProblem, SourceRules, Transport, check_branch, read_source
from app.embedded.faults import Exit
from app.gateways.git import local

FAREWELL_SECONDS = 10.0
# A file of tables is read by programs and in editors: no line of it is folded.
UNFOLDED = 4000

VIEWER = "{ viewer { memberships { role organization { id slug } } } }"
REPOS = """
query Repos($organizationId: ID!, $after: String) {
  repos(first: 100, after: $after, filter: { organizationId: $organizationId }) {
    pageInfo { hasNextPage endCursor }
    nodes { id fullName url defaultBranch lastIngestedAt }
  }
}
"""
CONNECT = """
mutation Connect($input: ConnectRepoInput!) { connectRepo(input: $input) { repo { id fullName } run { id } } }
"""
READ_BRANCH = "mutation ReadBranch($input: UpdateRepoInput!) { updateRepo(input: $input) { repo { id } } }"
START = """
mutation Start($input: StartIngestionInput!) { startIngestion(input: $input) { alreadyRunning run { id } } }
"""
CANCEL = "mutation Cancel($input: CancelIngestionInput!) { cancelIngestion(input: $input) { run { status } } }"
FOLLOW = """
subscription Follow($runId: ID!, $after: Int) {
  ingestionStatus(runId: $runId, after: $after) {
    sequence kind message
    run {
      status fraction etaSeconds errorCode errorMessage stages { stage state done total unit note }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which repository is to be read, and how."""

    source: Source
    branch: str | None = None
    name: str | None = None
    force: bool = False

    @classmethod
    def read(cls, place: str, *, branch: str | None = None, name: str | None = None, force: bool = False) -> Self:
        """Read what the command line said."""
        return cls(source_of(place), _branch(branch), name, force)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line said."""

    place: str
    branch: str | None
    name: str | None
    organization: str | None
    force: bool
    as_json: bool
    url: str | None
    data_dir: Path | None
    debug: bool
    explain: str | None = None


async def ingest(wishes: Wishes) -> int:
    """Read a repository by a running service, or by one for the time of this, and give the exit code."""
    errors = Console(stderr=True)
    settings = settle(debug=wishes.debug, quiet=not wishes.debug, data_dir=wishes.data_dir, url=wishes.url)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    wanted = Wanted.read(wishes.place, branch=wishes.branch, name=wishes.name, force=wishes.force)
    service = named(settings) or await running(settings)
    if service is None or service.pid is not None:
        look_at(wanted, settings)
    with _ending() as ending, suppress(asyncio.CancelledError):
        async with _service(settings, service, errors) as service, asking(service) as asker:
            organization_id = await organization_of(asker, wishes.organization)
            with view_for(errors) as view:
                repo_id = await carry_out(asker, organization_id, wanted, view)
            if wishes.explain is not None:
                for line in await explain(asker, repo_id, wishes.explain):
                    tell(Console(), line)
            else:
                await report(asker, repo_id, Console(), errors, json=wishes.as_json)
    return 128 + ending.number if ending.number else 0


async def read_first(wanted: Wanted, service: Service, console: Console) -> None:
    """Read a repository for `tenet run`, which goes on serving whatever became of it."""
    errors = Console(stderr=True)
    try:
        async with asking(service) as asker:
            with view_for(errors) as view:
                # What a stop cuts short goes on with the next start.
                repo_id = await carry_out(asker, await organization_of(asker, None), wanted, view, stays=True)
            await report(asker, repo_id, console, errors, json=False)
    except Fault as fault:
        for line in (fault.message, fault.remedy):
            tell(errors, line)


def source_of(place: str) -> Source:
    """Read where a repository is: as an address where it has the form of one, else as a path of this machine."""
    is_address = "://" in place or (":" in place.partition("/")[0] and not Path(place).exists())
    rules = SourceRules(local=True, private=True)
    try:
        return read_source(place if is_address else str(_top(Path(place))), rules)
    except SourceFailed as failed:
        raise Fault(
            failed.sentence, remedy="Name a folder or an address, as https://host/owner/name.git.", exit_code=Exit.USAGE
        ) from None


def look_at(wanted: Wanted, settings: Settings) -> None:
    """Refuse a path of this machine that no run could read, before anything of it is connected."""
    if wanted.source.transport is not Transport.LOCAL:
        return
    if not settings.allows_local_sources:
        raise Fault(
            "This installation takes no local paths.",
            remedy="Set TENET_LOCAL_SOURCES=true where every admin may read the repositories of this machine.",
            exit_code=Exit.REFUSED,
        )
    path = Path(wanted.source.path)
    if not path.exists():
        raise Fault(f"There is no {path}.", remedy="Check its spelling.", exit_code=Exit.USAGE)
    try:
        local.look(path, wanted.branch)
    except SourceFailed as failed:
        raise Fault(f"{path}: {failed.sentence}", remedy=_remedy(failed), exit_code=Exit.USAGE) from None


async def organization_of(asker: Asker, slug: str | None) -> str:
    """Find the organization that reads the repository: the one that was named, or the only one there is."""
    if asker.service.organization_id is not None and slug is None:
        return asker.service.organization_id
    viewer = (await asker.ask(VIEWER))["viewer"]
    if viewer is None:
        raise Fault("The service does not know who asks.", remedy="Set TENET_TOKEN.", exit_code=Exit.REFUSED)
    organizations = {one["organization"]["slug"]: str(one["organization"]["id"]) for one in viewer["memberships"]}
    if slug is None and len(organizations) == 1:
        return next(iter(organizations.values()))
    if slug in organizations:
        return organizations[slug]
    known = ", ".join(sorted(organizations)) or "none"
    what = "You belong to several organizations" if slug is None and organizations else f"You do not belong to {slug}"
    raise Fault(
        f"{what if organizations else 'You belong to no organization'}.",
        remedy=f"Name one with --organization: {known}." if organizations else "Make one, or have yourself invited.",
        exit_code=Exit.USAGE,
    )


async def carry_out(asker: Asker, organization_id: str, wanted: Wanted, view: View, *, stays: bool = False) -> str:
    """Connect, run and follow to the end, and give the repository; a run begun here ends with us unless it `stays`."""
    # Done twice it finds what the first time left.
    repo_id, run_id, ours = await asker.persist(lambda: _begin(asker, organization_id, wanted, view))
    try:
        last = await _follow(asker, run_id, view)
    except asyncio.CancelledError:
        if ours and not stays:
            await _cancel(asker, run_id, view)
        raise
    run = last["run"]
    if run["status"] == "CANCELLED":
        raise Fault("The run was cancelled.", remedy="Begin another: the same command.", exit_code=Exit.RUN_CANCELLED)
    if run["status"] == "FAILED":
        raise Fault(
            f"The run failed: {run['errorMessage']} ({run['errorCode']})",
            remedy="Mend what it says, and run the same command again.",
            exit_code=Exit.RUN_FAILED,
        )
    if last["message"]:
        view.note(last["message"])
    return repo_id


async def report(asker: Asker, repo_id: str, console: Console, errors: Console, *, json: bool) -> None:
    """Print what was found."""
    summary = await summary_of(asker, repo_id)
    tell(errors if json else console, in_words(summary))
    if json:
        patterns = await patterns_of(asker, repo_id)
        tell(errors, found_in_words(summary, len(patterns)))
        print(as_json(patterns))  # noqa: T201 - for a program, as it is
        return
    candidates = await candidates_of(asker, repo_id)
    if candidates:
        if not console.is_terminal:
            console.width = UNFOLDED
        show_table(console, candidates)
    tell(console, found_in_words(summary, len(candidates)))


async def _begin(asker: Asker, organization_id: str, wanted: Wanted, view: View) -> tuple[str, str, bool]:
    """Have a run: the repository, the run, and whether it is ours."""
    known = await _connected(asker, organization_id, wanted.source)
    if known is None:
        given = {"url": wanted.source.url, "branch": wanted.branch, "name": wanted.name}
        git = {name: value for name, value in given.items() if value is not None}
        connected = (await asker.tell(CONNECT, input={"organizationId": organization_id, "git": git}))["connectRepo"]
        view.note(f"Connected {connected['repo']['fullName']}.")
        return connected["repo"]["id"], connected["run"]["id"], True
    if wanted.branch is not None and wanted.branch != known["defaultBranch"]:
        await asker.tell(READ_BRANCH, input={"repoId": known["id"], "branch": wanted.branch})
        view.note(f"{known['fullName']} is read at {wanted.branch} from now on; it was {known['defaultBranch']}.")
    started = (await asker.tell(START, input={"repoId": known["id"], "force": wanted.force}))["startIngestion"]
    if started["alreadyRunning"]:
        view.note(f"{known['fullName']} is being read already; this follows that run.")
    return known["id"], started["run"]["id"], not started["alreadyRunning"]


async def _connected(asker: Asker, organization_id: str, source: Source) -> dict[str, Any] | None:
    after: str | None = None
    while True:
        page = (await asker.ask(REPOS, organizationId=organization_id, after=after))["repos"]
        for repo in page["nodes"]:
            if repo["url"] == source.url:
                return dict(repo)
        if not page["pageInfo"]["hasNextPage"]:
            return None
        after = page["pageInfo"]["endCursor"]


async def _follow(asker: Asker, run_id: str, view: View) -> dict[str, Any]:
    last: dict[str, Any] = {}
    async for event in asker.follow(FOLLOW, "ingestionStatus", runId=run_id):
        last = event
        view.show(event)
    return last


async def _cancel(asker: Asker, run_id: str, view: View) -> None:
    """Ask for the end of a run, and see it end."""
    view.note("Cancelling the run ... (Ctrl-C again to leave it)")
    with suppress(Fault, TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await asker.tell(CANCEL, input={"runId": run_id})
            await _follow(asker, run_id, view)


@asynccontextmanager
async def _service(settings: Settings, service: Service | None, errors: Console) -> AsyncIterator[Service]:
    """Give the service that runs, or have one for the time of the block."""
    if service is None:
        if settings.production and settings.token is None:
            raise Fault(
                "In production nobody is signed in by default, and no service runs with this data directory.",
                remedy="Set TENET_URL and TENET_TOKEN, or only TENET_TOKEN for a service of this command's own.",
                exit_code=Exit.USAGE,
            )
        tell(errors, f"No service runs with {settings.data_dir}; starting one for the time of this run.")
        # Imported here because whoever speaks to a service that runs needs no database driver.
        from app.cli.alone import alone

        with bind("127.0.0.1", 0) as listening:
            async with alone(settings, listening) as own:
                yield _as(settings, own)
    else:
        yield _as(settings, service)


def _as(settings: Settings, service: Service) -> Service:
    """Speak as whom the settings name, if they do."""
    if settings.token is None:
        return service
    return replace(service, token=settings.token.get_secret_value(), organization_id=None)


class _Ending:
    """The signal that asked for the end, if one did."""

    number = 0


@contextmanager
def _ending() -> Iterator[_Ending]:
    """Let the first signal cancel what was begun; a second one makes everything hurry."""
    ending, task, loop = _Ending(), asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def end(number: int) -> None:
        ending.number = ending.number or number
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    yield ending


def _branch(name: str | None) -> str | None:
    try:
        return None if name is None else check_branch(name)
    except SourceFailed as failed:
        raise Fault(failed.sentence, remedy="Name a branch with --branch.", exit_code=Exit.USAGE) from None


def _top(path: Path) -> Path:
    """Find the repository that a folder is, or is a part of."""
    try:
        path = path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()
    for folder in (path, *path.parents) if path.is_dir() else ():
        if os.path.lexists(folder / ".git") or (
            os.path.lexists(folder / "HEAD") and os.path.lexists(folder / "objects")
        ):
            return folder
    return path


def _remedy(failed: SourceFailed) -> str:
    match failed.code:
        case SourceProblem.BRANCH_GONE | SourceProblem.NO_DEFAULT_BRANCH:
            return "Name a branch that it has with --branch."
        case SourceProblem.EMPTY:
            return "Commit something first."
    return "Name a folder with a git repository, or an address as https://host/owner/name.git."
