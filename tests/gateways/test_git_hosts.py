"""Which hosts are spoken with, at which address, and how far a redirect leads."""

from asyncio import StreamWriter
from pathlib import Path

import pytest

from app.domain.source import SourceFailed, SourceProblem, SourceRules
from app.gateways.git import Sources
from app.gateways.git import remote as git_remote
from tests.gateways.conftest import LIMITS, Fetcher, problem
from tests.gateways.making import Made
from tests.gateways.serving import BACKEND, Request, Server, moved, told

pytestmark = pytest.mark.skipif(not BACKEND.exists(), reason="this git has no http-backend")


async def test_a_host_is_spoken_with_at_the_address_that_was_looked_at(
    caches: Path, made: Made, server: Server
) -> None:
    looked: list[tuple[str, int]] = []

    async def rebinding(host: str, port: int) -> list[str]:
        """Give the public address first, and the one inside ever after."""
        looked.append((host, port))
        return ["127.0.0.1"] if len(looked) == 1 else ["169.254.169.254"]

    fetch = Fetcher(Sources(caches, SourceRules(private=True), lookup=rebinding))
    # No resolver of the world knows this name: only the pinned address can have been used, in all four questions.
    assert (await fetch(server.url("repos/source", "git.example.invalid"))).commit == made.head()
    assert looked == [("git.example.invalid", server.port)]
    assert {request.headers["host"] for request in server.requests} == {f"git.example.invalid:{server.port}"}
    refused = await problem(fetch, server.url("repos/source", "git.example.invalid"))
    assert (refused.code, refused.passing) == (SourceProblem.HOST_NOT_ALLOWED, False)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:192.168.0.1"], ["fe80::1%2"]])
async def test_a_host_inside_is_never_spoken_with(caches: Path, found: list[str]) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return found

    fetch = Fetcher(Sources(caches, SourceRules(), lookup=inside))
    for url in ("https://git.example.com/x", "ssh://git@git.example.com/x", "git@git.example.com:x"):
        assert (await problem(fetch, url)).code is SourceProblem.HOST_NOT_ALLOWED


async def test_a_git_that_cannot_pin_does_not_fetch_over_https(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_remote, "PINS_SINCE", (99, 0))

    async def outside(host: str, port: int) -> list[str]:
        return ["93.184.215.14"]

    fetch = Fetcher(Sources(caches, SourceRules(), lookup=outside))
    assert (await problem(fetch, "https://git.example.com/x")).code is SourceProblem.UNSUPPORTED


async def test_a_redirect_on_the_same_host_is_followed(fetch: Fetcher, made: Made, server: Server) -> None:
    server.answers["old"] = moved("/older/")
    server.answers["older"] = moved(server.url("repos/"))
    assert (await fetch(server.url("old/source"))).commit == made.head()


async def test_a_redirect_to_another_host_is_refused(fetch: Fetcher, made: Made, server: Server) -> None:
    server.answers["away"] = moved(server.url("repos/", "other.example.com"))
    refused = await problem(fetch, server.url("away/source"))
    assert (refused.code, refused.passing) == (SourceProblem.REDIRECTED, False)
    assert "other.example.com" in refused.sentence
    assert {request.path.split("/")[1] for request in server.requests} == {"away"}


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/info/refs?service=git-upload-pack",
        "file:///etc/info/refs?service=git-upload-pack",
        "ext::sh -c touch% /tmp/x /info/refs?service=git-upload-pack",
        "https://[::1/info/refs?service=git-upload-pack",
        "//x y/info/refs?service=git-upload-pack",
        "/login?next=/info/refs",
        "/",
        "",
    ],
)
async def test_a_redirect_to_where_nothing_may_lead_is_refused(fetch: Fetcher, server: Server, target: str) -> None:
    server.answers["bad"] = told("302 Found", Location=target)
    refused = await problem(fetch, server.url("bad/source"))
    assert refused.code in {
        SourceProblem.REDIRECTED,
        SourceProblem.HOST_NOT_ALLOWED,
        SourceProblem.PROTOCOL_NOT_ALLOWED,
        SourceProblem.INVALID_ADDRESS,
    }
    assert len(server.requests) == 2


async def test_a_redirect_in_a_circle_ends(fetch: Fetcher, server: Server) -> None:
    server.answers["circle"] = moved("/circle/")
    assert (await problem(fetch, server.url("circle/x"))).code is SourceProblem.REDIRECTED


async def test_a_redirect_of_the_fetch_itself_is_not_followed(fetch: Fetcher, made: Made, server: Server) -> None:
    async def later(request: Request, writer: StreamWriter) -> None:
        if request.method == "POST" and b"command=fetch" in request.body:
            await moved(server.url("repos/", "other.example.com"))(request, writer)
        else:
            writer.write(await server.backend(request, "later"))

    server.answers["later"] = later
    assert (await problem(fetch, server.url("later/source"))).code is SourceProblem.REDIRECTED
    assert "repos" not in {request.path.split("/")[1] for request in server.requests}


async def test_a_token_does_not_follow_a_redirect(fetch: Fetcher, server: Server) -> None:
    server.answers["away"] = moved(server.url("repos/", "other.example.com"))
    with pytest.raises(SourceFailed, match="moved"):
        await fetch.sources.fetch(
            fetch.repo_id, server.url("away/source"), None, LIMITS, authorization="x-access-token:s3cret"
        )
    assert {request.path.split("/")[1] for request in server.requests} == {"away"}
