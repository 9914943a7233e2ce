"""Look at what is mined from a git repository: python -m tests.bench.mining.look <git dir> [--family F] [-v]."""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.domain.material import minable
from app.domain.measurement import Past
from app.domain.snapshot import facts_of
from app.miners.declared.reading import settings_of
from app.miners.registry import FAMILIES
from tests.miners.trial import Trial, run
from workers.mining.batches import Item


def say(*words: object) -> None:
    """Write a line."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def git(repository: Path, *words: str, given: bytes | None = None) -> bytes:
    """Ask git."""
    return subprocess.run(["git", "-C", str(repository), *words], input=given, check=True, capture_output=True).stdout


def pasts(repository: Path, commit: str) -> dict[str, Past]:
    """Read who worked on each path, and since when."""
    told = git(repository, "log", "--no-merges", "--format=%x01%aN%x02%ct", "--name-status", "--no-renames", commit)
    newest = int(git(repository, "log", "-1", "--format=%ct", commit))
    border = datetime.fromtimestamp(newest, UTC) - timedelta(days=365)
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    people: dict[str, Counter[str]] = {}
    author, at = "", border
    for line in told.decode(errors="replace").splitlines():
        if line.startswith("\x01"):
            author, _, seconds = line[1:].partition("\x02")
            at = datetime.fromtimestamp(int(seconds), UTC)
        elif "\t" in line:
            path = line.partition("\t")[2]
            first[path] = at
            last.setdefault(path, at)
            people.setdefault(path, Counter())[author] += 1
    return {path: Past(first[path], last[path], people[path], first[path] >= border) for path in first}


def items_of(repository: Path, commit: str = "HEAD") -> tuple[list[Item], list[str]]:
    """Read a commit as the index does."""
    entries = []
    for line in git(repository, "ls-tree", "-r", "-z", "--full-tree", commit).decode(errors="replace").split("\0"):
        facts, _, path = line.partition("\t")
        if path and facts.split()[1] == "blob" and not facts.startswith("120000"):
            entries.append((path, facts.split()[2]))
    asked = "".join(f"{blob}\n" for _, blob in entries).encode()
    told = git(repository, "cat-file", "--batch", given=asked)
    history = pasts(repository, commit)
    files, contents, paths, at = [], {}, [], 0
    for path, blob in entries:
        end = told.index(b"\n", at)
        words = told[at:end].split()
        at = end + 1
        paths.append(path)
        if len(words) < 3:
            continue
        size = int(words[2])
        content = told[at : at + size]
        at += size + 1
        files.append(facts_of(path, blob, size, content))
        if files[-1].minable:
            contents[path] = content
    items = [
        Item(file.path, file.blob_id, file.language, file.role, contents[file.path], history.get(file.path, Past()))
        for file in minable(files)
    ]
    return items, paths


_TOLD = re.compile(r"(?i)(^|/)(contributing|agents|claude|copilot-instructions|style|coding)[\w.-]*\.(md|rst|adoc)$")


def bare(items: list[Item], paths: list[str]) -> tuple[list[Item], list[str]]:
    """Leave out the guides, and the configurations of linters and formatters."""
    told = {path for path in paths if _TOLD.search(path)}
    told |= {
        item.path
        for item in items
        if item.content and settings_of(item.path.rpartition("/")[2], item.content.decode(errors="replace"))
    }
    return [item for item in items if item.path not in told], [path for path in paths if path not in told]


def show(found: Trial, verbose: bool) -> None:
    """Print what a person would see."""
    for number, each in enumerate(found.conventions, 1):
        candidate = each.measured.candidate
        say(f"{number:3} {candidate.score:6.1f} {each.measured.trend.value[:7]:8}{each}   [{each.family}]")
        if verbose:
            scope = candidate.proposal.rule.scope
            say("        scope", scope.languages, scope.include, "not", scope.exclude, [r.value for r in scope.roles])
            say("        rule", dict(candidate.proposal.rule.definition))
            say("        breaks", each.violations[:5], candidate.proposal.rule.alternative or "")
    say(found.suppressed.counts)


def main() -> None:
    """Look at one repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--family", action="append")
    parser.add_argument("--most", type=int, default=60)
    parser.add_argument("--left-out", action="store_true")
    parser.add_argument("--bare", action="store_true", help="without guides and configurations")
    parser.add_argument("-v", "--verbose", action="store_true")
    given = parser.parse_args()
    items, paths = items_of(given.repository, given.commit)
    if given.bare:
        items, paths = bare(items, paths)
    families = tuple(family for family in FAMILIES if not given.family or family.name in given.family)
    start = time.perf_counter()
    people = {name for item in items for name in item.past.authors}
    found = run(items, paths, families, authors=len(people), most=given.most)
    seconds = time.perf_counter() - start
    show(found, given.verbose)
    if given.left_out:
        for reason, examples in found.suppressed.examples.items():
            say("\n    ".join((reason, *examples[:12])))
    size = sum(len(item.content or b"") for item in items)
    say(f"{len(items)} files, {size / 1e6:.1f} MB, {seconds:.2f} s")


if __name__ == "__main__":
    main()
