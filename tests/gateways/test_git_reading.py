"""Reading from a cache: trees, blobs, history, what landed, and who wrote a line."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from app.domain.source import SourceFailed, SourceProblem
from app.domain.tree import Entry, EntryKind
from app.gateways.git import (
    blame_line,
    blame_lines,
    blobs,
    committed_at,
    entry_at,
    files,
    first_parent_changes,
    index_commits,
    landings,
    sizes,
    tracing,
)
from app.gateways.git.blaming import Asked, blames_of
from tests.gateways.making import START, Made, traced

Item = TypeVar("Item")


async def all_of(items: AsyncIterator[Item]) -> list[Item]:
    """Gather what a stream gives."""
    return [item async for item in items]


@pytest.fixture
def cache(made: Made) -> Path:
    """A repository to read from; readers do not mind that it has a work tree beside it."""
    return made.folder


@pytest.fixture
def slow_git(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that does not come to an end."""
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


async def test_files_come_in_byte_order_with_their_sizes(made: Made, cache: Path) -> None:
    commit = made.commit({"b.py": "12345", "a/ä.py": "", "a.py": "1"})
    found = await all_of(files(cache, commit, most=5))
    assert [(each.path.decode(), each.size) for each in found] == [
        ("README.md", 6),
        ("a.py", 1),
        ("a/ä.py", 0),
        ("b.py", 5),
        ("src/one.py", 8),
    ]
    with pytest.raises(SourceFailed, match="more than the 4 files"):
        await all_of(files(cache, commit, most=4))


async def test_one_path_is_found_by_its_exact_name(made: Made, cache: Path) -> None:
    commit = made.commit({"*.py": "star", "a.py": "a", "src/one.py": "other"})
    star = await entry_at(cache, commit, "*.py")
    assert star == Entry(b"*.py", EntryKind.FILE, star.object_id if star else "", 4)
    for absent in ("src", "src/", "nothing", ":(glob)**", "", "../x"):
        assert await entry_at(cache, commit, absent) is None


async def test_a_commit_that_is_not_there_is_told(cache: Path) -> None:
    for reading in (files(cache, "1" * 40, most=1), first_parent_changes(cache, "1" * 40)):
        with pytest.raises(SourceFailed) as refused:
            await all_of(reading)
        assert refused.value.code is SourceProblem.OBJECTS_MISSING
    with pytest.raises(SourceFailed) as refused:
        await traced(cache, "1" * 40)
    assert refused.value.code is SourceProblem.BROKEN


@pytest.mark.parametrize("name", ["HEAD", "main", "--all", "", "x" * 40, "A" * 40, f"{'1' * 40}\n"])
async def test_what_is_no_object_id_never_reaches_git(cache: Path, name: str) -> None:
    for reading in (files(cache, name, most=1), first_parent_changes(cache, name)):
        with pytest.raises(ValueError, match="no object id"):
            await all_of(reading)
    with pytest.raises(ValueError, match="no object id"):
        await all_of(blobs(cache, [name]))
    for commit, since in ((name, None), ("1" * 40, name)):
        with pytest.raises(ValueError, match="no object id"):
            tracing.parents_of(cache, commit, since, 1)
    with pytest.raises(ValueError, match="no object id"):
        list(tracing.changes_of(cache, [name], {}))


async def test_blobs_come_in_the_order_asked_for(made: Made, cache: Path) -> None:
    contents = [b"", b"\n", b"a\0b\n", bytes(range(256)), b"x" * 1000, b"last\n"]
    names = [made.object("blob", content) for content in contents]
    asked = [*names, "1" * 40, made.head(), names[0]]
    found = await all_of(blobs(cache, asked, largest=999))
    assert [each.object_id for each in found] == asked
    assert [each.content for each in found] == [*contents[:4], None, contents[5], None, None, b""]
    assert [each.size for each in found][4:8] == [1000, 5, None, None]
    assert await all_of(sizes(cache, asked)) == [(each.object_id, each.size) for each in found]


async def test_many_blobs_are_read_in_batches(made: Made, cache: Path) -> None:
    made.commit({f"{number}.txt": f"{number}\n" * (number % 50) for number in range(600)})
    entries = await all_of(files(cache, made.head(), most=1000))
    found = await all_of(blobs(cache, (each.object_id for each in entries)))
    assert [(each.object_id, each.size) for each in found] == [(each.object_id, each.size) for each in entries]


