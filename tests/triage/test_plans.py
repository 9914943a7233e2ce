"""Decisions by plans and by resolvers: whatever is sent, both do the same and say the same."""

import json
import re
from typing import Any

import pytest
from strawberry.types.arguments import convert_argument

from app.domain.ids import Kind, public
from app.domain.pattern import PatternStatus
from resolvers.callers import Caller
from resolvers.engine.execution import GraphQLEngine
from resolvers.engine.inputs import input_of
from resolvers.patterns.triage import DECISIONS
from resolvers.schema import schema
from resolvers.transport.protocol import GraphQLRequest
from tests import factories as make
from tests.triage.desk import PATTERN, Desk

TOLD = f"""pattern {{ {PATTERN} repo {{ id patternCounts {{ candidate authoritative }} }}
history {{ nodes {{ kind from to actor {{ login }} message sequence }} totalCount }} }}"""
# What the statement that decides can tell by itself; what stands above it has to be read again.
TOLD_AT_ONCE = """pattern { __typename id status version severity rationale rejectionReason deferCount deferredAt name
category language updatedAt statusChangedAt validatedAt owner { login } validatedBy { login } statusChangedBy { login }
confidence { tier adoption instances locations { category instances } } rule { kind definition text } scope { include }
insight { text } healthSignals { message } backtest { violations } enforcement { prReview aiContext } provenance { url }
canonicalEvidence { path } evidence(first: 2) { nodes { path } totalCount } counterexamples { edges { cursor } }
repo { id fullName organization { slug members { totalCount } } } }"""


class Both:
    """The two executors; each decides about a pattern of its own, which is like the other's."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.engines = [GraphQLEngine(desk.home.runtime, use_plans=use_plans) for use_plans in (True, False)]
        self.planned = False
        decisions = self.engines[0].decisions
        answer = decisions.answer

        async def watched(*arguments: Any) -> Any:
            told = await answer(*arguments)
            self.planned = told is not None
            return told

        decisions.answer = watched  # type: ignore[method-assign, assignment]

    async def ask(
        self,
        query: str,
        variables: dict[str, Any],
        status: PatternStatus = PatternStatus.CANDIDATE,
        who: str = "reviewer",
    ) -> Any:
        """Give what both answer and leave; ITS_ID stands for the id of each one's pattern."""
        desk = self.desk
        header = f"Bearer {desk.people[who].token}".encode()
        scope: Any = {"type": "http", "client": ("192.0.2.1", 1), "headers": [(b"authorization", header)]}
        viewer = (await desk.home.engine.caller(scope, None)).viewer
        told = []
        for engine in self.engines:
            repo = await make.repo(desk.session, desk.organization, full_name="octo/twin")
            pattern = await make.pattern(desk.session, repo, status=status, name="A twin", version=3)
            await make.evidence(desk.session, pattern, path="src/twin.py")
            identifier = public(Kind.PATTERN, pattern.id)
            said = json.loads(json.dumps(variables).replace("ITS_ID", identifier))
            request = GraphQLRequest(query.replace("ITS_ID", identifier), None, said, None)
            caller = Caller(viewer, None, "192.0.2.1", engine.callers)
            answer = await engine.answer(caller, request, reads_only=False)
            row = await desk.row(identifier)
            stands = (row.status, row.version, row.rationale, row.owner_id, row.pr_review, row.defer_count)
            steps = [(each.kind, each.to_status, each.message) for each in await desk.history(identifier)]
            told.append((alike(answer.body), answer.code, stands, steps))
            await desk.session.delete(repo)
            await desk.session.commit()
        assert told[0] == told[1]
        return told[0][0]


def alike(body: bytes) -> Any:
    """Take out of an answer what tells one pattern from its twin."""
    text = re.sub(r"[a-z]{3,4}_[0-9a-f]{32}", "ID", body.decode())
    return json.loads(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "WHEN", text))


@pytest.fixture
def both(desk: Desk) -> Both:
    """Both executors, which none of the tests shares."""
    return Both(desk)


