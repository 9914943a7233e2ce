"""What always follows what."""

import pytest

from app.miners import sequences
from tests.miners.trial import Trial, trial


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[sequences.FAMILY])


def numbered(path: str, usual: str, other: str, few: int = 2) -> dict[str, str]:
    return {path.format(number): usual if number < 30 else other for number in range(30 + few)}


GO = "package a\n\nfunc TestIt(t *testing.T) {{\n\t{}\n}}\n"
PYTHON = "def run():\n    {}\n"


@pytest.mark.parametrize(
    ("path", "usual", "other", "said", "line"),
    [
        (
            "a/part{}_test.go",
            GO.format("s := runServer(t)\n\tdefer s.Shutdown()"),
            GO.format("s := runServer(t)\n\tcall(s)"),
            "Go tests that open something (`runServer`) close it at once, by `defer`",
            4,
        ),
        (
            "a/part{}_test.go",
            GO.format("s, err := made.Connect(t)\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n\tt.Cleanup(s.Close)"),
            GO.format("s, err := made.Connect(t)\n\trequire.NoError(t, err)\n\tdefer s.Close()"),
            "Go tests that open something (`Connect`) close it at once, by `t.Cleanup`",
            4,
        ),
        (
            "a/part{}_test.go",
            GO.format("// Leaks fail.\n\tdefer leaktest.After(t)()\n\trun()"),
            GO.format("run()"),
            "Go tests begin with `defer leaktest.After(…)`",
            3,
        ),
        (
            "shop/part{}.py",
            PYTHON.format("event, hint = event_of(1)\n    await hub.capture(event)"),
            PYTHON.format("event = event_of(1)\n    event.save()"),
            "Python results of `event_of` are handed to `capture` at once",
            2,
        ),
        (
            "src/part{}.ts",
            "const made = await page.build(1);\nreturn submit(made);\n",
            "const made = build(1);\nmade.submit();\n",
            "TypeScript results of `build` are handed to `submit` at once",
            1,
        ),
        (
            "a/Part{}.java",
            "class A { void a() { Event event = build(1);\nbus.publish(event); } }\n",
            "class A { void a() { Event event = build(1); } }\n",
            "Java results of `build` are handed to `publish` at once",
            1,
        ),
        (
            "a/part{}.go",
            "package a\n\nfunc a() {\n\tmade := build(1)\n\tpublish(made)\n}\n",
            "package a\n\nfunc a() {\n\tmade := build(1)\n\tmade.run()\n}\n",
            "Go results of `build` are handed to `publish` at once",
            4,
        ),
    ],
    ids=["defer", "cleanup", "first", "python", "script", "java", "go"],
)
def test_what_nearly_always_follows(path: str, usual: str, other: str, said: str, line: int) -> None:
    found = mined(numbered(path, usual, other)).find(said)
    assert str(found) == f"{said} (30 of 32)"
    assert found.violations == [f"{path.format(30)}:{line}", f"{path.format(31)}:{line}"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        # What everybody does in Go; what belongs to the test itself; the steps of a builder; checks and logs.
        ("a/part{}.go", "package a\n\nfunc a() {\n\tctx, cancel := context.WithCancel(b)\n\tdefer cancel()\n}\n"),
        ("a/part{}.go", "package a\n\nfunc a() {\n\tlocked := s.take()\n\tdefer s.mu.Unlock()\n}\n"),
        ("a/part{}_test.go", GO.format("t.Parallel()\n\trun()")),
        ("a/part{}_test.go", GO.format("file, err := os.Open(a)\n\tcheck(t, err)\n\tdefer file.Close()")),
        ("shop/part{}.py", PYTHON.format("made = build()\n    made.add(1)")),
        ("shop/part{}.py", PYTHON.format("made = build()\n    logger.info(made)")),
        ("tests/test_part{}.py", PYTHON.format("made = build()\n    submit(made)")),
    ],
    ids=["cancel", "unlock", "parallel", "standard", "builder", "log", "tests"],
)
def test_what_says_nothing(path: str, text: str) -> None:
    assert mined(numbered(path, text, text)).said == []


def test_what_half_of_them_do_is_none() -> None:
    usual, other = GO.format("s := runServer(t)\n\tdefer s.Stop()"), GO.format("s := runServer(t)\n\tcall(s)")
    assert mined(numbered("a/part{}_test.go", usual, other, few=25)).said == []
