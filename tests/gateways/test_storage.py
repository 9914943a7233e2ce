"""Stored objects: whole or not there, each in its place, and never outside of it."""

import asyncio
import os
import zlib
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.domain.errors import NotFound
from app.gateways.storage import Storage, TooLarge

ORGANIZATION, REPO = UUID(int=1), UUID(int=2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where objects lie."""
    return tmp_path / "objects"


@pytest.fixture
def storage(root: Path) -> Storage:
    """A storage for small objects."""
    return Storage(root, largest=1000)


def files_below(root: Path) -> list[Path]:
    """List what lies on disk."""
    return sorted(path for path in root.rglob("*") if path.is_file())


async def test_what_was_put_is_given_back(storage: Storage, root: Path) -> None:
    key = await storage.put(ORGANIZATION, REPO, "diffs/1f3a", b"a diff\0\xff")
    assert key == f"{ORGANIZATION.hex}/{REPO.hex}/diffs/1f3a"
    assert len(key) < 300
    assert await storage.get(key) == b"a diff\0\xff"
    [path] = files_below(root)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"x" * 1000, os.urandom(1000)])
async def test_any_content_up_to_the_limit_is_kept(storage: Storage, content: bytes) -> None:
    assert await storage.get(await storage.put(ORGANIZATION, REPO, "one", content)) == content


async def test_a_newer_object_takes_the_place_of_an_older(storage: Storage, root: Path) -> None:
    first = await storage.put(ORGANIZATION, REPO, "one", b"1")
    assert await storage.put(ORGANIZATION, REPO, "one", b"2") == first
    assert await storage.get(first) == b"2"
    assert len(files_below(root)) == 1


async def test_writers_at_the_same_time_leave_one_whole_object(storage: Storage, root: Path) -> None:
    contents = [bytes([number]) * 900 for number in range(20)]
    keys = await asyncio.gather(*(storage.put(ORGANIZATION, REPO, "one", content) for content in contents))
    assert await storage.get(keys[0]) in contents
    assert len(files_below(root)) == 1


async def test_what_can_be_made_again_is_there_at_once_too(storage: Storage) -> None:
    key = await storage.put(ORGANIZATION, REPO, "one", b"before")
    assert await storage.put(ORGANIZATION, REPO, "one", b"after", lasting=False) == key
    assert await storage.get(key) == storage.load(key) == b"after"


async def test_an_object_that_is_too_large_is_refused(storage: Storage, root: Path) -> None:
    with pytest.raises(TooLarge):
        await storage.put(ORGANIZATION, REPO, "one", b"x" * 1001)
    assert files_below(root) == []


async def test_a_small_file_that_unfolds_to_a_large_object_is_none(storage: Storage, root: Path) -> None:
    key = await storage.put(ORGANIZATION, REPO, "one", b"x")
    (root / key).write_bytes(zlib.compress(bytes(50_000_000)))
    with pytest.raises(NotFound):
        await storage.get(key)


@pytest.mark.parametrize("content", [b"", b"no zlib", zlib.compress(b"x" * 500)[:-3]])
async def test_a_spoilt_object_is_none(storage: Storage, root: Path, content: bytes) -> None:
    key = await storage.put(ORGANIZATION, REPO, "one", b"x")
    (root / key).write_bytes(content)
    with pytest.raises(NotFound):
        await storage.get(key)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            ".",
            "..",
            "../x",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a/",
            ".hidden",
            "a/.b",
            "a/b/c/d",
            "a\\b",
            "A",
            "ä",
            "a b",
        ],
        "x" * 101,
        "a\0",
        "a\n",
    ],
)
async def test_a_name_that_is_none_is_refused(storage: Storage, root: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        await storage.put(ORGANIZATION, REPO, name, b"x")
    with pytest.raises(ValueError, match="no name"):
        await storage.remove(ORGANIZATION, REPO, name)
    assert files_below(root) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../secret",
        "/etc/passwd",
        f"{ORGANIZATION.hex}/../../secret",
        f"{ORGANIZATION.hex}/{REPO.hex}/../x",
        f"{ORGANIZATION}/{REPO}/one",
        f"{ORGANIZATION.hex}/{REPO.hex}/one/deeper",
        f"{ORGANIZATION.hex}/{REPO.hex}",
        f"{ORGANIZATION.hex}/{REPO.hex}/nothing\n",
        f"{ORGANIZATION.hex}/{REPO.hex}/nothing",
    ],
)
async def test_a_key_that_nobody_was_given_finds_nothing(storage: Storage, root: Path, key: str) -> None:
    await storage.put(ORGANIZATION, REPO, "one", b"x")
    (root.parent / "secret").write_bytes(zlib.compress(b"hunter22"))
    with pytest.raises(NotFound):
        await storage.get(key)


async def test_objects_are_removed_by_name_repository_and_organization(storage: Storage, root: Path) -> None:
    other = uuid4()

    async def put(repo_id: UUID, name: str) -> str:
        return await storage.put(ORGANIZATION, repo_id, name, b"x")

    first, second, third = await put(REPO, "diffs/1"), await put(REPO, "diffs/2"), await put(REPO, "history")
    fourth = await put(other, "history")
    foreign = await storage.put(uuid4(), REPO, "history", b"x")
    await storage.remove(ORGANIZATION, REPO, "diffs/1")
    with pytest.raises(NotFound):
        await storage.get(first)
    assert await storage.get(second) == b"x"
    await storage.remove(ORGANIZATION, REPO, "diffs")
    with pytest.raises(NotFound):
        await storage.get(second)
    assert await storage.get(third) == b"x"
    await storage.remove(ORGANIZATION, REPO)
    with pytest.raises(NotFound):
        await storage.get(third)
    assert await storage.get(fourth) == b"x"
    await storage.remove(ORGANIZATION)
    await storage.remove(ORGANIZATION)
    assert await storage.get(foreign) == b"x"
    assert [path.parent.parent.name for path in files_below(root)] == [foreign.split("/")[0]]


async def test_what_is_kept_is_measured(storage: Storage) -> None:
    assert await storage.size(ORGANIZATION) == 0
    await storage.put(ORGANIZATION, REPO, "one", os.urandom(500))
    assert 500 <= await storage.size(ORGANIZATION) == await storage.size(ORGANIZATION, REPO) < 600
