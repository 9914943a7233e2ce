"""How constants, members of enums, schemas and private fields are called."""

import pytest

from app.miners import name_forms
from tests.miners.trial import Trial, trial

CASES = {
    "short words": (
        "go",
        "package a\n\nfunc userId() {}\n\nfunc identity() {}\n",
        "func userID() {}\n\nfunc isIDEA() {}\n",
        "Go short words in names are written as words: `userId`, not `userID`",
    ),
    "short words in capitals": (
        "ts",
        "function parseURLs() {}\nconst MOST_ID = a();\n",
        "const userId = a();\n",
        "TypeScript short words in names are written in capitals: `userID`, not `userId`",
    ),
    "constants": (
        "ts",
        "export const MOST_USERS = 3;\nfunction a() { const most = 1; }\n",
        'const mostUsers = "a";\n',
        "TypeScript constants of modules that hold a number or a text are written in UPPER_CASE",
    ),
    "camel": (
        "js",
        "const mostUsers = 3;\n",
        "const MOST_USERS = 3;\n",
        "JavaScript constants of modules are not written in UPPER_CASE",
    ),
    "upper": (
        "ts",
        "enum A { ONE_TWO = 1 }\n",
        "enum A { OneTwo }\n",
        "TypeScript members of enums are written in UPPER_CASE",
    ),
    "pascal": (
        "tsx",
        "enum A { OneTwo }\n",
        "enum A { oneTwo = 1 }\n",
        "TypeScript members of enums are written in PascalCase",
    ),
    "lower": (
        "py",
        "class A(str, enum.Enum):\n    one_two = 1\n",
        "class A(enum.Enum):\n    ONE_TWO = 1\n",
        "Python members of enums are written in snake_case",
    ),
    "typevar": (
        "py",
        '_T = typing.TypeVar("_T")\n',
        'T = TypeVar("T")\n',
        "Python type variables begin with an underscore",
    ),
    "member": (
        "java",
        "class A { private final int mOne = 1; private static int TWO; }\n",
        "class A { private int one; }\n",
        "Java private fields are named `m…`, as `mName`",
    ),
    "schema": (
        "ts",
        "export const userSchema = z.object({ a: z.string() }).strict();\n",
        "const user = z.object({});\n",
        "TypeScript zod schemas are named `…Schema`",
    ),
    "schema case": (
        "js",
        "export const User = z.object({});\n",
        "const user = z.object({});\n",
        "JavaScript zod schemas begin with a capital",
    ),
    "schema letter": (
        "ts",
        "export const ZUser = z.object({});\n",
        "const Zebra = z.object({});\n",
        "TypeScript zod schemas begin with `Z`: `ZUser`",
    ),
    "inferred": (
        "ts",
        "export type TUser = z.infer<typeof ZUser>;\n",
        "type User = z.input<typeof ZUser>;\n",
        "TypeScript types of zod schemas begin with `T`: `TUser`",
    ),
    "private": (
        "ts",
        "class A { private _a = 1; b = 2; }\n",
        "class A { private a() {} }\n",
        "TypeScript private members begin with an underscore",
    ),
    "props": (
        "tsx",
        "interface Props { a: string }\n",
        "type ButtonProps = { a: string }\n",
        "TypeScript props of components are named `Props` alone",
    ),
    "boolean": (
        "ts",
        "interface A { isOpen?: boolean }\n",
        "type A = { open: boolean }\n",
        "TypeScript boolean properties are named as questions (`isOpen`, `hasName`)",
    ),
}


def mined(ending: str, bodies: list[str]) -> Trial:
    files = {f"src/part{number}.{ending}": body for number, body in enumerate(bodies)}
    return trial(files, families=[name_forms.FAMILY])


@pytest.mark.parametrize(("ending", "usual", "other", "said"), CASES.values(), ids=CASES)
def test_nearly_all_are_called_so(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 50 + [other]).find(said)
    assert str(found) == f"{said} (50 of 51)"
    assert found.violations == [f"src/part50.{ending}:{2 if 'Enum' in other else 1}"]


@pytest.mark.parametrize(("ending", "usual", "other", "said"), CASES.values(), ids=CASES)
def test_what_half_of_them_are_called_is_none(ending: str, usual: str, other: str, said: str) -> None:
    assert said not in [each.name for each in mined(ending, [usual, other] * 20).conventions]


def test_what_every_repository_does_is_not_asked() -> None:
    assert mined("py", ["class A(Enum):\n    ONE_TWO = 1\n"] * 30).said == []
    assert mined("java", ["class A { private int one; }\n"] * 30).said == []
    assert mined("go", ["package a\n\nfunc userID() {}\n"] * 30).said == []
    assert mined("ts", ["function userId() {}\n"] * 30).said == []
