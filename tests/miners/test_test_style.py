"""How tests are written, in each language."""

import pytest

from app.miners import test_style
from tests.miners.trial import Trial, trial

TEMPLATES = {
    "ts": ("src/part{0}.test.ts", "describe('part', () => {{\n  {1}\n}});\n"),
    "js": ("test/part{0}.test.js", "{1}\n"),
    "py": ("tests/test_part{0}.py", "import pytest\n\n\n{1}\n"),
    "java": ("src/test/java/a/Part{0}Test.java", "class Part{0}Test {{\n    @Test\n    {1}\n}}\n"),
    "go": ("part{0}_test.go", "package a\n\n{1}\n"),
    "rs": ("src/part{0}.rs", "#[cfg(test)]\nmod tests {{\n    {1}\n}}\n"),
}


def mined(ending: str, bodies: list[str]) -> Trial:
    path, file = TEMPLATES[ending]
    files = {path.format(number): file.format(number, body) for number, body in enumerate(bodies)}
    return trial(files, families=[test_style.FAMILY])


ASYNC = "{}\nasync def test_it():\n    pass"
MANY = "@pytest.mark.parametrize({}, [])\ndef test_it(a, b):\n    pass"
CLASS = "class {}:\n    @mark\n    def test_it(self):\n        {}"
TABLE = "func TestIt(t *testing.T) {{\n\tfor _, each := range {} {{\n\t\tt.Run(each.name, nil)\n\t}}\n}}"


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said"),
    [
        ("ts", "it('works', () => {});", "test('works', () => {});", "tests are written with `it`, not with `test`"),
        ("js", "QUnit.test('works', f);", "test('works', f);", "tests are written with `QUnit.test`"),
        ("js", "it('should work', () => {});", "it('works', () => {});", "titles of tests begin with `should`"),
        ("js", "test('a', f);", "describe('a', () => { test('b', f); });", "tests stand flat, without `describe`"),
        (
            "py",
            "def test_it():\n    pass",
            "class TestIt:\n    def test_it(self):\n        pass",
            "tests are functions, not methods of classes",
        ),
        (
            "py",
            "class TestIt:\n    def test_it(self):\n        pass",
            "def test_it():\n    pass",
            "tests are methods of classes",
        ),
        (
            "py",
            ASYNC.format("@pytest.mark.anyio"),
            ASYNC.format("@pytest.mark.asyncio"),
            "async tests carry `@pytest.mark.anyio`",
        ),
        (
            "py",
            MANY.format('("a", "b")'),
            MANY.format('"a, b"'),
            'several names of `parametrize` are given as a tuple, `("a", "b")`',
        ),
        (
            "py",
            MANY.format('"a,b"'),
            MANY.format('["a", "b"]'),
            'several names of `parametrize` are given as one text, `"a, b"`',
        ),
        ("java", "void testIt() {}", "void works() {}", "test methods begin with `test`"),
        ("java", "void it_works() {}", "void works() {}", "names of test methods have underscores"),
        ("java", "void works() {}", "public void works() {}", "test methods are not `public`"),
        (
            "go",
            "func TestIt(t *testing.T) {\n\tt.Parallel()\n}",
            "func TestIt(t *testing.T) {}",
            "tests run in parallel: they call `t.Parallel()`",
        ),
        ("py", CLASS.format("test_it", "pass"), CLASS.format("TestIt", "pass"), "classes of tests are named `test_…`"),
        (
            "py",
            CLASS.format("TestIt", "pass\n\n    def setup_method(self):\n        pass"),
            CLASS.format("TestIt", "pass\n\n    def setUp(self):\n        pass"),
            "classes of tests are prepared by `setup_method`",
        ),
        ("go", TABLE.format("cases"), TABLE.format("tests"), "tables of tests are called `cases`"),
        (
            "go",
            TABLE.format("cases").replace("each", "tc"),
            TABLE.format("cases").replace("each", "tt"),
            "cases of tests are called `tc`",
        ),
        (
            "go",
            TABLE.format("cases").replace("each.name", "each.desc"),
            TABLE.format("cases"),
            "cases of tests are titled by their `desc`",
        ),
        (
            "go",
            TABLE.format("cases").replace("nil", "func(t *testing.T) { t.Parallel() }"),
            TABLE.format("cases"),
            "cases of tests run in parallel: `t.Parallel()`",
        ),
        ("java", "void works() {}", "void testIt() {}", "without `test` before it"),
        ("rs", "#[test]\n    fn test_it() {}", "#[test]\n    fn it_works() {}", "test functions begin with `test_`"),
        ("rs", "#[test]\n    fn it_works() {}", "#[test]\n    fn test_it() {}", "without `test_`"),
    ],
    ids=[
        "it",
        "qunit",
        "should",
        "flat",
        "functions",
        "methods",
        "async",
        "tuple",
        "text",
        "prefix",
        "underscores",
        "package",
        "parallel",
        "classes",
        "preparing",
        "table",
        "case",
        "titles",
        "parallel cases",
        "no prefix",
        "rust",
        "plain",
    ],
)
def test_one_style_for_nearly_all(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 38 + [other] * 2).find(said)
    assert (found.conforming, found.applicable) == (38, 40)
    assert len(found.violations) == 2
    assert all(each.partition(":")[0].count("38") or each.partition(":")[0].count("39") for each in found.violations)


def test_a_function_that_is_called_test_and_given_no_title_is_none() -> None:
    found = mined("ts", ["it('works', () => { test(a); test(b) });"] * 20)
    assert "TypeScript tests are written with `it`, not with `test` (20 of 20)" in found.said


@pytest.mark.parametrize("ending", ["ts", "java", "go"])
def test_styles_by_halves_are_none(ending: str) -> None:
    halves = {
        "ts": ("it('a', f);", "test('a', f);"),
        "java": ("public void testIt() {}", "void works() {}"),
        "go": ("func TestA(t *testing.T) {\n\tt.Parallel()\n}", "func TestB(t *testing.T) {}"),
    }
    assert [said for said in mined(ending, list(halves[ending]) * 20).said if "grouped" not in said] == []


def test_one_name_of_parametrize_is_no_choice() -> None:
    assert "parametrize" not in " ".join(mined("py", [MANY.format('"a"')] * 30).said)


def test_classes_without_tests_and_plain_names_are_no_news() -> None:
    assert mined("py", [CLASS.format("TestIt", "pass")] * 30).said == ["Python tests are methods of classes (30 of 30)"]
    assert mined("py", ["class FakeShop:\n    def setUp(self):\n        pass"] * 30).said == []
