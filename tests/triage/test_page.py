"""The tabs of the page, as somebody finds them who opens it for the first time."""

import re

from playwright.async_api import Locator, expect

from app.web.graphiql import TABS
from tests.identity.installation import Person
from tests.triage.desk import Desk
from tests.wire.browser import browsing, run_tab


async def seen(answer: Locator, words: str) -> bool:
    """Tell whether an answer comes within a moment."""
    try:
        await expect(answer).to_contain_text(words, timeout=1_000)
    except AssertionError:
        return False
    return True


async def test_every_tab_works_at_once(desk: Desk) -> None:
    pattern = await desk.pattern(name="Said in a tab")
    admin: Person = desk.people["admin"]
    async with browsing(f"{desk.home.service.url}#token={admin.token}") as page:
        answer, state = page.locator(".result-window"), page.locator("#state")
        names = re.findall(r"^(?:query|mutation|subscription) (\w+)", "\n".join(tab.query for tab in TABS), re.M)
        told = {
            "LookAround": '"candidate": 1',
            "ConnectRepo": '"fullName": "encode/starlette"',
            "StartIngestion": '"alreadyRunning"',
            "FollowIngestion": '"kind": "SNAPSHOT"',
            "TriageQueue": "Said in a tab",
            "Promote": '"status": "AUTHORITATIVE"',
            "FollowPatterns": '"kind": "DEMOTED"',
        }
        assert list(told) == names
        for name, words in told.items():
            await page.get_by_role("tab", name=name).click()
            await run_tab(page, name)
            if name.startswith("Follow"):
                await expect(state).to_have_text("Live")
            if name == "FollowPatterns":
                # The page knows that it is connected, not whether the server has begun to follow.
                await desk.done("demotePattern", {"patternId": pattern})
                while not await seen(answer, words):
                    await desk.done("promotePattern", {"patternId": pattern})
                    await desk.done("demotePattern", {"patternId": pattern})
            await expect(answer).to_contain_text(words)
            if name.startswith("Follow"):
                await page.locator(".graphiql-execute-button").click()
                await expect(state).to_have_text("Not connected")
