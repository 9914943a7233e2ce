"""Line templates: what all files of a place carry, and nobody else."""

import pytest

from app.miners import line_templates
from tests.miners.trial import trial

RULE = """\
/** @type {import('../types').Rule} */
module.exports = {
    meta: { url: "https://example.org/rules/%s" },
    create(context) { return %d; },
};
"""
OTHER = "export function number%d() {\n    return compute(%d);\n}\n"


def repository(rules: int = 12) -> dict[str, str]:
    names = [f"no-{word}-{number}" for number, word in enumerate(["empty", "unused", "magic"] * 10)][:rules]
    files = {f"src/rules/{name}.js": RULE % (name, number) for number, name in enumerate(names)}
    return files | {f"src/core/part{number}.js": OTHER % (number, number) for number in range(12)}


def test_lines_that_stand_together_are_one_convention_of_their_folder() -> None:
    found = trial(repository(), families=[line_templates.FAMILY])
    assert found.said == [
        (
            "JavaScript source files in `src/rules/` carry `/** @type {import('../types').Rule} */`, "
            '`meta: { url: "https://example.org/rules/{stem}" },` and 1 more line (12 of 12)'
        )
    ]


def test_the_file_that_lacks_a_line_is_the_counter_example() -> None:
    files = repository(14) | {"src/rules/odd-one.js": "module.exports = {};\n"}
    found = trial(files, families=[line_templates.FAMILY]).find("src/rules")
    assert (found.conforming, found.applicable, found.violations) == (14, 15, ["src/rules/odd-one.js"])


def test_evidence_points_at_the_lines() -> None:
    found = trial(repository(), families=[line_templates.FAMILY]).conventions[0]
    assert {(place.start, place.end) for place in found.measured.measurement.samples} == {(1, 3)}


def test_what_most_others_carry_too_is_no_convention_of_one_place() -> None:
    lines = {False: "def main(): run(shop)\n", True: "class Main:\n"}
    files = {f"all/m{number}.py": lines[False] for number in range(12)}
    files |= {f"other/m{number}.py": lines[number % 4 == 0] for number in range(40)}
    found = trial(files, families=[line_templates.FAMILY])
    assert found.said == []
    assert found.suppressed.counts == {"holds everywhere": 1}


def test_lines_of_one_place_are_said_with_one_that_is_common_elsewhere() -> None:
    tests = {f"test/part{n}.js": "const internals = {};\nconst { it } = Lab.script();\n" for n in range(18)}
    sources = {f"lib/part{n}.js": "const internals = {};\n" if n % 3 else "" for n in range(18)}
    found = trial(tests | sources, families=[line_templates.FAMILY])
    assert any("Lab.script()" in each for each in found.said)


def test_files_that_share_nothing_say_nothing() -> None:
    files = {f"src/m{number}.py": f"value_{number} = compute_{number}(\n    {number}\n)\n" for number in range(40)}
    assert trial(files, families=[line_templates.FAMILY]).said == []


def test_how_any_module_exports_is_no_line_of_a_place() -> None:
    files = {f"src/rules/rule{number}.js": f"module.exports = {{\n  a: {number} }};\n" for number in range(12)}
    files |= {f"src/core/part{number}.js": OTHER % (number, number) for number in range(12)}
    assert trial(files, families=[line_templates.FAMILY]).said == []


@pytest.mark.parametrize(
    ("ending", "line", "others", "said"),
    [
        pytest.param("py", "def setUp(self):", "x = {}", False, id="member"),
        pytest.param("js", "apply(compiler) {{", "x({});", False, id="method"),
        pytest.param("ts", "async up(): Promise<void> {{", "x({});", False, id="typed-method"),
        pytest.param("java", "public String getName() throws Lost {{", "class A{} {{}}", False, id="override"),
        pytest.param("java", "public {}() {{", "class A{} {{}}", False, id="constructor"),
        pytest.param("go", "func (s *Store) Close() error {{", "var a{} int", False, id="go-method"),
        pytest.param("rs", "fn test_examples() -> Result<(), E> {{", "struct A{};", False, id="function"),
        pytest.param("rs", "call: &Call,", "struct A{};", False, id="parameter"),
        pytest.param("rs", "values::{{Kind, Other}},", "struct A{};", False, id="import"),
        pytest.param("java", "final String[] expected = {{", "class A{} {{}}", False, id="variable"),
        pytest.param("rs", "(Type::Number, Type::Float),", "struct A{};", False, id="item"),
        pytest.param("ts", "conditions: ['@shop/custom'],", "x({});", True, id="item-with-a-text"),
        pytest.param("ts", "export const {} = createStep(", "x({});", True, id="call"),
        pytest.param("rs", "impl Command for Told {{", "struct A{};", True, id="implementation"),
    ],
)
def test_a_member_that_something_asks_for_says_nothing_alone(ending: str, line: str, others: str, said: bool) -> None:
    files = {f"src/rules/part{number}.{ending}": f"{line.format(f'part{number}')}\n" for number in range(12)}
    files |= {f"src/core/more{number}.{ending}": f"{others.format(number)}\n" for number in range(12)}
    found = trial(files, families=[line_templates.FAMILY])
    assert bool(found.said) is said
    assert "nothing worth saying" in found.suppressed.counts or said


