"""How records are written, and how modules of JavaScript and TypeScript export."""

import pytest

from app.miners import data_models, export_forms
from app.miners.core.family import Family
from tests.miners.trial import Trial, trial

RECORDS = {
    "dataclass": ("py", "@dataclass\nclass A: ...\n", "class A(BaseModel): ...\n", "Python records are dataclasses"),
    "pydantic": (
        "py",
        "class A(p.BaseModel): ...\n",
        "@dataclass\nclass A: ...\n",
        "Python records are models of pydantic",
    ),
    "attrs": (
        "py",
        "@attr.s(slots=True)\nclass A: ...\n",
        "class A(NamedTuple): ...\n",
        "Python records are classes of `attrs`",
    ),
    "frozen": (
        "py",
        "@dataclasses.dataclass(\n    slots=True,\n    frozen=True,\n)\nclass A: ...\n",
        "@dataclass(slots=True)\nclass A: ...\n",
        "Python dataclasses are `frozen=True`",
    ),
    "json": (
        "go",
        'package a\n\ntype A struct {\n\tB string `yaml:"b" json:"big_one,omitempty"`\n}\n',
        'package a\n\ntype A struct {\n\tB string `json:"bigOne"`\n}\n',
        "Go `json` tags are written in snake_case",
    ),
    "yaml": (
        "go",
        'package a\n\ntype A struct {\n\tB string `yaml:"bigOne"`\n}\n',
        'package a\n\ntype A struct {\n\tB string `yaml:"big-one"`\n}\n',
        "Go `yaml` tags are written in camelCase",
    ),
    "derive": (
        "rs",
        "#[derive(Copy, Clone)]\n#[non_exhaustive]\npub struct A { a: u8 }\n",
        "pub enum A { B }\n",
        "Rust public types derive `Clone`",
    ),
    "rename": (
        "rs",
        '#[derive(Debug, serde::Serialize)]\n#[serde(rename_all = "camelCase")]\nstruct A { a: u8 }\n',
        "#[derive(Deserialize)]\nstruct A { a: u8 }\n",
        'Rust types that serde writes or reads say `rename_all = "camelCase"`',
    ),
    "renamed": (
        "rs",
        '#[derive(Debug, Serialize)]\n#[serde(default, rename_all = "kebab-case")]\nstruct A { a: u8 }\n',
        '#[derive(Serialize)]\n#[serde(rename_all = "lowercase")]\n/// B\nstruct A { a: u8 }\n',
        'Rust names that serde changes are written in kebab-case: `rename_all = "kebab-case"`',
    ),
    "unknown": (
        "rs",
        "#[derive(Debug, Deserialize)]\n#[serde(deny_unknown_fields)]\nstruct A { a: u8 }\n",
        "#[derive(Deserialize)]\nstruct A { a: u8 }\n",
        "Rust types that serde reads refuse what they do not know: `deny_unknown_fields`",
    ),
    "readonly": (
        "ts",
        "interface A { readonly a: string }\n",
        "type A = { a: string }\n",
        "TypeScript properties of types are `readonly`",
    ),
}
EXPORTS = {
    "named": (
        "ts",
        "export const a = 1;\n",
        "export default class A {}\n",
        "TypeScript modules export by name; there is no `export default`",
    ),
    "default": (
        "js",
        "export default () => 1;\n",
        "export const a = 1;\n",
        "JavaScript modules have an `export default`",
    ),
    "function": (
        "tsx",
        "export async function a() {}\n",
        "export const a = async () => 1;\n",
        "TypeScript exported functions are written `export function`, not `export const … =`",
    ),
    "const": (
        "ts",
        "export const a = (b: B) => 1;\nexport const c = 2;\n",
        "export function a() {}\n",
        "TypeScript exported functions are written `export const … =`, not `export function`",
    ),
    "star": (
        "ts",
        "export * from './a';\n",
        "export { a } from './a';\n",
        "TypeScript re-exports pass on all of a module: `export * from`",
    ),
    "names": (
        "js",
        "export { a } from './a';\n",
        "export * from './a';\n",
        "JavaScript re-exports name what they pass on; there is no `export *`",
    ),
    "made": (
        "ts",
        "export default createRule<A>({ a: 1 });\n",
        "export default { a: 1 };\n",
        "TypeScript default exports are made by `createRule(…)`",
    ),
    "common": (
        "js",
        "exports.a = 1;\n",
        "module.exports = { a };\n",
        "JavaScript modules export by `exports.name =`",
    ),
}
ASKED = [
    *(pytest.param(data_models.FAMILY, *case, id=name) for name, case in RECORDS.items()),
    *(pytest.param(export_forms.FAMILY, *case, id=name) for name, case in EXPORTS.items()),
]


def mined(family: Family, ending: str, bodies: list[str]) -> Trial:
    return trial({f"src/part{number}.{ending}": body for number, body in enumerate(bodies)}, families=[family])


@pytest.mark.parametrize(("family", "ending", "usual", "other", "said"), ASKED)
def test_nearly_all_do_it(family: Family, ending: str, usual: str, other: str, said: str) -> None:
    found = mined(family, ending, [usual] * 50 + [other]).find(said)
    assert str(found) == f"{said} (50 of 51)"
    assert [place.partition(":")[0] for place in found.violations] == [f"src/part50.{ending}"]


@pytest.mark.parametrize(("family", "ending", "usual", "other", "said"), ASKED)
def test_what_half_of_them_do_is_none(family: Family, ending: str, usual: str, other: str, said: str) -> None:
    assert said not in [each.name for each in mined(family, ending, [usual, other] * 20).conventions]


@pytest.mark.parametrize(
    ("ending", "body"),
    [
        ("rs", "pub struct A;\n"),
        ("js", "module.exports = 1;\n"),
        ("go", 'package a\n\ntype A struct {\n\tB string `json:"b"`\n}\n'),
        ("py", "class A(Thing): ...\n"),
    ],
    ids=["no derive", "module.exports", "one word", "class"],
)
def test_what_everybody_writes_and_what_tells_nothing(ending: str, body: str) -> None:
    for family in (data_models.FAMILY, export_forms.FAMILY):
        assert mined(family, ending, [body] * 12).said == []
