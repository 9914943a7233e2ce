"""A browser that people would use, and that reports whatever goes wrong in it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright, expect

# As long as a slow machine may take; it waits no longer than it has to.
expect.set_options(timeout=30_000)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_BROWSER = "NO CHROMIUM ON THE PATH: the GraphiQL page was not tried in a browser"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Page]:
    """Open a page; afterwards nothing was asked of any other host, and nothing went wrong."""
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    faults: list[str] = []
    own = url.partition("/graphql")[0]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((own, "data:")) else faults.append(asked.url))
        page.on("websocket", lambda opened: None if f"/{own[7:]}" in opened.url else faults.append(opened.url))
        await page.goto(url)
        yield page
        await browser.close()
    assert faults == []


async def run_tab(page: Page, operation: str) -> None:
    """Run a tab once GraphiQL has read it; a moment before, it would still name the operation of another tab."""
    await page.wait_for_function("name => localStorage.getItem('graphiql:operationName') === name", arg=operation)
    await page.locator(".graphiql-execute-button").click()
