"""Names of branches and addresses that are meant to be something else are refused before anything runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.source import SourceFailed, SourceProblem, SourceRules
from app.gateways.git import (
    Sources,
)
from tests.gateways.conftest import Fetcher
from tests.gateways.making import Made


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that is there only if something of a stranger's ran."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


@pytest.mark.parametrize(
    "branch",
    [
        "--upload-pack=touch canary",
        "-oProxyCommand=touch canary",
        "--output=canary",
        "main:refs/heads/other",
        "+main",
        "main..other",
        "main^{tree}",
        "a b",
        "@{-1}",
        "../../../etc/passwd",
        "/etc/passwd",
        "refs/heads/../../config",
        "x.lock",
        ".hidden",
        "a//b",
        "a\nb",
        "a\0b",
        "HEAD",
        "@",
        "",
        "x" * 300,
        "\udcff",
    ],
)
async def test_a_branch_that_is_no_branch_is_refused(fetch: Fetcher, made: Made, canary: Path, branch: str) -> None:
    for url in (str(made.path), "https://127.0.0.1:1/x"):
        with pytest.raises(SourceFailed) as refused:
            await fetch(url, branch)
        # What a refspec may hold and a branch may not is a branch that nobody has.
        assert refused.value.code in {
            SourceProblem.INVALID_BRANCH,
            SourceProblem.BRANCH_GONE,
            SourceProblem.UNREACHABLE,
        }
        assert branch == "+main" or refused.value.code is SourceProblem.INVALID_BRANCH
    assert not fetch.cache.exists()


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% canary",
        "ext::sh -c 'touch canary'",
        "fd::3",
        "file:///etc",
        "FILE:///etc",
        "git://127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "http::http://127.0.0.1/x",
        "transport::address",
        "--upload-pack=touch canary",
        "-u touch canary",
        "https://127.0.0.1/x --upload-pack=touch",
        "ssh://-oProxyCommand=touch%20canary/x",
        "ssh://git@-oProxyCommand=touch/x",
        "-oProxyCommand=touch@host:x",
        "git@host:-oProxyCommand=touch",
        "git@host:--upload-pack=touch",
        "ssh://host/x;touch canary",
        "ssh://host/$(touch canary)",
        "https://host/%0a%0dHost: other",
        "https://user:password@host/x",
        "https://host\\@127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://host:99999/x",
        "https:///x",
        "relative/path",
        "../x",
        "~/x",
        "C:\\x",
        "",
    ],
)
async def test_an_address_that_is_none_is_refused_before_anything_runs(
    caches: Path, canary: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    async def nobody(host: str, port: int) -> list[str]:
        raise AssertionError("looked up")

    fetch = Fetcher(Sources(caches, SourceRules(local=True, private=True), lookup=nobody))
    with pytest.raises(SourceFailed) as refused:
        await fetch(url)
    assert refused.value.code in {SourceProblem.PROTOCOL_NOT_ALLOWED, SourceProblem.INVALID_ADDRESS}
    assert not refused.value.passing
