"""Edits: what is said is kept as it was said, what is left out stays, and what cannot be kept names its field."""

from typing import Any

import pytest

from app.domain.ids import Kind, public
from app.domain.viewer import Role
from tests import factories as make
from tests.triage.desk import Desk

# As text, all of these are harmless, and all of them come back.
WORDS = (
    "<script>alert('x')</script>",
    "a\u0000b".replace("\u0000", "\u0001\u001b[31m\u007f\u0085"),
    "\u202egnp.exe \u200b\ufeff",
    "line\r\n\ttab",
    "' OR 1=1 -- \\ %s ${x} {{y}}",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{COMBINING ACUTE ACCENT}",
)


@pytest.mark.parametrize("words", WORDS)
async def test_words_come_back_as_they_were_said(words: str, desk: Desk) -> None:
    pattern = await desk.pattern()
    told = await desk.done(
        "updatePattern", {"patternId": pattern, "name": words, "description": words, "rationale": words}
    )
    assert (told["name"], told["description"], told["rationale"]) == (words, words, words)
    assert (await desk.look(pattern))["name"] == words


async def test_what_an_edit_leaves_out_stays(desk: Desk) -> None:
    owner = desk.people["admin"]
    pattern = await desk.pattern(rationale="Why.", owner_id=owner.user.id, severity="ERROR", pr_review=False)
    before = await desk.look(pattern)
    told = await desk.done("updatePattern", {"patternId": pattern, "name": "Another"})
    assert told == before | {"name": "Another", "version": 2}
    told = await desk.done("updatePattern", {"patternId": pattern, "rationale": None, "ownerId": None})
    assert (told["rationale"], told["owner"], told["version"]) == (None, None, 3)
    messages = [event.message for event in await desk.history(pattern)]
    assert messages == ["Changed: name.", "Changed: rationale, owner."]


@pytest.mark.parametrize("field", ["name", "description", "severity", "enforcement", "category"])
async def test_null_cannot_clear_what_a_pattern_must_have(field: str, desk: Desk) -> None:
    reply = await desk.do("updatePattern", {"patternId": await desk.pattern(), "rationale": None, field: None})
    assert reply.extensions == {"code": "VALIDATION_ERROR", "fields": {field: "must not be null"}}


async def test_all_wrong_fields_are_named_at_once(desk: Desk) -> None:
    said = {"name": " \n", "description": "x" * 4001, "rationale": "x" * 1001}
    reply = await desk.do("updatePattern", {"patternId": await desk.pattern(), **said})
    assert reply.extensions["fields"] == {
        "name": "must not be blank",
        "description": "has more than 4000 characters",
        "rationale": "has more than 1000 characters",
    }


async def test_an_edit_that_changes_nothing_is_no_change(desk: Desk) -> None:
    pattern = await desk.pattern(name="As it is", rationale="Why.")
    for said in ({}, {"name": "As it is"}, {"rationale": "Why.", "severity": "WARNING"}):
        assert (await desk.done("updatePattern", {"patternId": pattern, **said}))["version"] == 1
    assert await desk.history(pattern) == []


async def test_an_edit_of_an_older_version_is_told_the_present_state(desk: Desk) -> None:
    pattern = await desk.pattern()
    await desk.done("updatePattern", {"patternId": pattern, "name": "First", "expectedVersion": 1})
    reply = await desk.do("updatePattern", {"patternId": pattern, "name": "Second", "expectedVersion": 1})
    assert (reply.code, reply.extensions["version"], reply.extensions["status"]) == ("CONFLICT", 2, "CANDIDATE")
    assert (await desk.row(pattern)).name == "First"


async def test_an_owner_is_a_member(desk: Desk) -> None:
    pattern = await desk.pattern()
    told = await desk.done("updatePattern", {"patternId": pattern, "ownerId": desk.people["viewer"].id})
    assert told["owner"] == {"login": desk.people["viewer"].user.login}
    nobody = public(Kind.USER, (await make.user(desk.session)).id)
    for stranger in (desk.people["stranger"].id, nobody):
        assert (await desk.do("updatePattern", {"patternId": pattern, "ownerId": stranger})).code == "NOT_FOUND"
    reply = await desk.do("updatePattern", {"patternId": pattern, "ownerId": pattern})
    assert reply.extensions == {"code": "VALIDATION_ERROR", "fields": {"ownerId": "must begin with usr_"}}