def test_of_copies_of_one_shape_one_sentence_is_said() -> None:
    """A few copies lack a line, so that it has a scope of its own, and is not found together with the other."""
    files = {f"core/part{number}.py": f"y = {number}\n" for number in range(60)}
    files |= {f"icons/new/icon{number}.py": "SHAPE = shape_of('icon')\nTITLE = shown('icon')\n" for number in range(40)}
    files |= {f"icons/old/icon{number}.py": "SHAPE = shape_of('icon')\n" for number in range(4)}
    found = trial(files, families=[line_templates.FAMILY])
    assert found.said == ["Python source files in `icons/` carry `SHAPE = shape_of('icon')` (44 of 44)"]
    assert found.suppressed.examples["said by another"] == [
        "Python source files in `icons/new/` carry `TITLE = shown('icon')` (40 of 40)"
    ]


@pytest.mark.parametrize(("tests", "said"), [(14, False), (15, True)])
def test_few_tests_of_one_place_are_copies_of_each_other(tests: int, said: bool) -> None:
    files = {f"tests/shop/test_m{number}.py": "SHAPE = shape_of('icon')\n" for number in range(tests)}
    files |= {f"tests/core/test_n{number}.py": f"y = {number}\n" for number in range(30)}
    assert bool(trial(files, families=[line_templates.FAMILY]).said) is said


def test_examples_of_one_thing_are_alike_anyway() -> None:
    files = {f"examples/shop/part{number}.py": "SHAPE = shape_of('icon')\n" for number in range(30)}
    files |= {f"examples/core/part{number}.py": f"y = {number}\n" for number in range(30)}
    files |= {f"src/part{number}.py": f"y = {number}\n" for number in range(30)}
    assert trial(files, families=[line_templates.FAMILY]).said == []


def test_what_a_tool_writes_into_migrations_is_no_convention() -> None:
    files = {f"shop/migrations/000{number}_more.py": "class Migration(Step):\n    pass\n" for number in range(12)}
    files |= {f"shop/part{number}.py": f"x = {number}\n" for number in range(12)}
    assert trial(files, families=[line_templates.FAMILY]).said == []


def test_a_mark_of_whole_files_is_told_though_it_is_one_word() -> None:
    files = {f"src/part{number}/package-info.java": f"@NullMarked\npackage part{number};\n" for number in range(12)}
    files |= {f"src/part{number}/More.java": f"class More {{ int a{number}; }}\n" for number in range(12)}
    found = trial(files, families=[line_templates.FAMILY]).find("@NullMarked")
    assert found.name == "Java source files in `package-info.java` carry `@NullMarked`"


def test_attributes_of_rust_are_lines_and_no_comments_and_main_names_nobody() -> None:
    main = "#[derive(Debug)]\nstruct Shop%d;\n\n#[tokio::main]\nasync fn main() {\n    run(%d);\n}\n"
    files = {f"examples/e{number}/src/main.rs": main % (number, number) for number in range(12)}
    files |= {f"src/part{number}.rs": f"#[derive(Debug)]\nenum Kind{number} {{}}\n" for number in range(12)}
    found = trial(files, families=[line_templates.FAMILY])
    assert found.said == ["Rust example files carry `#[tokio::main]` (12 of 12)"]


def test_what_is_named_for_its_file_is_said_by_own_names() -> None:
    lines = "export interface Part{0}Props {{\nexport const usePart{0} = () => {{\nmodule.exports = Part{0};\n"
    files = {f"src/rules/part{number}.ts": lines.format(number) for number in range(12)}
    files |= {f"src/core/other{number}.ts": OTHER % (number, number) for number in range(12)}
    assert trial(files, families=[line_templates.FAMILY]).said == []


def test_sources_of_one_name_that_share_many_lines_are_copies() -> None:
    body = "".join(f"const part{word} = make('{word}', {{\n" for word in ("one", "two", "three", "four", "five"))
    files = {f"packages/{name}/src/glue.js": f"{body}// {name}\n" for name in "abcdefghijkl"}
    files |= {f"packages/{name}/src/more{name}.js": OTHER % (ord(name), 1) for name in "abcdefghijkl"}
    assert trial(files, families=[line_templates.FAMILY]).said == []
