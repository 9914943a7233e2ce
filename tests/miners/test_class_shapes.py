"""What classes with one base define of their own accord."""

import pytest

from app.miners.classes import shapes
from tests.miners.trial import Trial, trial

BASES = {
    "py": "class Port:\n    color = None\n\n    @abstractmethod\n    def open(self): ...\n",
    "ts": "export abstract class Port {{ color = 1; abstract open(): void }}\n".replace("{{", "{").replace("}}", "}"),
    "js": "class Port { color = 1; }\n",
    "java": "abstract class Port { int color; abstract void open(); void open(int a) {} }\n",
}
CLASSES = {
    "py": "class Part{0}(Port):\n    {1} = 1\n\n    def open(self):\n        return 1\n",
    "ts": "export class Part{0} extends Port {{ {1} = 1; open() {{}} }}\n",
    "js": "class Part{0} extends Port {{ {1} = 1; }}\n",
    "java": "class Part{0} extends Port {{ int {1} = 1; void open() {{}} }}\n",
}
LANGUAGES = {"py": "Python", "ts": "TypeScript", "js": "JavaScript", "java": "Java"}


def mined(ending: str, members: list[str], base: bool = True) -> Trial:
    files = {f"src/part{number}.{ending}": CLASSES[ending].format(number, name) for number, name in enumerate(members)}
    if base:
        files[f"src/port.{ending}"] = BASES[ending]
    return trial(files, families=[shapes.FAMILY])


@pytest.mark.parametrize("ending", CLASSES)
def test_a_member_that_nearly_all_define(ending: str) -> None:
    found = mined(ending, ["color"] * 19 + ["other"])
    assert found.said == [f"{LANGUAGES[ending]} subclasses of `Port` define `color` (19 of 20)"]
    assert found.conventions[0].violations == [f"src/part19.{ending}:1"]


@pytest.mark.parametrize("ending", CLASSES)
def test_members_of_all_sorts_are_none(ending: str) -> None:
    assert mined(ending, ["color", "shape"] * 10).said == []


@pytest.mark.parametrize("ending", ["py", "ts"])
def test_what_all_define_for_a_base_from_outside_may_be_demanded(ending: str) -> None:
    assert mined(ending, ["color"] * 20, base=False).said == []


def test_what_an_interface_demands_is_no_choice() -> None:
    files = {
        f"src/part{number}.java": f"class Part{number} extends Half {{ public void go() {{}} }}\n"
        for number in range(12)
    }
    files["src/Port.java"] = "interface Port { void go(); }\n"
    files["src/Half.java"] = "abstract class Half implements Port { void stop() {} }\n"
    assert trial(files, families=[shapes.FAMILY]).said == []


def test_members_that_go_together_are_one_convention() -> None:
    body = "class Lost{0}(Failure):\n    status = 404\n    detail: str = 'Lost'\n"
    files = {f"app/part{number}.py": body.format(number) for number in range(10)}
    files["app/failure.py"] = "class Failure(Exception):\n    status = 500\n"
    files["app/rest.py"] = "class Rest(Failure):\n    status = 1\n"
    assert trial(files, families=[shapes.FAMILY]).said == [
        "Python subclasses of `Failure` define `detail` and `status` (10 of 11)"
    ]


TRAIT = "pub trait Command {\n    fn name(&self) -> &str;\n    fn examples(&self) -> Vec<u8> { vec![] }\n}\n"
IMPLEMENTED = 'pub struct Part{0};\n\nimpl Command for Part{0} {{\n    fn name(&self) -> &str {{ "a" }}\n{1}}}\n'


def test_what_a_trait_leaves_open_and_nearly_all_define() -> None:
    members = ["    fn examples(&self) -> Vec<u8> { vec![1] }\n"] * 19 + [""]
    files = {f"src/part{number}.rs": IMPLEMENTED.format(number, text) for number, text in enumerate(members)}
    found = trial(files | {"src/command.rs": TRAIT}, families=[shapes.FAMILY])
    assert found.said == ["Rust types that implement `Command` define `examples` (19 of 20)"]
    assert found.conventions[0].violations == ["src/part19.rs:3"]
    # Of a trait from elsewhere nobody knows what it demands.
    assert trial(files, families=[shapes.FAMILY]).said == []
