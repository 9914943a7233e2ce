"""Fetching from other hosts: what is there is brought, and what is not is told."""

import asyncio
from asyncio import StreamReader, StreamWriter
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.source import SourceProblem
from app.gateways.git import FetchProgress
from app.gateways.git.remote import seconds_until
from tests.gateways.conftest import LIMITS, Fetcher, problem
from tests.gateways.making import Made, traced
from tests.gateways.serving import BACKEND, Request, Server, told

pytestmark = pytest.mark.skipif(not BACKEND.exists(), reason="this git has no http-backend")


async def test_a_branch_is_fetched_and_then_only_what_is_new(fetch: Fetcher, made: Made, server: Server) -> None:
    first = await fetch(server.url("repos/source"))
    assert (first.commit, first.branch, first.previous) == (made.head(), "main", None)
    asked = len(server.requests)
    assert (await fetch(server.url("repos/source"))).unchanged
    # One look, with its two questions, and no fetch.
    assert len(server.requests) == asked + 2
    commit = made.commit({"a.py": "1\n"})
    second = await fetch(server.url("repos/source"), "main")
    assert (second.commit, second.previous, second.forced) == (commit, first.commit, False)
    assert len(await traced(fetch.cache, commit)) == 2


async def test_progress_counts_objects(fetch: Fetcher, made: Made, server: Server) -> None:
    made.commit({f"{number}.py": f"{number}\n" for number in range(50)})
    seen: list[FetchProgress] = []
    await fetch.sources.fetch(fetch.repo_id, server.url("repos/source"), None, LIMITS, seen.append)
    assert {each.phase.value for each in seen} >= {"Counting", "Receiving"}
    assert all(0 <= each.done <= each.total for each in seen)
    assert [each.fraction for each in seen] == sorted(each.fraction for each in seen)


async def test_what_is_not_there_is_told(fetch: Fetcher, made: Made, server: Server, tmp_path: Path) -> None:
    Made(tmp_path / "empty", bare=True)
    server.answers["page"] = told("200 OK", b"<!doctype html>\n<html></html>\n", Content_Type="text/html")
    assert (await problem(fetch, server.url("repos/nothing"))).code is SourceProblem.NOT_FOUND
    assert (await problem(fetch, server.url("page/x"))).code is SourceProblem.NOT_FOUND
    assert (await problem(fetch, server.url("repos/empty"))).code is SourceProblem.EMPTY
    assert (await problem(fetch, server.url("repos/empty"), "main")).code is SourceProblem.EMPTY
    gone = await problem(fetch, server.url("repos/source"), "gone")
    assert (gone.code, gone.passing) == (SourceProblem.BRANCH_GONE, False)
    made.git("symbolic-ref", "HEAD", "refs/heads/nothing")
    assert (await problem(fetch, server.url("repos/source"))).code is SourceProblem.NO_DEFAULT_BRANCH


async def test_a_detached_head_and_a_shallow_source_are_fetched(
    fetch: Fetcher, made: Made, server: Server, tmp_path: Path
) -> None:
    for number in range(3):
        made.commit({"a.py": f"{number}\n"})
    made.git("clone", "-q", "--depth=2", made.path.as_uri(), str(tmp_path / "clone"))
    made.git("-C", str(tmp_path / "clone"), "checkout", "-q", "--detach")
    fetched = await fetch(server.url("repos/clone/.git"))
    assert (fetched.commit, fetched.branch, fetched.shallow) == (made.head(), "HEAD", True)


async def test_a_force_push_between_fetches_is_told(fetch: Fetcher, made: Made, server: Server) -> None:
    old = (await fetch(server.url("repos/source"))).commit
    made.git("checkout", "-q", "--orphan", "anew")
    new = made.commit({"a.py": "1\n"})
    made.git("branch", "-f", "main", new)
    fetched = await fetch(server.url("repos/source"), "main")
    assert (fetched.commit, fetched.previous, fetched.forced) == (new, old, True)


async def test_a_branch_that_is_deleted_in_the_middle_is_told(fetch: Fetcher, made: Made, server: Server) -> None:
    made.git("branch", "brief")

    async def deleted(request: Request, writer: StreamWriter) -> None:
        writer.write(await server.backend(request, "fleeting"))
        if request.method == "POST" and b"ls-refs" in request.body:
            made.git("branch", "-q", "-D", "brief")
            server.answers["fleeting"] = answered

    async def answered(request: Request, writer: StreamWriter) -> None:
        writer.write(await server.backend(request, "fleeting"))

    server.answers["fleeting"] = deleted
    assert (await problem(fetch, server.url("fleeting/source"), "brief")).code is SourceProblem.BRANCH_GONE