async def test_a_structure_of_files_loses_its_place_in_reviews(desk: Desk) -> None:
    pattern = await desk.pattern()
    told = await desk.done("updatePattern", {"patternId": pattern, "category": "FILE_STRUCTURE"})
    assert (told["category"], told["enforcement"]["prReview"]) == ("FILE_STRUCTURE", False)


async def test_evidence_is_removed_and_another_example_is_shown(desk: Desk) -> None:
    pattern = await desk.pattern()
    row = await desk.row(pattern)
    first, second = [await make.evidence(desk.session, row, is_canonical=place == 0) for place in range(2)]
    ids = [public(Kind.EVIDENCE, evidence.id) for evidence in (first, second)]
    told = await desk.done("setCanonicalEvidence", {"evidenceId": ids[1]})
    assert (told["canonicalEvidence"], told["version"]) == ({"id": ids[1]}, 2)
    assert [node["isCanonical"] for node in told["evidence"]["nodes"]] == [False, True]
    # Saying it once more changes nothing.
    assert (await desk.done("setCanonicalEvidence", {"evidenceId": ids[1]}))["version"] == 2
    told = await desk.done("removeEvidence", {"evidenceId": ids[1]})
    assert (told["canonicalEvidence"], told["version"]) == (None, 3)
    assert [node["id"] for node in told["evidence"]["nodes"]] == [ids[0]]
    assert (await desk.do("removeEvidence", {"evidenceId": ids[1]})).code == "NOT_FOUND"
    assert [(event.kind.value, event.message) for event in await desk.history(pattern)] == [
        ("EVIDENCE", f"Canonical: {second.path}:10"),
        ("EVIDENCE", f"Removed: {second.path}:10"),
    ]


async def test_what_does_not_conform_is_neither_removed_nor_shown(desk: Desk) -> None:
    row = await desk.row(await desk.pattern())
    counter = await make.evidence(desk.session, row, is_counterexample=True)
    stale = await make.evidence(desk.session, row, is_stale=True, stale_reason="The file is gone.")
    cases = [
        ("removeEvidence", counter, "is a counter-example"),
        ("setCanonicalEvidence", counter, "is a counter-example"),
        ("setCanonicalEvidence", stale, "no longer stands there"),
    ]
    for mutation, evidence, fault in cases:
        reply = await desk.do(mutation, {"evidenceId": public(Kind.EVIDENCE, evidence.id)})
        assert reply.extensions == {"code": "VALIDATION_ERROR", "fields": {"evidenceId": fault}}


async def linked(desk: Desk, pattern: str, url: str, kind: str = "OTHER", **said: Any) -> Any:
    link = {"kind": kind, "url": url, **said}
    return await desk.do("addProvenance", {"patternId": pattern, "provenance": link})


@pytest.mark.parametrize(
    ("url", "kind", "title"),
    [
        ("https://github.com/octo/hello/pull/12", "PULL_REQUEST", "octo/hello#12"),
        ("https://github.com/octo/hello/pull/12/files#diff-1", "PULL_REQUEST", "octo/hello#12"),
        ("http://www.github.com/octo/hello/issues/3", "ISSUE", "octo/hello#3"),
        ("https://github.com/octo/hello/commit/0123456789abcdef0123", "COMMIT", "octo/hello@0123456789"),
        ("https://github.com/octo/hello/pull/12/commits/0123456789abcdef", "COMMIT", "octo/hello@0123456789"),
        ("https://github.com/octo/hello", "OTHER", None),
        ("https://github.com/octo/hello/pull/x", "OTHER", None),
        ("https://github.com.evil.example/octo/hello/pull/12", "OTHER", None),
        ("https://docs.example.com/pull/12?a=b&c=d#e", "OTHER", None),
    ],
)
async def test_links_to_github_are_recognized(url: str, kind: str, title: str | None, desk: Desk) -> None:
    pattern = await desk.pattern()
    (link,) = (await linked(desk, pattern, url)).data["addProvenance"]["pattern"]["provenance"]
    assert (link["kind"], link["title"], link["url"]) == (kind, title, url)


