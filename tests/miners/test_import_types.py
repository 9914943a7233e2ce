"""Imports of TypeScript and Python that bring only types."""

import pytest

from app.miners import import_types
from app.syntax import Source, type_uses
from tests.miners.trial import Trial, trial


def mined(texts: list[str]) -> Trial:
    files = {f"src/m{number}.ts": text for number, text in enumerate(texts)}
    return trial(files, families=[import_types.FAMILY])


USE = "export function f(a: A): void {}\n"


def test_types_are_imported_as_types() -> None:
    found = mined([f'import type {{ A }} from "./a";\n{USE}'] * 19 + [f'import {{ A }} from "./a";\n{USE}'])
    said = "TypeScript imports of nothing but types are written `import type` (19 of 20)"
    assert found.said == [said]
    assert found.conventions[0].violations == ["src/m19.ts:1"]
    assert found.conventions[0].measured.candidate.proposal.rule.alternative == "plain `import`"


def test_names_are_marked() -> None:
    alone = mined([f'import {{ type A }} from "./a";\n{USE}'] * 20)
    assert alone.said == ["TypeScript imports of nothing but types mark each name: `import { type A }` (20 of 20)"]
    usual = f'import {{ b, type A }} from "./a";\n{USE}b();\n'
    beside = mined([usual] * 19 + [usual.replace("type A", "A")])
    said = "TypeScript imports mark what is a type beside values: `import { a, type B }` (19 of 20)"
    assert (beside.said, beside.conventions[0].violations) == ([said], ["src/m19.ts:1"])


def test_mixtures_and_plain_imports_say_nothing() -> None:
    assert mined([f'import {{ A }} from "./a";\n{USE}'] * 20).said == []
    assert mined([f'import {mark}{{ A }} from "./a";\n{USE}' for mark in ("", "type ")] * 15).said == []


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ('import { A } from "./a";\nlet a: A;\n', {1: "all"}),
        ('import { A as B } from "./a";\nlet a: Array<B>;\nclass C implements B {}\n', {1: "all"}),
        ('import A, { b } from "./a";\nlet a: A = b;\n', {1: "some"}),
        ('import { A } from "./a";\nclass C extends A {}\n', {1: "none"}),
        ('import { A } from "./a";\nlet a: A = new A();\n', {1: "none"}),
        ('import { a } from "./a";\nlet b: typeof a;\nlet c: typeof a.b;\n', {1: "all"}),
        ('import { n } from "./a";\nlet b: n.B;\n', {1: "all"}),
        ('import { a } from "./a";\nexport { a };\n', {1: "none"}),
        ('import { a } from "./a";\nrun({ a });\n', {1: "none"}),
        ('import { a } from "./a";\n// a, and "a"\nconst b = { a: 1 }, c = b.a, d = "a";\n', {1: "none"}),
        ('import { A } from "./a";\nlet c = { A: 1 };\nlet d: A;\n', {1: "all"}),
        ('import * as n from "./a";\nlet b: n.B;\nimport "./c";\n', {}),
        ('import { A } from "./a";\n@D() class C {\n  constructor(a: A) {}\n}\n', {}),
        ('import type { A } from "./a";\nimport { type B } from "./b";\n', {1: "all", 2: "all"}),
    ],
)
def test_where_a_name_stands_tells_what_it_is(text: str, uses: dict[int, str]) -> None:
    assert type_uses(Source("m.ts", "TypeScript", text)) == uses


def test_elements_are_values() -> None:
    text = 'import { A, B } from "./a";\nconst c = (b: B) => <A b={b} />;\n'
    assert type_uses(Source("m.tsx", "TSX", text)) == {1: "some"}
    assert type_uses(Source("m.js", "JavaScript", 'import { a } from "./a";\n')) == {}


FUTURE = "from __future__ import annotations\n"
GUARDED = (
    f"{FUTURE}from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import A\n\ndef f(a: A) -> None: ...\n"
)


def test_types_of_python_are_guarded() -> None:
    plain = f"{FUTURE}from a import A\n\ndef f(a: A) -> None: ...\n"
    files = {f"src/m{number}.py": text for number, text in enumerate([GUARDED] * 19 + [plain])}
    found = trial(files, families=[import_types.FAMILY])
    said = "Python imports of nothing but types stand under `if TYPE_CHECKING:` (19 of 20)"
    assert (found.said, found.conventions[0].violations) == ([said], ["src/m19.py:2"])
    assert trial({f"src/m{n}.py": plain for n in range(20)}, families=[import_types.FAMILY]).said == []


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("from a import A\nx: A = 1\n", {2: "all"}),
        ("from a import A as B\ndef f(x: list[B] | None) -> B: ...\n", {2: "all"}),
        ("from a import A, b\ndef f(x: A = b): ...\n", {2: "some"}),
        ("from a import A\nclass C(A): ...\n", {2: "none"}),
        ("from a import A\nx: A = cast('A', y.A)\nf(A=1)\n", {2: "all"}),
        ("from a import A\nx: A = A()\n", {2: "none"}),
        ("from a import A\nfrom a import b\nx: A = b\n", {3: "none"}),
        ("from typing import Any\nx: Any = 1\n", {}),
        ("from a import A\nfrom pydantic import B\nx: A = 1\n", {}),
    ],
)
def test_where_a_name_of_python_stands_tells_what_it_is(text: str, uses: dict[int, str]) -> None:
    assert type_uses(Source("m.py", "Python", FUTURE + text)) == uses


def test_annotations_that_are_evaluated_are_needed() -> None:
    assert type_uses(Source("m.py", "Python", "from a import A\nx: A = 1\n")) == {}