async def test_the_old_protocol_of_plain_files_is_spoken_but_leads_nowhere_else(
    fetch: Fetcher, made: Made, server: Server
) -> None:
    made.git("update-server-info")
    elsewhere = server.url("elsewhere/objects")

    async def plain(request: Request, writer: StreamWriter) -> None:
        place = made.folder / request.path.split("/", 3)[3]
        if request.path.endswith("http-alternates"):
            await told("200 OK", f"{elsewhere}\n".encode())(request, writer)
        elif place.is_file() and not request.path.endswith("lost"):
            await told("200 OK", place.read_bytes())(request, writer)
        else:
            await told("404 Not Found")(request, writer)

    server.answers["plain"] = plain
    assert (await fetch(server.url("plain/source"))).commit == made.head()
    missing = made.git("rev-parse", "HEAD:README.md")
    (made.folder / "objects" / missing[:2] / missing[2:]).unlink()
    other = Fetcher(fetch.sources)
    assert (await problem(other, server.url("plain/source"))).code in {
        SourceProblem.OBJECTS_MISSING,
        SourceProblem.FAILED,
        SourceProblem.NOT_FOUND,
    }
    assert "elsewhere" not in {request.path.split("/")[1] for request in server.requests}


async def test_a_private_repository_needs_a_token_and_never_asks(fetch: Fetcher, made: Made, server: Server) -> None:
    wanted = "Basic " + b64encode(b"x-access-token:s3cret").decode()

    async def guarded(request: Request, writer: StreamWriter) -> None:
        if request.headers.get("authorization") == wanted:
            writer.write(await server.backend(request, "private"))
        else:
            await told("401 Unauthorized", WWW_Authenticate='Basic realm="x"')(request, writer)

    server.answers["private"] = guarded
    refused = await problem(fetch, server.url("private/source"))
    assert (refused.code, refused.passing) == (SourceProblem.AUTHENTICATION_NEEDED, False)
    fetched = await fetch.sources.fetch(
        fetch.repo_id, server.url("private/source"), None, LIMITS, authorization="x-access-token:s3cret"
    )
    assert fetched.commit == made.head()
    kept = b"".join(path.read_bytes() for path in fetch.cache.rglob("*") if path.is_file() and path.suffix != ".pack")
    assert b"s3cret" not in kept
    assert b64encode(b"x-access-token:s3cret") not in kept


@pytest.mark.parametrize(
    ("status", "code", "passing"),
    [
        ("403 Forbidden", SourceProblem.AUTHENTICATION_NEEDED, False),
        ("404 Not Found", SourceProblem.NOT_FOUND, False),
        ("429 Too Many Requests", SourceProblem.RATE_LIMITED, True),
        ("503 Service Unavailable", SourceProblem.SERVER_FAILED, True),
    ],
)
async def test_a_server_that_refuses_is_told(
    fetch: Fetcher, server: Server, status: str, code: SourceProblem, passing: bool
) -> None:
    server.answers["refusing"] = told(status)
    refused = await problem(fetch, server.url("refusing/x"))
    assert (refused.code, refused.passing) == (code, passing)


async def test_a_host_that_limits_requests_says_until_when(fetch: Fetcher, server: Server) -> None:
    server.answers["limiting"] = told("429 Too Many Requests", Retry_After="120")
    refused = await problem(fetch, server.url("limiting/x"))
    assert (refused.code, refused.retry_after) == (SourceProblem.RATE_LIMITED, 120)
    assert refused.sentence == "The host takes no more requests for 120 s."


async def test_so_does_one_that_limits_only_when_objects_are_asked_for(
    fetch: Fetcher, made: Made, server: Server
) -> None:
    asked = 0

    async def tired(request: Request, writer: StreamWriter) -> None:
        nonlocal asked
        asked += 1
        # One look is a question for what is spoken and one for branches.
        if asked > 2:
            await told("429 Too Many Requests", Retry_After="77")(request, writer)
        else:
            writer.write(await server.backend(request, "tired"))

    server.answers["tired"] = tired
    refused = await problem(fetch, server.url("tired/source"))
    assert (refused.code, refused.retry_after) == (SourceProblem.RATE_LIMITED, 77)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("0", 0, 0),
        ("3600", 3600, 3600),
        ("in five minutes", 200, 300),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0, 0),
    ],
    ids=["now", "seconds", "a moment", "a moment that has passed"],
)
def test_when_a_host_answers_again_is_read_as_http_spells_it(text: str, least: float, most: float) -> None:
    if text == "in five minutes":
        text = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    found = seconds_until(text)
    assert found is not None
    assert least <= found <= most


@pytest.mark.parametrize(
    "text", ["", "soon", "-5", "1e9", "9" * 10, "\N{ARABIC-INDIC DIGIT THREE}", "Thu, 99 Jan 2026"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert seconds_until(text) is None


async def test_a_host_that_does_not_listen_is_told(fetch: Fetcher, server: Server) -> None:
    refused = await problem(fetch, "http://127.0.0.1:1/x")
    assert (refused.code, refused.passing) == (SourceProblem.UNREACHABLE, True)


async def test_a_host_that_speaks_no_tls_is_not_trusted(fetch: Fetcher) -> None:
    async def plain(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(plain, "127.0.0.1", 0)
    refused = await problem(fetch, f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/x")
    assert (refused.code, refused.passing) == (SourceProblem.UNTRUSTED_HOST, False)
    listening.close()
