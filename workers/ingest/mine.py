"""MINE: facts of every file that changed, findings from the facts of all, and what each rule does in the repository."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict

from app.domain.confidence import YEAR, Team
from app.domain.errors import Invalid
from app.domain.evidence import Claim
from app.domain.history import moment
from app.domain.material import minable
from app.domain.measurement import Past, Place
from app.domain.rule import Rule, RuleKind, read_rule
from app.domain.snapshot import FileFacts
from app.gateways import git
from app.hands.pool import Lost
from app.miners.registry import extractor_version
from app.reads import mining
from app.reads.mining import StandingPattern
from workers.ingest.step import Attempt
from workers.mining import crafts
from workers.mining.batches import Item
from workers.mining.discovering import discover, key_of_file
from workers.mining.keeping import Kept, key_of
from workers.mining.measuring import measure
from workers.mining.prospects import Prospect, Standing, places_to_show
from workers.mining.quoting import quoted

_CHOOSE_SECONDS = 60.0
_AUTHORS_OF_A_FILE = 5


async def mine(attempt: Attempt) -> None:
    """Find the conventions of the commit, and measure them and those that stand."""
    found, progress = attempt.found, attempt.progress
    files = minable(found.snapshot)
    # A file is done when its facts were taken and rules measured in it; each of that is half of it.
    progress.move(0, len(files))
    pasts, found.team = await _pasts(attempt)
    kept = await _facts(attempt, files)
    mined = await discover(attempt, kept, files, pasts)
    stored = await _stored_rules(attempt)
    rules = [candidate.proposal.rule for candidate in mined.candidates] + [rule for _, rule in stored]
    measured = await measure(attempt, rules, files, pasts)
    own, theirs = measured[: len(mined.candidates)], measured[len(mined.candidates) :]
    chosen, suppressed = await attempt.runtime.hands.do(
        crafts.choose,
        mined,
        own,
        found.team.authors,
        seconds=_CHOOSE_SECONDS,
        party=attempt.owner.organization_id,
    )
    for reason, count in suppressed.counts.items():
        for example in suppressed.examples[reason]:
            found.report.add("suppressed", reason, example, 0)
        found.report.counts["suppressed", reason] = count
    found.report.failed += suppressed.failed
    found.report.contradictions += [asdict(each) for each in suppressed.contradictions]
    breaking: dict[str, int] = {}
    for each in chosen:
        for path in {place.path for place in each.measurement.violations}:
            breaking[path] = breaking.get(path, 0) + 1
    places = [places_to_show(each.measurement, breaking) for each in chosen]
    others = [places_to_show(each, breaking) for each in theirs]
    texts = await quoted(attempt.cache, [place for shown, not_so in places + others for place in (*shown, *not_so)])
    found.prospects = [
        Prospect(each, _claims(shown, not_so, texts)) for each, (shown, not_so) in zip(chosen, places, strict=True)
    ]
    found.standing = {
        pattern.id: Standing(pattern, each, _claims(shown, not_so, texts))
        for (pattern, _), each, (shown, not_so) in zip(stored, theirs, others, strict=True)
        if not each.broken
    }
    for (pattern, _), one in zip(stored, theirs, strict=True):
        # What is known of it from before stays: that it cannot be run any more says nothing about the code.
        for reason in one.broken:
            found.report.add("dropped", "rule cannot be run", f"{pattern.name}: {reason}")
    progress.move(len(files))
    progress.note(f"{len(chosen)} conventions, {sum(suppressed.counts.values())} left out")


async def _pasts(attempt: Attempt) -> tuple[dict[str, Past], Team]:
    """Tell what HISTORY summed up; a repository without any has no past."""
    past, newest = attempt.found.past, await git.committed_at(attempt.cache, attempt.found.commit)
    people = [_person(name) for name in past.names]
    pasts = {}
    for file in attempt.found.snapshot:
        if (trace := past.traces.get(file.path)) is None:
            continue
        authors = {past.names[number]: count for number, count in trace.authors.items() if people[number]}
        most = sorted(authors, key=lambda name: (-authors[name], name))[:_AUTHORS_OF_A_FILE]
        new = trace.added_at >= newest - YEAR
        pasts[file.path] = Past(trace.added_at, trace.touched_at, {name: authors[name] for name in most}, new)
    oldest = None if past.oldest is None else moment(past.oldest)
    team = Team(sum(people), newest, oldest)
    if not team.tells_ages or (newest - (oldest or newest)) <= YEAR:
        # Where everything is new, nothing is newer than the rest.
        pasts = {path: Past(one.first, one.last, one.authors) for path, one in pasts.items()}
    return pasts, team


def _person(name: str) -> bool:
    return not name.lower().endswith("[bot]")


async def _facts(attempt: Attempt, files: Sequence[FileFacts]) -> Kept:
    """Take the facts of the files whose facts are not kept."""
    wanted: dict[str, FileFacts] = {}
    for file in files:
        wanted.setdefault(key_of_file(file), file)
    again = attempt.progress.held.forced
    kept = await Kept.open(attempt.storage, attempt.owner, extractor_version(), set(wanted), again=again)
    there = kept.keys
    missing = [
        Item(file.path, file.blob_id, file.language, file.role) for key, file in wanted.items() if key not in there
    ]
    done = len(files) - len(missing)
    attempt.progress.move(done // 2)
    taken = attempt.runtime.hands.each(
        crafts.taking,
        str(attempt.cache),
        missing,
        seconds=crafts.FACTS_SECONDS,
        batch=100,
        party=attempt.owner.organization_id,
    )
    async with aclosing(taken) as answers:
        async for item, answer in answers:
            key = key_of(item.blob_id, item.path.rpartition("/")[2], item.language)
            if isinstance(answer, Lost):
                kept.lose(key, answer.fate.value)
            else:
                await kept.add(key, *answer)
            done += 1
            attempt.progress.move(done // 2)
    await kept.close()
    for key, reason in kept.skipped.items():
        attempt.found.report.skip(wanted[key].path, reason)
    return kept


async def _stored_rules(attempt: Attempt) -> list[tuple[StandingPattern, Rule]]:
    """Give the rules of patterns that stand, as they are stored; what can only be judged by a model is not measured."""
    async with attempt.runtime.read() as session:
        patterns = await mining.standing_patterns(session, attempt.owner.repo_id)
    rules: list[tuple[StandingPattern, Rule]] = []
    for pattern in patterns:
        if pattern.rule_kind is RuleKind.LLM:
            continue
        try:
            rule = read_rule(
                pattern.rule_kind,
                pattern.rule_definition,
                languages=pattern.scope_languages,
                include=pattern.scope_include,
                exclude=pattern.scope_exclude,
                text=pattern.rule_text,
                alternative=pattern.rule_alternative,
            )
        except Invalid as refused:
            attempt.found.report.add("dropped", "rule cannot be read", f"{pattern.name}: {refused.message}")
        else:
            rules.append((pattern, rule))
    return rules


def _claims(shown: Sequence[Place], breaking: Sequence[Place], texts: dict[Place, tuple[int, str]]) -> list[Claim]:
    claims = []
    for place, counterexample in [*((place, False) for place in shown), *((place, True) for place in breaking)]:
        end, snippet = texts.get(place, (place.end, None))
        if place.start is None or snippet is None:
            claims.append(Claim(place.path, place.blob_id, counterexample=counterexample))
        else:
            claims.append(Claim(place.path, place.blob_id, place.start, end, snippet, counterexample))
    return claims