async def test_a_stream_that_is_left_early_leaves_nothing_behind(made: Made, cache: Path) -> None:
    stream = blobs(cache, [made.git("rev-parse", "HEAD:README.md")] * 1000)
    assert (await anext(stream)).content == b"# One\n"
    await stream.aclose()


async def read_elsewhere(cache: Path, commit: str) -> int:
    """Count bytes."""
    entries = await all_of(files(cache, commit, most=10))
    return sum([len(each.content or b"") async for each in blobs(cache, [each.object_id for each in entries])])


def in_a_process(cache: Path, commit: str) -> int:
    """Read in a process of its own."""
    return asyncio.run(read_elsewhere(cache, commit))


def test_readers_work_in_another_process(made: Made, cache: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(in_a_process, cache, made.head()).result() == 14


async def test_history_tells_who_did_what_and_when(made: Made, cache: Path) -> None:
    body = "".join(f"line {number}\n" for number in range(20))
    made.commit({"old.py": body, "gone.py": "1\n"}, author="Bob Böß <bob@example.com>")
    made.commit({"old.py": None, "new.py": f"{body}more\n", "gone.py": None})
    made.commit({})
    made.commit({"new.py": f"{body}other\n", "a b": ""})
    last = made.head()
    begun = int(START.timestamp())
    assert await traced(cache, last) == [
        ("Ada", begun + 4 * 3600, [("A", "a b", None), ("M", "new.py", None)]),
        ("Ada", begun + 3 * 3600, []),
        ("Ada", begun + 2 * 3600, [("D", "gone.py", None), ("R", "new.py", "old.py")]),
        ("Bob Böß", begun + 3600, [("A", "gone.py", None), ("A", "old.py", None)]),
        ("Ada", begun, [("A", "README.md", None), ("A", "src/one.py", None)]),
    ]
    assert await committed_at(cache, last) == START + timedelta(hours=4)


async def test_history_can_begin_after_a_commit_and_end_early(made: Made, cache: Path) -> None:
    first = made.head()
    second = made.commit({"a.py": "1\n"})
    third = made.commit({"a.py": "2\n"})
    assert tracing.parents_of(cache, third, first, 9) == {third: [second], second: [first]}
    assert tracing.parents_of(cache, third, None, 1) == {third: [second]}
    assert tracing.parents_of(cache, first, third, 9) == {}


async def test_history_knows_people_by_their_mailmap(made: Made, cache: Path) -> None:
    made.commit({"a.py": "1\n"}, author="bob <bob@old.example.com>")
    commit = made.commit({".mailmap": "Bob <bob@example.com> <bob@old.example.com>\n"})
    assert [author for author, _, _ in await traced(cache, commit)][1] == "Bob"
    blame = await blame_line(cache, commit, "a.py", 1)
    assert blame is not None
    assert (blame.author, blame.email) == ("Bob", "bob@example.com")


async def test_a_merge_changes_nothing_by_itself_but_lands_all_of_its_branch(made: Made, cache: Path) -> None:
    made.git("checkout", "-q", "-b", "side")
    made.commit({"side.py": "1\n"})
    made.commit({"side.py": "1\n2\n"})
    made.git("checkout", "-q", "main")
    made.commit({"main.py": "1\n"})
    made.git(
        *("merge", "-q", "--no-ff", "-m", "Merge pull request #12 from a/side\n\nAdd the side", "side"),
        GIT_AUTHOR_NAME="Ada",
        GIT_AUTHOR_EMAIL="ada@example.com",
        GIT_AUTHOR_DATE="1767300000 +0000",
        GIT_COMMITTER_NAME="Ada",
        GIT_COMMITTER_EMAIL="ada@example.com",
        GIT_COMMITTER_DATE="1767300000 +0000",
    )
    merge = made.head()
    walked = await traced(cache, merge)
    assert len(walked) == 5
    assert walked[0][2] == []
    landed = await all_of(first_parent_changes(cache, merge))
    assert [(each.title, each.number, each.files) for each in landed] == [
        ("Add the side", 12, 1),
        ("Change", None, 1),
        ("First", None, 2),
    ]
    assert landed[0].diff.endswith(b"\n--- /dev/null\n+++ b/side.py\n@@ -0,0 +1,2 @@\n+1\n+2\n")
    assert not any(each.truncated for each in landed)


async def test_landings_are_those_of_the_last_days_and_no_more_than_asked_for(made: Made, cache: Path) -> None:
    for day in (10, 80, 120):
        commit = made.commit({"a.py": f"{day}\n"}, f"Day {day}", at=START + timedelta(days=day))
    assert [each.title for each in await all_of(first_parent_changes(cache, commit))] == ["Day 120", "Day 80"]
    assert [each.title for each in await all_of(first_parent_changes(cache, commit, most=1))] == ["Day 120"]
    assert len(await all_of(first_parent_changes(cache, commit, days=5000))) == 4


async def test_a_diff_is_kept_in_whole_files_up_to_a_limit(made: Made, cache: Path) -> None:
    made.commit({"a.py": "a = 1\n" * 10, "b.py": "b = 1\n" * 100, "c.py": "c = 1\n" * 10}, "Many (#7)")
    commit = made.commit({"renamed.py": "a = 1\n" * 10, "a.py": None}, "Rename")
    renamed, many, _ = await all_of(first_parent_changes(cache, commit, largest_diff=700))
    assert (many.title, many.number, many.files, many.truncated) == ("Many", 7, 3, True)
    assert many.diff.startswith(b"diff --git a/a.py b/a.py\n")
    assert b"b/b.py" not in many.diff
    assert many.diff.endswith(b"+c = 1\n")
    assert b"rename from a.py\nrename to renamed.py\n" in renamed.diff


async def test_a_commit_with_very_many_files_is_told_without_its_diff(
    made: Made, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landings, "MOST_FILES", 2)
    commit = made.commit({f"{number}.py": "1\n" for number in range(3)})
    landing, first = await all_of(first_parent_changes(cache, commit))
    assert (landing.files, landing.truncated, landing.diff) == (3, True, b"")
    assert (first.files, first.truncated) == (2, False)


async def test_lines_of_a_diff_may_be_longer_than_any_buffer(made: Made, cache: Path) -> None:
    commit = made.commit({"wide.py": f"x = '{'y' * 300_000}'\n", "z.py": "1\n"})
    landing, _ = await all_of(first_parent_changes(cache, commit))
    assert len(landing.diff) > 300_000
    assert landing.diff.endswith(b"+++ b/z.py\n@@ -0,0 +1 @@\n+1\n")


async def test_a_file_with_a_newline_in_its_name_is_no_trap_for_a_diff(made: Made, cache: Path) -> None:
    commit = made.commit({"a\ndiff --git a/x b/x": "1\n", "ä.py": "1\n"})
    landing, _ = await all_of(first_parent_changes(cache, commit))
    assert landing.diff.count(b"\ndiff --git ") == 1
    assert "b/ä.py".encode() in landing.diff


async def test_landings_that_are_known_count_but_are_not_given(made: Made, cache: Path) -> None:
    commits = [made.commit({"a.py": f"{number}\n"}) for number in range(4)]
    found = await all_of(first_parent_changes(cache, commits[-1], most=3, known={commits[2]}))
    assert [each.id for each in found] == [commits[3], commits[1]]
    assert b"+3" in found[0].diff


async def test_blame_tells_who_wrote_lines(made: Made, cache: Path) -> None:
    first = made.commit({"a.py": "one\r\ntwo\x0cthree\nfour"}, author="Bob <bob@example.com>")
    made.commit({"a.py": "one\r\nnew\nfour"}, author="Cid <cid@example.com>")
    made.git("mv", "a.py", "b.py")
    last = made.commit({})
    found = await blame_lines(cache, last, "b.py", [3, 2, 1, 1, 0, -5, 99])
    assert {line: each.author for line, each in found.items()} == {1: "Bob", 2: "Cid", 3: "Bob"}
    assert (found[1].commit, found[1].authored_at) == (first, datetime(2026, 1, 1, 1, tzinfo=UTC))
    assert await blame_line(cache, last, "a.py", 1) is None
    assert await blame_line(cache, last, "b.py", 4) is None


async def test_what_is_written_down_of_commits_changes_nothing_of_who_wrote_lines(made: Made, cache: Path) -> None:
    for number, author in enumerate(("Bob", "Cid", "Bob", "Dan")):
        text = "".join(f"{min(line, number)}\n" for line in range(4))
        made.commit({"a.py": text, f"{number}.py": text}, author=f"{author} <{author}@example.com>")
    last = made.commit({"b.py": "1\n"})
    expected = await blame_lines(cache, last, "a.py", [1, 2, 3, 4])
    assert {line: each.author for line, each in expected.items()} == {1: "Bob", 2: "Cid", 3: "Bob", 4: "Dan"}
    await index_commits(cache)
    assert await blame_lines(cache, last, "a.py", [1, 2, 3, 4]) == expected
    last = made.commit({"a.py": "0\n1\n2\n4\n"}, author="Eve <eve@example.com>")
    after = await blame_lines(cache, last, "a.py", [1, 2, 3, 4])
    assert {line: each.author for line, each in after.items()} == {1: "Bob", 2: "Cid", 3: "Bob", 4: "Eve"}
    await index_commits(cache)
    assert list((cache / "objects" / "info" / "commit-graphs").glob("*.graph"))
    assert await blame_lines(cache, last, "a.py", [1, 2, 3, 4]) == after
    assert [*blames_of(cache, last, [Asked("a.py", [1, 4]), Asked("a.py", [1])], {}, seconds=60)] == [
        {line: after[line] for line in (1, 4)},
        {1: after[1]},
    ]


async def test_of_lines_that_stood_before_it_is_told_where(made: Made, cache: Path) -> None:
    made.commit({"a.py": "1\n2\n3\n"}, author="Bob <bob@example.com>")
    before = made.commit({"a.py": "1\n2\n3\n", "b.py": "x\n"})
    last = made.commit({"a.py": "new\n1\n3\nend\n"}, author="Eve <eve@example.com>")
    (told,) = blames_of(cache, last, [Asked("a.py", [1, 2, 3, 4], before)], {}, seconds=60)
    assert {line: each.stood or each.author for line, each in told.items()} == {1: "Eve", 2: 1, 3: 3, 4: "Eve"}
    assert [*blames_of(cache, last, [Asked("a.py", [2], "1" * 40)], {}, seconds=60)] == [{}]


async def test_of_lines_that_came_by_another_way_nothing_is_told(made: Made, cache: Path) -> None:
    made.commit({"a.py": "1\n"})
    made.git("branch", "side")
    before = made.commit({"a.py": "2\n"})
    made.git("checkout", "-q", "side")
    made.commit({"b.py": "x\n"})
    merge = ("merge", "-q", "-s", "ours", "-m", "Stay", before)
    made.git("-c", "user.name=M", "-c", "user.email=m@example.com", *merge)
    last = made.head()
    assert [*blames_of(cache, last, [Asked("a.py", [1], before)], {}, seconds=60)] == [{}]
    assert (await blame_lines(cache, last, "a.py", [1])).keys() == {1}


@pytest.mark.usefixtures("slow_git")
def test_a_file_whose_history_takes_too_long_is_left(cache: Path) -> None:
    assert [*blames_of(cache, "1" * 40, [Asked("a.py", [1])], {}, seconds=0.05)] == [{}]


async def test_lines_that_a_file_does_not_have_were_written_by_nobody(made: Made, cache: Path) -> None:
    last = made.commit({"empty.py": "", "one.py": "1\n"})
    assert await blame_lines(cache, last, "empty.py", [1]) == {}
    assert await blame_lines(cache, last, "empty.py", [1], count=1) == {}
    assert await blame_lines(cache, last, "one.py", [1, 2], count=2) == {}


async def test_history_goes_on_without_the_contents_that_a_partial_clone_lacks(made: Made, cache: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(30))
    made.commit({"old.py": lines, "same.py": lines.upper()})
    made.commit({"old.py": None, "new.py": f"{lines}more\n", "same.py": None, "moved.py": lines.upper()})
    last = made.commit({"a.py": "1\n"})
    lost = made.git("rev-parse", f"{last}:new.py")
    (cache / "objects" / lost[:2] / lost[2:]).unlink()
    found = await traced(cache, last)
    assert len(found) == 4
    assert [changes for _, _, changes in found][:2] == [
        [("A", "a.py", None)],
        [("R", "moved.py", "same.py"), ("A", "new.py", None), ("D", "old.py", None)],
    ]
    landed = await all_of(first_parent_changes(cache, last))
    assert [each.truncated for each in landed] == [False, True, False, False]
    assert b"new.py" not in landed[1].diff
    assert await blame_lines(cache, last, "new.py", [1]) == {}


@pytest.mark.usefixtures("slow_git")
async def test_a_listing_that_takes_too_long_is_told(cache: Path) -> None:
    with pytest.raises(SourceFailed) as refused:
        await all_of(files(cache, "1" * 40, most=9, seconds=0.05))
    assert (refused.value.code, refused.value.passing) == (SourceProblem.TIMED_OUT, True)


async def test_a_commit_that_changes_very_much_is_cut(made: Made, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_CHANGES", 2)
    commit = made.commit({f"{number}.py": "1\n" for number in range(5)})
    (_, _, cut), (_, _, whole) = await traced(cache, commit)
    assert (len(cut), len(whole)) == (2, 2)
