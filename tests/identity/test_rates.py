"""Limits: how much in a minute, how soon again, and what goes on when Redis does not."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as Lost
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AuditEntry
from app.gateways.windows import LocalWindows, RedisWindows, Standing, SteadyWindows, Windows
from app.rates import PAIR, OverLimit, Rates, place_of
from tests.identity.conftest import Install
from tests.identity.counting import HOST, Counted, Ticks, attempts, limited

ME = "{viewer{login}}"
COSTLY = "{viewer{login} rateLimit{limit cost remaining resetAt}}"


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[RedisWindows]:
    """Windows in Redis."""
    windows = RedisWindows(redis_url)
    yield windows
    await windows.close()


@pytest.fixture(params=["redis", "local"])
async def windows(request: pytest.FixtureRequest, shared: RedisWindows) -> Windows:
    """Windows, wherever they are kept."""
    return shared if request.param == "redis" else LocalWindows()


async def test_a_window_opens_with_the_first_draw_and_lasts(windows: Windows) -> None:
    first = await windows.add("a", 3, 60)
    second = await windows.add("a", 4, 60)
    other = await windows.add("b", 1, 60)
    assert (first.total, second.total, other.total) == (3, 7, 1)
    assert 59 < second.seconds_left <= first.seconds_left <= 60
    await windows.clear("a")
    assert (await windows.add("a", 1, 60)).total == 1


async def test_a_key_is_held_once(windows: Windows) -> None:
    assert not await windows.is_held("a")
    held = await asyncio.gather(*(windows.hold("a", 30) for _ in range(10)))
    assert sorted(held)[0] == 0
    assert all(29 < left <= 30 for left in sorted(held)[1:])
    assert await windows.is_held("a")
    await windows.clear("a")
    assert await windows.hold("a", 30) == 0


async def test_many_processes_count_together(shared: RedisWindows, redis_url: str) -> None:
    another = RedisWindows(redis_url)
    drawn = await asyncio.gather(*(each.add("a", 1, 60) for _ in range(50) for each in (shared, another)))
    assert sorted(standing.total for standing in drawn) == list(range(1, 101))
    await another.close()


async def test_local_windows_end_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = Ticks()
    local = LocalWindows(ticks)
    await local.add("a", 5, 60)
    ticks.now += 60
    assert await local.add("a", 1, 60) == Standing(1, 60)
    monkeypatch.setattr("app.gateways.windows.MOST_KEPT", 3)
    for number in range(10):
        await local.add(str(number), 1, 60)
    assert len(local._kept) == 3


async def test_most_reads_need_no_round_trip_and_none_more_than_one() -> None:
    windows = Counted(LocalWindows())
    rates = Rates(limited(reads_per_minute=1000), windows)
    for number in range(1, 101):
        before = windows.trips
        charge = await rates.read("ada", 10)
        assert charge is not None
        assert charge.remaining == 1000 - 10 * number
        assert windows.trips - before <= 1
    assert windows.trips == 20, "a process leases the twentieth part at a time"
    for _ in range(5):
        with pytest.raises(OverLimit):
            await rates.read("ada", 1)
    assert windows.trips == 21, "that nothing is left is asked once"
    assert (await rates.read("bob", 10)) is not None


async def test_a_refused_read_costs_nothing_and_leaves_room_for_smaller_ones() -> None:
    rates = Rates(limited(reads_per_minute=100), LocalWindows())
    await rates.read("ada", 95)
    with pytest.raises(OverLimit) as refused:
        await rates.read("ada", 6)
    assert refused.value.extensions["retryAfter"] == 60
    assert refused.value.charge.remaining == 5
    charge = await rates.read("ada", 5)
    assert charge is not None
    assert charge.remaining == 0


async def test_the_whole_budget_is_there_again_in_the_next_window() -> None:
    ticks = Ticks()
    rates = Rates(limited(reads_per_minute=100), LocalWindows(ticks), ticks=ticks)
    await rates.read("ada", 100)
    with pytest.raises(OverLimit):
        await rates.read("ada", 1)
    ticks.now += 60
    charge = await rates.read("ada", 1)
    assert charge is not None
    assert charge.remaining == 99


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), max_size=60))
async def test_no_more_is_given_away_than_there_is(asked: list[tuple[int, int]]) -> None:
    windows = LocalWindows(lambda: 0.0)
    processes = [Rates(limited(reads_per_minute=200), windows, ticks=lambda: 0.0) for _ in range(3)]
    given_away = 0
    for process, cost in asked:
        try:
            await processes[process].read("ada", cost)
        except OverLimit:
            continue
        given_away += cost
    assert given_away <= 200


async def test_at_once_they_share_what_one_has_drawn() -> None:
    windows = Counted(LocalWindows())
    rates = Rates(limited(reads_per_minute=1000), windows)
    charges = await asyncio.gather(*(rates.read("ada", 1) for _ in range(40)))
    assert sorted(charge.remaining for charge in charges if charge) == list(range(960, 1000))
    assert windows.trips == 1


async def test_without_a_limit_nothing_is_counted() -> None:
    windows = Counted(LocalWindows())
    rates = Rates(limited(reads_per_minute=0, writes_per_minute=0, connections_per_minute=0), windows)
    assert await rates.read("ada", 1) is None
    assert await rates.write("ada", 1) is None
    await rates.connect("ada")
    assert windows.trips == 0


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 500, "x" * 64),
    ],
)
def test_a_place_is_a_network_where_addresses_are_free(address: str, place: str) -> None:
    assert place_of(address) == place


async def test_the_answer_says_what_it_cost_and_what_is_left(install: Install, session: AsyncSession) -> None:
    async with install(reads_per_minute=10) as home:
        person = await home.person(session)
        first = await home.ask(COSTLY, token=person.token)
        told = first.data["rateLimit"]
        assert (told["limit"], told["cost"], told["remaining"]) == (1000, 3, 997)
        resets = datetime.fromisoformat(told["resetAt"]).astimezone(UTC)
        headers = first.response.headers
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("1000", "997")
        assert abs(int(headers["x-ratelimit-reset"]) - resets.timestamp()) < 2
        # By the compiled plan as well.
        planned = await home.ask(ME, token=person.token)
        assert planned.response.headers["x-ratelimit-remaining"] == "995"
        stranger = await home.ask(COSTLY)
        assert stranger.data["rateLimit"]["remaining"] == 997


async def test_too_much_is_refused_with_a_moment_to_come_back(install: Install, session: AsyncSession) -> None:
    async with install(reads_per_minute=1, writes_per_minute=1, connections_per_minute=1) as home:
        person, other = await home.person(session), await home.person(session)
        while not (reply := await home.ask("{rateLimit{cost remaining}}", token=person.token)).codes:
            assert reply.response.headers["x-ratelimit-limit"] == "100"
        assert (reply.response.status_code, reply.code) == (429, "RATE_LIMITED")
        assert "data" not in reply.body
        assert 0 < reply.extensions["retryAfter"] <= 60
        headers = reply.response.headers
        assert 0 < int(headers["retry-after"]) <= 60
        assert int(headers["x-ratelimit-remaining"]) < 2
        assert (await home.ask(ME, token=other.token)).codes == []
        # Over a socket it is an error of the one operation.
        talk = await home.service.connect()
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {person.token}"})
        assert await talk.hear() == {"type": "connection_ack"}
        await talk.subscribe("1", "{repos{totalCount}}")
        refused = await talk.hear()
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")


async def test_nonsense_has_a_limit_too(install: Install, session: AsyncSession) -> None:
    async with install(reads_per_minute=1) as home:
        person = await home.person(session)
        told = [(await home.ask(nonsense + " " * 300, token=person.token)).code for nonsense in ("{a", "{nope}") * 2]
        assert told == ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "RATE_LIMITED"]


async def test_whoever_is_refused_is_told_what_is_left(install: Install, session: AsyncSession) -> None:
    async with install(reads_per_minute=1) as home:
        person = await home.person(session)
        left = [
            int((await home.ask(query, token=person.token)).response.headers["x-ratelimit-remaining"])
            for query in ("{viewer{id}}", "{nope}", "{", "subscription{nope}")
        ]
        assert left == sorted(left, reverse=True)
        assert len(set(left)) == len(left)


async def test_a_batch_says_what_is_left_once_and_signs_in(install: Install) -> None:
    async with install(batch_operations=2) as home:
        signs_up = 'mutation{signUp(input:{email:"batch@example.com",password:"correct horse battery"}){viewer{login}}}'
        response = await home.service.post([{"query": signs_up}, {"query": ME}])
        assert response.json()[0]["data"]["signUp"] == {"viewer": {"login": "batch"}}
        assert len(response.headers.get_list("x-ratelimit-remaining")) == 1
        assert any("tenet_session=" in cookie for cookie in response.headers.get_list("set-cookie"))


async def test_whoever_goes_on_with_what_does_not_hold_is_told_to_wait(
    install: Install, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rates.REFUSED_PER_MINUTE", 5)
    async with install(env="production", origins=("https://a.example",)) as home:
        person = await home.person(session)
        guess = f"tnt_{'0' * 51}"
        for way in (guess, "a.b.c", guess, "a.b.c", guess):
            assert (await home.ask(ME, token=way)).code == "UNAUTHENTICATED"
        late = await home.ask(ME, token=guess)
        assert (late.response.status_code, late.code) == (429, "RATE_LIMITED")
        assert 0 < int(late.response.headers["retry-after"]) <= 60
        talk = await home.service.connect()
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {guess}"})
        assert (await talk.closed())[0] == 1013
        # Others at the same place notice nothing, signed in or not.
        assert (await home.ask(ME, token=person.token)).data["viewer"] is not None
        assert (await home.ask(ME)).codes == []


async def test_writes_are_counted_one_by_one(install: Install, session: AsyncSession) -> None:
    async with install(writes_per_minute=1) as home:
        person = await home.person(session)
        aliases = " ".join(f"m{number}:signOut{{signedOut}}" for number in range(20))
        for number in range(1, 6):
            reply = await home.ask(f"mutation{{{aliases}}}", token=(await home.person(session, person.user)).token)
            assert reply.response.headers["x-ratelimit-remaining"] == str(100 - 20 * number)
        last = await home.person(session, person.user)
        assert (await home.ask("mutation{signOut{signedOut}}", token=last.token)).code == "RATE_LIMITED"
        # Nothing was done.
        assert (await home.ask(ME, token=last.token)).data["viewer"] is not None


async def test_live_connections_have_a_budget(install: Install, session: AsyncSession) -> None:
    async with install(connections_per_minute=1) as home:
        person = await home.person(session)
        for _ in range(100):
            await home.runtime.rates.connect(person.user.id.hex)
        talk = await home.service.connect()
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {person.token}"})
        assert (await talk.closed())[0] == 1013
        headers = {"accept": "text/event-stream"}
        query = 'subscription{patternChanges(repoId:"repo_00000000000000000000000000000000"){sequence}}'
        reply = await home.ask(query, token=person.token, headers=headers)
        assert '"RATE_LIMITED"' in reply.response.text


class Away:
    """Windows that cannot be reached."""

    def __init__(self) -> None:
        self.asked = 0

    def __getattr__(self, _: str) -> Callable[..., Awaitable[Any]]:
        async def lost(*_: Any) -> None:
            self.asked += 1
            raise Lost("Redis is down")

        return lost


async def test_while_redis_is_away_reads_go_on_and_sign_in_stays_limited() -> None:
    ticks, away = Ticks(), Away()
    steady = SteadyWindows(away, LocalWindows(ticks), ticks)  # type: ignore[arg-type]
    rates = Rates(limited(reads_per_minute=1000), steady, ticks=ticks)
    for _ in range(50):
        assert await rates.read("ada", 10) is not None
    waits = [await attempts(rates, "ada", HOST) for _ in range(PAIR.free + 2)]
    assert waits[-1] > 0
    assert away.asked == 1, "nobody waits for a Redis that was away a moment ago"
    ticks.now += 1
    assert await rates.write("ada", 1) is not None
    assert away.asked == 2


async def test_a_redis_that_hangs_holds_nobody_up(install: Install, session: AsyncSession) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    windows = RedisWindows(f"redis://127.0.0.1:{port}")
    steady = SteadyWindows(windows, LocalWindows())
    async with asyncio.timeout(5), install() as home:
        home.application.engine.runtime.rates = Rates(home.settings, steady)  # type: ignore[union-attr]
        person = await home.person(session)
        for _ in range(5):
            assert (await home.ask(ME, token=person.token)).codes == []
    await windows.close()
    server.close()
    await server.wait_closed()


async def test_without_redis_reads_go_on_and_sign_in_stays_limited_in_the_process(
    install: Install, session: AsyncSession
) -> None:
    sign_in = "mutation($i:SignInInput!){signIn(input:$i){accessToken}}"
    wrong = {"i": {"email": "ada@example.com", "password": "a wrong secret phrase"}}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    windows = RedisWindows(f"redis://127.0.0.1:{port}")
    async with install(env="production", origins=("https://a.example",)) as home:
        home.runtime.rates = Rates(home.settings, SteadyWindows(windows, LocalWindows()))
        person = await home.person(session)
        codes = [(await home.ask(sign_in, wrong)).code for _ in range(PAIR.free + 3)]
        assert codes == ["UNAUTHENTICATED"] * (PAIR.free + 1) + ["RATE_LIMITED"] * 2
        assert (await home.ask(ME, token=person.token)).data["viewer"] is not None
        assert (await home.ask("mutation{createAccessToken{expiresAt}}", token=person.token)).codes == []
    await windows.close()


async def test_only_a_known_proxy_is_believed_about_addresses(install: Install, session: AsyncSession) -> None:
    for proxies, seen in (("127.0.0.1", HOST), ("10.0.0.0/8,192.168.0.1", "127.0.0.1")):
        async with install(proxies=proxies) as home:
            person = await home.person(session)
            await home.ask("mutation{createAccessToken{expiresAt}}", token=person.token, address=HOST)
            newest = select(AuditEntry.address).order_by(AuditEntry.id.desc()).limit(1)
            assert await session.scalar(newest) == seen
            await session.commit()
