"""Wrong passwords: how they are slowed down, without locking anybody out."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from app.credentials import browsers
from app.gateways.windows import LocalWindows
from app.rates import ACCOUNT, PAIR, PLACE, Delay, Rates
from tests.identity.conftest import Install
from tests.identity.counting import HOST, Ticks, attempts, limited
from tests.identity.installation import PASSWORD, Installation


async def test_wrong_passwords_are_answered_ever_more_slowly() -> None:
    ticks = Ticks()
    rates = Rates(limited(), LocalWindows(ticks), ticks=ticks)
    for _ in range(PAIR.free + 1):
        assert await attempts(rates, "ada", HOST) == 0
    waits = []
    for _ in range(10):
        wait = await attempts(rates, "ada", HOST)
        waits.append(wait)
        ticks.now += wait
        assert await attempts(rates, "ada", HOST) == 0
    assert waits[0] == 1
    assert waits == sorted(waits)
    assert max(waits) == waits[-1] == 60


async def test_a_hundred_at_once_are_not_all_the_first() -> None:
    rates = Rates(limited(), LocalWindows())
    waits = await asyncio.gather(*(attempts(rates, "ada", HOST) for _ in range(100)))
    assert waits.count(0) == PAIR.free + 1


async def test_the_right_password_makes_it_easy_again() -> None:
    rates = Rates(limited(), LocalWindows())
    for _ in range(PAIR.free):
        await attempts(rates, "ada", HOST)
    assert await attempts(rates, "ada", HOST, right=True) == 0
    for _ in range(PAIR.free):
        assert await attempts(rates, "ada", HOST) == 0


async def test_whoever_tries_many_accounts_is_slowed_as_well() -> None:
    rates = Rates(limited(), LocalWindows())
    waits = [await attempts(rates, f"person {number}", HOST) for number in range(PLACE.free + 3)]
    assert waits[: PLACE.free + 1] == [0] * (PLACE.free + 1)
    assert all(waits[PLACE.free + 1 :])
    assert await attempts(rates, "person 1", "198.51.100.1") == 0


async def test_nobody_is_locked_out_by_others() -> None:
    ticks = Ticks()
    rates = Rates(limited(), LocalWindows(ticks), ticks=ticks)
    assert await attempts(rates, "ada", "203.0.113.1", right=True) == 0
    # A botnet tries hard, all the time.
    for number in range(500):
        await attempts(rates, "ada", f"10.0.{number // 250}.{number % 250}")
    # At her usual place she notices nothing; at a new one she waits for seconds.
    assert await attempts(rates, "ada", "203.0.113.1", right=True) == 0
    for number in range(100):
        await attempts(rates, "ada", f"10.1.0.{number}")
    wait = await attempts(rates, "ada", "203.0.113.99", right=True)
    assert 0 < wait <= ACCOUNT.longest
    ticks.now += wait
    assert await attempts(rates, "ada", "203.0.113.99", right=True) == 0


async def test_a_known_browser_waits_for_nobody_else_wherever_it_is() -> None:
    ticks = Ticks()
    rates = Rates(limited(), LocalWindows(ticks), ticks=ticks)
    for second in range(600):
        ticks.now += 1
        # Somebody behind the same address, and a thousand others, never let go.
        for address in (HOST, HOST, f"10.{second % 250}.{second // 250}.1"):
            await attempts(rates, "ada", address)
        if second % 60 == 59:
            assert await attempts(rates, "ada", HOST, browser="hers") == 0
            assert await attempts(rates, "ada", "203.0.113.99", right=True, browser="hers") == 0
    # What is typed into it counts.
    waits = [await attempts(rates, "ada", HOST, browser="hers") for _ in range(PAIR.free + 3)]
    assert waits[-1] > 0


async def test_a_browser_is_known_again_by_a_cookie_that_opens_nothing(install: Install) -> None:
    sign_in = "mutation($i:SignInInput!){signIn(input:$i){accessToken}}"
    sign_up = "mutation($i:SignUpInput!){signUp(input:$i){accessToken}}"
    async with install(env="production", origins=("https://a.example",)) as home:
        account = {"email": "ada@example.com", "password": PASSWORD}
        made = await home.ask(sign_up, {"i": account}, address="203.0.113.1")
        (header,) = (one for one in made.response.headers.get_list("set-cookie") if "_browser=" in one)
        assert {part.strip() for part in header.split(";")[1:]} == {
            *("Path=/", "HttpOnly", "SameSite=Lax", "Secure"),
            f"Max-Age={400 * 86400}",
        }
        hers = {"cookie": header.partition(";")[0]}
        assert hers["cookie"].startswith("__Host-tenet_browser=")
        assert (await home.ask("{viewer{login}}", headers=hers)).data == {"viewer": None}
        # Somebody at her new address locks everybody there out of her account.
        wrong = {"i": {**account, "password": "another long enough password"}}
        for _ in range(PAIR.free + 3):
            late = await home.ask(sign_in, wrong, address=HOST)
        assert late.code == "RATE_LIMITED"
        assert (await home.ask(sign_in, {"i": account}, address=HOST)).code == "RATE_LIMITED"
        again = await home.ask(sign_in, {"i": account}, address=HOST, headers=hers)
        assert again.codes == []
        assert [one for one in again.response.headers.get_list("set-cookie") if "_browser=" in one] == []
        # For another account, or made up, it is nothing.
        for _ in range(PAIR.free + 3):
            late = await home.ask(sign_in, {"i": {**account, "email": "bob@example.com"}}, address=HOST, headers=hers)
        assert late.code == "RATE_LIMITED"
        forged = {"cookie": hers["cookie"][:-1] + ("0" if hers["cookie"][-1] != "0" else "1")}
        for _ in range(3):
            late = await home.ask(sign_in, wrong, address="198.51.100.7", headers=forged)
        for _ in range(PAIR.free):
            late = await home.ask(sign_in, wrong, address="198.51.100.7")
        assert late.code == "RATE_LIMITED"


@given(st.text(max_size=300) | st.from_regex(r"[\w-]{22}\.[0-9a-f]{64}", fullmatch=True))
def test_nothing_but_our_own_word_vouches(told: str) -> None:
    assert not browsers.vouches("a secret", "ada@example.com", told)
    ours = browsers.vouch("a secret", "ada@example.com")
    assert browsers.vouches("a secret", "ada@example.com", ours)
    assert not browsers.vouches("a secret", "eve@example.com", ours)
    assert not browsers.vouches("another secret", "ada@example.com", ours)


@given(st.integers(0, 10_000), st.integers(0, 40), st.floats(1, 1000))
def test_delays_grow_and_have_an_end(attempts: int, free: int, longest: float) -> None:
    delay = Delay(free, longest)
    assert 0 <= delay.after(attempts) <= delay.after(attempts + 1) <= longest
    assert (delay.after(attempts) == 0) == (attempts <= free)


async def test_signing_in_and_up_have_budgets_of_their_own(install: Install) -> None:
    async with install(env="production", origins=("https://a.example",), sign_ups_per_hour=2) as home:
        sign_up = "mutation($i:SignUpInput!){signUp(input:$i){accessToken}}"
        sign_in = "mutation($i:SignInInput!){signIn(input:$i){accessToken}}"
        codes = []
        for number in range(3):
            account = {"email": f"p{number}@example.com", "password": PASSWORD}
            codes.append((await home.ask(sign_up, {"i": account}, address=HOST)).codes)
        assert codes == [[], [], ["RATE_LIMITED"]]
        wrong = {"i": {"email": "p0@example.com", "password": "another long enough password"}}
        replies = [await home.ask(sign_in, wrong, address=HOST) for _ in range(PAIR.free + 3)]
        assert replies[-1].code == "RATE_LIMITED"
        assert replies[-1].extensions["retryAfter"] >= 1
        # Elsewhere, and for others here, nothing has changed.
        right = {"i": {"email": "p0@example.com", "password": PASSWORD}}
        assert (await home.ask(sign_in, right, address="198.51.100.4")).codes == []
        right["i"]["email"] = "p1@example.com"
        assert (await home.ask(sign_in, right, address=HOST)).codes == []


async def test_addresses_are_not_kept_in_redis(home: Installation, redis_url: str) -> None:
    sign_in = "mutation($i:SignInInput!){signIn(input:$i){accessToken}}"
    await home.ask(sign_in, {"i": {"email": "ada@example.com", "password": PASSWORD}})
    async with Redis.from_url(redis_url) as redis:
        keys = [key.decode() async for key in redis.scan_iter("*")]
    assert any(key.startswith("tenet:rate:pair:") for key in keys)
    assert not any("ada" in key for key in keys)
