"""The ground itself: every test begins clean, and none leaves this host."""

import asyncio
import socket
from functools import partial

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.db.models import Pattern, Table
from tests import factories as make
from tests.factories import FACTORIES
from tests.network import AnotherHost

ELSEWHERE = "192.0.2.1"


@pytest.mark.parametrize("turn", range(2))
async def test_every_test_finds_an_empty_database(turn: int, session: AsyncSession) -> None:
    for table in Table.metadata.sorted_tables:
        assert await session.scalar(select(func.count()).select_from(table)) == 0
    for factory in FACTORIES.values():
        await factory(session)


@pytest.mark.parametrize("turn", range(2))
async def test_every_test_finds_an_empty_redis(turn: int, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() == 0
        await redis.set("left", turn)


async def test_what_a_factory_made_is_there_for_everybody(session: AsyncSession, engine: AsyncEngine) -> None:
    pattern = await make.pattern(session)
    async with AsyncSession(engine) as another:
        assert await another.get(Pattern, pattern.id) is not None


@pytest.mark.parametrize("address", [(ELSEWHERE, 9), ("2001:db8::1", 9)])
def test_no_socket_leaves_this_host(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagrams:
        for leave in (stream.connect, stream.connect_ex, datagrams.connect, partial(datagrams.sendto, b"")):
            with pytest.raises(AnotherHost):
                leave(address)


def test_no_name_of_another_host_is_looked_up() -> None:
    for look_up in (partial(socket.getaddrinfo, port=80), socket.gethostbyname, socket.gethostbyname_ex):
        with pytest.raises(AnotherHost):
            look_up("example.com")


@pytest.mark.parametrize("host", [ELSEWHERE, "example.com"])
async def test_no_coroutine_leaves_this_host(host: str) -> None:
    with pytest.raises(AnotherHost):
        await asyncio.open_connection(host, 9)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_host_can_be_reached(host: str, unused_tcp_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, unused_tcp_port)
