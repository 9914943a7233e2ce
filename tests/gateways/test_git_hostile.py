"""Hostile repositories: each is read without harm or refused with a clear code, and nothing of theirs ever runs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.source import SourceFailed, SourceProblem
from app.domain.tree import Entry, EntryKind, PathFault, read_path
from app.gateways.git import (
    blame_lines,
    blobs,
    entry_at,
    files,
    first_parent_changes,
)
from app.gateways.git import process as git_process
from tests.gateways.conftest import Fetcher
from tests.gateways.making import ENVIRONMENT, Made, traced
from tests.gateways.serving import BACKEND, Server
from tests.gateways.trapping import trap


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that is there only if something of a stranger's ran."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


async def listed(fetch: Fetcher, commit: str) -> list[Entry]:
    """List the files of a commit."""
    return [entry async for entry in files(fetch.cache, commit, most=1000)]


async def read_all(fetch: Fetcher, commit: str) -> None:
    """Read everything that can be read of a commit."""
    entries = await listed(fetch, commit)
    async for _ in blobs(fetch.cache, [each.object_id for each in entries if each.kind is not EntryKind.SUBMODULE]):
        pass
    await traced(fetch.cache, commit)
    async for _ in first_parent_changes(fetch.cache, commit):
        pass
    for entry in entries:
        if isinstance(path := read_path(entry.path), str) and entry.kind is EntryKind.FILE:
            await blame_lines(fetch.cache, commit, path, [1])


@pytest.fixture
def trapped(made: Made, canary: Path, tmp_path: Path) -> Made:
    """A repository whose settings, hooks and attributes run a program wherever settings can."""
    return trap(made, canary, tmp_path)


def test_the_traps_work_on_whoever_steps_into_them(trapped: Made, canary: Path) -> None:
    subprocess.run(["git", "status"], cwd=trapped.path, env=ENVIRONMENT, capture_output=True, check=False)
    assert canary.exists()
    canary.unlink()


async def test_the_settings_of_a_local_repository_are_not_even_read(fetch: Fetcher, trapped: Made) -> None:
    place = trapped.folder / "refs" / "heads" / "main"
    fetched = await fetch(trapped.path)
    assert fetched.commit == place.read_text().strip()
    await read_all(fetch, fetched.commit)
    again = await fetch(trapped.path)
    assert again.unchanged


async def test_a_local_repository_that_lacks_objects_fetches_none(fetch: Fetcher, trapped: Made, canary: Path) -> None:
    """The place where git would fetch what is missing, by the means that the repository names."""
    commit = trapped.folder / "refs" / "heads" / "main"
    entry = await entry_at(fetch.cache, (await fetch(trapped.path)).commit, "a.py")
    assert entry is not None
    blob = entry.object_id
    (trapped.folder / "objects" / blob[:2] / blob[2:]).unlink()
    other = Fetcher(fetch.sources)
    fetched = await other(trapped.path)
    assert fetched.commit == commit.read_text().strip()
    missing = await entry_at(other.cache, fetched.commit, "a.py")
    assert missing is not None
    assert missing.size is None
    [content] = [each async for each in blobs(other.cache, [missing.object_id])]
    assert content.content is None


async def test_a_source_that_points_at_anothers_objects_is_read_without_its_settings(
    fetch: Fetcher, trapped: Made, tmp_path: Path
) -> None:
    borrower = Made(tmp_path / "borrower")
    (borrower.folder / "objects" / "info" / "alternates").write_text(f"{trapped.folder / 'objects'}\n")
    head = (trapped.folder / "refs" / "heads" / "main").read_text()
    (borrower.folder / "refs" / "heads" / "main").write_text(head)
    fetched = await fetch(borrower.path)
    await read_all(fetch, fetched.commit)


async def test_a_branch_whose_name_is_an_option_on_the_other_side_is_refused(fetch: Fetcher, made: Made) -> None:
    (made.folder / "HEAD").write_text("ref: refs/heads/--upload-pack=touch canary\n")
    with pytest.raises(SourceFailed) as refused:
        await fetch(made.path)
    assert refused.value.code is SourceProblem.INVALID_BRANCH


async def test_a_reference_that_leads_out_of_the_repository_is_not_followed(fetch: Fetcher, made: Made) -> None:
    secret = made.path.parent / "secret"
    secret.write_text("hunter22")
    (made.folder / "refs" / "heads" / "out").symlink_to(secret)
    (made.folder / "refs" / "heads" / "up").write_text("ref: refs/../../../secret\n")
    (made.folder / "refs" / "heads" / "loop").write_text("ref: refs/heads/loop\n")
    for branch in ("out", "up", "loop"):
        with pytest.raises(SourceFailed) as refused:
            await fetch(made.path, branch)
        assert "hunter22" not in f"{refused.value} {refused.value.detail}"


async def test_links_and_submodules_are_listed_as_what_they_are(fetch: Fetcher, made: Made) -> None:
    target = made.object("blob", b"../../../../etc/passwd")
    blob = made.object("blob", b"1\n")
    submodules = made.object(
        "blob", b'[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch canary\n\tupdate = !touch\n'
    )
    tree = made.tree(
        ("100644", b".gitmodules", submodules),
        ("120000", b"link", target),
        ("160000", b"module", made.head()),
        ("100755", b"run", blob),
    )
    commit = await fetch_made(fetch, made, tree)
    kinds = {entry.path: (entry.kind, entry.size) for entry in await listed(fetch, commit)}
    assert kinds == {
        b".gitmodules": (EntryKind.FILE, kinds[b".gitmodules"][1]),
        b"link": (EntryKind.SYMLINK, 22),
        b"module": (EntryKind.SUBMODULE, None),
        b"run": (EntryKind.EXECUTABLE, 2),
    }
    await read_all(fetch, commit)


async def fetch_made(fetch: Fetcher, made: Made, tree: str) -> str:
    """Commit a tree past all checks, and fetch it."""
    made.point(tree)
    return (await fetch(made.path)).commit


async def test_paths_that_no_file_system_should_see_are_listed_and_judged(fetch: Fetcher, made: Made) -> None:
    blob = made.object("blob", b"x = 1\n")
    inner = made.tree(("100644", b"passwd", blob))
    names = {
        b"a\nb": PathFault.CONTROL,
        b"caf\xe9.py": PathFault.NOT_UTF8,
        b"esc\x1b[31m": PathFault.CONTROL,
        b"nel\xc2\x85": PathFault.CONTROL,
        b"turned\xe2\x80\xaegnp.py": PathFault.CONTROL,
        b"plain \xc3\xa4 \xe6\x96\x87.py": "plain ä 文.py",
        b"-rf": "-rf",
        b"a\tb": PathFault.CONTROL,
        b"x" * 3000: PathFault.TOO_LONG,
    }
    tree = made.tree(
        ("40000", b"..", inner),
        ("40000", b".", inner),
        ("40000", b".GIT", inner),
        *(("100644", name, blob) for name in names),
    )
    commit = await fetch_made(fetch, made, tree)
    found = {entry.path: read_path(entry.path) for entry in await listed(fetch, commit)}
    outside = dict.fromkeys((b"../passwd", b"./passwd", b".GIT/passwd"), PathFault.OUTSIDE)
    assert found == {**outside, **names}
    await read_all(fetch, commit)
    [(_, _, changes)] = await traced(fetch.cache, commit)
    assert {path for _, path, _ in changes} == {name for name in names.values() if isinstance(name, str)}


async def test_trees_that_end_early_or_lead_nowhere_are_told(fetch: Fetcher, made: Made) -> None:
    cut = made.object("tree", b"100644 a\0" + b"\1" * 7)
    empty_name = made.object("tree", b"100644 \0" + b"\1" * 20)
    slash = made.tree(("100644", b"a/b", made.object("blob", b"")))
    for tree in (cut, empty_name, "3" * 40, made.object("blob", b"no tree")):
        other = Fetcher(fetch.sources)
        with pytest.raises(SourceFailed) as refused:
            await listed(other, await fetch_made(other, made, tree))
        assert refused.value.code in {SourceProblem.BROKEN, SourceProblem.OBJECTS_MISSING}
    assert [entry.path for entry in await listed(fetch, await fetch_made(fetch, made, slash))] == [b"a/b"]


async def test_more_files_than_allowed_end_the_listing(fetch: Fetcher, made: Made) -> None:
    """Eight levels of ten equal folders: a hundred million files in nine objects."""
    tree = made.object("blob", b"")
    mode = "100644"
    for _ in range(8):
        tree = made.tree(*((mode, b"%d" % number, tree) for number in range(10)))
        mode = "40000"
    commit = await fetch_made(fetch, made, tree)
    with pytest.raises(SourceFailed) as refused:
        await listed(fetch, commit)
    assert (refused.value.code, refused.value.passing) == (SourceProblem.TOO_MANY_FILES, False)


async def test_a_very_deep_tree_does_no_harm(fetch: Fetcher, made: Made) -> None:
    tree = made.tree(("100644", b"f", made.object("blob", b"")))
    for _ in range(300):
        tree = made.tree(("40000", b"directory", tree))
    [entry] = await listed(fetch, await fetch_made(fetch, made, tree))
    assert read_path(entry.path) is PathFault.TOO_LONG


SPARSE = 300 << 20


@pytest.mark.skipif(not BACKEND.exists(), reason="this git has no http-backend")
async def test_a_file_far_too_large_is_fetched_packed_and_never_unfolded(
    fetch: Fetcher, made: Made, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No git of ours can hold the file, and so none tried to.
    monkeypatch.setattr(git_process, "MOST_MEMORY", SPARSE)
    large = made.path / "large.py"
    with large.open("wb") as file:
        file.truncate(SPARSE)
    blob = made.git("-c", "core.bigFileThreshold=1m", "-c", "core.compression=1", "hash-object", "-w", str(large))
    small = made.object("blob", b"ok\n")
    made.point(made.tree(("100644", b"large.py", blob), ("100644", b"small.py", small)))
    for fetcher, url in ((fetch, made.path), (Fetcher(fetch.sources), server.url("repos/source"))):
        commit = (await fetcher(url)).commit
        assert {entry.path: entry.size for entry in await listed(fetcher, commit)} == {
            b"large.py": SPARSE,
            b"small.py": 3,
        }
        found = [each async for each in blobs(fetcher.cache, [small, blob, small])]
        assert [(each.size, each.content) for each in found] == [(3, b"ok\n"), (SPARSE, None), (3, b"ok\n")]
        [landing] = [each async for each in first_parent_changes(fetcher.cache, commit)]
        assert (landing.files, landing.truncated) == (2, True)
        assert b"+ok" in landing.diff
        assert b"large.py" not in landing.diff
        assert await blame_lines(fetcher.cache, commit, "large.py", [1]) == {}


async def test_a_message_and_a_name_of_megabytes_are_cut(fetch: Fetcher, made: Made) -> None:
    who = b"Eve " + b"e" * (2 << 20) + b" <eve@example.com> 99999999999999999999 +0000"
    head = b"tree " + made.git("rev-parse", "HEAD^{tree}").encode() + b"\nauthor " + who + b"\ncommitter " + who
    commit = made.object("commit", head + b"\n\n" + b"m" * (2 << 20) + b"\n\nbody\0\xff\n")
    (made.folder / "refs" / "heads" / "main").write_text(f"{commit}\n")
    await fetch(made.path)
    [(author, _, changes)] = await traced(fetch.cache, commit)
    assert (len(author), len(changes)) == (200, 2)
    [landing] = [each async for each in first_parent_changes(fetch.cache, commit)]
    assert len(landing.title) <= 500
    assert landing.files == 2


async def test_a_mailmap_of_megabytes_is_not_read(fetch: Fetcher, made: Made) -> None:
    commit = made.commit({".mailmap": "Eve <ada@example.com>\n" * 100_000})
    await fetch(made.path)
    assert {author for author, _, _ in await traced(fetch.cache, commit)} == {"Ada"}
