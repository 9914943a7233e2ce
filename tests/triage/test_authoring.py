"""Authoring: what people write is measured and looked up in the repository; nothing is taken by their word."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.checkers.registry import EDITION
from app.db.models import Evidence, Pattern
from app.domain.ids import Kind, public
from app.domain.jobs import Ingest, Measure, Quote
from app.domain.pattern import PatternStatus
from app.domain.repo import Owner
from app.domain.run import IngestionStage, RunTrigger
from app.domain.source import SourceFailed, SourceProblem
from app.domain.viewer import Role
from app.services import indexing, ingesting
from tests import factories as make
from tests.gateways.making import Made
from tests.identity.installation import installed
from tests.triage.desk import Desk, uuid_of
from tests.workers.crew import working
from workers.ingest import carrying, ingest
from workers.ingest.step import Attempt
from workers.registry import WORKS

CREW = [work for work in WORKS if work.job in (Measure, Quote)]
SCOPE = {"languages": ["Python"], "include": ["shop/**"], "exclude": []}
RULE = {
    "applicable": {"kind": "class_definition"},
    "conforming": {"has": {"field": "name", "regex": "Error$"}},
}
DRAFT = {
    "name": "Errors end in Error",
    "description": "Whatever is raised is called so.",
    "type": "CODE",
    "category": "NAMING",
    "ruleKind": "AST",
    "ruleDefinition": RULE,
    "scope": SCOPE,
}


@pytest.fixture
def source(tmp_path: Path) -> Made:
    made = Made(tmp_path / "source")
    for number in range(4):
        made.commit({f"shop/part{number}.py": f"x = 1\n\n\nclass Part{number}Error(Exception):\n    pass\n"}, "Part")
    made.commit({"shop/odd.py": "class Odd(Exception):\n    pass\n"}, "Odd", author="Ada <ada@example.com>")
    made.commit({"other/aside.py": "class Aside(Exception):\n    pass\n", "logo.bin": "a\0b"}, "Aside")
    return made


@pytest.fixture
async def author(
    source: Made, tmp_path: Path, session: AsyncSession, database_url: str, redis_url: str
) -> AsyncIterator[Desk]:
    """A desk whose repository was read, with workers that answer."""
    async with installed(database_url, redis_url, data_dir=tmp_path / "data") as home:
        organization = await make.organization(session)
        repo = await make.repo(session, organization, url=str(source.folder), branch=None)
        people = {role.value.lower(): await home.member(session, organization, role) for role in Role}
        async with home.runtime.write() as tx:
            run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
        await ingest(home.runtime, Ingest(run.id))
        async with working(home.runtime, *CREW):
            yield Desk(home, session, organization, repo, people)


async def created(author: Desk, **over: Any) -> Any:
    return await author.done("createPattern", {"repoId": public(Kind.REPO, author.repo.id), **DRAFT, **over})


async def previewed(author: Desk, **over: Any) -> Any:
    said = {"repoId": public(Kind.REPO, author.repo.id), "kind": "AST", "definition": RULE, "scope": SCOPE, **over}
    query = """mutation($input:PreviewRuleInput!){previewRule(input:$input){
        applicable conforming adoption counterexamples{path startLine endLine snippet}}}"""
    return await author.home.ask(query, {"input": said}, token=author.people["reviewer"].token)


async def test_a_preview_measures_and_writes_nothing(author: Desk) -> None:
    reply = await previewed(author)
    assert reply.data["previewRule"] == {
        "applicable": 5,
        "conforming": 4,
        "adoption": 0.8,
        "counterexamples": [
            {"path": "shop/odd.py", "startLine": 1, "endLine": 2, "snippet": "class Odd(Exception):\n    pass"}
        ],
    }
    wider = await previewed(author, scope={**SCOPE, "include": []})
    assert (wider.data["previewRule"]["applicable"], wider.data["previewRule"]["conforming"]) == (6, 4)
    nothing = await previewed(author, scope={**SCOPE, "include": ["nowhere/**"]})
    assert (nothing.data["previewRule"]["applicable"], nothing.data["previewRule"]["adoption"]) == (0, None)
    assert list(await author.session.scalars(select(Pattern.id))) == []


async def test_rules_of_every_kind_but_one_are_measured(author: Desk) -> None:
    kinds = {
        "PATH": {"conforming": {"case": "snake_case"}},
        "REGEX": {"per": "file", "conforming": "class \\w+Error"},
        "IMPORT": {"forbidden": {"module": ["os"]}},
    }
    for kind, definition in kinds.items():
        reply = await previewed(author, kind=kind, definition=definition)
        assert reply.codes == [], (kind, reply.body)
    reply = await previewed(author, kind="LLM", definition={"question": "Is it nice?"})
    assert (reply.code, list(reply.extensions["fields"])) == ("VALIDATION_ERROR", ["kind"])


async def test_a_pattern_written_by_hand_is_a_measured_candidate(author: Desk) -> None:
    told = await created(author, severity="ERROR", rationale="Readers look for it.")
    assert (told["status"], told["version"], told["severity"]) == ("CANDIDATE", 1, "ERROR")
    assert told["rationale"] == "Readers look for it."
    row = await author.row(told["id"])
    assert (row.applicable, row.conforming, row.adoption, row.language) == (5, 4, 0.8, "Python")
    assert (row.extracted_by, row.rule_edition) == (f"person {author.people['reviewer'].user.login}", EDITION)
    rows = list(await author.session.scalars(select(Evidence).where(Evidence.pattern_id == row.id)))
    assert [place.is_canonical for place in rows].count(True) == 1
    (odd,) = [place for place in rows if place.is_counterexample]
    assert (odd.path, odd.start_line, odd.snippet) == ("shop/odd.py", 1, "class Odd(Exception):\n    pass")
    assert {place.commit_sha for place in rows} == {author.repo.last_ingested_commit or rows[0].commit_sha}
    (event,) = await author.history(told["id"])
    assert (event.kind, event.to_status, event.message) == ("CREATED", "CANDIDATE", "Measured: 4 of 5.")
    assert event.actor_id == author.people["reviewer"].user.id
    assert ("createPattern", told["id"]) in await author.audited()
    assert (await author.done("promotePattern", {"patternId": told["id"]}))["status"] == "AUTHORITATIVE"


async def test_what_is_written_by_hand_is_flagged_where_it_says_what_was_decided(author: Desk) -> None:
    spaced = {**RULE, "conforming": {"has": {"regex": "Error$", "field": " name "}}}
    ruled = await author.pattern(PatternStatus.AUTHORITATIVE, rule_definition=spaced)
    words = {"name": "Odd ones are called odd", "description": "Whatever is odd begins with the word that says so."}
    worded = await author.pattern(
        PatternStatus.REJECTED, rule_definition={"applicable": {"kind": "if_statement"}}, **words
    )
    told = await created(author)
    assert told["similarTo"] == {"id": ruled}
    changed = {"patternId": told["id"], "ruleDefinition": {**RULE, "conforming": {"has": {"kind": "block"}}}}
    assert (await author.done("updatePattern", changed))["similarTo"] is None
    told = await author.done("updatePattern", {"patternId": told["id"], **words})
    assert told["similarTo"] == {"id": worded}
    # A person's version has grown for what a person did, and for nothing else.
    assert told["version"] == 3
    new = {"patternId": told["id"], "name": "New", "description": "Something new."}
    assert (await author.done("updatePattern", new))["similarTo"] is None
    # What is decided already is compared with nothing.
    assert (await author.done("updatePattern", {"patternId": ruled, **words}))["similarTo"] is None


@pytest.mark.parametrize(
    ("over", "fields"),
    [
        ({"ruleKind": "LLM", "ruleDefinition": {"question": "Is it nice?"}}, ["ruleKind"]),
        ({"ruleDefinition": {}}, ["ruleDefinition"]),
        ({"ruleDefinition": []}, ["ruleDefinition"]),
        ({"ruleDefinition": {**RULE, "more": 1}}, ["ruleDefinition.more"]),
        ({"ruleDefinition": {**RULE, "applicable": {"kind": "no_such_node"}}}, ["ruleDefinition.applicable"]),
        ({"ruleDefinition": {"applicable": [[[[]]]]}}, ["ruleDefinition.applicable"]),
        ({"scope": {**SCOPE, "languages": ["Klingon"]}}, ["scope.languages"]),
        ({"scope": {**SCOPE, "languages": []}}, ["scope.languages"]),
        ({"scope": {**SCOPE, "include": ["/etc/**"]}}, ["scope.include"]),
        ({"name": " ", "description": "x" * 4001}, ["name", "description"]),
        ({"rationale": "x" * 1001}, ["rationale"]),
        ({"language": "Klingon"}, ["language"]),
    ],
)
async def test_what_cannot_be_measured_is_not_asked(over: dict[str, Any], fields: list[str], desk: Desk) -> None:
    desk.repo.last_ingested_commit = "a1" * 20
    await desk.session.commit()
    reply = await desk.do("createPattern", {"repoId": public(Kind.REPO, desk.repo.id), **DRAFT, **over})
    assert (reply.code, list(reply.extensions["fields"])) == ("VALIDATION_ERROR", fields)


async def test_another_rule_is_measured_anew_and_keeps_what_people_chose(author: Desk) -> None:
    told = await created(author)
    place = {"patternId": told["id"], "path": "other/aside.py", "startLine": 1}
    await author.home.ask(ADD, {"input": place}, token=author.people["reviewer"].token)
    scope = {**SCOPE, "include": []}
    told = await author.done("updatePattern", {"patternId": told["id"], "expectedVersion": 2, "scope": scope})
    row = await author.row(told["id"])
    assert (row.applicable, row.conforming, row.version, row.scope_include) == (6, 4, 3, [])
    places = await author.session.scalars(select(Evidence.path).where(Evidence.pattern_id == row.id))
    assert list(places).count("other/aside.py") == 2
    other = {**RULE, "conforming": {"has": {"field": "name", "regex": "^Odd"}}}
    said = {"patternId": told["id"], "ruleDefinition": other, "name": "Odd ones"}
    told = await author.done("updatePattern", said)
    row = await author.row(told["id"])
    assert (row.applicable, row.conforming, row.name) == (6, 1, "Odd ones")
    reply = await author.do("updatePattern", {**said, "expectedVersion": 1})
    assert reply.code == "CONFLICT"
    reply = await author.do("updatePattern", {**said, "ruleDefinition": {"nothing": 1}})
    assert list(reply.extensions["fields"]) == ["ruleDefinition.nothing"]
    reply = await author.do("updatePattern", {**said, "ruleDefinition": None})
    assert reply.extensions["fields"] == {"ruleDefinition": "must not be null"}


async def test_a_rule_that_is_sent_again_is_no_change(author: Desk) -> None:
    told = await created(author)
    said = {"patternId": told["id"], "expectedVersion": 1, "ruleDefinition": RULE, "scope": SCOPE}
    assert (await author.done("updatePattern", said))["version"] == 1
    again = await author.done("updatePattern", {**said, "name": "Renamed"})
    assert (again["version"], again["name"]) == (2, "Renamed")
    assert again["evidence"] == told["evidence"]
    assert [event.message for event in await author.history(told["id"])] == ["Measured: 4 of 5.", "Changed: name."]
    assert (await author.do("updatePattern", said)).code == "CONFLICT"


ADD = """mutation($input:AddEvidenceInput!){addEvidence(input:$input){
    evidence{path startLine endLine snippet commitSha author isCanonical addedBy} pattern{version}}}"""


async def added(author: Desk, pattern: str, **said: Any) -> Any:
    token = author.people["reviewer"].token
    return await author.home.ask(ADD, {"input": {"patternId": pattern, **said}}, token=token)


async def test_evidence_is_what_stands_there(author: Desk) -> None:
    pattern = await author.pattern()
    reply = await added(author, pattern, path="shop/odd.py", startLine=1, endLine=2, isCanonical=True)
    payload = reply.data["addEvidence"]
    assert payload["evidence"] == {
        "path": "shop/odd.py",
        "startLine": 1,
        "endLine": 2,
        "snippet": "class Odd(Exception):\n    pass",
        "commitSha": payload["evidence"]["commitSha"],
        "author": "Ada",
        "isCanonical": True,
        "addedBy": "PERSON",
    }
    assert payload["pattern"] == {"version": 2}
    again = await added(author, pattern, path="shop/odd.py", startLine=1, endLine=2)
    assert (again.code, list(again.extensions)) == ("CONFLICT", ["code", "evidenceId"])
    whole = await added(author, pattern, path="logo.bin")
    assert (whole.data["addEvidence"]["evidence"]["snippet"], whole.codes) == (None, [])
    other = await added(author, pattern, path="shop/part0.py", startLine=4, isCanonical=True)
    assert other.data["addEvidence"]["evidence"]["snippet"] == "class Part0Error(Exception):"
    rows = list(
        await author.session.scalars(
            select(Evidence).where(Evidence.pattern_id == uuid_of(pattern)).order_by(Evidence.rank)
        )
    )
    assert [row.is_canonical for row in rows] == [False, False, True]
    assert [event.message for event in await author.history(pattern)] == [
        "Added: shop/odd.py:1",
        "Added: logo.bin",
        "Added: shop/part0.py:4",
    ]


NOWHERE: list[tuple[dict[str, Any], str]] = [
    ({"path": "no/such.py"}, "path"),
    ({"path": "../../etc/passwd"}, "path"),
    ({"path": "/etc/passwd", "startLine": 1}, "path"),
    ({"path": "", "startLine": 1}, "path"),
    ({"path": "x" * 5000}, "path"),
    ({"path": "logo.bin", "startLine": 1}, "path"),
    ({"path": "shop/odd.py", "startLine": 0}, "startLine"),
    ({"path": "shop/odd.py", "startLine": -1, "endLine": 2}, "startLine"),
    ({"path": "shop/odd.py", "startLine": 3}, "startLine"),
    ({"path": "shop/odd.py", "startLine": 1, "endLine": 3}, "endLine"),
    ({"path": "shop/odd.py", "startLine": 2, "endLine": 1}, "endLine"),
    ({"path": "shop/odd.py", "endLine": 1}, "startLine"),
    ({"path": "shop/part0.py", "startLine": 2, "endLine": 3}, "startLine"),
]


async def test_what_does_not_stand_there_is_no_evidence(author: Desk) -> None:
    pattern = await author.pattern()
    for said, field in NOWHERE:
        reply = await added(author, pattern, **said)
        assert (reply.code, list(reply.extensions["fields"])) == ("VALIDATION_ERROR", [field]), said
    assert (await author.row(pattern)).version == 1


async def test_evidence_names_the_commit_that_it_was_read_at(
    author: Desk, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = await author.pattern()

    async def broken(_: Attempt) -> None:
        raise SourceFailed(SourceProblem.BROKEN, "It is broken.")

    # The run brings the files up to date, and fails later.
    monkeypatch.setitem(carrying.WORKS, IngestionStage.MINE, (broken, "files"))
    head = source.commit({"shop/odd.py": "x = 2\n"})
    async with author.home.runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, author.repo.id, RunTrigger.MANUAL)
    await ingest(author.home.runtime, Ingest(run.id))
    evidence = (await added(author, pattern, path="shop/odd.py", startLine=1)).data["addEvidence"]["evidence"]
    assert (evidence["snippet"], evidence["commitSha"]) == ("x = 2", head)


async def test_files_that_a_run_is_changing_are_no_evidence(author: Desk) -> None:
    pattern = await author.pattern()
    async with author.home.runtime.write() as tx:
        await indexing.begin_files(tx, Owner(author.repo.id, author.repo.organization_id))
    assert (await added(author, pattern, path="shop/odd.py", startLine=1)).code == "UNAVAILABLE"
    assert (await previewed(author)).code == "UNAVAILABLE"


async def test_a_preview_leaves_out_what_runs_leave_out(author: Desk, source: Made) -> None:
    made_by_machine = "*.py linguist-generated\n"
    source.commit({f"shop/{folder}/.gitattributes": made_by_machine for folder in ("made", "more")})
    source.commit({f"shop/{folder}/a.py": "class A:\n    pass\n" for folder in ("made", "more")})
    async with author.home.runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, author.repo.id, RunTrigger.MANUAL)
    await ingest(author.home.runtime, Ingest(run.id))
    reply = await previewed(author)
    assert (reply.data["previewRule"]["applicable"], reply.data["previewRule"]["conforming"]) == (5, 4)


async def test_without_a_worker_the_answer_is_to_try_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.patterns.authoring.ASK_SECONDS", 0.2)
    desk.repo.last_ingested_commit = "a1" * 20
    pattern = await desk.pattern(PatternStatus.CANDIDATE)
    assert (await added(desk, pattern, path="a.py")).code == "UNAVAILABLE"
    assert (await previewed(desk)).code == "UNAVAILABLE"
    assert await desk.history(pattern) == []


async def test_a_rule_that_cannot_be_run_is_not_promoted(desk: Desk) -> None:
    for definition in ({"applicable": {"kind": "no_such_node"}, "conforming": {"kind": "x"}}, {"rule": 1}):
        pattern = await desk.pattern(rule_definition=definition)
        reply = await desk.do("promotePattern", {"patternId": pattern})
        assert (reply.code, list(reply.extensions["fields"])) == ("VALIDATION_ERROR", ["patternId"])
        assert (await desk.row(pattern)).status is PatternStatus.CANDIDATE
        # What another edition of the checkers took, this one need not take.
        former = await desk.pattern(rule_definition=definition, rule_edition="a former one")
        assert (await desk.do("promotePattern", {"patternId": former})).extensions == reply.extensions
    former = await desk.pattern(rule_edition="a former one")
    assert (await desk.done("promotePattern", {"patternId": former}))["version"] == 2
    judged = await desk.pattern(rule_kind="LLM", rule_definition={"question": "Is it nice?"})
    assert (await desk.done("promotePattern", {"patternId": judged}))["status"] == "AUTHORITATIVE"
