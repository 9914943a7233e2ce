"""Names of the pieces that a changelog is put together from."""

from app.miners import changelog_fragments
from tests.miners.trial import Trial, trial


def mined(paths: list[str]) -> Trial:
    return trial(dict.fromkeys(paths, "Something changed.\n"), families=[changelog_fragments.FAMILY])


KINDS = ("bugfix", "feature", "doc")


def test_the_kinds_are_said() -> None:
    named = [f"changes/{100 + number}.{KINDS[number % 3]}.rst" for number in range(19)]
    found = mined([*named, "changes/odd.rst", "changes/README.rst", "changes/_template.rst", "docs/a.rst"])
    said = (
        "Fragments of the changelog in `changes/` are named `*.<kind>.rst`, the kind one of `bugfix`, `doc`, `feature`"
    )
    assert found.said == [f"{said} (19 of 20)"]
    assert found.find("Fragments").violations == ["changes/odd.rst"]
    assert found.find("Fragments").scope == ("changes/*",)


def test_without_kinds_the_ending_is_said() -> None:
    found = mined([f"tool/.changeset/lazy-cats-{number}.md" for number in range(8)] + ["tool/.changeset/config.json"])
    assert found.said == ["Fragments of the changelog in `tool/.changeset/` are files `*.md` (8 of 8)"]


def test_news_are_fragments_where_they_have_kinds() -> None:
    named = [f"news/{100 + number}.{KINDS[number % 3]}.rst" for number in range(12)]
    assert mined(named).find("Fragments of the changelog in `news/` are named `*.<kind>.rst`").conforming == 12
    assert mined([f"news/{number}.md" for number in range(12)]).said == []


def test_other_folders_and_few_fragments_say_nothing() -> None:
    assert mined([f"docs/{number}.{KINDS[number % 3]}.rst" for number in range(20)]).said == []
    assert mined([f"changes/{number}.bugfix.rst" for number in range(5)]).said == []
    assert mined([f"changes/{number}.{'md' if number % 2 else 'rst'}" for number in range(20)]).said == []
    assert mined([f"changes/part{number}.py" for number in range(20)]).said == []
