"""Pages: every row that stays is told exactly once, whatever happens to the others between two pages."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.confidence import TIER_RANKS, ConfidenceTier
from app.domain.ids import Kind, public
from app.domain.pattern import PatternStatus
from tests import factories
from tests.resolvers.conftest import Ask

FIELDS = ("CREATED_AT", "UPDATED_AT", "NAME", "ADOPTION", "TIER")
DIRECTIONS = ("ASC", "DESC")
ROWS = 17
PAGE = 4
A_MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)


async def pattern(session: AsyncSession, repo: models.Repo, number: int, **over: Any) -> models.Pattern:
    """Make a pattern that ties with others in every order, and has nulls where there may be some."""
    measured: dict[str, Any] = {"tier": tuple(ConfidenceTier)[number % 3], "applicable": 6, "conforming": number % 4}
    if number % 3 == 0:
        measured = {"tier": None, "instances": None, "applicable": None, "conforming": None}
    values = {
        "name": f"Pattern {number % 5}",
        "updated_at": A_MOMENT + timedelta(hours=number % 4),
        "backtest_violations": number % 2,
        "backtest_pull_requests": 0,
        "backtest_examined": 1,
        "backtest_window_days": 90,
        "backtest_computed_at": A_MOMENT,
        **measured,
    }
    return await factories.pattern(session, repo, **{**values, **over})


@pytest.fixture
async def patterns(session: AsyncSession, repo: models.Repo) -> list[models.Pattern]:
    made = [await pattern(session, repo, number) for number in range(ROWS)]
    for row in made:
        await session.refresh(row)
    return made


def id_of(row: models.Pattern) -> str:
    return public(Kind.PATTERN, row.id)


def expected(rows: Sequence[models.Pattern], field: str, direction: str) -> list[str]:
    """Sort as the product promises: nulls last in both directions, ties by id."""
    ranks = {"CREATED_AT": "id", "UPDATED_AT": "updated_at", "NAME": "name", "ADOPTION": "adoption"}

    def key(row: models.Pattern) -> Any:
        if field == "TIER":
            return None if row.tier is None else TIER_RANKS[row.tier]
        return getattr(row, ranks[field])

    def sort(some: list[models.Pattern], by: Callable[[models.Pattern], Any]) -> list[models.Pattern]:
        return sorted(some, key=lambda row: (by(row), row.id), reverse=direction == "DESC")

    with_value = sort([row for row in rows if key(row) is not None], key)
    without = sort([row for row in rows if key(row) is None], lambda row: 0)
    return [id_of(row) for row in (*with_value, *without)]


@pytest.mark.parametrize(
    ("asked", "empty", "filled"),
    [
        ("totalCount", {"totalCount": 0}, {"totalCount": 1}),
        ("pageInfo { hasNextPage }", {"pageInfo": {"hasNextPage": False}}, {"pageInfo": {"hasNextPage": False}}),
        ("pageInfo { hasPreviousPage }", {"pageInfo": {"hasPreviousPage": False}}, None),
        ("pageInfo { endCursor }", {"pageInfo": {"endCursor": None}}, None),
    ],
    ids=["count", "next", "previous", "end"],
)
async def test_a_queue_tells_what_is_asked_of_it_alone(
    asked: str, empty: Any, filled: Any, ask: Ask, repo: models.Repo, session: AsyncSession
) -> None:
    query = f"query($id: ID!) {{ triageQueue(repoId: $id) {{ {asked} }} }}"
    assert (await ask(query, id=public(Kind.REPO, repo.id)))["data"] == {"triageQueue": empty}
    # Without a tier, which is where the queue goes by nulls.
    await pattern(session, repo, 0)
    told = (await ask(query, id=public(Kind.REPO, repo.id)))["data"]["triageQueue"]
    assert told == (filled or told)
    assert "endCursor" not in asked or told["pageInfo"]["endCursor"]
    elsewhere = await ask(query, id=public(Kind.REPO, repo.organization_id))
    assert elsewhere["data"]["triageQueue"] is None


class Walk:
    """Walks a list page by page, from either end."""

    def __init__(self, ask: Ask, field: str, arguments: str, *, backward: bool, **variables: Any) -> None:
        size, cursor = ("last", "before") if backward else ("first", "after")
        self.query = f"""query($id: ID!, $size: Int, $cursor: String) {{
            {field}({arguments} {size}: $size, {cursor}: $cursor) {{
                nodes {{ id }} edges {{ cursor }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            }} {"}" if field.startswith("repo(") else ""}
        }}"""
        self.ask, self.backward, self.variables = ask, backward, variables

    async def pages(self) -> AsyncIterator[list[str]]:
        """Give the ids of each page, in the list's order, and look at what the page says of itself."""
        cursor = None
        while True:
            answer = await self.ask(self.query, size=PAGE, cursor=cursor, **self.variables)
            assert "errors" not in answer, answer
            page = answer["data"]
            while "pageInfo" not in page:
                (page,) = page.values()
            info, cursors = page["pageInfo"], [edge["cursor"] for edge in page["edges"]]
            assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
            more, behind = ("hasPreviousPage", "hasNextPage") if self.backward else ("hasNextPage", "hasPreviousPage")
            assert info[behind] is (cursor is not None)
            yield [node["id"] for node in page["nodes"]]
            if not info[more]:
                return
            cursor = info["startCursor" if self.backward else "endCursor"]

    async def all(self, between: Callable[[], Any] | None = None) -> list[str]:
        """Walk to the end, and let something happen between two pages."""
        seen: list[str] = []
        async for page in self.pages():
            seen = page + seen if self.backward else seen + page
            if between is not None:
                await between()
        return seen


def walk(ask: Ask, repo: models.Repo, field: str, direction: str, *, backward: bool) -> Walk:
    order = f"orderBy: {{field: {field}, direction: {direction}}},"
    return Walk(ask, "repo(id: $id) { patterns", order, backward=backward, id=public(Kind.REPO, repo.id))


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("field", FIELDS)
async def test_every_order_is_walked_both_ways_with_nulls_last(
    field: str,
    direction: str,
    backward: bool,
    ask: Ask,
    repo: models.Repo,
    patterns: list[models.Pattern],
) -> None:
    seen = await walk(ask, repo, field, direction, backward=backward).all()
    assert seen == expected(patterns, field, direction)


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("field", FIELDS)
async def test_rows_that_stay_are_told_once_while_others_come_and_go(
    field: str,
    direction: str,
    backward: bool,
    ask: Ask,
    repo: models.Repo,
    patterns: list[models.Pattern],
    session: AsyncSession,
) -> None:
    staying, leaving = patterns[::2], patterns[1::2]
    numbers = iter(range(100))

    async def between() -> None:
        number = next(numbers)
        await pattern(session, repo, number)
        if leaving:
            await session.execute(delete(models.Pattern).where(models.Pattern.id == leaving.pop().id))
            await session.commit()

    seen = await walk(ask, repo, field, direction, backward=backward).all(between)
    assert len(set(seen)) == len(seen)
    stayed = {id_of(row) for row in staying}
    assert [identifier for identifier in seen if identifier in stayed] == expected(staying, field, direction)


async def test_the_triage_queue_tells_the_best_candidates_first(
    ask: Ask, repo: models.Repo, patterns: list[models.Pattern]
) -> None:
    queue = Walk(ask, "triageQueue", "repoId: $id,", backward=False, id=public(Kind.REPO, repo.id))
    ranked = sorted(
        patterns, key=lambda row: (-(TIER_RANKS[row.tier] if row.tier else 0), -row.backtest_caught, row.id)
    )
    assert await queue.all() == [id_of(row) for row in ranked]


async def test_what_is_decided_during_triage_leaves_the_queue_and_moves_nothing_else(
    ask: Ask, repo: models.Repo, patterns: list[models.Pattern], session: AsyncSession
) -> None:
    queue = Walk(ask, "triageQueue", "repoId: $id,", backward=False, id=public(Kind.REPO, repo.id))
    waiting = await queue.all()
    decided: set[str] = set()
    seen: list[str] = []
    async for page in queue.pages():
        seen += page
        # A person decides what the page shows, and somebody else one that is still to come.
        for identifier in (page[0], *waiting[-1:]):
            decided.add(identifier)
        await session.execute(
            update(models.Pattern)
            .where(models.Pattern.id.in_([row.id for row in patterns if id_of(row) in decided]))
            .values(status=PatternStatus.AUTHORITATIVE)
        )
        await session.commit()
        waiting = [identifier for identifier in waiting if identifier not in decided]
    assert len(set(seen)) == len(seen)
    assert set(waiting) <= set(seen)


async def test_the_deferred_stand_apart_and_the_longest_deferred_first(
    ask: Ask, repo: models.Repo, session: AsyncSession
) -> None:
    rows = [
        await pattern(
            session,
            repo,
            number,
            status=PatternStatus.DEFERRED,
            deferred_at=A_MOMENT - timedelta(days=number % 3),
        )
        for number in range(6)
    ]
    waiting = await pattern(session, repo, 7)
    repo_id = public(Kind.REPO, repo.id)
    deferred = await Walk(ask, "triageQueue", "repoId: $id, deferred: true,", backward=False, id=repo_id).all()
    assert deferred == [id_of(row) for row in sorted(rows, key=lambda row: (row.deferred_at, row.id))]
    assert await Walk(ask, "triageQueue", "repoId: $id,", backward=False, id=repo_id).all() == [id_of(waiting)]


async def cursor_of(ask: Ask, repo: models.Repo, arguments: str) -> str:
    answer = await ask(
        f"query($id: ID!) {{ repo(id: $id) {{ patterns({arguments}) {{ pageInfo {{ endCursor }} }} }} }}",
        id=public(Kind.REPO, repo.id),
    )
    return str(answer["data"]["repo"]["patterns"]["pageInfo"]["endCursor"])


def tampered(cursor: str) -> Iterator[str]:
    """Change a cursor in every way that leaves it looking like one."""
    for place in (0, 15, 16, 20, len(cursor) - 1):
        yield cursor[:place] + ("0" if cursor[place] != "0" else "1") + cursor[place + 1 :]
    yield from (cursor[:-2], cursor + "5d", cursor[16:], "0" * 16 + cursor[16:], cursor.upper(), f" {cursor}")
    yield from ("", " ", "x", "ü", "null", "[]", "0" * 5000, "MTIzNDU2Nzg5MDEyMzQ1Ng==")


@pytest.mark.parametrize("end", ["after", "before"])
async def test_a_cursor_that_was_tampered_with_is_refused(
    end: str, ask: Ask, repo: models.Repo, patterns: list[models.Pattern]
) -> None:
    true = await cursor_of(ask, repo, "first: 2")
    query = f"""query($id: ID!, $cursor: String) {{
        repo(id: $id) {{ patterns(first: 2, {end}: $cursor) {{ nodes {{ id }} }} }}
    }}"""
    assert "errors" not in await ask(query, id=public(Kind.REPO, repo.id), cursor=true)
    for cursor in tampered(true):
        answer = await ask(query, id=public(Kind.REPO, repo.id), cursor=cursor)
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "VALIDATION_ERROR", "fields": {end: "not a cursor of this list"}}
        assert answer["data"] == {"repo": None}


