"""Addresses: those of this host and its network are refused, however they are written, and lookups fail clearly."""

import socket

import pytest

from app.domain.source import SourceFailed, SourceProblem
from app.gateways.addresses import Lookup, addresses_of, system_lookup


def finding(*found: str) -> Lookup:
    """Look every host up as these addresses."""

    async def lookup(host: str, port: int) -> list[str]:
        return list(found)

    return lookup


def failing(error: OSError) -> Lookup:
    """Fail to look up."""

    async def lookup(host: str, port: int) -> list[str]:
        raise error

    return lookup


async def test_all_addresses_of_a_host_are_given_once_and_in_order() -> None:
    lookup = finding("2606:4700::1111", "1.1.1.1", "2606:4700::1111")
    assert await addresses_of("host", 443, private=False, lookup=lookup) == ("2606:4700::1111", "1.1.1.1")


async def test_one_address_inside_spoils_all() -> None:
    with pytest.raises(SourceFailed) as refused:
        await addresses_of("host", 443, private=False, lookup=finding("1.1.1.1", "10.0.0.1"))
    assert refused.value.code is SourceProblem.HOST_NOT_ALLOWED
    assert "10.0.0.1" not in refused.value.sentence


@pytest.mark.parametrize(
    ("error", "code", "passing"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), SourceProblem.UNKNOWN_HOST, False),
        (socket.gaierror(socket.EAI_AGAIN, "x"), SourceProblem.LOOKUP_FAILED, True),
        (socket.gaierror(socket.EAI_FAIL, "x"), SourceProblem.LOOKUP_FAILED, True),
    ],
)
async def test_a_lookup_that_fails_is_told(error: OSError, code: SourceProblem, passing: bool) -> None:
    with pytest.raises(SourceFailed) as refused:
        await addresses_of("host", 443, private=False, lookup=failing(error))
    assert (refused.value.code, refused.value.passing) == (code, passing)


async def test_a_host_without_addresses_is_unknown() -> None:
    with pytest.raises(SourceFailed) as refused:
        await addresses_of("host", 443, private=False, lookup=finding())
    assert refused.value.code is SourceProblem.UNKNOWN_HOST


async def test_the_resolver_of_this_system_knows_this_host() -> None:
    assert "127.0.0.1" in await system_lookup("localhost", 80)
