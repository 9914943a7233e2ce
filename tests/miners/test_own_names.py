"""Own names: what modules of a place declare, by the name of their file."""

import pytest

from app.domain.own_names import declared_names
from app.miners import own_names
from tests.miners.trial import Trial, trial

WORDS = ("create", "find", "get", "update", "delete", "move", "share", "sign", "send", "rename", "close", "open")
OTHERS = {f"src/core/part-{number}.ts": f"export const value{number} = {number};\n" for number in range(12)}


def mined(files: dict[str, str]) -> Trial:
    return trial(files | OTHERS, families=[own_names.FAMILY])


@pytest.mark.parametrize(
    ("line", "template"),
    [
        ("export const ZCreateTeamRequestSchema = z.object({", "Z{Stem}RequestSchema"),
        ("export type CreateTeam = {", "{Stem}"),
        ("const createTeamRoute = procedure", "{stemCamel}Route"),
        ("export default async function useCreateTeam() {", "use{Stem}"),
        ("const CREATE_TEAM_LIMIT = 3;", "{STEM}_LIMIT"),
        ("module.exports = function createTeam(a) {", "{stemCamel}"),
        ("export async function GET(request) {", "GET"),
        ("func NewCreateTeam(a int) *CreateTeam {", "New{Stem}"),
        ("func Run() {", "Run"),
        ("func run() {", None),
        ("func (c *CreateTeam) Run() {", None),
        ("export const recreateTeam = 1;", "recreateTeam"),
        ("class CreateTeamster {", None),
        ("const other = 1;", None),
        ("  const createTeam = 1;", None),
        ("export { createTeam };", None),
    ],
)
def test_names_of_declarations_are_masked_by_whole_words(line: str, template: str | None) -> None:
    found = [template for _, template in declared_names([line], "create-team")]
    assert found == ([] if template is None else [template])


def test_files_declare_what_they_are_named_for() -> None:
    line = "export const Z{0}TeamSchema = z.object({{}});\nexport type T{0}Team = 1;\n"
    files = {f"src/api/{word}-team.types.ts": line.format(word.capitalize()) for word in WORDS}
    files["src/api/odd-team.types.ts"] = "export type Odd = 1;\n"
    found = mined(files).conventions[0]
    assert str(found) == "TypeScript source files in `src/api/` declare `Z{Stem}Schema`, `T{Stem}` (12 of 13)"
    assert found.violations == ["src/api/odd-team.types.ts"]
    assert {(place.start, place.end) for place in found.measured.measurement.samples} == {(1, 2)}


def test_a_name_that_is_the_files_is_said_so() -> None:
    files = {f"lib/rules/{word}Team.js": f"class {word.capitalize()}Team {{}}\n" for word in WORDS}
    others = {f"lib/core/part{number}.js": f"const a = {number};\n" for number in range(12)}
    assert mined(files | others).said == [
        "JavaScript source files in `lib/rules/` are named as what they declare: `{Stem}` (12 of 12)"
    ]


def test_the_same_name_in_each_is_told_too() -> None:
    files = {f"src/api/{word}/route.ts": "export async function GET() {}\n" for word in WORDS}
    assert mined(files).said == ["TypeScript source files in `src/api/` declare `GET` (12 of 12)"]


def test_what_each_package_of_go_gives_to_others_is_told() -> None:
    files = {f"pkg/{word}/{word}.go": f"package {word}\n\nfunc New() *T {{\n}}\n" for word in WORDS}
    others = {f"internal/part{number}.go": f"package a\n\nfunc run{number}() {{\n}}\n" for number in range(12)}
    assert mined(files | others).said == ["Go source files in `pkg/` declare `New` (12 of 12)"]


def test_names_that_half_of_them_have_are_none() -> None:
    files = {f"src/api/{word}.ts": f"export const {'run' if len(word) > 4 else word[0]} = 1;\n" for word in WORDS}
    assert mined(files).said == []
