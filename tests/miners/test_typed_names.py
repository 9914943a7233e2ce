"""The names of parameters of a type, and of functions that return it."""

import pytest

from app.miners import typed_names
from tests.miners.trial import Trial, trial

PYTHON = "def part_{n}({name}: EventStore, count: int) -> None:\n    pass\n"
TYPESCRIPT = "export function part{n}({name}: EventStore, count: number): void {{}}\n"
GO = "package a\n\nfunc (s *EventStore) Part{n}({name} *store.EventStore, count int) {{}}\n"
JAVA = "class Part{n} {{\n  void part(final EventStore {name}, int count) {{}}\n}}\n"
RUST = "fn part_{n}({name}: &mut store::EventStore, count: usize) {{}}\n"
TEXTS = {"py": PYTHON, "ts": TYPESCRIPT, "go": GO, "java": JAVA, "rs": RUST}
COMMAND = "package a\n\nfunc {name}() *cobra.Command {{ return nil }}\n"


def mined(ending: str, text: str, name: str, other: str) -> Trial:
    """Mine twenty files, the last of which names it otherwise."""
    names = [name] * 19 + [other]
    files = {f"src/p{n}.{ending}": text.format(n=n, name=each) for n, each in enumerate(names)}
    return trial(files, families=[typed_names.FAMILY])


@pytest.mark.parametrize("ending", TEXTS)
def test_parameters_of_a_type_have_one_name(ending: str) -> None:
    found = mined(ending, TEXTS[ending], "journal", "events")
    told = found.find("parameters of type")
    assert told.name.endswith("parameters of type `EventStore` are called `journal`")
    assert (told.conforming, told.applicable) == (19, 20)
    assert [place.partition(":")[0] for place in told.violations] == [f"src/p19.{ending}"]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        pytest.param("store", "events", id="says the type"),
        pytest.param("event_store", "events", id="says all of the type"),
        pytest.param("s", "events", id="one letter"),
        pytest.param("req", "events", id="given by its tools"),
    ],
)
def test_a_name_that_is_no_choice_is_not_said(name: str, other: str) -> None:
    assert mined("py", PYTHON, name, other).said == []


def test_names_that_differ_say_nothing() -> None:
    names = ("journal", "events", "log")
    files = {f"src/p{n}.py": PYTHON.format(n=n, name=names[n % 3]) for n in range(30)}
    assert trial(files, families=[typed_names.FAMILY]).said == []


def test_what_holds_others_is_called_after_what_it_holds() -> None:
    assert mined("py", PYTHON.replace("EventStore", "list[Path]"), "journal", "events").said == []
    assert mined("py", PYTHON.replace("EventStore", "Mapping[str, int]"), "journal", "events").said == []


def test_functions_that_return_a_type_are_named_alike() -> None:
    names = [f"new{part}Cmd" for part in ("Get", "List", "Push", "Pull", "Lint", "Test", "Show", "Plug", "Repo", "Env")]
    files = {f"src/p{n}.go": COMMAND.format(name=name) for n, name in enumerate([*names, *names[:8], "root"])}
    found = trial(files, families=[typed_names.FAMILY]).find("functions that return")
    assert str(found) == "Go functions that return `Command` are named `new…Cmd` (18 of 19)"
    assert found.violations == ["src/p18.go:3"]


def test_functions_that_are_named_after_what_they_make_are_no_news() -> None:
    names = [f"{verb}{part}Command" for verb in ("new", "build", "make") for part in ("Get", "List", "Push", "Pull")]
    files = {f"src/p{n}.go": COMMAND.format(name=name) for n, name in enumerate(names * 2)}
    assert trial(files, families=[typed_names.FAMILY]).said == []


def test_which_word_what_makes_them_begins_with_is_news() -> None:
    names = [f"new{part}Command" for part in ("Get", "List", "Push", "Pull", "Lint", "Test", "Show", "Plug", "Repo")]
    files = {f"src/p{n}.go": COMMAND.format(name=name) for n, name in enumerate(names * 2)}
    found = trial(files, families=[typed_names.FAMILY])
    assert found.said == ["Go functions that return `Command` are named `new…Command` (18 of 18)"]


def test_words_behind_the_one_that_makes_them_are_news() -> None:
    names = [f"NewCmd{part}" for part in ("Get", "List", "Push", "Pull", "Lint", "Test", "Show", "Plug", "Repo")]
    files = {f"src/p{n}.go": COMMAND.format(name=name) for n, name in enumerate(names * 2)}
    found = trial(files, families=[typed_names.FAMILY])
    assert found.said == ["Go functions that return `Command` are named `NewCmd…` (18 of 18)"]


@pytest.mark.parametrize(
    ("before", "kind"), [("@Override ", "EventStore"), ("", "EventStore[]")], ids=["overridden", "several"]
)
def test_what_a_base_has_named_and_what_is_many_is_no_choice(before: str, kind: str) -> None:
    text = JAVA.replace("void", f"{before}void").replace("EventStore", kind)
    assert mined("java", text, "journal", "events").said == []


def test_the_same_name_for_parameters_of_other_types_is_said_once() -> None:
    text = PYTHON.replace("EventStore", "{kind}")
    files = {
        f"src/{kind}{n}.py": text.format(n=n, name="journal", kind=kind)
        for kind in ("EventStore", "EventReader", "EventWriter")
        for n in range(20)
    }
    found = trial(files, families=[typed_names.FAMILY])
    assert len(found.said) == 1, found.said
    assert found.suppressed.counts["over the limit"] == 2
