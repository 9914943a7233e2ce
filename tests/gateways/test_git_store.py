"""The store: blobs as child processes read them, whatever is asked for, and nothing left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.source import SourceFailed
from app.gateways.git.store import Store
from tests.gateways.making import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "bare", bare=True)


@pytest.fixture
def store(made: Made) -> Iterator[Store]:
    with Store(made.folder) as store:
        yield store


def test_blobs_come_in_the_order_asked_for(made: Made, store: Store) -> None:
    contents = [b"x" * size for size in (0, 1, 70_000)] + [b"a\nb\0c\n"] + [b"%d" % number for number in range(700)]
    names = [made.object("blob", content) for content in contents]
    assert list(store.contents(names)) == contents
    assert list(store.contents([names[2], names[0], names[2]])) == [contents[2], b"", contents[2]]


def test_what_is_missing_too_large_or_no_blob_is_none(made: Made, store: Store) -> None:
    small, large = made.object("blob", b"small"), made.object("blob", b"x" * 1001)
    tree = made.tree(("100644", b"a", small))
    assert list(store.contents([small, large, "1" * 40, tree, small], largest=1000)) == [
        b"small",
        None,
        None,
        None,
        b"small",
    ]


def test_answers_that_nobody_took_are_not_given_to_others(made: Made, store: Store) -> None:
    names = [made.object("blob", b"%d" % number) for number in range(20)]
    asked = store.contents(names)
    assert next(asked) == b"0"
    asked.close()  # type: ignore[attr-defined]
    assert list(store.contents(names[5:7])) == [b"5", b"6"]


def test_a_broken_blob_costs_itself(made: Made, store: Store) -> None:
    whole, broken = made.object("blob", b"whole"), made.object("blob", b"broken")
    place = made.folder / "objects" / broken[:2] / broken[2:]
    place.chmod(0o600)
    place.write_bytes(b"no object at all")
    assert list(store.contents([whole, broken, whole])) == [b"whole", None, b"whole"]


def test_a_git_that_dies_is_followed_by_another(made: Made, store: Store) -> None:
    name = made.object("blob", b"x" * 10_000_000)
    asked = store.contents([name] * 3, largest=1 << 30)
    next(asked)
    assert store._git is not None
    store._git.kill()
    with pytest.raises(SourceFailed):
        list(asked)
    assert [len(content or b"") for content in store.contents([name], largest=1 << 30)] == [10_000_000]


def test_only_objects_can_be_asked_for(store: Store) -> None:
    with pytest.raises(ValueError, match="no object id"):
        list(store.contents(["HEAD"]))
