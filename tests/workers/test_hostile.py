"""Hostile repositories, through whole runs: each run succeeds without harm, or fails at once with a code that says why.

What the gateway to git makes of each is held in `tests/gateways`; here nothing of it may reach rows, objects or logs.
"""

import hashlib
import os
import zlib
from asyncio import StreamWriter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, PullRequest, Repo, RepoFile, Table
from app.domain.jobs import Ingest
from app.domain.repo import IngestionStatus
from app.domain.run import RunStatus, RunTrigger
from app.gateways.git import process as git_process
from app.gateways.storage import Storage
from app.runtime import Runtime
from app.services import ingesting
from tests import factories as make
from tests.gateways.making import Made
from tests.gateways.serving import BACKEND, Request, Server, moved, serving
from tests.gateways.trapping import trap
from tests.installed import runtime_for
from tests.workers.conftest import Lend
from workers.ingest import ingest

SECRET = "hunter2hunter2"
needs_backend = pytest.mark.skipif(not BACKEND.exists(), reason="this git has no http-backend")


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that is there only if something of a stranger's ran."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path, lend: Lend) -> AsyncIterator[Runtime]:
    """A worker with room for a thousand files and repositories of a few megabytes."""
    limits = {"repo_files": 1000, "repo_megabytes": 8, "private_addresses": True}
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", **limits) as runtime:
        with lend(runtime):
            yield runtime


@pytest.fixture
def made(tmp_path: Path) -> Made:
    made = Made(tmp_path / "source")
    made.commit({"src/one.py": "import os\n", "src/two.py": "import sys\n"}, "First")
    return made


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as server:
        yield server


class Reading:
    """A connected repository and its runs."""

    def __init__(self, runtime: Runtime, repo: Repo) -> None:
        self.runtime = runtime
        self.repo_id: UUID = repo.id
        self.organization_id: UUID = repo.organization_id

    async def run(self, *, force: bool = False) -> IngestionRun:
        """Carry out a run to its end."""
        async with self.runtime.write() as tx:
            run, _ = await ingesting.start(tx, None, self.repo_id, RunTrigger.MANUAL, force=force)
        await ingest(self.runtime, Ingest(run.id))
        async with self.runtime.read() as session:
            return await session.get_one(IngestionRun, run.id)

    async def succeeds(self, *, force: bool = False) -> IngestionRun:
        run = await self.run(force=force)
        assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 1), run.error_message
        return run

    async def fails(self, code: str) -> IngestionRun:
        """Fail at once, with a code and a sentence that a person understands."""
        run = await self.run()
        assert (run.status, run.error_code, run.attempt) == (RunStatus.FAILED, code, 1), run.error_message
        assert run.error_message is not None
        assert run.error_message.endswith(".")
        known = await self.repo()
        assert (known.ingestion_status, known.last_error) == (IngestionStatus.FAILED, run.error_message)
        return run

    async def repo(self) -> Repo:
        async with self.runtime.read() as session:
            return await session.get_one(Repo, self.repo_id)

    async def files(self) -> dict[str, RepoFile]:
        async with self.runtime.read() as session:
            found = await session.scalars(select(RepoFile).where(RepoFile.repo_id == self.repo_id))
            return {file.path: file for file in found}

    async def rows(self) -> str:
        """Spell the rows of every table."""
        spelt: list[str] = []
        async with self.runtime.read() as session:
            for table in Table.metadata.sorted_tables:
                if "repo_id" in table.c or table.name == "run_events":
                    spelt += [str(row) for row in await session.execute(select(table))]
        return "\n".join(spelt)

    async def everything(self) -> str:
        """Spell all that is kept of the repository: rows of every table, and objects."""
        spelt = [await self.rows()]
        root = self.runtime.settings.data_dir / "objects"
        places = [str(place.relative_to(root)) for place in sorted(root.rglob("*")) if place.is_file()]
        objects = [await Storage(root).get(place) for place in places]
        return "\n".join([*spelt, *(each.decode(errors="replace") for each in objects)])


def left_out(run: IngestionRun) -> dict[str, int]:
    """Tell which files a run left out, by reason."""
    assert run.report is not None
    return {entry["reason"]: entry["count"] for entry in run.report["skipped_files"]}


async def connected(runtime: Runtime, session: AsyncSession, url: str | Path, branch: str | None = None) -> Reading:
    return Reading(runtime, await make.repo(session, url=str(url), branch=branch))


