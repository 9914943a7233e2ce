"""How types are written, in Python and TypeScript."""

import pytest

from app.miners import type_forms
from tests.miners.trial import Trial, trial


def mined(ending: str, bodies: list[str]) -> Trial:
    files = {f"src/part{number}.{ending}": f"{body}\n" for number, body in enumerate(bodies)}
    return trial(files, families=[type_forms.FAMILY])


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said"),
    [
        ("py", "def a() -> int: ...", "def a(): ...", "functions annotate what they return"),
        ("py", "a: int | None", "a: Optional[int]", "types say `X | None`, not `Optional[X]`"),
        ("py", "a: t.Optional[int]", "a: int | None", "types say `Optional[X]`, not `X | None`"),
        ("py", "a: int | str", "a: Union[int, str]", "types say `X | Y`, not `Union[X, Y]`"),
        ("py", "a: list[dict[str, int]]", "a: List[int]", "types use the built-in `list[…]`"),
        ("py", "a: typing.List[int]", "a: list[int]", "types use `List[…]` and `Dict[…]` of `typing`"),
        ("ts", "interface A { a: string }", "type A = { a: string }", "are written as `interface`, not as `type`"),
        ("tsx", "type A = { a: string }", "interface A { a: string }", "are written as `type`, not as `interface`"),
        ("ts", "let a: Array<string>;", "let a: string[];", "are written `Array<T>`, not `T[]`"),
        ("ts", "type A<TItem> = TItem;", "type A<Item> = Item;", "type parameters are named `T…`, as `TItem`"),
        ("ts", "function a(): A { return b; }", "function a() { return b; }", "annotate what they return"),
        ("ts", "class A { private a = 1 }", "class A { a = 1 }", "say `public`, `protected` or `private`"),
        ("ts", "class A { #a = 1 }", "class A { private a = 1 }", "are written `#name`, not `private name`"),
    ],
    ids=[
        "returns", "bar", "optional", "union", "builtin", "typing",
        "interface", "type", "array", "parameter", "annotated", "access", "hash",
    ],
)  # fmt: skip
def test_one_form_for_nearly_all(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 38 + [other] * 2).find(said)
    assert found.applicable - found.conforming == 2
    assert [each.partition(":")[0] for each in found.violations] == [f"src/part38.{ending}", f"src/part39.{ending}"]


@pytest.mark.parametrize(
    ("ending", "one", "other"),
    [("py", "a: int | None", "a: Optional[int]"), ("ts", "interface A { a: string }", "type A = { a: string }")],
    ids=["py", "ts"],
)
def test_forms_by_halves_are_none(ending: str, one: str, other: str) -> None:
    assert mined(ending, [one, other] * 20).said == []


def test_what_everybody_writes_is_no_news() -> None:
    found = mined("ts", ["let a: string[];"] * 30)
    assert found.said == []
    assert found.suppressed.counts["language norm"] == 1


def test_parts_of_a_type_are_not_asked_again() -> None:
    found = mined("py", ["a: dict[str, list[int | None]]"] * 20).find("X | None")
    assert found.applicable == 20