async def test_what_was_merged_here_gives_its_title(desk: Desk) -> None:
    desk.repo.url = "git@github.com:Octo/Hello.git"
    await make.pull_request(desk.session, desk.repo, reference="a1" * 20, title="Use errors that end in Error")
    pattern = await desk.pattern()
    reply = await linked(desk, pattern, f"https://github.com/octo/hello/commit/{'a1' * 20}")
    (link,) = reply.data["addProvenance"]["pattern"]["provenance"]
    assert link["title"] == "Use errors that end in Error (octo/hello@a1a1a1a1a1)"
    own = await linked(desk, pattern, "https://github.com/octo/hello/pull/9", "DOCUMENT", title=" My own ")
    link = own.data["addProvenance"]["pattern"]["provenance"][1]
    assert (link["kind"], link["title"]) == ("DOCUMENT", "My own")


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "docs.example.com",
        "/relative",
        "javascript:alert(1)",
        "JavaScript://example.com/%0aalert(1)",
        "data:text/html,x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://token@example.com/",
        "https://example.com:port/",
        "https://[::1/",
        "https://example.com/a b",
        "https://example.com/\u0001",
        "https://example.com/\u202e",
        'https://example.com/"onmouseover="x',
        "https://example.com/<script>",
        "https://example.com/" + "x" * 2000,
    ],
)
async def test_what_is_no_address_is_refused(url: str, desk: Desk) -> None:
    pattern = await desk.pattern()
    reply = await linked(desk, pattern, url)
    assert reply.code == "VALIDATION_ERROR"
    assert list(reply.extensions["fields"]) == ["provenance.url"]
    assert (await desk.row(pattern)).version == 1


async def test_links_at_several_places_name_the_wrong_one(desk: Desk) -> None:
    links = [
        {"kind": "ADR", "url": "https://example.com/1"},
        {"kind": "ADR", "url": "nowhere", "title": "x" * 301, "description": "x" * 1001},
    ]
    reply = await desk.do("promotePattern", {"patternId": await desk.pattern(), "provenance": links})
    assert list(reply.extensions["fields"]) == [
        "provenance.1.url",
        "provenance.1.title",
        "provenance.1.description",
    ]


async def test_a_pattern_has_a_link_once_and_fifty_at_most(desk: Desk) -> None:
    pattern = await desk.pattern()
    first = await linked(desk, pattern, "https://example.com/1", "ADR", description="Read this.")
    (link,) = first.data["addProvenance"]["pattern"]["provenance"]
    reply = await linked(desk, pattern, "https://example.com/1")
    assert reply.extensions == {"code": "CONFLICT", "provenanceId": link["id"]}
    links = [{"kind": "CHAT", "url": f"https://example.com/{number}"} for number in range(1, 51)]
    told = await desk.done("promotePattern", {"patternId": pattern, "provenance": links})
    assert len(told["provenance"]) == 50
    reply = await linked(desk, pattern, "https://example.com/51")
    assert reply.extensions == {"code": "VALIDATION_ERROR", "fields": {"provenance": "has more than 50"}}
    told = await desk.done("removeProvenance", {"provenanceId": link["id"]})
    assert len(told["provenance"]) == 49
    assert (await desk.do("removeProvenance", {"provenanceId": link["id"]})).code == "NOT_FOUND"
    kinds = [event.kind.value for event in await desk.history(pattern)]
    assert kinds == ["PROVENANCE", "PROMOTED", "PROVENANCE"]


@pytest.mark.parametrize("role", [Role.VIEWER, None])
async def test_who_may_not_triage_edits_nothing(role: Role | None, desk: Desk) -> None:
    pattern = await desk.pattern()
    row = await desk.row(pattern)
    evidence = public(Kind.EVIDENCE, (await make.evidence(desk.session, row)).id)
    link = public(Kind.PROVENANCE, (await make.provenance(desk.session, row)).id)
    other = await desk.pattern()
    who, code = ("viewer", "FORBIDDEN") if role else ("stranger", "NOT_FOUND")
    said: dict[str, dict[str, Any]] = {
        "updatePattern": {"patternId": pattern, "name": "Mine"},
        "mergePattern": {"candidateId": pattern, "intoId": other},
        "removeEvidence": {"evidenceId": evidence},
        "setCanonicalEvidence": {"evidenceId": evidence},
        "addProvenance": {"patternId": pattern, "provenance": {"kind": "ADR", "url": "https://example.com"}},
        "removeProvenance": {"provenanceId": link},
    }
    for mutation, input_ in said.items():
        assert (await desk.do(mutation, input_, who)).code == code
    assert await desk.audited() == []
    assert (await desk.row(pattern)).version == 1