async def test_links_out_of_the_tree_are_not_followed(
    runtime: Runtime, session: AsyncSession, made: Made, tmp_path: Path
) -> None:
    (tmp_path / "secret.py").write_text(f"{SECRET} = 1\n")
    links = [
        (b"absolute.py", f"{tmp_path}/secret.py".encode()),
        (b"passwd", b"/etc/passwd"),
        (b"round.py", b"round.py"),
        (b"up.py", b"../secret.py"),
    ]
    entries = [("120000", name, made.object("blob", target)) for name, target in links]
    made.point(made.tree(*entries, ("100644", b"zz.py", made.object("blob", b"import os\n"))))
    reading = await connected(runtime, session, made.path)
    await reading.succeeds()
    files = await reading.files()
    assert files.keys() == {"absolute.py", "passwd", "round.py", "up.py", "zz.py"}
    assert files["passwd"].size_bytes == len("/etc/passwd")
    kept = await reading.everything()
    assert SECRET not in kept
    assert "root:" not in kept


async def test_paths_that_no_file_system_should_see_are_left_out_and_counted(
    runtime: Runtime, session: AsyncSession, made: Made
) -> None:
    blob = made.object("blob", b"import os\n")
    inner = made.tree(("100644", b"passwd.py", blob))
    bad = [
        b"a\nb.py",
        b"caf\xe9.py",
        b"esc\x1b[31m.py",
        b"nul.py\xed\xa0\x80",
        b"turned\xe2\x80\xaegnp.py",
        b"x" * 3000,
    ]
    good = [b"-rf.py", b"--upload-pack=x.py", b"plain \xe6\x96\x87.py", b"a'b\"c;$(x).py"]
    folders = [("40000", name, inner) for name in (b"..", b".", b".git")]
    entries = [*folders, *(("100644", name, blob) for name in bad + good)]
    made.point(made.tree(*sorted(entries, key=lambda entry: entry[1])))
    reading = await connected(runtime, session, made.path)
    run = await reading.succeeds()
    assert set(await reading.files()) == {name.decode() for name in good}
    assert sum(left_out(run).values()) == len(bad) + 3
    assert sum(count for reason, count in left_out(run).items() if reason.startswith("path ")) == len(bad) + 3
    assert "\x1b" not in await reading.everything()
    assert "passwd.py" not in await reading.rows()


async def test_a_tree_that_no_git_would_make_is_left_out_where_it_is_out_of_order(
    runtime: Runtime, session: AsyncSession, made: Made
) -> None:
    blob = made.object("blob", b"import os\n")
    made.point(made.tree(*(("100644", name, blob) for name in (b"b.py", b"a.py", b"c.py", b"c.py"))))
    reading = await connected(runtime, session, made.path)
    run = await reading.succeeds()
    assert set(await reading.files()) == {"b.py", "c.py"}
    assert left_out(run) == {"path out of order": 2}


GIGABYTE = 1 << 30


