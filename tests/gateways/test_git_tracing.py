"""Tracing: who wrote each file, and when, under whatever names; adding later commits gives what all of them give."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.authorship import Authorship
from app.gateways.git.tracing import changes_of
from tests.gateways.making import Made
from workers.crafts.tracing import commits_since

MANY = 10_000
BEGINNING = 1_760_000_000


def summed(made: Made, commit: str, known: Authorship | None = None) -> Authorship:
    """Sum up as a run does, from nothing or from what the last one kept."""
    cache = str(made.folder)
    since = None if known is None else known.commit
    commits = commits_since(cache, commit, since, MANY)
    if known is None or commits is None:
        known, commits = Authorship(), commits_since(cache, commit, None, MANY)
    assert commits is not None
    for traced in changes_of(made.folder, commits, {}):
        known.add(*traced)
    known.commit = commit
    # As it comes back from storage.
    read = Authorship.read(json.loads(json.dumps(known.plain())))
    assert read is not None
    return read


def told(sum_: Authorship) -> dict[str, Any]:
    """Spell a sum, the order of names aside."""
    traces = {path: (one.added, one.touched, sum_.authors_of(one)) for path, one in sum_.traces.items()}
    return {"traces": traces, "moved": sum_.moved, "commits": sum_.commits, "names": sorted(sum_.names)}


@dataclass
class Step:
    """A commit to make: on which ones, by whom, and what it changes."""

    onto: int
    merges: int | None
    author: str
    changes: list[tuple[str, str, str]]


NAMES = st.sampled_from(("a", "b", "c/d", "c/e"))
CHANGES = st.lists(st.tuples(st.sampled_from(("write", "write", "remove", "rename")), NAMES, NAMES), max_size=3)
STEPS = st.builds(
    Step,
    onto=st.integers(1, 3),
    merges=st.none() | st.integers(1, 6),
    author=st.sampled_from(("Ada", "Bob")),
    changes=CHANGES,
)


def made_of(folder: Path, steps: list[Step]) -> tuple[Made, list[str]]:
    """Make a history, as git's fast-import takes it: `onto` and `merges` count back from the newest commit."""
    made = Made(folder, bare=True)
    stream: list[str] = []
    trees: list[dict[str, int]] = []
    for number, step in enumerate(steps):
        parents = [number - step.onto] if number >= step.onto else []
        if parents and step.merges is not None and number - step.merges >= 0 and number - step.merges not in parents:
            parents.append(number - step.merges)
        tree = dict(trees[parents[0]]) if parents else {}
        stream.append(f"reset refs/heads/main{number}\n" if not parents else "")
        who = f"{step.author} <{step.author}@example.com> {BEGINNING + 1000 * number} +0000"
        stream.append(f"commit refs/heads/main{number}\nmark :{number + 1}\ncommitter {who}\ndata 1\nx\n")
        words = ("from", "merge")
        stream += [f"{words[place]} :{parent + 1}\n" for place, parent in enumerate(parents)]
        for kind, path, other in step.changes:
            if kind == "write":
                tree[path] = tree.get(path, 1000 * number) + 1
                content = f"{path} of {tree[path] // 1000}\n" * 20 + f"{tree[path]}\n"
                stream.append(f"M 100644 inline {path}\ndata {len(content)}\n{content}\n")
            elif path in tree and kind == "remove":
                del tree[path]
                stream.append(f"D {path}\n")
            elif path in tree and other not in tree:
                tree[other] = tree.pop(path)
                stream.append(f"R {path} {other}\n")
        stream.append("\n")
        trees.append(tree)
    made.git("fast-import", "--quiet", given="".join(stream).encode())
    return made, [made.head(f"refs/heads/main{number}") for number in range(len(steps))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=2, max_size=12), place=st.integers(0, 11))
def test_what_is_added_to_an_older_sum_is_the_whole_sum(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], place: int
) -> None:
    made, commits = made_of(tmp_path_factory.mktemp("history") / "bare", steps)
    known = summed(made, commits[place % len(commits)])
    assert told(summed(made, commits[-1], known)) == told(summed(made, commits[-1]))


def test_only_new_commits_are_read_where_the_branch_moved_on(tmp_path: Path) -> None:
    made = Made(tmp_path / "made")
    first = made.commit({"a": "1\n"})
    second = made.commit({"a": "2\n"})
    assert commits_since(str(made.folder), second, first, MANY) == [second]
    made.git("reset", "-q", "--hard", first)
    other = made.commit({"a": "3\n"})
    assert commits_since(str(made.folder), other, second, MANY) is None
    assert commits_since(str(made.folder), other, "1" * 40, MANY) is None, "what was pushed away may be gone"
    assert commits_since(str(made.folder), other, None, MANY) == [first, other]


def test_a_renamed_file_keeps_its_age_and_its_authors(tmp_path: Path) -> None:
    made = Made(tmp_path / "made")
    made.commit({"old.py": "x = 1\n" * 30}, author="Ada <ada@example.com>")
    made.git("mv", "old.py", "new.py")
    made.commit({"new.py": "x = 1\n" * 30 + "y\n"}, author="Bob <bob@example.com>")
    last = made.commit({"new.py": "x = 1\n" * 30 + "z\n", "old.py": "another\n"}, author="Cid <cid@example.com>")
    found = summed(made, last)
    trace = found.traces["new.py"]
    assert found.authors_of(trace) == {"Ada": 1, "Bob": 1, "Cid": 1}
    assert (trace.touched - trace.added) == 2 * 3600
    assert found.authors_of(found.traces["old.py"]) == {"Cid": 1}


def test_a_commit_of_another_branch_is_counted_for_the_file_that_was_renamed_meanwhile(tmp_path: Path) -> None:
    made = Made(tmp_path / "made")
    made.commit({"old.py": "x = 1\n" * 30}, author="Ada <ada@example.com>")
    made.git("checkout", "-q", "-b", "side")
    made.commit({"old.py": "x = 1\n" * 30 + "side\n"}, author="Bob <bob@example.com>")
    made.git("checkout", "-q", "main")
    made.git("mv", "old.py", "new.py")
    made.commit({}, author="Ada <ada@example.com>")
    made.git("-c", "user.name=M", "-c", "user.email=m@example.com", "merge", "-q", "--no-ff", "-m", "Merge", "side")
    found = summed(made, made.head())
    assert found.authors_of(found.traces["new.py"]) == {"Ada": 2, "Bob": 1}


def test_a_file_that_was_removed_and_added_again_is_new(tmp_path: Path) -> None:
    made = Made(tmp_path / "made")
    made.commit({"a": "1\n", "b": "1\n"}, author="Ada <ada@example.com>")
    made.commit({"a": None})
    last = made.commit({"a": "2\n"}, author="Bob <bob@example.com>")
    found = summed(made, last)
    assert found.authors_of(found.traces["a"]) == {"Bob": 1}
    assert found.traces["a"].added > found.traces["b"].added


def test_missing_content_costs_only_the_following_of_renames(tmp_path: Path) -> None:
    made = Made(tmp_path / "made")
    made.commit({"a": "1\n" * 30})
    made.git("mv", "a", "b")
    last = made.commit({"b": "1\n" * 30 + "2\n"})
    blob = made.git("rev-parse", f"{last}:b")
    (made.folder / "objects" / blob[:2] / blob[2:]).unlink()
    assert summed(made, last).traces.keys() == {"b"}


def test_a_sum_of_another_version_is_not_read() -> None:
    assert Authorship.read({**Authorship().plain(), "version": 0}) is None
