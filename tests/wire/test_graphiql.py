"""The GraphiQL page: who gets it, what it may load, and that a person can work with it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from graphql import DocumentNode, build_schema, get_operation_ast, parse, validate
from playwright.async_api import Page, expect

from app.web.graphiql import EXAMPLES, TABS, Example, GraphiQL, Tab
from tests.wire.browser import browsing, run_tab
from tests.wire.conftest import Start
from tests.wire.service import Service

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

TOY_TABS = (
    Tab("query Who {\n  me\n}\n"),
    Tab("mutation Add($by: Int!) {\n  add(by: $by)\n}\n", {"by": 2}),
    Tab("subscription Ticks {\n  ticks\n}\n"),
    Tab("query Echo($text: String!) {\n  echo(text: $text)\n}\n", {"text": "somebody"}),
    Tab("query Late($text: String!) {\n  echo(text: $text)\n}\n", {"text": "who came late"}),
)
TOY_EXAMPLES = (Example("somebody", "{ me }", ("me",)), Example("who came late", "{ arrived }", ("arrived",)))


@pytest.fixture
async def paged(start: Start) -> Service:
    """A service with the page, and tabs that fit its schema."""
    return await start(GraphiQL(tabs=TOY_TABS, examples=TOY_EXAMPLES))


async def test_a_browser_gets_the_page_and_programs_get_answers(paged: Service) -> None:
    for query in (None, "{ me }"):
        page = await paged.get(query, accept=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await paged.get("{ me }", accept="application/json, text/html")).json() == {"data": {"me": "stranger"}}
    assert (await paged.get("{ me }", accept="*/*")).json() == {"data": {"me": "stranger"}}
    assert (await paged.post({"query": "{ me }"}, accept=BROWSER)).json() == {"data": {"me": "stranger"}}


async def test_the_page_may_load_nothing_from_elsewhere(paged: Service) -> None:
    page = await paged.get(accept=BROWSER)
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(addresses) >= 8
    assert all(address.startswith("graphql/static/") for address in addresses)
    # The one script element without a source holds data.
    assert re.findall(r"<script(?! defer src=)[^>]*>", page.text) == ['<script type="application/json" id="settings">']
    assert not re.search(r"<[^>]+ on\w+=", page.text)


async def test_its_files_are_kept_for_ever(paged: Service) -> None:
    page = await paged.get(accept=BROWSER)
    for address in set(re.findall(r'(?:src|href)="([^"]*)"', page.text)):
        url = paged.url.removesuffix("graphql") + address
        file = await paged.client.get(url, headers={"accept-encoding": "gzip"})
        assert file.status_code == 200
        assert file.headers["content-encoding"] == "gzip"
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["content-type"].partition(";")[0] in ("text/javascript", "text/css", "image/svg+xml")
        plain = await paged.client.get(url, headers={"accept-encoding": "identity"})
        assert plain.content == file.content
        again = await paged.client.get(url, headers={"if-none-match": file.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    for wrong in ("0000000000000000/page.js", "page.js", "..%2fgraphiql.py", ""):
        assert (await paged.client.get(f"{paged.url}/static/{wrong}")).status_code == 404


def test_what_the_page_asks_is_in_the_schema() -> None:
    schema = build_schema(Path("schema.graphql").read_text())
    documents = (parse(document) for document in (*(tab.query for tab in TABS), *(asked.query for asked in EXAMPLES)))
    assert {name_of(document) for document in documents if validate(schema, document)} == set()


def name_of(document: DocumentNode) -> str | None:
    operation = get_operation_ast(document)
    return operation.name.value if operation and operation.name else None


@pytest.fixture
async def page(paged: Service) -> AsyncIterator[Page]:
    """The page in a browser."""
    async with browsing(paged.url) as page:
        yield page


async def test_a_person_can_work_with_it(page: Page, paged: Service) -> None:
    answer = page.locator(".result-window")
    run = page.locator(".graphiql-execute-button")

    # The first tab works at once; then with a token, which this tab of the browser remembers.
    await run.click()
    await expect(answer).to_contain_text('"me": "stranger"')
    await page.fill("#token", f"Bearer {paged.token}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#state")).to_have_text("Not connected")
    await run.click()
    await expect(answer).to_contain_text('"me": "viewer"')
    await page.reload()
    await run.click()
    await expect(answer).to_contain_text('"me": "viewer"')

    # A query as a person types it; the editor closes what is opened.
    await page.get_by_label("Add tab").click()
    editor = page.locator(".graphiql-query-editor .CodeMirror")
    await editor.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.type('query Typed { echo(text: "typed")')
    await expect(page.get_by_role("tab", name="Typed")).to_be_visible()
    await run.click()
    await expect(answer).to_contain_text('"echo": "typed"')

    # A mutation with variables, and variables that the page has filled in.
    await page.get_by_role("tab", name="Add", exact=True).click()
    await run_tab(page, "Add")
    await expect(answer).to_contain_text('"add": 2')
    await page.get_by_role("tab", name="Echo").click()
    await run_tab(page, "Echo")
    await expect(answer).to_contain_text('"echo": "viewer"')

    # A live subscription, started and stopped.
    await page.get_by_role("tab", name="Ticks").click()
    await run_tab(page, "Ticks")
    await expect(page.locator("#state")).to_have_text("Live")
    await expect(answer).to_contain_text(re.compile(r'"ticks": [5-9]|"ticks": \d\d'))
    await run.click()
    await expect(page.locator("#state")).to_have_text("Not connected")
    await paged.engine.until(open_streams=0)

    await page.get_by_label("Show Documentation Explorer").click()
    await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Subscription")
    await page.get_by_label("Show History").click()
    await expect(page.locator(".graphiql-history")).to_contain_text("Typed")
    assert "token" not in await page.evaluate("JSON.stringify(localStorage)")


async def test_what_was_not_there_when_the_page_opened_is_looked_for_again(page: Page, paged: Service) -> None:
    await page.get_by_role("tab", name="Late").click()
    await run_tab(page, "Late")
    answer = page.locator(".result-window")
    await expect(answer).to_contain_text('"echo": "who came late"')
    paged.engine.arrived = "here at last"
    await page.locator(".graphiql-execute-button").click()
    await expect(answer).to_contain_text('"echo": "here at last"')


async def test_a_link_may_bring_a_token_and_an_operation(page: Page, paged: Service) -> None:
    await page.goto(f"{paged.url}?query=query+Linked{{me}}#token={paged.token}")
    await run_tab(page, "Linked")
    await expect(page.locator(".result-window")).to_contain_text('"me": "viewer"')
    assert paged.token not in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_follows_the_system_by_day_and_night(page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for part in ("body", ".graphiql-container"):
        ground = await page.locator(part).evaluate("part => getComputedStyle(part).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
        assert (brightness < 80) if scheme == "dark" else (brightness > 200)
