"""Names and places of classes by what they extend, implement or are decorated with."""

import pytest

from app.miners.classes import names, places
from tests.miners.trial import Trial, trial

CLASSES = {
    "py": "class {name}(ports.Port[int]):\n    pass\n",
    "ts": "export class {name} extends ports.Port<number> {{}}\n",
    "tsx": "export class {name} implements Port<number> {{}}\n",
    "js": "class {name} extends Port {{ run() {{}} }}\n",
    "java": "@Wired\npublic class {name} extends Port<Integer> {{}}\n",
    "rs": "impl<T> ports::Port for {name}<T> {{}}\n",
}
BASE = {"rs": "pub trait Port {}\n"}
SAID = {
    "py": "Python subclasses of `Port`",
    "ts": "TypeScript subclasses of `Port`",
    "tsx": "TypeScript classes that implement `Port`",
    "js": "JavaScript subclasses of `Port`",
    "java": "Java subclasses of `Port`",
    "rs": "Rust types that implement `Port`",
}
WORDS = ("Red", "Blue", "Green", "Old", "New", "Far", "Near", "Slow", "Fast", "Big", "Flat", "Odd")


def repository(ending: str, classes: dict[str, str]) -> Trial:
    """Put classes by name into files by path, beside as many files that have nothing to do with them."""
    files = {path: CLASSES[ending].format(name=name) for name, path in classes.items()}
    other = CLASSES[ending].replace("Port", "Other")
    files |= {f"src/rest{place}/more{place}.{ending}": other.format(name=f"Rest{place}Thing") for place in range(30)}
    files[f"src/ports.{ending}"] = BASE.get(ending, "")
    return trial(files, families=[names.FAMILY, places.FAMILY])


@pytest.mark.parametrize("ending", CLASSES)
def test_a_name_after_the_kind(ending: str) -> None:
    classes = {f"{word}Gate": f"src/{word.lower()}/{word.lower()}.{ending}" for word in WORDS}
    found = repository(ending, {**classes, "OddGateway": f"src/zoo/odd.{ending}"}).find("Port` are named")
    assert str(found) == f"{SAID[ending]} are named `…Gate` (12 of 13)"
    assert found.violations == [f"src/zoo/odd.{ending}:1"]


@pytest.mark.parametrize("ending", CLASSES)
def test_a_place_of_the_kind(ending: str) -> None:
    classes = {f"Gate{word}": f"src/{word.lower()}/gates/{word.lower()}.{ending}" for word in WORDS}
    found = repository(ending, {**classes, "GateOne": f"src/zoo/one.{ending}"}).find("Port` live in")
    assert str(found) == f"{SAID[ending]} live in `gates/` (12 of 13)"
    assert found.violations == [f"src/zoo/one.{ending}:1"]


@pytest.mark.parametrize("ending", CLASSES)
def test_names_and_places_of_all_sorts_are_none(ending: str) -> None:
    classes = {f"Gate{word}": f"src/{word.lower()}/{word.lower()}.{ending}" for word in WORDS}
    assert not [said for said in repository(ending, classes).said if "Port" in said]


def test_errors_live_in_one_module() -> None:
    files = {f"app/part{number}.py": f"class Part{number}(Model): ...\n" for number in range(9)}
    for place, words in (("app", WORDS[:7]), ("lib", WORDS[7:])):
        files[f"{place}/_errors.py"] = "".join(f"class {word}Error(web.HTTPError): ...\n" for word in words)
    files["lib/zoo.py"] = "class Lost(LookupError): ...\n"
    found = trial(files, families=[places.FAMILY])
    assert found.said == ["Python exception classes live in `_errors.py` (12 of 13)"]
    assert found.find("_errors").violations == ["lib/zoo.py:1"]


def test_a_file_with_a_base_and_all_that_extends_it_is_its_own_affair() -> None:
    shapes = "class Shape: ...\n" + "".join(f"class {word}Shape(Shape): ...\n" for word in WORDS)
    files = {f"app/part{number}.py": f"class Part{number}(Model): ...\n" for number in range(9)}
    assert trial({**files, "app/shapes.py": shapes}, families=[places.FAMILY]).said == []


def test_what_one_file_alone_has_is_its_own_affair_but_for_errors() -> None:
    files = {f"app/part{number}.py": f"class Part{number}(Model): ...\n" for number in range(9)}
    files |= {f"app/lost{number}.py": f"class Lost{number}(LookupError): ...\n" for number in range(9)}
    people = {"app/hooks.py": "ada"}
    for base, said in (
        ("Formatter", []),
        ("WebError", ["Python subclasses of `WebError` live in `hooks.py` (12 of 12)"]),
    ):
        hooks = "".join(f"class {word}{base[3:]}({base}): ...\n" for word in WORDS)
        found = trial(files | {"app/hooks.py": hooks}, families=[places.FAMILY], authors=people)
        assert found.said == said


def test_errors_beside_their_base_are_news_in_a_module_of_errors() -> None:
    files = {f"app/part{number}.py": f"class Part{number}(Model): ...\n" for number in range(9)}
    files |= {f"app/lost{number}.py": f"class Lost{number}(LookupError): ...\n" for number in range(9)}
    errors = "class AppError(Exception): ...\n" + "".join(f"class {word}Error(AppError): ...\n" for word in WORDS)
    people = {"app/errors.py": "ada", "app/gate.py": "ada"}
    for name, said in (("errors", ["Python subclasses of `AppError` live in `errors.py` (12 of 12)"]), ("gate", [])):
        found = trial({**files, f"app/{name}.py": errors}, families=[places.FAMILY], authors=people)
        assert found.said == said


