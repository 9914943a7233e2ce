"""The rows of the world."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Check, IngestionRun, Organization, Pattern, Repo, Table, User
from app.domain.confidence import AgeCategory, ConfidenceTier, Consistency, Trend
from app.domain.finding import CheckVerdict
from app.domain.ids import Kind, new_id, public
from app.domain.pattern import (
    CodeCategory,
    EvidenceSource,
    PatternCategory,
    PatternEventKind,
    PatternStatus,
    PatternType,
    ProvenanceKind,
    Severity,
)
from app.domain.repo import IngestionStatus, SourceKind
from app.domain.rule import RuleKind
from app.domain.run import IngestionEventKind, IngestionStage, RunStatus, RunTrigger, StageState
from app.domain.viewer import Credential, CredentialKind, Role, Scope, Viewer
from tests import factories
from tests.resolvers.world import PATHS, TEXTS, World

# A Float of GraphQL is exact so far, nine petabytes.
MOST_BYTES = 1 << 53
# A day from the ends of time: asyncpg takes the very ends for infinity.
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
FAR_AHEAD = datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
A_MOMENT = datetime(2026, 1, 31, 12, 0, 0, 450000, tzinfo=UTC)


async def make_world(session: AsyncSession) -> World:
    """Make the rows."""
    return await _Making(session).made()


class _Making:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.world = World()
        self.people: dict[str, User] = {}
        self.texts = cycle(TEXTS)
        self.paths = cycle(PATHS)
        self.moments = cycle((None, A_MOMENT, A_MOMENT, LONG_AGO, A_MOMENT + timedelta(microseconds=1), FAR_AHEAD))

    async def made(self) -> World:
        acme = await self._organization("acme", name=TEXTS[1])
        globex = await self._organization("globex")
        initech = await self._organization("initech")
        await self._organization("void")
        await self._people(acme, globex, initech)
        await self._belongings((acme, globex, initech))
        repos = [
            await self._repo(acme, "octo/hello", ingested=True),
            await self._repo(acme, "octo/empty"),
            await self._repo(acme, "octo/Zebra ü", ingested=True),
            await self._repo(globex, "octo/hello"),
            await self._repo(globex, "globex/100%_done", ingested=True),
            await self._repo(initech, "initech/secret"),
        ]
        patterns: list[Pattern] = []
        for repo, count in zip(repos, (30, 0, 12, 8, 6, 6), strict=True):
            patterns += await self._patterns(repo, count, patterns)
            if count:
                await self._files(repo)
                await self._runs(repo, patterns)
                await self._checks(repo, [pattern for pattern in patterns if pattern.repo_id == repo.id])
        for _ in range(2):
            self._known(Kind.FAILED_JOB, await factories.failed_job(self.session), None)
        return self.world

    def _known(self, kind: Kind, row: Table, organization_id: UUID | None) -> None:
        identifier: UUID = row.id  # type: ignore[attr-defined]
        self.world.ids[kind].append((public(kind, identifier), organization_id))

    async def _organization(self, slug: str, **over: Any) -> Organization:
        row = await factories.organization(self.session, slug=slug, **over)
        self._known(Kind.ORGANIZATION, row, row.id)
        self.world.slugs[slug] = public(Kind.ORGANIZATION, row.id)
        return row

    async def _people(self, acme: Organization, globex: Organization, initech: Organization) -> None:
        standings: Mapping[str, Mapping[Organization, Role]] = {
            **{role.value.lower(): {acme: role} for role in Role},
            "of several": {acme: Role.ADMIN, globex: Role.VIEWER},
            "owner of several": {globex: Role.OWNER, acme: Role.OWNER},
            "outsider": {initech: Role.OWNER},
            "nowhere": {},
            "superadmin": {},
            "superadmin with a role": {globex: Role.REVIEWER},
            "gone": {},
        }
        token = Credential(CredentialKind.ACCESS_TOKEN)
        for number, (name, roles) in enumerate(standings.items()):
            over = {"name": None, "email": None, "avatar_url": "https://example.com/ü.png"} if number % 3 == 1 else {}
            superadmin = name.startswith("superadmin")
            login = "left" if name == "gone" else f"{name} ü"
            row = await factories.user(self.session, login=login, is_superadmin=superadmin, **over)
            self.people[name] = row
            self._known(Kind.USER, row, None if roles.keys() & {acme, globex} else initech.id)
            for organization, role in roles.items():
                member = await factories.member(self.session, organization, row, role=role)
                self._known(Kind.MEMBERSHIP, member, organization.id)
            held = {organization.id: role for organization, role in roles.items()}
            self.world.viewers[name] = Viewer(row.id, held, token, superadmin=superadmin)
        self.world.viewers["nobody"] = None
        # Their token outlived them.
        self.world.viewers["deleted"] = Viewer(new_id(), {}, token)
        key = Credential(CredentialKind.API_KEY, name="a key")
        owner = self.people["owner"].id
        for scope in Scope:
            self.world.viewers[f"key for {scope.value}"] = Viewer(
                owner, {acme.id: Role.OWNER}, key, scopes=frozenset({scope})
            )
        reading = frozenset({Scope.REPOS_READ, Scope.PATTERNS_READ})
        self.world.viewers["key for all reads"] = Viewer(owner, {acme.id: Role.OWNER}, key, scopes=reading)
        self.world.viewers["key of a superadmin"] = Viewer(
            self.people["superadmin with a role"].id, {globex.id: Role.REVIEWER}, key, superadmin=True, scopes=reading
        )

    async def _belongings(self, organizations: Iterable[Organization]) -> None:
        actors = cycle((self.people["owner"].id, self.people["gone"].id, None, new_id()))
        inviters = cycle((self.people["admin"].id, self.people["gone"].id, None))
        for organization in organizations:
            for number in range(3):
                key = await factories.api_key(
                    self.session,
                    organization,
                    self.people["owner"],
                    name=next(self.texts),
                    scopes=[scope.value for scope in tuple(Scope)[: number * 3]],
                    expires_at=next(self.moments),
                    last_used_at=next(self.moments),
                )
                self._known(Kind.API_KEY, key, organization.id)
                invitation = await factories.invitation(self.session, organization, invited_by_id=next(inviters))
                self._known(Kind.INVITATION, invitation, organization.id)
                entry = await factories.audit_entry(self.session, organization, actor_id=next(actors))
                self._known(Kind.AUDIT_ENTRY, entry, organization.id)

    async def _repo(self, organization: Organization, full_name: str, *, ingested: bool = False) -> Repo:
        over: dict[str, Any] = {}
        if ingested:
            over = {
                "source": SourceKind.GITHUB,
                "installation_id": 1 << 40,
                "private": True,
                "ingestion_status": IngestionStatus.INGESTED,
                "last_ingested_at": next(self.moments) or A_MOMENT,
                "last_ingested_commit": "a" * 40,
                "last_error": next(self.texts),
                "file_count": (1 << 31) - 1,
                "token_count": 0,
                "languages": [
                    {"language": "Python", "files": 3, "bytes": MOST_BYTES},
                    {"language": next(self.texts), "files": 0, "bytes": 0.5},
                ],
            }
        row = await factories.repo(self.session, organization, full_name=full_name, **over)
        self._known(Kind.REPO, row, organization.id)
        self.world.full_names.append(full_name)
        return row

    async def _files(self, repo: Repo) -> None:
        for number, path in enumerate(PATHS):
            over: dict[str, Any] = {"language": None, "token_estimate": None} if number % 2 else {}
            await factories.repo_file(self.session, repo, path=path, size_bytes=MOST_BYTES - number, **over)

    async def _runs(self, repo: Repo, patterns: Sequence[Pattern]) -> None:
        stages = [
            {"stage": "FETCH", "state": "SUCCEEDED", "done": 3, "total": 3, "unit": "objects", "note": next(self.texts)}
            | {"started_at": "2026-01-31T12:00:00.000000Z", "finished_at": "2026-01-31T12:00:01.500000Z"},
            {"stage": "INDEX", "state": "RUNNING", "done": 0},
            *({"stage": stage.value, "state": StageState.PENDING.value, "done": 0} for stage in IngestionStage),
        ]
        report = {
            "dropped": [{"reason": next(self.texts), "count": 2, "examples": [next(self.texts), "b"]}],
            "suppressed": [],
            "skipped_files": [{"reason": "binary", "count": 1, "examples": []}],
            "contradictions": [
                {"statement": "We use tabs", "path": next(self.paths), "line": 3, "followed": 1, "total": 9},
                {"statement": "We use \N{PILE OF POO}", "path": "b", "followed": 0, "total": 0},
            ],
        }
        for number, status in enumerate(RunStatus):
            if status is RunStatus.RUNNING:
                continue  # at most one is live
            run = await factories.run(
                self.session,
                repo,
                status=status,
                trigger=tuple(RunTrigger)[number % 4],
                stages=stages[: number * 3],
                report=report if number % 2 else None,
                error_message=next(self.texts),
                fraction=number / 7,
                cost_usd=0.1 + number / 3,
                eta_seconds=None if number % 2 else 1e20,
            )
            self._known(Kind.INGESTION_RUN, run, repo.organization_id)
            await self._events(run, stages, patterns)

    async def _events(self, run: IngestionRun, stages: Sequence[dict[str, Any]], patterns: Sequence[Pattern]) -> None:
        for number, kind in enumerate(tuple(IngestionEventKind)[1:5]):
            await factories.run_event(
                self.session,
                run,
                kind=kind,
                stage=tuple(IngestionStage)[number],
                progress=stages[number] if number < 2 else None,
                message=next(self.texts) if number % 2 else None,
                pattern_id=patterns[number].id if kind is IngestionEventKind.PATTERN else None,
            )

    async def _patterns(self, repo: Repo, count: int, before: Sequence[Pattern]) -> list[Pattern]:
        made: list[Pattern] = []
        people = cycle((None, self.people["reviewer"].id, self.people["gone"].id, self.people["outsider"].id))
        for number in range(count):
            others = [*before, *made]
            row = await factories.pattern(
                self.session,
                repo,
                status=tuple(PatternStatus)[number % 5],
                **self._definition(number),
                **self._measured(number),
                owner_id=next(people),
                validated_by_id=next(people),
                status_changed_by_id=next(people),
                similar_to_id=others[number // 2].id if number % 4 == 3 else None,
                superseded_by_id=others[-1].id if number % 5 == 4 else None,
            )
            made.append(row)
            self._known(Kind.PATTERN, row, repo.organization_id)
            await self._proofs(row, number)
            await self._told(row, number)
        return made

    def _definition(self, number: int) -> dict[str, Any]:
        filesystem = number % 6 == 5
        definitions: Sequence[dict[str, Any]] = (
            {},
            {"b": [1, 2.5, None, True, {"ü": "\N{PILE OF POO}"}], "a": {"": []}},
            {"big": 10**30, "small": -(10**18), "float": 1e-7, "huge": 1e300},
        )
        return {
            "name": TEXTS[number % 8] if number % 8 != 6 else "B",
            "description": next(self.texts) + ".",
            "type": PatternType.FILESYSTEM if filesystem else PatternType.CODE,
            "category": tuple(PatternCategory)[number % 10],
            "suggested_category": next(self.texts) if number % 10 == 9 else None,
            "language": (None, "Python", "TypeScript")[number % 3],
            "severity": tuple(Severity)[number % 3],
            "rationale": next(self.texts) if number % 2 else None,
            "rejection_reason": "" if number % 7 == 2 else None,
            "deferred_at": A_MOMENT + timedelta(days=number // 10),
            "validated_at": next(self.moments),
            "extracted_at": next(self.moments),
            "extraction_reasoning": next(self.texts) if number % 3 else None,
            "updated_at": A_MOMENT + timedelta(hours=number // 4),
            "rule_kind": tuple(RuleKind)[number % 5],
            "rule_definition": definitions[number % 3],
            "rule_text": next(self.texts),
            "rule_exportable": number % 2 == 0,
            "rule_alternative": next(self.texts) if number % 4 == 0 else None,
            "scope_languages": ["Python"] if number % 3 == 1 else [],
            "scope_include": ["src/**", next(self.texts)] if number % 4 else [],
            "scope_exclude": ["**/*.md"] if number % 3 == 2 else [],
            "scope_include_regex": "^src/" if number % 4 else ".*",
            "scope_exclude_regex": "[.]md$" if number % 3 == 2 else None,
            "pr_review": number % 2 == 1,
        }

    def _measured(self, number: int) -> dict[str, Any]:
        if number % 6 == 0:
            return {"tier": None, "instances": None, "applicable": None, "conforming": None, "authors": None}
        backtest = {
            "backtest_violations": number % 4,
            "backtest_pull_requests": 1,
            "backtest_examined": 47,
            "backtest_window_days": 90,
            "backtest_computed_at": A_MOMENT,
        }
        return {
            "tier": tuple(ConfidenceTier)[number % 5],
            "instances": number,
            "applicable": None if number % 5 == 0 else (0 if number % 7 == 0 else 60),
            "conforming": None if number % 5 == 0 else (0 if number % 7 == 0 else number),
            "consistency": tuple(Consistency)[number % 4] if number % 3 else None,
            "consistency_note": next(self.texts) if number % 2 else None,
            "authors": number % 4 or None,
            "author_names": list(TEXTS[: number % 4]),
            "age": tuple(AgeCategory)[number % 4],
            "oldest": LONG_AGO if number % 2 else None,
            "newest": FAR_AHEAD if number % 3 else None,
            "trend": tuple(Trend)[number % 5],
            "new_file_adoption": number / 61 if number % 2 else None,
            "primary_location": tuple(CodeCategory)[number % 7] if number % 2 else None,
            "locations": [
                {"category": category.value, "instances": number} for category in tuple(CodeCategory)[: number % 3]
            ],
            "health_signals": [
                {"category": "security", "severity": "INFO", "message": next(self.texts), "affected": 1, "total": 2}
                for _ in range(number % 3)
            ],
            "insight_text": next(self.texts) if number % 3 else None,
            "insight_actions": list(TEXTS[: number % 3]),
            **(backtest if number % 3 else {}),
        }

    async def _proofs(self, pattern: Pattern, number: int) -> None:
        for place in range(number % 6):
            whole_file = place == 3
            over = {"start_line": None, "end_line": None, "snippet": None, "commit_sha": None} if whole_file else {}
            row = await factories.evidence(
                self.session,
                pattern,
                path=next(self.paths),
                rank=place // 2,
                is_canonical=place == 0 and number % 2 == 0,
                is_counterexample=place in (1, 4),
                is_stale=place == 2,
                stale_reason="The file is gone." if place == 2 else None,
                author=next(self.texts) if place % 2 else None,
                authored_at=next(self.moments),
                code_category=tuple(CodeCategory)[place] if place else None,
                added_by=tuple(EvidenceSource)[place % 3],
                permalink="https://example.com/blob" if place else None,
                **over,
            )
            self._known(Kind.EVIDENCE, row, pattern.organization_id)

    async def _told(self, pattern: Pattern, number: int) -> None:
        actors = cycle((self.people["reviewer"].id, None, self.people["gone"].id, new_id()))
        adders = cycle((self.people["reviewer"].id, None, self.people["gone"].id))
        for place in range(number % 4):
            link = await factories.provenance(
                self.session,
                pattern,
                kind=tuple(ProvenanceKind)[(number + place) % 7],
                title=next(self.texts) if place else None,
                added_by_id=next(adders),
            )
            self._known(Kind.PROVENANCE, link, pattern.organization_id)
        for place in range(number % 5):
            event = await factories.pattern_event(
                self.session,
                pattern,
                kind=tuple(PatternEventKind)[(number + place) % 14],
                from_status=tuple(PatternStatus)[place] if place else None,
                to_status=tuple(PatternStatus)[number % 5] if place % 2 else None,
                actor_id=next(actors),
                message=next(self.texts) if place else None,
            )
            self._known(Kind.PATTERN_EVENT, event, pattern.organization_id)

    async def _checks(self, repo: Repo, patterns: Sequence[Pattern]) -> None:
        for number, verdict in enumerate(CheckVerdict):
            check = await factories.check(
                self.session, repo, verdict=verdict, notes=list(TEXTS[: number * 2]), duration_ms=number / 3
            )
            self._known(Kind.CHECK, check, repo.organization_id)
            for place in range(number * 2):
                await self._violation(check, patterns[place], place)

    async def _violation(self, check: Check, pattern: Pattern, place: int) -> None:
        dismissed = place % 2 == 1
        row = await factories.violation(
            self.session,
            check,
            pattern,
            path=next(self.paths),
            snippet=next(self.texts) if place else None,
            suggested_fix=next(self.texts) if place else None,
            dismissed_at=A_MOMENT if dismissed else None,
            dismissal_reason="It is right." if dismissed else None,
            false_positive=dismissed and place > 1,
        )
        self._known(Kind.VIOLATION, row, check.organization_id)
