"""SCORE: what was measured becomes confidence, insight and warnings, and all of it is written down at once."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.domain import confidence
from app.domain.categories import category_of
from app.domain.confidence import Facts
from app.domain.evidence import Verified, locate
from app.domain.health import signals_of
from app.domain.insight import Seen, insight_of
from app.domain.measurement import Measurement
from app.domain.pattern import PatternType
from app.gateways import git
from app.reads import mining
from app.reads.mining import KeptPlace
from app.services import comparing, ingesting, recording
from app.services.recording import Discovery, Recorded, Run, Shown, Sighting
from app.syntax import MOST_BYTES
from workers.ingest.step import Attempt
from workers.mining.authors import Blamed, authors_of
from workers.mining.prospects import Prospect

_MINER = "miner "
_NAMES = 10


async def score(attempt: Attempt) -> None:
    """Judge what was found, and write it down."""
    found, progress = attempt.found, attempt.progress
    blamed = await authors_of(
        attempt,
        [
            *(prospect.verified for prospect in found.prospects),
            *(each.verified for each in found.standing.values()),
        ],
    )
    async with attempt.runtime.read() as session:
        kept = await mining.kept_places(session, list(found.standing))
    moved, stale = await _located(attempt, kept)
    discoveries = [_discovery(attempt, prospect, blamed) for prospect in found.prospects]
    sightings = []
    for pattern_id, each in found.standing.items():
        rows = [row.id for row in kept if row.pattern_id == pattern_id]
        sighting = Sighting(
            _columns(attempt, each.measurement, each.verified, each.pattern.type),
            _shown(attempt, each.verified, blamed),
            {row: stale[row] for row in rows if row in stale},
            {row: moved[row] for row in rows if row in moved},
        )
        sightings.append((each.pattern, sighting))
    owner = attempt.owner
    failed = [f"{_MINER}{name} " for name in found.report.failed]
    run = Run(progress.held.run_id, owner.repo_id, owner.organization_id, found.commit, datetime.now(UTC))
    async with attempt.runtime.write() as tx:
        await ingesting.hold(tx, progress.held)
        recorded = await recording.write(tx, run, discoveries, sightings, _MINER, failed)
        await comparing.compare(tx, owner.repo_id)
        await ingesting.announce(tx, progress.held, recorded.changed)
    found.report.patterns_found = len(discoveries)
    for name in recorded.refused:
        found.report.add("suppressed", "rejected by a person", name)
    progress.note(_told(recorded))
    await progress.log(
        f"Conventions: {_told(recorded)}",
        patterns_found=found.report.patterns_found,
        patterns_dropped=found.report.patterns_dropped,
    )


def _told(recorded: Recorded) -> str:
    words = {
        "new": recorded.created,
        "changed": recorded.updated + recorded.measured,
        "back": recorded.returned,
        "withdrawn": recorded.withdrawn,
    }
    return ", ".join(f"{count} {word}" for word, count in words.items() if count) or "Nothing changed."


def _discovery(attempt: Attempt, prospect: Prospect, blamed: Blamed) -> Discovery:
    candidate, measurement = prospect.measured.candidate, prospect.measured.measurement
    proposal, rule = candidate.proposal, prospect.rule
    counted = f"{measurement.conforming} of {measurement.applicable}"
    sentences = [f"{proposal.name} ({counted}).", proposal.detail]
    breaking = measurement.applicable - measurement.conforming
    if rule.alternative and breaking:
        sentences.append(f"Not {rule.alternative}: {breaking} {'place' if breaking == 1 else 'places'} left.")
    if proposal.declared is not None:
        place = proposal.declared.path + (f":{proposal.declared.line}" if proposal.declared.line else "")
        sentences.append(f"Declared in `{place}`: {proposal.declared.statement}.")
    new = candidate.finding.new
    reasoning = (
        f"The miner {candidate.family} counted {candidate.finding.conforming} of {candidate.finding.applicable} sites "
        f"in {candidate.finding.files} files; that tells {candidate.bits:.1f} bits to whoever knows the language. "
        f"Its rule, run over the repository, finds {counted}."
    )
    if new[1]:
        reasoning += f" In files of the last year: {new[0]} of {new[1]}."
    return Discovery(
        fingerprint=rule.fingerprint,
        name=proposal.name[:200],
        description=" ".join(sentence for sentence in sentences if sentence)[:4000],
        type=proposal.type,
        category=proposal.category,
        rule=rule,
        extracted_by=f"{_MINER}{candidate.family} {candidate.version}",
        reasoning=reasoning,
        sighting=Sighting(
            _columns(attempt, measurement, prospect.verified, proposal.type),
            _shown(attempt, prospect.verified, blamed),
        ),
    )


def _columns(
    attempt: Attempt, measurement: Measurement, verified: Sequence[Verified], kind: PatternType
) -> dict[str, Any]:
    """Judge a measurement, and spell it as columns."""
    team = attempt.found.team
    names = sorted(measurement.authors, key=lambda name: (-measurement.authors[name], name))
    new = (measurement.new_conforming, measurement.new_applicable)
    ages = team.tells_ages
    facts = Facts(
        kind,
        measurement.conforming,
        measurement.applicable,
        measurement.conforming,
        len(names) or None,
        measurement.oldest if ages else None,
        measurement.newest if ages else None,
        new,
    )
    tier = confidence.tier_of(facts, team)
    consistency, note = confidence.consistency_of(facts.adoption)
    age, trend = confidence.age_of(facts.oldest, team), confidence.trend_of(new, facts.old)
    texts = [place.snippet for place in verified if place.snippet is not None and not place.counterexample]
    signals = signals_of(texts, measurement.applicable, measurement.conforming)
    insight = insight_of(
        Seen(
            tier,
            consistency,
            age,
            trend,
            measurement.conforming,
            measurement.applicable,
            facts.authors,
            team.authors,
            len(signals),
        )
    )
    locations = confidence.locations_of(measurement.categories)
    return {
        "tier": tier,
        "instances": measurement.conforming,
        "consistency": consistency,
        "consistency_note": note,
        "applicable": measurement.applicable,
        "conforming": measurement.conforming,
        "authors": len(names) or None,
        "author_names": [name[:200] for name in names[:_NAMES]],
        "age": age,
        "oldest": facts.oldest,
        "newest": facts.newest,
        "trend": trend,
        "new_file_adoption": new[0] / new[1] if new[1] else None,
        "primary_location": locations[0][0] if locations else None,
        "locations": [{"category": category.value, "instances": count} for category, count in locations],
        "health_signals": [asdict(signal) | {"severity": signal.severity.value} for signal in signals],
        "insight_text": insight.text,
        "insight_actions": list(insight.actions),
    }


def _shown(attempt: Attempt, verified: Sequence[Verified], blamed: Blamed) -> list[Shown]:
    files = attempt.found.by_path
    shown: list[Shown] = []
    for place in verified:
        file = files[place.path]
        author, at = blamed.get((place.path, place.start or 1), (None, None))
        canonical = not place.counterexample and not shown
        shown.append(Shown(place, category_of(file.path, file.language, file.role), author, at, canonical))
    return shown


async def _located(attempt: Attempt, rows: Sequence[KeptPlace]) -> tuple[dict[UUID, Verified], dict[UUID, str]]:
    """Look for places that people chose, or that are canonical, where they stand now."""
    files = attempt.found.by_path
    homes = {file.blob_id: file.path for file in reversed(attempt.found.snapshot)}
    moved: dict[UUID, Verified] = {}
    stale: dict[UUID, str] = {}
    asked: dict[str, list[KeptPlace]] = {}
    for row in rows:
        path = row.path if row.path in files else homes.get(row.blob_id or "")
        if path is None:
            stale[row.id] = "The file is gone."
        else:
            asked.setdefault(files[path].blob_id, []).append(row)
    async with aclosing(git.blobs(attempt.cache, asked, largest=MOST_BYTES)) as blobs:
        async for blob in blobs:
            for row in asked[blob.object_id]:
                path = row.path if row.path in files else homes[row.blob_id or ""]
                place = locate(path, blob.object_id, blob.content, row.snippet, row.start_line)
                if place is None:
                    stale[row.id] = "The text is gone from the file."
                elif (place.path, place.start, place.end, place.blob_id) != (
                    row.path,
                    row.start_line,
                    row.end_line,
                    row.blob_id,
                ):
                    moved[row.id] = place
    return moved, stale
