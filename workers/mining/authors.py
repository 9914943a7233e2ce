"""Who wrote what is shown: what runs found out before is not asked again, wherever the lines stand by now."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from time import monotonic

from app.domain.evidence import Verified
from app.gateways import git
from app.gateways.git.blaming import Asked
from app.hands.pool import Lost
from app.reads import mining
from app.reads.mining import WrittenLine
from workers.crafts.blaming import Snapshot, Written, blaming
from workers.ingest.step import Attempt

# Blame walks back through a file's history; nobody waits longer for it, and what is shown first is asked first.
_BLAME_SECONDS = 5.0
# A later run has few new places to ask about; what the first ones left over is asked bit by bit.
_LATER_SECONDS = 1.0
# For so many files it is worth while to write down first what each commit changed.
_MANY_FILES = 20
_FILE_SECONDS, _AT_ONCE = 2.0, 2
_SHOWN_FIRST = 3

Blamed = dict[tuple[str, int], tuple[str, datetime]]


async def authors_of(attempt: Attempt, places: Sequence[Sequence[Verified]]) -> Blamed:
    """Find who wrote what is shown first, as far as time allows."""
    async with attempt.runtime.read() as session:
        seen = await mining.known_authors(session, attempt.owner.repo_id)
    known = {(line.path, line.blob_id, line.line): (line.author, line.authored_at) for line in seen}
    blamed: Blamed = {}
    asked: dict[str, set[int]] = {}
    for place in _shown_first(places):
        line = place.start or 1
        if place.start is None and not attempt.found.by_path[place.path].size:
            # Nobody wrote a line of an empty file.
            continue
        if (told := known.get((place.path, place.blob_id, line))) is not None:
            blamed[place.path, line] = told
        else:
            asked.setdefault(place.path, set()).add(line)
    attempt.progress.move(0, len(asked))
    if len(asked) >= _MANY_FILES:
        await git.index_commits(attempt.cache)
    until = monotonic() + (_LATER_SECONDS if known else _BLAME_SECONDS)
    before = _before(seen, {path: attempt.found.by_path[path].blob_id for path in asked})
    # What changed since the file was last looked at is in few commits; only what they do not tell is in all others.
    since = [Asked(path, sorted(asked[path]), commit) for path, (commit, _) in before.items()]
    mailmap = await git.mailmap(attempt.cache, attempt.found.commit) if asked else {}
    snapshot = Snapshot(str(attempt.cache), attempt.found.commit, mailmap, _FILE_SECONDS)
    async for each, answer in _answers(attempt, snapshot, since, until):
        for line, written in answer.items():
            told = known.get((each.path, before[each.path][1], written)) if isinstance(written, int) else written
            if told is not None:
                blamed[each.path, line] = told
    left = {path: sorted(line for line in lines if (path, line) not in blamed) for path, lines in asked.items()}
    done = len([path for path in left if not left[path]])
    attempt.progress.move(done)
    everything = [Asked(path, lines) for path, lines in left.items() if lines]
    async for each, answer in _answers(attempt, snapshot, everything, until):
        blamed |= {(each.path, line): told for line, told in answer.items() if not isinstance(told, int)}
        done += 1
        attempt.progress.move(done)
    return blamed


def _shown_first(places: Sequence[Sequence[Verified]]) -> Iterator[Verified]:
    """Give the first places of each pattern, then the second ones, and so on."""
    for number in range(_SHOWN_FIRST):
        for verified in places:
            fine = [place for place in verified if not place.counterexample]
            not_so = [place for place in verified if place.counterexample]
            yield from (*fine[number : number + 1], *not_so[number : number + 1])


def _before(seen: Sequence[WrittenLine], blobs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Find a commit at which most is known of each file that was another one then, and which one."""
    counted: dict[str, Counter[tuple[str, str]]] = {}
    for line in seen:
        if line.blob_id != blobs.get(line.path, line.blob_id):
            counted.setdefault(line.path, Counter())[line.commit, line.blob_id] += 1
    return {path: max(sorted(counts), key=counts.__getitem__) for path, counts in counted.items()}


async def _answers(
    attempt: Attempt, snapshot: Snapshot, asked: Sequence[Asked], until: float
) -> AsyncIterator[tuple[Asked, Written]]:
    if not asked:
        return
    asking = attempt.runtime.hands.each(
        blaming,
        snapshot,
        _in_time(asked, until),
        seconds=2 * _FILE_SECONDS,
        # What was dealt out is waited for when the time is over; git reads slowly, and two of it are done sooner.
        batch=_AT_ONCE,
        party=attempt.owner.organization_id,
    )
    async with aclosing(asking) as answers:
        async for each, answer in answers:
            if not isinstance(answer, Lost):
                yield each, answer


def _in_time(asked: Sequence[Asked], until: float) -> Iterator[Asked]:
    """Give what is asked for, until the time is over."""
    for each in asked:
        if monotonic() > until:
            return
        yield each
