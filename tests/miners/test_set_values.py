"""Set values: what values of a type, annotations and decorators always set."""

import pytest

from app.miners import set_values
from tests.miners.trial import Trial, trial

GO = "package a\n\nvar a{n} = &cobra.Command{{Use: name({n}), {set}}}\n"
JAVA = "@Json({set})\nclass A{n} {{}}\n"
ANGULAR = "@Component({{selector: s{n}, {set}}})\nexport class A{n} {{}}\n"
PATHS = {GO: "cmd/a{n}.go", JAVA: "src/main/java/a/A{n}.java", ANGULAR: "src/a{n}.ts"}


def mined(text: str, usual: str, other: str = "", *, path: str | None = None) -> Trial:
    """Mine twenty files, the last of which sets something else."""
    values = [usual] * 19 + [other or usual]
    path = path or PATHS[text]
    files = {path.format(n=n): text.format(n=n, set=value) for n, value in enumerate(values)}
    return trial(files, families=[set_values.FAMILY])


@pytest.mark.parametrize(
    ("text", "usual", "other", "said"),
    [
        (GO, "Quiet: true", "Quiet: false", "Go values of `cobra.Command` set `Quiet: true`"),
        (GO, "Min: tls.VersionTLS12", "A: b", "Go values of `cobra.Command` set `Min: tls.VersionTLS12`"),
        (JAVA, 'a = A.BIG, b = "c"', "a = A.OLD", 'Java annotations `@Json` are given `a = A.BIG`, `b = "c"`'),
        (JAVA, "Mode.ALL", "Mode.NONE", "Java annotations `@Json` are given `Mode.ALL`"),
        (ANGULAR, "standalone: true", "a: b", "TypeScript decorators `@Component` set `standalone: true`"),
    ],
    ids=["flag", "constant", "pairs", "alone", "decorator"],
)
def test_what_each_sets_is_said(text: str, usual: str, other: str, said: str) -> None:
    found = mined(text, usual, other)
    assert found.said == [f"{said} (19 of 20)"]
    assert [each.partition(":")[0] for each in found.conventions[0].violations] == [PATHS[text].format(n=19)]


@pytest.mark.parametrize(
    ("text", "value"), [(GO, "Run: func() {}"), (JAVA, '"a"'), (JAVA, "a = b"), (ANGULAR, "inputs: [a]")]
)
def test_what_is_no_constant_was_not_settled(text: str, value: str) -> None:
    assert mined(text, value).said == []


def test_what_tests_of_go_set_up_is_what_they_are_about() -> None:
    assert mined(GO, "Quiet: true", path="cmd/a{n}_test.go").said == []


def test_what_files_of_one_name_set_their_name_says() -> None:
    others = {f"cmd/b{n}/other.go": GO.format(n=n, set="Use: other") for n in range(20)}
    files = {f"cmd/a{n}/list.go": GO.format(n=n, set='Use: "list"') for n in range(20)}
    assert trial(files | others, families=[set_values.FAMILY]).said == []
