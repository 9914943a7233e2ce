"""Guides: a convention is told with the line that states it, and with none that only sounds like it."""

import pytest

from app.domain.listing import Listing
from app.miners import caught_names, guides, raised_errors
from app.miners.core.family import Declared, World
from tests.miners.trial import trial


def cited(sentence: str, *lines: str) -> Declared | None:
    world = World(Listing([]), {"lines": [("AGENTS.md", number, line) for number, line in enumerate(lines, 1)]})
    return guides.cites(world, sentence)


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        (
            "Rust errors are made by `format_err!`, not by `anyhow!`",
            "Use `anyhow::format_err!` rather than `anyhow::anyhow`.",
        ),
        (
            "Python source methods in `app/api/` carry `@api_process`",
            "- Use the `@api_process` decorator for API methods",
        ),
        ("Python exception classes live in `exceptions.py`", "- **Custom exceptions**: defined in `exceptions.py`"),
    ],
    ids=["rather", "decorator", "place"],
)
def test_a_line_that_states_it_is_cited(sentence: str, line: str) -> None:
    found = cited(sentence, "Nothing of `importance` here.", line)
    if "anyhow" in sentence:
        # The line names `anyhow` first, so its order tells nothing: better no citation than a wrong one.
        assert found is None
    else:
        assert found is not None
        assert (found.path, found.line) == ("AGENTS.md", 2)


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("Go files log with `zap`, not with `slog`", "Use `slog` instead of `zap` for all logging."),
        ("Python caught exceptions are named `err`", "Never call a variable `err` if exceptions are meant."),
        ("Python caught exceptions are named `err`", "Write to `stdout`, and caught exceptions to the log."),
        ("Python modules of `tests` import each other relatively", "Modules of `tests` import what they need."),
        ("TypeScript statements end without semicolons", "Statements end without semicolons, as `prettier` has it."),
    ],
    ids=["turned round", "contrary", "other name", "plain word", "no name"],
)
def test_what_only_sounds_like_it_is_not(sentence: str, line: str) -> None:
    assert cited(sentence, line) is None


def test_what_a_guide_states_is_told_with_the_place() -> None:
    text = "try:\n    pass\nexcept ValueError as load_error:\n    raise KeyError(1) from load_error\n"
    files = {f"src/part{number}.py": text for number in range(30)}
    files["CONTRIBUTING.md"] = "# Style\n\n* Name caught exceptions `load_error`.\n"
    families = [caught_names.FAMILY, guides.FAMILY, raised_errors.FAMILY]
    place = trial(files, families=families).find("are named `load_error`").measured.candidate.proposal.declared
    assert place is not None
    assert (place.path, place.line, place.statement) == ("CONTRIBUTING.md", 3, "Name caught exceptions `load_error`")