def gigabyte_of_nothing(made: Made) -> str:
    """Store a blob of a gigabyte in the few kilobytes that it takes, without ever holding it; give its name.

    A deflated stretch that ends in a full flush stands for itself, so that it may be repeated at will.
    """
    head, zeros = b"blob %d\0" % GIGABYTE, bytes(1 << 20)
    digest = hashlib.sha1(head, usedforsecurity=False)
    for _ in range(1024):
        digest.update(zeros)
    packing = zlib.compressobj(9)
    began = packing.compress(head) + packing.flush(zlib.Z_FULL_FLUSH)
    stretch = packing.compress(zeros) + packing.flush(zlib.Z_FULL_FLUSH)
    checked = zlib.adler32(head)
    low, high = checked & 0xFFFF, checked >> 16
    ended = ((high + GIGABYTE * low) % 65521 << 16 | low).to_bytes(4)
    place = made.folder / "objects" / digest.hexdigest()[:2] / digest.hexdigest()[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(began + stretch * 1024 + b"\x01\x00\x00\xff\xff" + ended)
    return digest.hexdigest()


async def test_a_file_of_a_gigabyte_is_counted_and_never_read(
    runtime: Runtime, session: AsyncSession, made: Made
) -> None:
    """It comes in a megabyte, as bombs do: what it unfolds to is never held in memory, nor written down."""
    large, small = gigabyte_of_nothing(made), made.object("blob", b"import os\n")
    made.point(made.tree(("100644", b"large.py", large), ("100644", b"small.py", small)))
    reading = await connected(runtime, session, made.path)
    run = await reading.succeeds()
    files = await reading.files()
    assert {path: file.size_bytes for path, file in files.items()} == {"large.py": GIGABYTE, "small.py": 10}
    assert left_out(run) == {"too large": 1}
    size = sum(place.stat().st_size for place in runtime.settings.data_dir.rglob("*") if place.is_file())
    assert size < 8 << 20


def empty_files(made: Made, levels: int) -> str:
    """Make ten to the power of so many empty files out of as many objects and one."""
    tree, mode = made.object("blob", b""), "100644"
    for _ in range(levels):
        tree = made.tree(*((mode, b"%d" % number, tree) for number in range(10)))
        mode = "40000"
    return tree


async def test_a_million_empty_files_are_more_than_is_allowed(
    runtime: Runtime, session: AsyncSession, made: Made
) -> None:
    made.point(empty_files(made, 6))
    reading = await connected(runtime, session, made.path)
    run = await reading.fails("TOO_MANY_FILES")
    assert run.error_message == "The repository has more than the 1000 files that are allowed."
    assert await reading.files() == {}


async def test_as_many_as_are_allowed_are_read(runtime: Runtime, session: AsyncSession, made: Made) -> None:
    made.point(empty_files(made, 3))
    reading = await connected(runtime, session, made.path)
    await reading.succeeds()
    assert len(await reading.files()) == 1000


@needs_backend
@pytest.mark.parametrize("transport", ["local", "http"])
async def test_a_repository_that_is_too_large_leaves_no_cache(
    runtime: Runtime, session: AsyncSession, made: Made, server: Server, transport: str
) -> None:
    made.commit({"noise.bin": os.urandom(9 << 20)})
    url = made.path if transport == "local" else server.url("repos/source")
    reading = await connected(runtime, session, url)
    await reading.fails("TOO_LARGE")
    size = sum(place.stat().st_size for place in runtime.settings.data_dir.rglob("*") if place.is_file())
    assert size < 1 << 20


@needs_backend
async def test_a_pack_that_unfolds_to_more_than_it_says_does_no_harm(
    runtime: Runtime, session: AsyncSession, made: Made, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delta of some bytes that copies what is before it to a gigabyte, as the base of another."""
    # What the limit is by itself takes a while to be reached.
    monkeypatch.setattr(git_process, "MOST_MEMORY", 256 << 20)

    async def bomb(request: Request, writer: StreamWriter) -> None:
        answer = await server.backend(request, "bomb")
        if request.method == "POST" and b"command=fetch" in request.body:
            head, _, _ = answer.partition(b"\r\n\r\n")
            body = packets(pack_of_bombs())
            kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
            answer = b"\r\n".join([*kept, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body
        writer.write(answer)

    server.answers["bomb"] = bomb
    reading = await connected(runtime, session, server.url("bomb/source"))
    run = await reading.run()
    assert (run.status, run.error_code, run.attempt) == (RunStatus.FAILED, "TOO_LARGE", 1)


def packets(pack: bytes) -> bytes:
    """Spell an answer to a fetch: the section of the pack, in packets of its first band."""
    lines = [b"packfile\n", *(b"\x01" + pack[at : at + 60_000] for at in range(0, len(pack), 60_000))]
    return b"".join(b"%04x" % (len(line) + 4) + line for line in lines) + b"0000"


def pack_of_bombs() -> bytes:
    """Make a pack of a megabyte of zeros and two deltas, each a thousand copies of what is before it."""
    megabyte = 1 << 20
    base = _packed(3, megabyte) + zlib.compress(bytes(megabyte), 9)
    objects, size, before = [base], megabyte, len(base)
    for _ in range(2):
        # Copy the first 0x10000 bytes so often that the result is a gigabyte.
        copies = 16_384
        delta = _number(size) + _number(copies * 0x10000) + b"\x80" * copies
        made = _packed(6, len(delta)) + _offset(before) + zlib.compress(delta, 9)
        objects.append(made)
        size, before = copies * 0x10000, len(made)
    pack = b"PACK" + (2).to_bytes(4) + len(objects).to_bytes(4) + b"".join(objects)
    return pack + hashlib.sha1(pack, usedforsecurity=False).digest()


def _packed(kind: int, size: int) -> bytes:
    """Spell the head of an object in a pack."""
    first, size = kind << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    return bytes([*found, first])


def _number(size: int) -> bytes:
    found = bytearray()
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*found, size])


def _offset(back: int) -> bytes:
    found = [back & 0x7F]
    while back := back >> 7:
        back -= 1
        found.insert(0, back & 0x7F | 0x80)
    return bytes(found)


async def test_the_settings_of_a_repository_run_nothing(
    runtime: Runtime, session: AsyncSession, made: Made, canary: Path, tmp_path: Path
) -> None:
    trapped = trap(made, canary, tmp_path)
    reading = await connected(runtime, session, trapped.path)
    await reading.succeeds()
    assert "a.py" in await reading.files()
    await reading.succeeds(force=True)


async def test_a_branch_that_is_called_like_an_option_is_refused(
    runtime: Runtime, session: AsyncSession, made: Made, canary: Path
) -> None:
    (made.folder / "HEAD").write_text(f"ref: refs/heads/--upload-pack=touch {canary}\n")
    await (await connected(runtime, session, made.path)).fails("INVALID_BRANCH")
    await (await connected(runtime, session, made.path, f"--upload-pack=touch {canary}")).fails("INVALID_BRANCH")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ext::sh -c 'touch {canary}'", "PROTOCOL_NOT_ALLOWED"),
        ("ext::touch% {canary}", "PROTOCOL_NOT_ALLOWED"),
        ("file://{source}", "PROTOCOL_NOT_ALLOWED"),
        ("fd::0", "PROTOCOL_NOT_ALLOWED"),
        ("git://127.0.0.1/x", "PROTOCOL_NOT_ALLOWED"),
        ("--upload-pack=touch {canary}", "INVALID_ADDRESS"),
        ("http://169.254.169.254/latest", "HOST_NOT_ALLOWED"),
        ("http://0.0.0.0/x", "HOST_NOT_ALLOWED"),
    ],
)
async def test_an_address_that_came_past_every_check_is_checked_again(
    runtime: Runtime, session: AsyncSession, made: Made, canary: Path, url: str, code: str
) -> None:
    """As if it stood in the database from before there were checks."""
    reading = await connected(runtime, session, url.format(canary=canary, source=made.path))
    await reading.fails(code)


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://0.0.0.0:6379/"]
)
async def test_a_redirect_to_an_address_that_is_never_allowed_is_not_followed(
    runtime: Runtime, session: AsyncSession, server: Server, target: str
) -> None:
    server.answers["away"] = moved(target)
    await (await connected(runtime, session, server.url("away/source"))).fails("HOST_NOT_ALLOWED")
    assert {request.path.split("/")[1] for request in server.requests} == {"away"}


async def test_a_redirect_to_another_host_is_told_and_not_followed(
    runtime: Runtime, session: AsyncSession, server: Server
) -> None:
    server.answers["away"] = moved("http://10.0.0.1/")
    run = await (await connected(runtime, session, server.url("away/source"))).fails("REDIRECTED")
    assert "10.0.0.1" in (run.error_message or "")


async def test_a_name_that_leads_inside_after_it_was_connected_is_refused(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path
) -> None:
    """Rebinding: the name leads to a public address while it is connected, and inside when it is fetched."""
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data") as runtime:

        async def inside(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        runtime.lookup = inside
        for url in ("https://git.example.com/a/b", "git@git.example.com:a/b"):
            run = await (await connected(runtime, session, url)).fails("HOST_NOT_ALLOWED")
            assert "127.0.0.1" not in (run.error_message or "")


async def test_a_repository_without_commits_says_so(runtime: Runtime, session: AsyncSession, tmp_path: Path) -> None:
    run = await (await connected(runtime, session, Made(tmp_path / "empty").path)).fails("EMPTY")
    assert run.error_message == "The repository has no commits."


async def test_a_detached_head_is_read_where_it_stands(runtime: Runtime, session: AsyncSession, made: Made) -> None:
    first = made.head()
    made.commit({"later.py": "1\n"})
    made.git("checkout", "-q", "--detach", first)
    reading = await connected(runtime, session, made.path)
    run = await reading.succeeds()
    assert (run.commit_sha, (await reading.repo()).default_branch) == (first, "HEAD")
    assert "later.py" not in await reading.files()


@needs_backend
async def test_a_shallow_clone_is_read_as_far_as_it_goes(
    runtime: Runtime, session: AsyncSession, made: Made, server: Server, tmp_path: Path
) -> None:
    for number in range(5):
        made.commit({f"file_{number}.py": "import os\n"})
    made.git("clone", "-q", "--depth=2", f"file://{made.path}", str(tmp_path / "shallow"))
    for url in (tmp_path / "shallow", server.url("repos/shallow")):
        reading = await connected(runtime, session, url)
        run = await reading.succeeds()
        assert run.commit_sha == made.head()
        assert len(await reading.files()) == 7


async def test_submodules_are_counted_and_never_fetched(
    runtime: Runtime, session: AsyncSession, made: Made, canary: Path
) -> None:
    modules = f'[submodule "x"]\n\tpath = x\n\turl = ext::touch {canary}\n\tupdate = !touch {canary}\n'
    made.point(
        made.tree(
            ("100644", b".gitmodules", made.object("blob", modules.encode())),
            ("100644", b"a.py", made.object("blob", b"import os\n")),
            ("160000", b"x", made.head()),
        )
    )
    reading = await connected(runtime, session, made.path)
    run = await reading.succeeds()
    assert left_out(run) == {"submodule": 1}
    assert set(await reading.files()) == {".gitmodules", "a.py"}


@needs_backend
async def test_a_branch_that_is_deleted_in_the_middle_of_a_fetch_is_told(
    runtime: Runtime, session: AsyncSession, made: Made, server: Server
) -> None:
    made.git("branch", "short-lived")

    async def fickle(request: Request, writer: StreamWriter) -> None:
        answer = await server.backend(request, "fickle")
        if request.method == "POST" and b"command=ls-refs" in request.body:
            made.git("update-ref", "-d", "refs/heads/short-lived")
        writer.write(answer)

    server.answers["fickle"] = fickle
    reading = await connected(runtime, session, server.url("fickle/source"), "short-lived")
    run = await reading.fails("BRANCH_GONE")
    assert run.commit_sha is None


async def test_a_branch_that_is_gone_fails_the_run_and_costs_nothing_of_what_was_found(
    runtime: Runtime, session: AsyncSession, made: Made
) -> None:
    made.git("branch", "short-lived")
    reading = await connected(runtime, session, made.path, "short-lived")
    run = await reading.succeeds()
    made.git("branch", "-q", "-D", "short-lived")
    failed = await reading.fails("BRANCH_GONE")
    assert failed.error_message == "The repository has no branch short-lived."
    assert (await reading.repo()).last_ingested_commit == run.commit_sha
    assert set(await reading.files()) == {"src/one.py", "src/two.py"}


@needs_backend
@pytest.mark.parametrize("transport", ["local", "http"])
async def test_history_that_is_rewritten_between_two_runs_is_read_anew(
    runtime: Runtime, session: AsyncSession, made: Made, server: Server, transport: str
) -> None:
    made.commit({"gone.py": "import os\n"}, "To be forgotten (#1)")
    reading = await connected(runtime, session, made.path if transport == "local" else server.url("repos/source"))
    await reading.succeeds()
    made.git("reset", "-q", "--hard", "HEAD~1")
    made.commit({"instead.py": "import os\n"}, "Instead (#2)")
    run = await reading.succeeds()
    assert run.commit_sha == made.head()
    assert set(await reading.files()) == {"src/one.py", "src/two.py", "instead.py"}


async def test_words_of_megabytes_and_of_no_encoding_fit_into_the_rows(
    runtime: Runtime, session: AsyncSession, made: Made
) -> None:
    who = b"Eve " + b"e" * (1 << 20) + b"\xff <eve@example.com> %d +0000" % int(runtime.clock().timestamp())
    head = b"tree " + made.git("rev-parse", "HEAD^{tree}").encode() + b"\nauthor " + who + b"\ncommitter " + who
    commit = made.object("commit", head + b"\n\n" + b"m" * (1 << 20) + b"\xff\n\nbody\0\xff\n")
    (made.folder / "refs" / "heads" / "main").write_text(f"{commit}\n")
    reading = await connected(runtime, session, made.path)
    await reading.succeeds()
    async with runtime.read() as reading_session:
        (pull,) = await reading_session.scalars(select(PullRequest).where(PullRequest.repo_id == reading.repo_id))
        largest: Any = await reading_session.scalar(text("SELECT max(pg_column_size(e.*)) FROM run_events e"))
    assert (len(pull.title), len(pull.author or "")) == (500, 200)
    assert largest < 100_000