@pytest.mark.parametrize(
    "other",
    [
        "repo(id: $id) { patterns(orderBy: {field: NAME}, after: $cursor) { nodes { id } } }",
        "repo(id: $id) { patterns(orderBy: {field: CREATED_AT, direction: ASC}, after: $cursor) { nodes { id } } }",
        "repo(id: $id) { runs(after: $cursor) { nodes { id } } }",
        "repo(id: $id) { id } patterns(after: $cursor) { nodes { id } }",
        "repo(id: $id) { id } triageQueue(repoId: $id, after: $cursor) { nodes { id } }",
    ],
)
async def test_a_cursor_of_another_list_or_order_is_refused(
    other: str, ask: Ask, repo: models.Repo, patterns: list[models.Pattern]
) -> None:
    true = await cursor_of(ask, repo, "first: 2")
    answer = await ask(f"query($id: ID!, $cursor: String) {{ {other} }}", id=public(Kind.REPO, repo.id), cursor=true)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["VALIDATION_ERROR"]


async def test_a_cursor_of_a_row_that_is_gone_still_tells_its_place(
    ask: Ask, repo: models.Repo, patterns: list[models.Pattern], session: AsyncSession
) -> None:
    cursor = await cursor_of(ask, repo, "first: 5, orderBy: {field: CREATED_AT, direction: ASC}")
    await session.execute(delete(models.Pattern).where(models.Pattern.id == patterns[4].id))
    await session.commit()
    answer = await ask(
        """query($id: ID!, $cursor: String) {
            repo(id: $id) {
                patterns(first: 2, after: $cursor, orderBy: {field: CREATED_AT, direction: ASC}) { nodes { id } }
            }
        }""",
        id=public(Kind.REPO, repo.id),
        cursor=cursor,
    )
    assert answer["data"]["repo"]["patterns"]["nodes"] == [{"id": id_of(row)} for row in patterns[5:7]]