def whole(mutation: str, told: str = TOLD) -> str:
    """Spell a mutation whose input is one variable."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    return f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {told} }} }}"


@pytest.mark.parametrize("status", list(PatternStatus))
@pytest.mark.parametrize("mutation", list(DECISIONS))
async def test_every_move_from_every_status(mutation: str, status: PatternStatus, both: Both) -> None:
    for told in (TOLD, TOLD_AT_ONCE):
        await both.ask(whole(mutation, told), {"input": {"patternId": "ITS_ID"}}, status)
        assert both.planned


# What a promotion may be sent, and what a reviewer is told of it.
INPUTS: dict[str, tuple[str | None, dict[str, Any]]] = {
    "everything": (
        None,
        {
            "severity": "ERROR",
            "rationale": "Because <b>readers</b> \u0007 look for it.",
            "description": "What it says.",
            "enforcement": {"prReview": False, "aiContext": True},
            "provenance": [{"kind": "ADR", "url": "https://example.com/1", "title": "Why"}],
        },
    ),
    "the version that stands": (None, {"expectedVersion": 3}),
    "an older version": ("CONFLICT", {"expectedVersion": 2}),
    "no version": (None, {"expectedVersion": None}),
    "a cleared rationale": (None, {"rationale": None}),
    "blank words": (None, {"rationale": " \n"}),
    "a cleared severity": ("VALIDATION_ERROR", {"severity": None}),
    "a cleared enforcement": ("VALIDATION_ERROR", {"enforcement": None}),
    "no links": ("VALIDATION_ERROR", {"provenance": None}),
    "one link that is no list": (None, {"provenance": {"kind": "ADR", "url": "https://example.com/1"}}),
    "a bad link": ("VALIDATION_ERROR", {"provenance": [{"kind": "ADR", "url": "javascript:alert(1)"}]}),
    "too many words": ("VALIDATION_ERROR", {"rationale": "x" * 1001}),
    "a blank description": ("VALIDATION_ERROR", {"description": " "}),
    "no id": ("VALIDATION_ERROR", {"patternId": "nonsense"}),
    "an id of another kind": ("VALIDATION_ERROR", {"patternId": "usr_" + "0" * 32}),
    "an id of nothing": ("NOT_FOUND", {"patternId": "pat_" + "0" * 32}),
    "a number for an id": ("VALIDATION_ERROR", {"patternId": 7.5}),
    "a word that is none": ("VALIDATION_ERROR", {"severity": "FATAL"}),
    "a field that is none": ("VALIDATION_ERROR", {"colour": "red"}),
    "NUL": ("VALIDATION_ERROR", {"rationale": "a\0b"}),
}


@pytest.mark.parametrize("who", ["reviewer", "viewer", "stranger"])
@pytest.mark.parametrize("name", list(INPUTS))
async def test_every_input(name: str, who: str, both: Both) -> None:
    code, given = INPUTS[name]
    query = whole("promotePattern", TOLD_AT_ONCE)
    told = await both.ask(query, {"input": {"patternId": "ITS_ID", **given}}, who=who)
    codes = [error["extensions"]["code"] for error in told.get("errors", ())]
    if who == "reviewer":
        assert codes == ([code] if code else [])
    else:
        # What is wrong by itself is told to everybody, and to nobody how things stand.
        assert codes in (
            ["VALIDATION_ERROR"],
            ["FORBIDDEN" if who == "viewer" and code != "NOT_FOUND" else "NOT_FOUND"],
        )


PROMOTE = "mutation($id: ID!) { promotePattern(input: {patternId: $id})"
DOCUMENTS: dict[str, tuple[bool, str]] = {
    "variables inside": (
        True,
        (
            "mutation($id: ID!, $why: String, $version: Int, $n: Int) { promotePattern(input: {patternId: $id, "
            "rationale: $why, expectedVersion: $version}) { pattern { id rationale evidence(first: $n) { nodes "
            "{ path } } } } }"
        ),
    ),
    "literals": (
        True,
        'mutation { promotePattern(input: {patternId: "ITS_ID", severity: INFO}) { pattern { severity } } }',
    ),
    "another name": (
        True,
        "mutation($id: ID!) { done: deferPattern(input: {patternId: $id}) { __typename it: pattern { __typename } } }",
    ),
    "fragments": (
        True,
        (
            "PROMOTE { ...P } } "
            "fragment P on PatternPayload { pattern { ...Q ... on Pattern { name } } } fragment Q on Pattern { status }"
        ),
    ),
    "a condition": (
        True,
        (
            "mutation($id: ID!, $all: Boolean! = true) { promotePattern(input: {patternId: $id}) "
            "{ pattern { status name @include(if: $all) } } }"
        ),
    ),
    "a condition at the root": (
        False,
        (
            "mutation($id: ID!, $all: Boolean! = true) { promotePattern(input: {patternId: $id}) @include(if: $all) "
            "{ pattern { status } } }"
        ),
    ),
    "two at once": (
        False,
        (
            "mutation($id: ID!) { a: promotePattern(input: {patternId: $id}) { pattern { status } } "
            "b: demotePattern(input: {patternId: $id}) { pattern { status version } } }"
        ),
    ),
    "the kind of the answer": (
        False,
        "mutation($id: ID!) { __typename deferPattern(input: {patternId: $id}) { __typename } }",
    ),
    "a cursor that is none": (
        False,
        'PROMOTE { pattern { history(after: "x") { nodes { id } } } } }',
    ),
    "too large a page": (
        False,
        "PROMOTE { pattern { history(first: 101) { nodes { id } } } } }",
    ),
    "an edit": (False, 'mutation($id: ID!) { updatePattern(input: {patternId: $id, name: "N"}) { pattern { name } } }'),
}


@pytest.mark.parametrize("name", list(DOCUMENTS))
async def test_every_form_of_document(name: str, both: Both) -> None:
    planned, query = DOCUMENTS[name]
    query = query.replace("PROMOTE", PROMOTE)
    for variables in ({"why": "A reason.", "version": 3, "n": 1}, {"why": None, "n": 2}, {"version": 9}, {}):
        await both.ask(query, {"id": "ITS_ID", **variables})
        assert both.planned is planned


@pytest.mark.parametrize("name", list(INPUTS))
def test_inputs_are_made_as_strawberry_makes_them(name: str) -> None:
    taken = DECISIONS["promotePattern"].input
    given = {"patternId": "x", **INPUTS[name][1]}
    if name == "a field that is none" or isinstance(given.get("provenance"), dict):
        return
    assert input_of(taken, given) == convert_argument(
        given, taken, schema.schema_converter.scalar_registry, schema.config
    )
