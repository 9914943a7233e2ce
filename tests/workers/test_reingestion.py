"""A further run: what people decided stands, whatever the code has become, and what a job decided follows the code."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.checkers.registry import EDITION
from app.db.models import Evidence, Pattern, Repo
from app.domain.confidence import ConfidenceTier
from app.domain.pattern import DISMISSED, EvidenceSource, Move, PatternEventKind, PatternStatus
from app.domain.rule import RuleKind
from app.domain.run import IngestionStage
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.runtime import Runtime
from app.services import curating, sweeping, triaging
from app.services.triaging import Decision
from tests import factories as make
from tests.gateways.making import Made
from tests.workers.test_mining import HANDLER, change, connected, evidence_of, history_of, mined, pattern_of
from tests.workers.test_mining import first as first
from tests.workers.test_mining import runtime as runtime
from tests.workers.test_mining import source as source
from workers.ingest import carrying
from workers.ingest.step import Attempt
from workers.ingest.verify import verify

MOST = {f"shop/part{number}.py": None for number in range(12)}


@pytest.fixture
async def repo(runtime: Runtime, session: AsyncSession, source: Made) -> Repo:
    """Give a repository of which one convention was found."""
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    return repo


@pytest.fixture
async def reviewer(session: AsyncSession, repo: Repo) -> Viewer:
    """Give somebody who may decide."""
    user = await make.user(session)
    return Viewer(user.id, {repo.organization_id: Role.REVIEWER}, Credential(CredentialKind.SESSION))


async def decide(runtime: Runtime, viewer: Viewer, move: Move, **more: Any) -> Pattern:
    async with runtime.strike() as tx:
        await triaging.decide(tx, viewer, Decision((await pattern_of(runtime)).id, move, **more))
    return await pattern_of(runtime)


async def test_what_a_person_rejected_never_resurfaces(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    rejected = await decide(runtime, reviewer, Move.REJECT, reason="We do not care.")
    source.commit({"shop/more.py": HANDLER.format(70)})
    run = await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.status, after.version, after.rejection_reason) == (
        PatternStatus.REJECTED,
        rejected.version,
        "We do not care.",
    )
    assert {"reason": "rejected by a person", "count": 1, "examples": [after.name]} in run.report["suppressed"]  # type: ignore[index]


async def test_a_person_who_left_rejected_all_the_same(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    rejected = await decide(runtime, reviewer, Move.REJECT)
    await change(runtime, rejected.id, status_changed_by_id=None)
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    assert (await pattern_of(runtime)).status is PatternStatus.REJECTED


async def test_what_was_dismissed_for_weakness_comes_back_only_when_it_is_stronger(
    runtime: Runtime, repo: Repo, source: Made
) -> None:
    pattern = await pattern_of(runtime)
    await change(runtime, pattern.id, tier=ConfidenceTier.WEAK, touched_at=datetime(2020, 1, 1, tzinfo=UTC))
    async with runtime.write() as tx:
        assert await sweeping.dismiss(tx, repo.id, datetime.now(UTC)) == 1
    assert (await pattern_of(runtime)).rejection_reason == DISMISSED
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.id, after.status, after.tier) == (pattern.id, PatternStatus.CANDIDATE, ConfidenceTier.STRONG)
    assert (await history_of(runtime, after.id))[-1] is PatternEventKind.REOPENED


async def test_a_deferred_one_stays_deferred_and_is_measured(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    await decide(runtime, reviewer, Move.DEFER)
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.status, after.conforming, after.defer_count) == (PatternStatus.DEFERRED, 16, 1)


async def test_a_deferred_one_that_vanished_is_withdrawn(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    await decide(runtime, reviewer, Move.DEFER)
    source.commit(MOST)
    await mined(runtime, repo.id)
    assert (await pattern_of(runtime)).status is PatternStatus.REJECTED
    source.commit({path: HANDLER.format(number) for number, path in enumerate(MOST)})
    await mined(runtime, repo.id)
    assert (await pattern_of(runtime)).status is PatternStatus.CANDIDATE


async def test_one_in_force_keeps_what_people_decided_and_is_measured_anew(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    before = await decide(runtime, reviewer, Move.PROMOTE, edits={"rationale": "One word for one thing."})
    source.commit(MOST)
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.status, after.version, after.rationale, after.name) == (
        PatternStatus.AUTHORITATIVE,
        before.version,
        "One word for one thing.",
        before.name,
    )
    assert (after.conforming, after.applicable) == (3, 4)


async def test_its_canonical_place_is_found_again_or_called_stale(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    pattern = await decide(runtime, reviewer, Move.PROMOTE)
    canonical = next(row for row in await evidence_of(runtime, pattern.id) if row.is_canonical)
    assert canonical.start_line is not None
    text = source.git("show", f"HEAD:{canonical.path}")
    longer = f"import os\n\n\n{text}\n"
    source.commit({canonical.path: longer})
    await mined(runtime, repo.id)
    moved = next(row for row in await evidence_of(runtime, pattern.id) if row.is_canonical)
    assert (moved.id, moved.start_line, moved.snippet) == (canonical.id, canonical.start_line + 3, canonical.snippet)
    source.commit({canonical.path: None, "shop/renamed.py": longer})
    await mined(runtime, repo.id)
    moved = next(row for row in await evidence_of(runtime, pattern.id) if row.is_canonical)
    assert (moved.id, moved.path, moved.is_stale) == (canonical.id, "shop/renamed.py", False)
    source.commit({"shop/renamed.py": "nothing = None\n"})
    await mined(runtime, repo.id)
    stale = next(row for row in await evidence_of(runtime, pattern.id) if row.id == canonical.id)
    assert (stale.is_stale, stale.stale_reason, stale.snippet) == (
        True,
        "The text is gone from the file.",
        canonical.snippet,
    )
    assert (await pattern_of(runtime)).version == pattern.version


async def test_lines_that_moved_are_still_by_who_wrote_them(runtime: Runtime, repo: Repo, source: Made) -> None:
    for form in ("# A line above.\n{}", "{}\n# And one below.", None):
        paths = source.git("ls-files", "shop/part*").split()
        contents = {path: source.git("show", f"HEAD:{path}") for path in paths}
        # The third time all that is shown is written anew, by somebody else.
        texts = {
            path: form.format(content) if form else content.replace("except ", "except  ")
            for path, content in contents.items()
        }
        source.commit({path: f"{text}\n" for path, text in texts.items()}, author="Eve <eve@example.com>")
        await mined(runtime, repo.id)
        shown = [row for row in await evidence_of(runtime, (await pattern_of(runtime)).id) if row.author]
        assert shown
        for row in shown:
            line = f"-L{row.start_line},{row.start_line}"
            told = source.git("blame", "--porcelain", line, row.commit_sha or "", "--", row.path)
            assert f"author {row.author}\n" in told


async def test_places_that_people_added_stay(runtime: Runtime, repo: Repo, source: Made) -> None:
    pattern = await pattern_of(runtime)
    async with runtime.write() as tx:
        rows = await tx.session.scalars(
            select(Evidence).where(Evidence.pattern_id == pattern.id, Evidence.is_canonical.is_(False))
        )
        added = next(row for row in rows if not row.is_counterexample)
        added.added_by = EvidenceSource.PERSON
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    assert added.id in {row.id for row in await evidence_of(runtime, pattern.id)}


async def test_words_and_rules_that_people_edited_stay(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    pattern = await pattern_of(runtime)
    async with runtime.write() as tx:
        await curating.revise(tx, reviewer, pattern.id, {"name": "Call it failure", "scope_include": ["shop/part1*"]})
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime, "Call it failure")
    assert (after.id, after.conforming, after.applicable) == (pattern.id, 6, 6)
    assert after.scope_include == ["shop/part1*"]


def meanwhile(monkeypatch: pytest.MonkeyPatch, deciding: Callable[[], Awaitable[object]]) -> None:
    """Let somebody decide after a run has measured, before it writes."""

    async def late(attempt: Attempt) -> None:
        await deciding()
        await verify(attempt)

    monkeypatch.setitem(carrying.WORKS, IngestionStage.VERIFY, (late, "places"))


async def test_an_edit_that_is_made_while_a_run_works_stays(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = await pattern_of(runtime)
    edits = {
        "name": "Call it failure",
        "description": "For searching logs.",
        "scope_include": ["shop/part1*"],
    }

    async def edit() -> None:
        async with runtime.write() as tx:
            await curating.revise(tx, reviewer, pattern.id, edits)

    meanwhile(monkeypatch, edit)
    source.commit(MOST)
    await mined(runtime, repo.id)
    after = await pattern_of(runtime, "Call it failure")
    assert (after.id, after.status, {name: getattr(after, name) for name in edits}) == (
        pattern.id,
        PatternStatus.CANDIDATE,
        edits,
    )


async def test_that_other_checkers_know_its_rule_now_is_no_news_of_a_pattern(runtime: Runtime, repo: Repo) -> None:
    before = await pattern_of(runtime)
    assert before.rule_edition == EDITION
    await change(runtime, before.id, rule_edition="a former one")
    await mined(runtime, repo.id, force=True)
    after = await pattern_of(runtime)
    assert (after.rule_edition, after.updated_at, after.version) == (EDITION, before.updated_at, before.version)
    assert await history_of(runtime, before.id) == [PatternEventKind.CREATED]


async def test_a_pattern_that_goes_out_of_force_while_a_run_works_costs_the_run_nothing(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    await decide(runtime, reviewer, Move.PROMOTE)
    meanwhile(monkeypatch, lambda: decide(runtime, reviewer, Move.DEPRECATE))
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.status, after.conforming) == (PatternStatus.DEPRECATED, 15)


async def test_what_was_measured_of_a_rule_that_is_another_by_now_is_not_written(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = await decide(runtime, reviewer, Move.PROMOTE)
    meanwhile(
        monkeypatch, lambda: change(runtime, pattern.id, scope_include=["shop/part1*"], conforming=6, applicable=6)
    )
    source.commit({"shop/more.py": HANDLER.format(70)})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.conforming, after.applicable) == (6, 6)


async def test_a_rule_that_cannot_be_run_any_more_keeps_what_was_measured_and_costs_no_other_anything(
    runtime: Runtime, repo: Repo, reviewer: Viewer, source: Made
) -> None:
    before = await decide(runtime, reviewer, Move.PROMOTE)
    definition = {"applicable": {"kind": "no_such_node"}, "conforming": {"kind": "no_such_node"}}
    await change(runtime, before.id, rule_kind=RuleKind.AST, rule_definition=definition)
    source.commit({"shop/more.py": HANDLER.format(70)})
    run = await mined(runtime, repo.id)
    async with runtime.read() as session:
        after = await session.get_one(Pattern, before.id)
    assert (after.conforming, after.applicable) == (before.conforming, before.applicable)
    (dropped,) = run.report["dropped"]  # type: ignore[index]
    assert (dropped["reason"], dropped["count"]) == ("rule cannot be run", 1)
