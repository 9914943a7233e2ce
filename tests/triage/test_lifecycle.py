"""The life of patterns: whatever people do in whatever order, the rules hold, and the history explains what stands.

Longer: `TENET_LIVES=500 make test ARGS=tests/triage/test_lifecycle.py`.
"""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.db.models import Evidence, Pattern, PatternEvent, Repo
from app.domain.ids import Kind, public
from app.domain.pattern import MOVES, Move, PatternStatus, move_to
from app.domain.viewer import Role
from tests import factories as make
from tests.identity.installation import Installation, Reply, installed
from tests.triage.desk import Desk, uuid_of
from tests.triage.test_changes import Ear, following
from tests.triage.test_moves import MUTATIONS

LIVES = int(os.environ.get("TENET_LIVES", "5"))
STEPS = 20
PATTERNS = 4
DECIDING = ("reviewer", "admin", "owner")
CODES = {"viewer": "FORBIDDEN", "stranger": "NOT_FOUND"}
COUNTED = "candidate authoritative rejected deferred deprecated"

T = TypeVar("T")


@dataclass
class Stage:
    """An installation in a thread of its own, for whoever cannot wait."""

    loop: asyncio.AbstractEventLoop
    steps: Counter[str] = field(default_factory=Counter)
    home: Installation | None = None
    session: AsyncSession | None = None

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something over there, to its end."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@contextmanager
def stage(database_url: str, redis_url: str) -> Iterator[Stage]:
    """Have a stage for the time of a block."""
    made = Stage(asyncio.new_event_loop())
    thread = threading.Thread(target=made.loop.run_forever)
    thread.start()
    stack = AsyncExitStack()

    async def build() -> None:
        made.home = await stack.enter_async_context(installed(database_url, redis_url))
        engine = create_async_engine(database_url)
        stack.push_async_callback(engine.dispose)
        made.session = await stack.enter_async_context(AsyncSession(engine, expire_on_commit=False))

    try:
        made.wait(build())
        yield made
    finally:
        made.wait(stack.aclose())
        made.loop.call_soon_threadsafe(made.loop.stop)
        thread.join()
        made.loop.close()


@dataclass
class Known:
    """What must be true of a pattern."""

    repo: Repo
    status: PatternStatus = PatternStatus.CANDIDATE
    version: int = 1
    deferred: int = 0
    rationale: str | None = None
    superseded_by: str | None = None