@pytest.mark.parametrize("size", [0, -1, 101, -(1 << 31), (1 << 31) - 1])
@pytest.mark.parametrize("argument", ["first", "last"])
async def test_a_page_has_from_1_to_100_rows(argument: str, size: int, ask: Ask, repo: models.Repo) -> None:
    answer = await ask(f"query($size: Int) {{ patterns({argument}: $size) {{ nodes {{ id }} }} }}", size=size)
    assert answer["data"] == {"patterns": None}
    assert answer["errors"][0]["extensions"] == {
        "code": "VALIDATION_ERROR",
        "fields": {argument: "must be from 1 to 100"},
    }


@pytest.mark.parametrize(("size", "told"), [(1, 1), (100, ROWS), (None, ROWS)])
@pytest.mark.parametrize("argument", ["first", "last"])
async def test_the_bounds_themselves_are_allowed(
    argument: str, size: int, told: int, ask: Ask, repo: models.Repo, patterns: list[models.Pattern]
) -> None:
    answer = await ask(f"query($size: Int) {{ patterns({argument}: $size) {{ nodes {{ id }} }} }}", size=size)
    assert len(answer["data"]["patterns"]["nodes"]) == told


async def test_without_a_size_a_page_has_20_rows_and_one_of_evidence_3(
    ask: Ask, repo: models.Repo, session: AsyncSession
) -> None:
    for number in range(21):
        row = await pattern(session, repo, number)
    for _ in range(4):
        await factories.evidence(session, row)
    answer = await ask("{ patterns { nodes { evidence(first: null) { nodes { id } } } pageInfo { hasNextPage } } }")
    page = answer["data"]["patterns"]
    assert len(page["nodes"]) == 20
    assert page["pageInfo"]["hasNextPage"] is True
    assert len(page["nodes"][0]["evidence"]["nodes"]) == 3


