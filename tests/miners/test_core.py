"""The core of mining: where something holds, whether it is alive, and what nobody is told of."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from app.domain.confidence import Trend
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.miners import caught_names, formatting, idioms, line_templates
from app.miners.core.family import Declared, Family, File, Finding, Least, Proposal, Vote, World
from app.syntax import Source
from tests.miners.trial import trial


def facts(source: Source) -> Any:
    return [line for line in source.lines if line.startswith("form = ")]


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    return [Vote("form", (line.removeprefix("form = "),)) for line in facts or ()]


def rule_of(form: str, scope: Scope) -> Rule:
    return Rule(RuleKind.REGEX, {"per": "match", "applicable": "^form = .*$", "conforming": f"= {form}$"}, scope)


def propose(finding: Finding) -> Proposal:
    return Proposal(f"The form is {finding.form}", rule_of(finding.form, finding.scope), PatternCategory.OTHER)


FORMS = Family("forms", votes, propose, facts=facts, prior=lambda _: 0.3, least=Least(sites=8, files=5))


def files(folder: str, form: str, count: int, *, start: int = 0, ending: str = ".py") -> dict[str, str]:
    return {f"{folder}/m{number}{ending}": f"form = {form}\n" for number in range(start, start + count)}


def test_the_widest_scope_is_found() -> None:
    found = trial(files("a/b", "x", 10) | files("a/c", "x", 10), families=[FORMS]).find("x")
    assert (found.conforming, found.applicable, found.scope) == (20, 20, ())


def test_a_folder_that_breaks_it_is_left_out() -> None:
    found = trial(files("a/b", "x", 30) | files("a/c", "y", 5), families=[FORMS]).find("x")
    assert (found.conforming, found.applicable) == (30, 30)
    assert found.measured.candidate.proposal.rule.scope.exclude == ("a/c/**",) or found.scope == ("a/b/**",)


def test_each_part_has_its_own() -> None:
    found = trial(files("a", "x", 20) | files("b", "y", 20), families=[FORMS])
    assert {each.name: each.scope for each in found.conventions} == {
        "The form is x": ("a/**",),
        "The form is y": ("b/**",),
    }


def test_tests_may_do_otherwise() -> None:
    tests = {f"app/test_m{number}.py": "form = y\n" for number in range(12)}
    found = trial(files("app", "x", 20) | tests, families=[FORMS])
    roles = {each.name: each.measured.candidate.proposal.rule.scope.roles for each in found.conventions}
    assert roles == {"The form is x": (FileRole.SOURCE,), "The form is y": (FileRole.TEST,)}


def test_what_is_shipped_says_more_than_its_tests() -> None:
    tests = {f"tests/a/test_m{number}.py": "form = x\n" for number in range(40)}
    tests |= {f"tests/b/test_m{number}.py": "form = y\n" for number in range(30)}
    found = trial(files("app", "x", 20) | files("old", "y", 20) | tests, families=[FORMS]).find("x")
    assert (found.scope, found.measured.candidate.proposal.rule.scope.roles) == (("app/**",), (FileRole.SOURCE,))


def test_a_role_that_has_most_of_what_breaks_is_not_spoken_of() -> None:
    """All together would hold, but it is known whose habit it is."""
    tests = {f"app/test_m{number}.py": f"form = {'y' if number < 6 else 'x'}\n" for number in range(20)}
    found = trial(files("app", "x", 80) | tests, families=[FORMS]).find("x")
    assert (found.conforming, found.applicable) == (80, 80)
    assert found.measured.candidate.proposal.rule.scope.roles == (FileRole.SOURCE,)


def test_a_kind_of_file_is_a_scope() -> None:
    made = {f"{app}/models.py": "form = x\n" for app in "abcdefghijkl"}
    made |= {f"{app}/views.py": "form = y\n" for app in "abcdefghijkl"}
    found = trial(made, families=[FORMS])
    assert {each.name: each.scope for each in found.conventions} == {
        "The form is x": ("**/models.py",),
        "The form is y": ("**/views.py",),
    }


def mixed(folders: str, forms: str) -> dict[str, str]:
    """Have folders of which each has as many of one form as of the other."""
    return {
        f"{folder}/{folder}{number}.py": f"form = {forms[number % 2]}\n" for folder in folders for number in range(10)
    }


def test_what_holds_only_here_and_there_is_chance() -> None:
    agreeing = files("a", "x", 9) | files("b", "x", 9) | files("c", "x", 9)
    found = trial(agreeing | mixed("defghijk", "xy"), families=[FORMS])
    assert found.said == []
    assert found.suppressed.counts == {"only here and there": 1}


@pytest.mark.parametrize(
    ("here", "elsewhere", "said"),
    [
        pytest.param(20, 40, False, id="a-corner-with-less-than-half"),
        pytest.param(20, 20, True, id="a-corner-with-half"),
        pytest.param(60, 80, True, id="more-than-a-corner"),
        pytest.param(9, 5, False, id="a-small-corner-with-less-than-three-quarters"),
        pytest.param(9, 2, True, id="a-small-corner-with-nearly-all"),
    ],
)
def test_what_holds_in_one_corner_alone_is_chance(here: int, elsewhere: int, said: bool) -> None:
    """There are 200 sites elsewhere, of which so many conform, and so many here, which all do."""
    made = files("corner", "x", here)
    for number in range(200):
        form = "x" if number * elsewhere % 200 < elsewhere else "y"
        made[f"part{number // 20}/m{number}.py"] = f"form = {form}\n"
    found = trial(made, families=[FORMS])
    assert ("The form is x" in [each.name for each in found.conventions]) is said
    assert ("only here and there" in found.suppressed.counts) is not said


def test_what_tests_do_as_well_is_no_measure_of_what_is_shipped() -> None:
    shipped = files("app", "x", 20)
    tests = {f"tests/test_m{number}.py": f"form = {'x' if number % 3 else 'y'}\n" for number in range(200)}
    found = trial(shipped | tests, families=[FORMS]).find("x")
    assert (found.conforming, found.applicable) == (20, 20)


@pytest.mark.parametrize(("local", "more"), [(True, False), (False, True)])
def test_more_copies_of_one_shape_weigh_no_more_than_some(local: bool, more: bool) -> None:
    """How sure it is still grows a little with them."""
    family = replace(FORMS, local=local)
    few, many = (
        trial(files("icons", "x", count) | files("other", "y", count), families=[family]).find("x").measured.candidate
        for count in (32, 320)
    )
    assert (many.score > few.score * 1.1) is more


def test_examples_weigh_half() -> None:
    """Be they known by their role or by their folder."""
    others = {"role": files("other", "y", 20), "folder": files("examples/more", "y", 20)}
    for told, other in others.items():
        code, examples = (
            trial(files(place, "x", 80) | other, families=[FORMS]).find("x").measured.candidate
            for place in ("code", "examples/few")
        )
        assert bool(examples.proposal.rule.scope.roles) is (told == "role")
        assert examples.score == pytest.approx(code.score / 2)


def test_what_is_found_nowhere_else_is_said_of_several_places() -> None:
    agreeing = files("a", "x", 9) | files("b", "x", 9) | files("c", "x", 9)
    assert trial(agreeing | mixed("defghijk", "yz"), families=[FORMS]).find("x").scope == ("a/**", "b/**", "c/**")


def test_too_few_and_too_mixed_say_nothing() -> None:
    assert trial(files("a", "x", 7), families=[FORMS]).said == []
    assert trial(files("a", "x", 14) | files("a", "y", 12, start=14), families=[FORMS]).said == []


def test_a_rising_one_is_told_below_the_threshold() -> None:
    old, new = files("a", "y", 20) | files("a", "x", 10, start=20), files("a", "x", 20, start=30)
    found = trial(old | new, families=[FORMS], new=set(new)).find("x")
    assert (found.conforming, found.applicable, found.measured.trend) == (30, 50, Trend.RISING)


@pytest.mark.parametrize(("fresh", "reason"), [("y", "dead"), ("x", None)])
def test_a_dying_one_is_not_whatever_its_total_says(fresh: str, reason: str | None) -> None:
    old, new = files("a", "x", 100), files("a", fresh, 10, start=100)
    found = trial(old | new, families=[FORMS], new=set(new))
    assert ("The form is x" in [each.name for each in found.conventions]) is (reason is None)
    if reason is not None:
        assert found.suppressed.examples[reason] == ["The form is x (100 of 110)"]


def test_one_person_s_habit_is_no_convention_of_a_team() -> None:
    made, others = files("a", "x", 20), files("b", "z", 5)
    people = dict.fromkeys(made, "ada") | dict.fromkeys(others, "ben")
    found = trial(made | others, families=[FORMS], authors=people)
    assert (found.said, found.suppressed.counts["one author's habit"]) == ([], 1)
    alone = trial(made, families=[FORMS], authors=dict.fromkeys(made, "ada"))
    assert alone.said == ["The form is x (20 of 20)"]


def test_a_norm_of_the_language_is_counted_and_not_told() -> None:
    found = trial(files("a", "x", 30), families=[replace(FORMS, prior=lambda _: 0.97)])
    assert (found.said, found.suppressed.counts) == ([], {"language norm": 1})


def test_no_more_are_told_than_asked_for_and_the_best_first() -> None:
    made: dict[str, str] = {}
    for number in range(20):
        made |= files(f"p{number}", f"f{number}", 8 + number)
    found = trial(made, families=[replace(FORMS, most=99)], most=5)
    assert [each.name for each in found.conventions] == [f"The form is f{number}" for number in range(19, 14, -1)]
    assert found.suppressed.counts["over the limit"] == 15
    assert len(trial(made, families=[FORMS]).said) == FORMS.most


def test_a_rule_that_measures_otherwise_is_not_believed() -> None:
    lying = replace(FORMS, propose=lambda finding: replace(propose(finding), rule=rule_of("other", finding.scope)))
    found = trial(files("a", "x", 20), families=[lying])
    assert found.said == []


def declaring(*forms: str) -> Family:
    def declares(_: World) -> Iterable[Proposal]:
        for form in forms:
            said = Declared("setup.cfg", 3, f"form {form}")
            rule = rule_of(form, Scope(("Python",)))
            yield Proposal(f"The form is to be {form}", rule, PatternCategory.OTHER, declared=said)

    return replace(FORMS, name="declared", declares=declares, facts=lambda _: None)


def test_what_is_declared_is_measured_like_all_others() -> None:
    made = files("a", "x", 20) | files("a", "y", 2, start=20)
    found = trial(made, families=[declaring("x")]).find("to be x")
    assert (found.conforming, found.applicable) == (20, 22)


def test_what_is_declared_and_found_is_one_convention_with_two_reasons() -> None:
    found = trial(files("a", "x", 20), families=[FORMS, declaring("x")])
    assert found.said == ["The form is x (20 of 20)"]
    assert found.conventions[0].measured.candidate.proposal.declared == Declared("setup.cfg", 3, "form x")


def test_what_is_declared_and_not_followed_is_a_finding_of_its_own() -> None:
    found = trial(files("a", "x", 20) | files("a", "y", 4, start=20), families=[declaring("y")])
    assert (found.said, found.contradicted) == ([], ["setup.cfg:3 form y (4 of 24)"])


def test_a_family_that_fails_costs_its_own_conventions() -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError("no")

    for failing in (
        replace(FORMS, name="failing", votes=fail),
        replace(FORMS, name="failing", propose=fail),
        replace(FORMS, name="failing", survey=fail),
        replace(FORMS, name="failing", declares=fail),
    ):
        found = trial(files("a", "x", 20), families=[failing, FORMS], strict=False)
        assert found.said == ["The form is x (20 of 20)"]
        assert found.suppressed.examples["a miner failed"] == ["failing: ZeroDivisionError: no"]


def test_a_rule_that_cannot_be_run_costs_itself() -> None:
    broken = Rule(RuleKind.REGEX, {"conforming": "(?<=x)"}, Scope())
    failing = replace(FORMS, name="failing", propose=lambda finding: replace(propose(finding), rule=broken))
    assert trial(files("a", "x", 20), families=[failing, FORMS], strict=False).said == ["The form is x (20 of 20)"]


def test_what_holds_in_javascript_and_in_typescript_is_one_convention() -> None:
    text = "export const a = 1\nconst b = 2\nreturn a\n"
    files = {f"src/part{number}.{suffix}": text for number in range(20) for suffix in ("js", "ts")}
    found = trial(files, families=[formatting.FAMILY]).find("end without semicolons")
    assert found.name == "JavaScript and TypeScript statements end without semicolons"
    rule = found.measured.candidate.proposal.rule
    assert (rule.scope.languages, rule.text) == (("JavaScript", "TSX", "TypeScript"), found.name)


def test_what_one_language_says_of_all_files_and_the_other_of_some_is_one_convention() -> None:
    files = {f"src/part{n}.{suffix}": "let a = 1\n" for n in range(20) for suffix in ("js", "ts")}
    files |= {f"test/part{n}.test.js": f"{'var' if n % 2 else 'let'} a = 1\n" for n in range(20)}
    files |= {f"test/part{n}.test.ts": "let a = 1\n" for n in range(20)}
    found = [each for each in trial(files, families=[idioms.FAMILY]).said if "never by `var`" in each]
    says = "variables are declared by `const` and `let`, never by `var`"
    assert found == [f"JavaScript and TypeScript source {says} (40 of 40)"]


def test_what_nearly_all_of_a_language_does_is_joined_with_what_all_of_the_other_does() -> None:
    text = "export const a = 1\nconst b = 2\nreturn a\n"
    files = {f"client/part{number}.{suffix}": text for number in range(40) for suffix in ("js", "ts")}
    files["tools/odd.js"] = text.replace("\n", ";\n")
    found = trial(files, families=[formatting.FAMILY])
    assert len([said for said in found.said if "end without semicolons" in said]) == 1, found.said


def test_what_the_few_files_of_one_language_do_as_the_many_of_the_other_is_not_said_again() -> None:
    text = "export const a = 1\nconst b = 2\nreturn a\n"
    files = {f"src/part{number}.js": text for number in range(200)}
    files |= {f"web/part{number}.ts": text for number in range(8)}
    files |= {f"src/part{number}.ts": text.replace("\n", ";\n") for number in range(20)}
    assert trial(files, families=[formatting.FAMILY]).find("end without").name.startswith("JavaScript statements")


def test_how_the_few_files_of_another_language_are_written_is_no_convention() -> None:
    text = "const a = b\n" * 20
    few = {f"site/part{number}.js": text for number in range(12)}
    many = {f"src/Part{number}.java": f"class Part{number} {{}}\n" for number in range(600)}
    found = trial({**few, **many}, families=[formatting.FAMILY])
    assert found.said == []
    assert found.suppressed.counts == {"a language of few files": 1}
    assert trial(few, families=[formatting.FAMILY]).said != []


def test_the_kind_of_file_that_a_scope_is_about_is_named() -> None:
    files = {f"src/part{number}/some.rule.ts": "export const name = rule(here)\n" for number in range(20)}
    files |= {f"src/part{number}/more{number}.ts": "export let more\n" for number in range(20)}
    found = trial(files, families=[line_templates.FAMILY]).find("carry")
    assert found.name == "TypeScript source files in `some.rule.ts` carry `export const name = rule(here)`"


def test_lines_that_are_those_of_another_place_but_for_its_name_are_said_once() -> None:
    files = {
        f"api/{place}/{place}{number}.py": f"server.register('app', handler=app.{place}.run, limit=1)\nx = {number}\n"
        for place in ("orders", "invoices", "parcels")
        for number in range(10)
    }
    files |= {f"other/part{number}.py": f"x = {number}\n" for number in range(80)}
    said = [each for each in trial(files, families=[line_templates.FAMILY]).said if "server.register" in each]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["exc", "err", "err", "err"], "Python caught exceptions are named `exc` (41 of 44)"),
        (["err"] * 4, "Python caught exceptions (but not in `src/old/`) are named `exc` (40 of 40)"),
    ],
    ids=["some", "none"],
)
def test_a_folder_of_a_few_sites_is_an_exception_where_none_conforms(names: list[str], said: str) -> None:
    handler = "try:\n    run()\nexcept ValueError as {}:\n    stop()\n"
    files = {f"src/part{number}/a.py": handler.format("exc") for number in range(40)}
    files |= {f"src/old/a{number}.py": handler.format(name) for number, name in enumerate(names)}
    assert trial(files, families=[caught_names.FAMILY]).said == [said]