class Lives(RuleBasedStateMachine):
    """Some patterns of two repositories, and everybody who may or may not decide about them."""

    stage: ClassVar[Stage]

    @initialize()
    def begin(self) -> None:
        """Make the world, and somebody who follows each repository."""
        self.known: dict[str, Known] = {}
        self.told: Counter[Any] = Counter()
        self.stack = AsyncExitStack()
        self.stage.wait(self._begin())

    async def _begin(self) -> None:
        home, session = self.stage.home, self.stage.session
        assert home is not None
        assert session is not None
        organization = await make.organization(session)
        self.repos = [await make.repo(session, organization) for _ in range(2)]
        people = {role.value.lower(): await home.member(session, organization, role) for role in Role}
        people["stranger"] = await home.member(session, await make.organization(session), Role.OWNER)
        self.desk = Desk(home, session, organization, self.repos[0], people)
        self.ears: list[Ear] = []
        for repo in self.repos:
            for _ in range(PATTERNS // 2):
                row = await make.pattern(session, repo)
                await make.evidence(session, row)
                self.known[public(Kind.PATTERN, row.id)] = Known(repo)
            desk = Desk(home, session, organization, repo, people)
            self.ears.append(await self.stack.enter_async_context(following(desk)))

    def pick(self, number: int) -> tuple[str, Known]:
        """Choose a pattern."""
        return list(self.known.items())[number % len(self.known)]

    def do(self, mutation: str, said: dict[str, Any], who: str) -> Reply:
        """Send a mutation."""
        self.stage.steps[mutation] += 1
        return self.stage.wait(self.desk.do(mutation, said, who))

    def heard(self, known: Known, steps: int = 1) -> None:
        """Count what a follower of the repository must hear."""
        self.told[known.repo.id] += steps

    def moved(self, known: Known, move: Move, **over: Any) -> None:
        """Do to what is known what a move does."""
        known.status = MOVES[known.status, move]
        known.version += 1
        known.deferred += move is Move.DEFER
        if move in (Move.REOPEN, Move.RESTORE):
            known.superseded_by = None
        for name, value in over.items():
            setattr(known, name, value)
        self.heard(known)

    @rule(
        number=some.integers(0, PATTERNS - 1),
        mutation=some.sampled_from(sorted(MUTATIONS)),
        who=some.sampled_from((*DECIDING, *CODES)),
        behind=some.sampled_from((None, 0, 0, 1)),
        words=some.none() | some.text(max_size=20),
    )
    def move(self, number: int, mutation: str, who: str, behind: int | None, words: str | None) -> None:
        """Somebody moves a pattern, as they saw it now or before."""
        identifier, known = self.pick(number)
        said: dict[str, Any] = {"patternId": identifier}
        if behind is not None:
            said["expectedVersion"] = known.version - behind
        if mutation == "promotePattern" and words is not None:
            said["rationale"] = words = words.replace("\x00", "")
        reply = self.do(mutation, said, who)
        move = MUTATIONS[mutation]
        if who in CODES:
            assert reply.code == CODES[who]
        elif behind:
            assert (reply.code, reply.extensions["version"]) == ("CONFLICT", known.version)
        elif (known.status, move) not in MOVES:
            assert (reply.code, reply.extensions["status"]) == ("INVALID_TRANSITION", known.status.value)
        else:
            over = {} if move is not Move.PROMOTE or words is None else {"rationale": words if words.strip() else None}
            self.moved(known, move, **over)
            told = reply.data[mutation]["pattern"]
            assert (told["status"], told["version"]) == (known.status.value, known.version)

    @rule(
        number=some.integers(0, PATTERNS - 1),
        mutations=some.tuples(some.sampled_from(sorted(MUTATIONS)), some.sampled_from(sorted(MUTATIONS))),
    )
    def two_at_once(self, number: int, mutations: tuple[str, str]) -> None:
        """Two people decide about what they both see."""
        identifier, known = self.pick(number)
        said = {"patternId": identifier, "expectedVersion": known.version}
        self.stage.steps["two at once"] += 1

        async def both() -> list[Reply]:
            first, second = mutations
            return list(
                await asyncio.gather(self.desk.do(first, said, "reviewer"), self.desk.do(second, said, "admin"))
            )

        replies = self.stage.wait(both())
        allowed = [mutation for mutation in mutations if (known.status, MUTATIONS[mutation]) in MOVES]
        won = [mutation for mutation, reply in zip(mutations, replies, strict=True) if not reply.codes]
        assert len(won) == min(len(allowed), 1)
        codes = {code for reply in replies for code in reply.codes}
        assert codes <= ({"CONFLICT"} if len(allowed) == 2 else {"CONFLICT", "INVALID_TRANSITION"})
        if won:
            self.moved(known, MUTATIONS[won[0]])

    @rule(
        wanted=some.lists(
            some.tuples(some.integers(0, PATTERNS - 1), some.sampled_from(PatternStatus)), min_size=1, max_size=6
        ),
        who=some.sampled_from((*DECIDING, *CODES)),
    )
    def many(self, wanted: list[tuple[int, PatternStatus]], who: str) -> None:
        """Somebody decides about many patterns at once, perhaps about one of them twice."""
        decisions = [{"patternId": self.pick(number)[0], "to": status.value} for number, status in wanted]
        reply = self.do("triagePatterns", {"decisions": decisions}, who)
        results = reply.data["triagePatterns"]["results"]
        for (number, status), result in zip(wanted, results, strict=True):
            identifier, known = self.pick(number)
            assert result["patternId"] == identifier
            move = move_to(known.status, status)
            if who in CODES:
                assert result["errorCode"] == CODES[who]
            elif (known.status, move) in MOVES:
                assert result["errorCode"] is None
                self.moved(known, move)
            else:
                assert result["errorCode"] == "INVALID_TRANSITION"

    @rule(number=some.integers(0, PATTERNS - 1), into=some.integers(0, PATTERNS - 1), who=some.sampled_from(DECIDING))
    def merge(self, number: int, into: int, who: str) -> None:
        """Somebody merges a pattern into another one."""
        (candidate, lost), (target, won) = self.pick(number), self.pick(into)
        reply = self.do("mergePattern", {"candidateId": candidate, "intoId": target}, who)
        if lost.repo.id != won.repo.id or lost is won:
            assert reply.code == "VALIDATION_ERROR"
        elif (lost.status, Move.MERGE) not in MOVES or won.superseded_by is not None:
            assert reply.code == "INVALID_TRANSITION"
        else:
            self.moved(lost, Move.MERGE, superseded_by=target)
            won.version += 1
            self.heard(won)
            assert reply.data["mergePattern"]["pattern"]["version"] == won.version

    @rule(
        number=some.integers(0, PATTERNS - 1),
        rationale=some.none() | some.text(some.characters(codec="utf-8", exclude_characters="\x00"), max_size=30),
        who=some.sampled_from((*DECIDING, *CODES)),
    )
    def edit(self, number: int, rationale: str | None, who: str) -> None:
        """Somebody changes the words of a pattern."""
        identifier, known = self.pick(number)
        reply = self.do("updatePattern", {"patternId": identifier, "rationale": rationale}, who)
        if who in CODES:
            assert reply.code == CODES[who]
            return
        wanted = rationale if rationale and rationale.strip() else None
        if wanted != known.rationale:
            known.rationale, known.version = wanted, known.version + 1
            self.heard(known)
        assert reply.data["updatePattern"]["pattern"]["version"] == known.version

    @rule(number=some.integers(0, PATTERNS - 1), url=some.integers(0, 2), who=some.sampled_from(DECIDING))
    def link(self, number: int, url: int, who: str) -> None:
        """Somebody says by a link why a pattern is there."""
        identifier, known = self.pick(number)
        said = {"kind": "ADR", "url": f"https://example.com/{url}"}
        reply = self.do("addProvenance", {"patternId": identifier, "provenance": said}, who)
        if reply.codes:
            assert reply.code == "CONFLICT"
            return
        known.version += 1
        self.heard(known)

    @rule(number=some.integers(0, PATTERNS - 1), mutation=some.sampled_from(("removeEvidence", "setCanonicalEvidence")))
    def show(self, number: int, mutation: str) -> None:
        """Somebody takes a place away, or shows it."""
        identifier, known = self.pick(number)
        evidence = self.stage.wait(self._evidence(identifier))
        if evidence is None:
            return
        reply = self.do(mutation, {"evidenceId": public(Kind.EVIDENCE, evidence.id)}, "reviewer")
        changed = mutation == "removeEvidence" or not evidence.is_canonical
        known.version += changed
        self.heard(known, int(changed))
        assert reply.data[mutation]["pattern"]["version"] == known.version

    async def _evidence(self, identifier: str) -> Evidence | None:
        session = self.desk.session
        found: Evidence | None = await session.scalar(
            select(Evidence).where(Evidence.pattern_id == uuid_of(identifier)).limit(1)
        )
        await session.commit()
        return found

    @invariant()
    def what_stands_is_what_was_decided(self) -> None:
        """Every pattern is as its decisions left it, its history says how, and the counts add up."""
        if hasattr(self, "desk"):
            self.stage.wait(self._check())

    async def _check(self) -> None:
        session, ids = self.desk.session, [uuid_of(identifier) for identifier in self.known]
        fresh = {"populate_existing": True}
        query = select(Pattern).where(Pattern.id.in_(ids)).execution_options(**fresh)
        rows = {public(Kind.PATTERN, row.id): row for row in await session.scalars(query)}
        history = select(PatternEvent).where(PatternEvent.repo_id.in_([repo.id for repo in self.repos]))
        events = (await session.scalars(history.order_by(PatternEvent.sequence))).all()
        await session.commit()
        for identifier, known in self.known.items():
            row = rows[identifier]
            assert (row.status, row.version, row.defer_count) == (known.status, known.version, known.deferred)
            assert row.rationale == known.rationale
            assert (row.superseded_by_id and public(Kind.PATTERN, row.superseded_by_id)) == known.superseded_by
            assert (row.validated_by_id is None) is (row.validated_at is None)
            status = PatternStatus.CANDIDATE
            for event in events:
                if event.pattern_id == row.id and event.to_status is not None:
                    assert event.from_status is status
                    status = event.to_status
            assert status is row.status
        aliases = {f"repo_{place}": repo for place, repo in enumerate(self.repos)}
        asked = " ".join(
            f'{alias}:repo(id:"{public(Kind.REPO, repo.id)}"){{patternCounts{{{COUNTED}}}}}'
            for alias, repo in aliases.items()
        )
        reply = await self.desk.home.ask(f"{{{asked}}}", token=self.desk.people["viewer"].token)
        for alias, repo in aliases.items():
            numbers = [event.sequence for event in events if event.repo_id == repo.id]
            assert numbers == list(range(1, self.told[repo.id] + 1))
            counts = Counter(known.status.value.lower() for known in self.known.values() if known.repo.id == repo.id)
            assert +Counter(reply.data[alias]["patternCounts"]) == counts

    def teardown(self) -> None:
        """Whoever followed has heard everything, once and in order."""
        if hasattr(self, "ears"):
            self.stage.wait(self._end())

    async def _end(self) -> None:
        try:
            for repo, ear in zip(self.repos, self.ears, strict=True):
                changes = await ear.heard(self.told[repo.id])
                assert [change["sequence"] for change in changes] == list(range(1, self.told[repo.id] + 1))
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        raise AssertionError(f"one too many: {await ear.next()}")
        finally:
            await self.stack.aclose()
            self.desk.home.engine.callers.forget()


def test_the_rules_hold_whatever_people_do(database_url: str, redis_url: str) -> None:
    with stage(database_url, redis_url) as made:
        Lives.stage = made
        run_state_machine_as_test(
            Lives,
            settings=settings(
                max_examples=LIVES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
        # Read it with `-s`.
        sys.stdout.write(f"{made.steps.total()} steps in {LIVES} lives: {dict(made.steps)}\n")