async def test_first_and_last_together_are_refused(ask: Ask, repo: models.Repo) -> None:
    answer = await ask("{ patterns(first: 1, last: 1) { nodes { id } } }")
    assert answer["errors"][0]["extensions"]["fields"] == {"last": "given with first"}


async def searched(ask: Ask, text: str, **over: Any) -> Any:
    """Search, and give the page."""
    query = """query($text: String, $first: Int, $after: String, $last: Int, $before: String) {
        patterns(filter: {search: $text}, first: $first, after: $after, last: $last, before: $before) {
            nodes { name } totalCount pageInfo { hasNextPage startCursor endCursor }
        }
    }"""
    return await ask(query, text=text, **over)


async def names_found(ask: Ask, text: str) -> list[str]:
    answer = await searched(ask, text, first=100)
    assert "errors" not in answer, answer
    return [node["name"] for node in answer["data"]["patterns"]["nodes"]]


async def test_a_search_tells_the_best_matches_first(ask: Ask, repo: models.Repo, session: AsyncSession) -> None:
    for name, description, rationale in (
        ("Named elsewhere", "Nothing of it here.", "Because of handlers."),
        ("Handlers return errors", "Every handler returns.", "Handlers."),
        ("Also named elsewhere", "Whatever handlers do.", None),
        ("Of something else", "Whatever.", None),
    ):
        await factories.pattern(session, repo, name=name, description=description, rationale=rationale)
    expected = ["Handlers return errors", "Also named elsewhere", "Named elsewhere"]
    assert await names_found(ask, "handlers") == expected
    # The start of a word is enough, and its other forms are found as well; all words must occur.
    assert await names_found(ask, "HANDL") == expected
    assert await names_found(ask, "handling") == expected
    assert await names_found(ask, "handl return") == ["Handlers return errors"]
    # What is no word asks for nothing more.
    assert await names_found(ask, "handlers & | ! ( ' \\ :* <->") == expected
    assert len(await names_found(ask, " ")) == 4
    # Words that say nothing ask for nothing more, but by themselves they may be the starts of others.
    assert await names_found(ask, "the handlers") == expected
    assert await names_found(ask, "what") == ["Of something else", "Also named elsewhere"]
    assert await names_found(ask, "the") == []
    answer = await ask(
        '{ patterns(filter: {search: "handlers"}, orderBy: {field: NAME, direction: ASC}) { nodes { name } } }'
    )
    assert [node["name"] for node in answer["data"]["patterns"]["nodes"]] == sorted(expected)


