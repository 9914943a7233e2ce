"""Fetching: incremental, whole or not at all, within limits, and clear about what went wrong."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from app.domain.source import SourceFailed, SourceProblem, SourceRules
from app.gateways.git import FetchLimits, FetchProgress, Sources, blobs, entry_at, fetching, files, git_version
from tests.gateways.conftest import LIMITS, Fetcher, problem
from tests.gateways.making import Made, traced


async def text(fetch: Fetcher, commit: str, path: str) -> str:
    """Read a file from the cache."""
    entry = await entry_at(fetch.cache, commit, path)
    assert entry is not None
    [blob] = [blob async for blob in blobs(fetch.cache, [entry.object_id])]
    assert blob.content is not None
    return blob.content.decode()


async def test_git_is_new_enough() -> None:
    assert await git_version() >= (2, 34)


async def test_a_first_fetch_brings_the_branch_that_head_names(fetch: Fetcher, made: Made) -> None:
    made.git("branch", "other")
    fetched = await fetch(made.path)
    assert (fetched.commit, fetched.branch, fetched.previous) == (made.head(), "main", None)
    assert (fetched.forced, fetched.shallow, fetched.unchanged) == (False, False, False)
    assert await text(fetch, fetched.commit, "src/one.py") == "ONE = 1\n"


async def test_a_cache_has_no_work_tree_no_hooks_and_nothing_for_other_eyes(fetch: Fetcher, made: Made) -> None:
    await fetch(made.path)
    assert {path.name for path in fetch.cache.iterdir()} == {"HEAD", "config", "objects", "refs"}
    assert fetch.cache.parent.stat().st_mode & 0o077 == 0


async def test_a_second_fetch_brings_only_what_is_new(fetch: Fetcher, made: Made) -> None:
    first = await fetch(made.path)
    again = await fetch(made.path)
    assert again.unchanged
    commit = made.commit({"src/two.py": "TWO = 2\n"}, "Second")
    second = await fetch(made.path)
    assert (second.commit, second.previous, second.forced) == (commit, first.commit, False)
    packs = sorted((fetch.cache / "objects" / "pack").glob("*.pack"), key=lambda pack: pack.stat().st_size)
    assert len(packs) == 2
    assert await text(fetch, first.commit, "README.md") == await text(fetch, commit, "README.md") == "# One\n"


async def test_a_branch_is_fetched_by_its_name(fetch: Fetcher, made: Made) -> None:
    made.git("checkout", "-q", "-b", "feature/ä")
    commit = made.commit({"new.py": "1\n"})
    fetched = await fetch(made.path, "feature/ä")
    assert (fetched.commit, fetched.branch) == (commit, "feature/ä")


async def test_branches_may_follow_each_other_in_a_folder_of_the_same_name(fetch: Fetcher, made: Made) -> None:
    made.git("checkout", "-q", "-b", "a")
    await fetch(made.path, "a")
    made.git("branch", "-m", "a", "a/b")
    assert (await fetch(made.path, "a/b")).branch == "a/b"


async def test_a_branch_with_packed_references_is_found(fetch: Fetcher, made: Made) -> None:
    made.git("pack-refs", "--all", "--prune")
    assert (await fetch(made.path, "main")).commit == made.head()


async def test_a_branch_that_is_an_alias_of_another_is_followed(fetch: Fetcher, made: Made) -> None:
    made.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    assert (await fetch(made.path, "alias")).commit == made.head()


async def test_a_rewritten_history_is_told(fetch: Fetcher, made: Made) -> None:
    made.commit({"a.py": "1\n"})
    old = (await fetch(made.path)).commit
    made.git("reset", "-q", "--hard", "HEAD~1")
    new = made.commit({"b.py": "1\n"})
    fetched = await fetch(made.path)
    assert (fetched.commit, fetched.previous, fetched.forced) == (new, old, True)
    # Evidence of the last run is still there.
    assert await entry_at(fetch.cache, old, "a.py") is not None


async def test_a_branch_that_was_deleted_is_told_and_the_cache_stays(fetch: Fetcher, made: Made) -> None:
    made.git("branch", "feature")
    fetched = await fetch(made.path, "feature")
    made.git("branch", "-D", "feature")
    refused = await problem(fetch, made.path, "feature")
    assert (refused.code, refused.passing) == (SourceProblem.BRANCH_GONE, False)
    assert "feature" in refused.sentence
    assert await entry_at(fetch.cache, fetched.commit, "README.md") is not None


async def test_a_repository_without_commits_is_told(fetch: Fetcher, tmp_path: Path) -> None:
    empty = Made(tmp_path / "empty")
    assert (await problem(fetch, empty.path)).code is SourceProblem.EMPTY
    assert (await problem(fetch, empty.path, "main")).code is SourceProblem.EMPTY
    assert not fetch.cache.exists()


async def test_a_head_that_leads_nowhere_is_told(fetch: Fetcher, made: Made) -> None:
    made.git("symbolic-ref", "HEAD", "refs/heads/nothing")
    assert (await problem(fetch, made.path)).code is SourceProblem.NO_DEFAULT_BRANCH
    assert (await fetch(made.path, "main")).branch == "main"


async def test_a_detached_head_is_fetched(fetch: Fetcher, made: Made) -> None:
    first = made.head()
    made.commit({"a.py": "1\n"})
    made.git("checkout", "-q", "--detach", first)
    fetched = await fetch(made.path)
    assert (fetched.commit, fetched.branch) == (first, "HEAD")


async def test_a_shallow_clone_is_fetched_as_far_as_it_goes(fetch: Fetcher, made: Made, tmp_path: Path) -> None:
    for number in range(3):
        made.commit({"a.py": f"{number}\n"}, f"Number {number}")
    clone = tmp_path / "clone"
    made.git("clone", "-q", "--depth=2", made.path.as_uri(), str(clone))
    fetched = await fetch(clone)
    assert fetched.shallow
    assert len(await traced(fetch.cache, fetched.commit)) == 2
    made.git("-C", str(clone), "fetch", "-q", "--unshallow")
    made.git(
        *("-C", str(clone), "commit", "-q", "--allow-empty", "-m", "x", "--author", "A <a@b>"),
        GIT_COMMITTER_NAME="C",
        GIT_COMMITTER_EMAIL="c@d",
    )
    whole = await fetch(clone)
    assert (whole.shallow, whole.forced) == (False, False)
    assert len(await traced(fetch.cache, whole.commit)) == 5


async def test_a_partial_clone_is_fetched_without_what_it_lacks(fetch: Fetcher, made: Made, tmp_path: Path) -> None:
    made.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    made.git("clone", "-q", "--no-checkout", "--filter=blob:none", made.path.as_uri(), str(clone))
    fetched = await fetch(clone)
    found = [entry async for entry in files(fetch.cache, fetched.commit, most=10)]
    assert {entry.path: entry.size for entry in found} == {b"README.md": None, b"src/one.py": None}
    contents = [blob async for blob in blobs(fetch.cache, [entry.object_id for entry in found])]
    assert [(blob.content, blob.size) for blob in contents] == [(None, None), (None, None)]


async def test_a_linked_work_tree_is_a_source_with_its_own_head(fetch: Fetcher, made: Made, tmp_path: Path) -> None:
    made.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert (await fetch(tmp_path / "side")).branch == "side"


async def test_a_repository_with_the_longer_hash_is_fetched(fetch: Fetcher, tmp_path: Path) -> None:
    repo = Made(tmp_path / "sha256", "--object-format=sha256")
    commit = repo.commit({"a.py": "1\n"})
    assert len(commit) == 64
    assert (await fetch(repo.path)).commit == commit
    assert await text(fetch, commit, "a.py") == "1\n"


async def test_another_repository_at_the_same_path_replaces_the_cache(fetch: Fetcher, made: Made) -> None:
    await fetch(made.path)
    shutil.rmtree(made.path)
    other = Made(made.path, "--object-format=sha256")
    commit = other.commit({"a.py": "1\n"})
    fetched = await fetch(other.path)
    assert (fetched.commit, fetched.forced) == (commit, True)


async def test_a_path_with_marks_of_its_own_is_fetched(fetch: Fetcher, tmp_path: Path) -> None:
    repo = Made(tmp_path / 'a:b "c" \\d %e ä')
    commit = repo.commit({"a.py": "1\n"})
    assert (await fetch(repo.path)).commit == commit


@pytest.mark.parametrize("path", ["/nonexistent/here", "/usr", "/etc/passwd", "/dev/null"])
async def test_a_path_without_a_repository_is_told(fetch: Fetcher, path: str) -> None:
    assert (await problem(fetch, path)).code is SourceProblem.NOT_FOUND


async def test_a_pipe_in_place_of_a_reference_is_not_waited_for(fetch: Fetcher, made: Made) -> None:
    os.mkfifo(made.folder / "refs" / "heads" / "pipe")
    assert (await problem(fetch, made.path, "pipe")).code is SourceProblem.BRANCH_GONE
    (made.folder / "HEAD").unlink()
    os.mkfifo(made.folder / "HEAD")
    assert (await problem(fetch, made.path)).code is SourceProblem.NO_DEFAULT_BRANCH


async def test_local_paths_are_refused_where_the_setting_says_so(caches: Path, made: Made) -> None:
    refused = await problem(Fetcher(Sources(caches, SourceRules())), made.path)
    assert (refused.code, refused.passing) == (SourceProblem.LOCAL_NOT_ALLOWED, False)
    assert list(made.path.parent.iterdir()) == [made.path]


async def test_a_branch_that_leads_to_no_commit_is_told(fetch: Fetcher, made: Made) -> None:
    blob = made.object("blob", b"no commit")
    (made.folder / "refs" / "heads" / "odd").write_text(f"{blob}\n")
    assert (await problem(fetch, made.path, "odd")).code is SourceProblem.UNSUPPORTED


async def test_objects_that_are_missing_are_told(fetch: Fetcher, made: Made) -> None:
    (made.folder / "refs" / "heads" / "lost").write_text("1" * 40)
    refused = await problem(fetch, made.path, "lost")
    assert refused.code is SourceProblem.OBJECTS_MISSING
    assert not fetch.cache.exists()


async def test_a_repository_that_is_too_large_is_refused_and_leaves_nothing(fetch: Fetcher, made: Made) -> None:
    made.commit({"noise": os.urandom(3 << 20)})
    refused = await problem(fetch, made.path, limits=FetchLimits(2 << 20, 30))
    assert (refused.code, refused.passing) == (SourceProblem.TOO_LARGE, False)
    assert [path.name for path in fetch.cache.parent.iterdir()] == [f"{fetch.repo_id.hex}.lock"]
    assert (await fetch(made.path)).commit == made.head()


async def test_a_cache_that_is_too_large_because_of_what_was_thrown_away_is_made_anew(
    fetch: Fetcher, made: Made
) -> None:
    made.commit({"noise": os.urandom(3 << 20)})
    await fetch(made.path)
    made.git("reset", "-q", "--hard", "HEAD~1")
    commit = made.commit({"noise": os.urandom(2 << 20)})
    fetched = await fetch(made.path, limits=FetchLimits(4 << 20, 30))
    assert (fetched.commit, fetched.forced) == (commit, True)


async def test_a_disk_that_fills_up_ends_the_fetch(fetch: Fetcher, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LEAST_FREE", 1 << 60)
    refused = await problem(fetch, made.path)
    assert (refused.code, refused.passing) == (SourceProblem.DISK_FULL, False)


async def test_a_spoilt_cache_is_made_anew(fetch: Fetcher, made: Made) -> None:
    await fetch(made.path)
    for pack in (fetch.cache / "objects" / "pack").iterdir():
        pack.unlink()
    fetched = await fetch(made.path)
    assert (fetched.commit, fetched.previous) == (made.head(), None)
    assert await text(fetch, fetched.commit, "README.md") == "# One\n"


async def test_what_a_killed_git_left_behind_is_in_nobodys_way(fetch: Fetcher, made: Made) -> None:
    await fetch(made.path)
    commit = made.commit({"a.py": "1\n"})
    leftovers = [
        fetch.cache / "refs/tenet/x.lock",
        fetch.cache / "objects/pack/tmp_pack_1",
        fetch.cache / "shallow.lock",
    ]
    for leftover in leftovers:
        leftover.write_text("")
    (fetch.cache.parent / f"{fetch.repo_id.hex}.new" / "objects").mkdir(parents=True)
    assert (await fetch(made.path)).commit == commit
    assert not any(leftover.exists() for leftover in leftovers)


async def test_only_one_fetches_at_a_time(fetch: Fetcher, made: Made) -> None:
    with fetch.sources._caches.lock(fetch.repo_id):
        refused = await problem(fetch, made.path)
        assert (refused.code, refused.passing) == (SourceProblem.BUSY, True)
        with pytest.raises(SourceFailed, match="being fetched"):
            await fetch.sources.remove(fetch.repo_id)
    assert (await fetch(made.path)).commit == made.head()


async def test_many_packs_become_few(fetch: Fetcher, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_MOST_PACKS", 3)
    first = made.head()
    for number in range(5):
        await fetch(made.path)
        made.commit({"a.py": f"{number}\n"})
    assert len(list((fetch.cache / "objects" / "pack").glob("*.pack"))) <= 3
    assert len(await traced(fetch.cache, (await fetch(made.path)).commit)) == 6
    assert await text(fetch, first, "README.md") == "# One\n"


async def test_a_cache_is_removed_and_listed(fetch: Fetcher, made: Made) -> None:
    await fetch.sources.remove(fetch.repo_id)
    await fetch(made.path)
    assert await fetch.sources.stored() == [fetch.repo_id]
    await fetch.sources.remove(fetch.repo_id)
    assert await fetch.sources.stored() == []
    assert list(fetch.cache.parent.iterdir()) == []


async def test_progress_counts_objects(fetch: Fetcher, made: Made) -> None:
    made.commit({f"{number}.py": f"{number}\n" for number in range(50)})
    seen: list[FetchProgress] = []
    await fetch.sources.fetch(fetch.repo_id, str(made.path), None, LIMITS, seen.append)
    last = seen[-1]
    assert last.phase.value == "Receiving"
    assert last.done == last.total > 50


async def test_time_that_is_up_ends_the_fetch(fetch: Fetcher, made: Made) -> None:
    refused = await problem(fetch, made.path, limits=FetchLimits(1 << 20, 0.001))
    assert (refused.code, refused.passing) == (SourceProblem.TIMED_OUT, True)


async def test_a_cancelled_fetch_leaves_the_lock_open(fetch: Fetcher, made: Made) -> None:
    task = asyncio.create_task(fetch(made.path))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await fetch(made.path)).commit == made.head()
