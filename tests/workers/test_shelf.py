"""Votes that are kept: a run over what changed finds what one over everything would, and only changed folders vote."""

import random
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.domain.listing import Listing
from app.domain.repo import Owner
from app.domain.snapshot import facts_of
from app.gateways.storage import Storage
from app.miners.core.family import Facts, Family, File, World
from app.miners.core.mining import Mined, mine
from app.miners.core.sections import Endings, Sections
from app.miners.core.sheets import Book, Sheet
from app.miners.registry import FAMILIES
from tests.bench.mining.synthetic import made
from workers.mining import shelf as shelves
from workers.mining.batches import Item, take
from workers.mining.crafts import Known, discover
from workers.mining.keeping import key_of, written
from workers.mining.shelf import groups_for

OWNER = Owner(UUID(int=1), UUID(int=2))
HERE = f"{OWNER.organization_id.hex}/{OWNER.repo_id.hex}"


@dataclass
class Kept:
    """A repository whose facts and votes are kept."""

    storage: Storage
    texts: dict[str, str]
    new: set[str] = field(default_factory=set)

    async def run(self, *, stored: float = 1.0, dice: random.Random | None = None) -> Mined:
        """Find its conventions as a run does, and write down so much of what is to be kept."""
        facts, known = {}, []
        for path, text in sorted(self.texts.items()):
            content = text.encode()
            file = facts_of(path, sha1(content).hexdigest(), len(content), content)
            if file.minable:
                key = key_of(file.blob_id, path.rpartition("/")[2], file.language)
                taken = take(Item(path, file.blob_id, file.language, file.role, content))
                facts[key] = orjson.dumps(taken.facts)
                known.append(Known(key, path, file.language, file.role, path in self.new))
        # Facts lie in any order, as runs have come upon them.
        records = sorted(facts.items(), key=lambda each: sha1(each[0].encode() + str(len(facts)).encode()).digest())
        segment = await self.storage.put(OWNER.organization_id, OWNER.repo_id, "facts/0", written(records))
        place = f"votes/{groups_for(len(known))}"
        found = discover(str(self.storage.root), [segment], known, list(self.texts), f"{HERE}/{place}/")
        for name, content in found.votes.items():
            if dice is not None and dice.random() > stored:
                continue
            await self.storage.put(OWNER.organization_id, OWNER.repo_id, f"{place}/{name}", content, compressed=True)
        return found.mined

    def anew(self) -> Mined:
        """Find them with nothing kept."""
        files = []
        for path, text in self.texts.items():
            content = text.encode()
            file = facts_of(path, sha1(content).hexdigest(), len(content), content)
            if file.minable:
                facts = take(Item(path, file.blob_id, file.language, file.role, content)).facts
                files.append((File(path, file.language, file.role, path in self.new), orjson.dumps(facts)))

        def stream(_: Container[str] | None = None) -> Iterator[tuple[File, Facts]]:
            return ((file, orjson.loads(facts)) for file, facts in files)

        listing = Listing(self.texts)
        return mine(FAMILIES, stream, listing, Book(Sections([file for file, _ in files], listing)))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The families that voted, and the folders for which they did."""
    found: set[tuple[str, str]] = set()
    add = Sheet.add

    def noting(sheet: Sheet, family: Family, file: File, facts: Facts, world: World, cell: int) -> None:
        found.add((family.name, file.folder))
        add(sheet, family, file, facts, world, cell)

    monkeypatch.setattr(Sheet, "add", noting)
    return found


def repository(tmp_path: Path) -> Kept:
    """A repository with conventions."""
    return Kept(Storage(tmp_path), {path: str(text) for path, text in made(0.05).files.items()})


def spoil(root: Path, name: str, content: bytes) -> None:
    """Write something else in the place of what is kept."""
    (next(Path(root, HERE, "votes").iterdir()) / name).write_bytes(content)


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_kept_of_votes_tells_what_all_files_would(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "_FILES_OF_A_GROUP", 32)
    dice, repo = random.Random(seed), repository(tmp_path)
    assert len((await repo.run()).candidates) >= 4
    for step in range(8):
        paths = sorted(repo.texts)
        for path in dice.sample(paths, dice.choice((0, 1, 6))):
            repo.texts[path] += f"\n# more {step}\n"
        for path in dice.sample(paths, dice.choice((0, 0, 4))):
            text = repo.texts.pop(path)
            if dice.random() < 0.7:
                repo.texts[f"moved/{path}"] = text
        if dice.random() < 0.3:
            repo.new = set(dice.sample(paths, 40))
        # Some runs come to their end before they could write everything down.
        assert await repo.run(stored=dice.choice((0.0, 0.5, 1.0, 1.0, 1.0)), dice=dice) == repo.anew()


async def test_only_folders_that_changed_vote_again(tmp_path: Path, counted: set[tuple[str, str]]) -> None:
    repo = repository(tmp_path)
    before = await repo.run()
    counted.clear()
    assert await repo.run() == before
    assert not counted
    path = next(path for path in sorted(repo.texts) if path.endswith(".py"))
    repo.texts[path] += "# A line more.\n"
    await repo.run()
    # Who sums up all files before they vote, and says not what of it matters, may have come to another sum.
    summing = {family.name for family in FAMILIES if family.survey is not None and family.settle is None}
    assert {folder for family, folder in counted if family not in summing} == {path.rpartition("/")[0]}


async def test_who_looks_at_all_paths_votes_again_when_a_path_is_new(
    tmp_path: Path, counted: set[tuple[str, str]]
) -> None:
    repo = repository(tmp_path)
    await repo.run()
    counted.clear()
    repo.texts["elsewhere/notes.txt"] = "a\n"
    await repo.run()
    again = {family for family, folder in counted if folder != "elsewhere"}
    assert "twins" in again
    assert again.isdisjoint({"caught-names", "line-templates", "doc-comments"})


async def test_what_other_code_counted_or_nobody_can_read_is_counted_anew(
    tmp_path: Path, counted: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository(tmp_path)
    before = await repo.run()
    folders = {folder for _, folder in counted}
    counted.clear()
    with monkeypatch.context() as patch:
        patch.setattr(shelves, "version", lambda: "another")
        assert await repo.run() == before
        assert {folder for _, folder in counted} == folders
    for name, content in (("notes", b"{}"), ("findings", b"{}"), ("0", b"x"), ("0", b"")):
        await repo.run()
        counted.clear()
        spoil(tmp_path, name, content)
        assert await repo.run() == before
        assert {folder for _, folder in counted} == (set() if name == "findings" else folders)


def test_a_group_is_as_large_as_a_few_hundred_files() -> None:
    counts: list[Any] = [groups_for(files) for files in (0, 1, 512, 513, 5_000, 50_000, 1_000_000)]
    assert counts == [1, 1, 1, 2, 16, 128, 256]


def test_what_files_end_with_is_what_stands_for_many() -> None:
    listing = Listing([*(f"{number}/models.py" for number in range(4)), "a/b.service.ts"])
    endings = Endings(listing)
    files = [File(path, None, facts_of(path, "0", 0, b"").role) for path in ("1/models.py", "a/b.service.ts", "c.py")]
    assert [endings.of(file) for file in files] == ["models.py", "*.service.ts", ""]
