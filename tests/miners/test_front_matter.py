"""Front matter: what pages of documentation say of themselves before they begin."""

from app.miners import front_matter
from tests.miners.trial import Trial, trial

PAGE = "---\nweight: {0}\ntitle: Page {0}\n---\n\n# Page\n\nother: {0}\n"


def mined(page: str, other: str, name: str = "page") -> Trial:
    """Mine twenty pages, the last of which is another."""
    files = {f"docs/{name}-{number}.md": page.format(number) for number in range(19)} | {"docs/last.md": other}
    return trial(files, families=[front_matter.FAMILY])


def test_what_nearly_all_pages_give_is_said() -> None:
    found = mined(PAGE, "---\nweigh: 1\n---\n\ntitle: no\nweight: 1\n").find("title")
    assert str(found) == "Pages give their `title` and `weight` in front matter (19 of 20)"
    assert found.violations == ["docs/last.md"]


def test_pages_with_windows_lines_are_pages() -> None:
    assert "Pages give their `title` and `weight`" in " ".join(mined(PAGE.replace("\n", "\r\n"), "# Page\n").said)


def test_pages_without_front_matter_give_nothing() -> None:
    assert mined("# Page {0}\n\ntitle: {0}\n", "# Page\n").said == []
    assert mined("---\ntitle: it never ends\n", "# Page\n").said == []


def test_pages_that_a_platform_knows_by_name_need_none() -> None:
    files = {f"docs/part{number}/README.md": PAGE.format(number) for number in range(20)}
    assert trial(files, families=[front_matter.FAMILY]).said == []