async def test_the_best_matches_are_walked_both_ways_while_others_come_and_go(
    ask: Ask, repo: models.Repo, session: AsyncSession
) -> None:
    staying = []
    for number in range(11):
        name = f"{'handler ' * (number % 3)}number {number}"
        staying.append((await factories.pattern(session, repo, name=name, description="A handler.")).name)
    order = await names_found(ask, "handler")
    assert sorted(order) == sorted(staying)
    for size, cursor, end in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
        seen: list[str] = []
        place = None
        while True:
            page = (await searched(ask, "handler", **{size: 3, cursor: place}))["data"]["patterns"]
            names = [node["name"] for node in page["nodes"] if not node["name"].startswith("new")]
            seen = seen + names if size == "first" else names + seen
            place = page["pageInfo"][end]
            if not page["nodes"]:
                break
            await factories.pattern(session, repo, name=f"new handler {len(seen)}", description="A handler.")
        assert seen == order


async def test_a_place_in_one_search_is_none_in_another(ask: Ask, repo: models.Repo, session: AsyncSession) -> None:
    for _ in range(3):
        await factories.pattern(session, repo, name="A handler", description="returns")
    first = await searched(ask, "handler", first=1)
    cursor = first["data"]["patterns"]["pageInfo"]["endCursor"]
    assert "errors" not in await searched(ask, "handler", first=1, after=cursor)
    # The same words are the same search.
    assert "errors" not in await searched(ask, " handler, ", first=1, after=cursor)
    for text in ("returns", "handler returns", ""):
        answer = await searched(ask, text, first=1, after=cursor)
        assert answer["errors"][0]["extensions"]["fields"] == {"after": "not a cursor of this list"}