def test_kinds_with_the_same_classes_are_said_once() -> None:
    text = "@Wired\n@Slow(1)\npublic class {0}Gate implements Port {{}}\n"
    files = {f"src/gates/{word}.java": text.format(word) for word in WORDS}
    files |= {f"src/rest/Rest{number}.java": f"class Rest{number} extends Other {{}}\n" for number in range(30)}
    assert sorted(trial(files, families=[places.FAMILY]).said) == [
        "Java classes that implement `Port` live in `gates/` (12 of 12)"
    ]
    assert sorted(trial(files, families=[names.FAMILY]).said) == [
        "Java classes that implement `Port` are named `…Gate` (12 of 12)"
    ]


def test_a_long_file_of_classes_counts_whole() -> None:
    files = {f"src/error/{word}.ts": f"class {word}Error extends AppError {{}}\n" for word in WORDS}
    files |= {f"src/rest{number}/part.ts": f"class Part{number} extends Other {{}}\n" for number in range(30)}
    files["src/typings.ts"] = "".join(f"class Type{number} extends Error {{}}\n" for number in range(90))
    said = trial(files, families=[places.FAMILY]).said
    assert "TypeScript subclasses of `AppError` live in `error/` (12 of 12)" in said
    assert not [each for each in said if "error classes" in each and "`error/`" in each]


def test_a_folder_with_much_of_the_code_is_no_place() -> None:
    files = {f"src/core/gate{word}.py": f"class Gate{word}(Port): ...\n" for word in WORDS}
    assert trial(files, families=[places.FAMILY]).said == []


@pytest.mark.parametrize(
    ("ending", "text", "said"),
    [
        ("ts", "export interface I{0} {{}}\n", "TypeScript interfaces are named `I…` (12 of 12)"),
        ("java", "interface I{0} {{}}\n", "Java interfaces are named `I…` (12 of 12)"),
        ("ts", "export abstract class Base{0} {{}}\n", "TypeScript abstract classes are named `Base…` (12 of 12)"),
        ("java", "public abstract class Abstract{0} {{}}\n", "Java abstract classes are named `Abstract…` (12 of 12)"),
        ("java", "@rest.Web(1)\npublic class {0}Api {{}}\n", "Java classes with `@Web` are named `…Api` (12 of 12)"),
        ("ts", "@Web()\nexport class {0}Api {{}}\n", "TypeScript classes with `@Web` are named `…Api` (12 of 12)"),
        ("py", "@rest.web\nclass {0}Api: ...\n", "Python classes with `@web` are named `…Api` (12 of 12)"),
        (
            "ts",
            "@Web()\nexport class {0}GitHub {{}}\n",
            "TypeScript classes with `@Web` are named `…GitHub` (12 of 12)",
        ),
    ],
    ids=["ts-i", "java-i", "ts-base", "java-abstract", "java-annotation", "ts-decorator", "py-decorator", "brand"],
)
def test_affixes_of_other_kinds(ending: str, text: str, said: str) -> None:
    files = {f"src/{word.lower()}.{ending}": text.format(word) for word in WORDS}
    assert trial(files, families=[names.FAMILY]).said == [said]


def test_what_every_repository_does_is_no_news() -> None:
    files = {f"src/{word}.java": f"class {word}Exception extends RuntimeException {{}}\n" for word in WORDS}
    found = trial(files, families=[names.FAMILY])
    assert found.said == []
    assert found.suppressed.counts["language norm"] >= 1


def test_that_errors_are_called_errors_goes_without_saying() -> None:
    files = {f"src/{word}{n}.py": f"class {word}{n}Error(Error): ...\n" for word in WORDS for n in range(4)}
    assert not any("subclasses of `Error`" in each for each in trial(files, families=[names.FAMILY]).said)


def test_what_carries_two_marks_is_named_after_one_of_them() -> None:
    marked = {word: "@Fork(1)\n" + "@Measured(2)\n" * (word not in ("Red", "Odd")) for word in WORDS}
    files = {f"src/{word.lower()}/{word}Gate.java": f"{marked[word]}class {word}Gate {{}}\n" for word in WORDS}
    others = {f"src/rest{n}/Rest{n}Thing.java": f"public class Rest{n}Thing {{}}\n" for n in range(30)}
    found = trial({**files, **others}, families=[names.FAMILY])
    assert len(found.said) == 1
    assert "are named `…Gate`" in found.said[0]
    assert found.suppressed.counts["said by another"] == 1


def test_that_a_few_are_named_after_their_base_is_no_news() -> None:
    few = {f"{word}Port": f"src/{word.lower()}.ts" for word in WORDS}
    assert not any("Port`" in said for said in repository("ts", few).said)
    many = few | {f"{word}{more}Port": f"src/{word}{more}.ts" for word in WORDS for more in ("Est", "Er", "Ly")}
    assert "(48 of 48)" in str(repository("ts", many).find("are named `…Port`"))


def test_in_java_a_file_is_no_place() -> None:
    held = "".join(f"  @Wired static class {word}Gate {{}}\n" for word in WORDS)
    files = {f"src/rest{n}/Rest{n}Thing.java": f"public class Rest{n}Thing {{}}\n" for n in range(30)}
    assert trial({"src/All.java": f"public class All {{\n{held}}}\n", **files}, families=[places.FAMILY]).said == []
