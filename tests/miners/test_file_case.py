"""File names: their case, where it tells something."""

from app.miners import file_case
from tests.miners.trial import trial

WORDS = ("order", "user", "price", "basket", "stock", "label", "route", "token", "image", "draft")


def test_each_place_has_its_own_case() -> None:
    files = {f"src/components/{word.title()}Card.tsx": "export {};\n" for word in WORDS}
    files |= {f"src/services/{word}-service.ts": "export {};\n" for word in WORDS}
    assert sorted(trial(files, families=[file_case.FAMILY]).said) == [
        "TypeScript source files in `src/components/` are named in PascalCase (10 of 10)",
        "TypeScript source files in `src/services/` are named in kebab-case (10 of 10)",
    ]


def test_the_odd_one_is_told_with_what_it_does_instead() -> None:
    files = {f"web/{word}-view-{other}.ts": "export {};\n" for word in WORDS for other in WORDS[:3]}
    found = trial(files | {"web/sideBar.ts": "export {};\n"}, families=[file_case.FAMILY]).find("kebab-case")
    assert (found.conforming, found.applicable, found.violations) == (30, 31, ["web/sideBar.ts"])
    assert found.measured.candidate.proposal.rule.alternative == "camelCase"


def test_what_a_language_demands_of_everybody_is_no_convention() -> None:
    python = {f"shop/{word}_view.py": "pass\n" for word in WORDS}
    java = {f"src/main/java/shop/{word.title()}View.java": "class A {}\n" for word in WORDS}
    found = trial(python | java, families=[file_case.FAMILY])
    assert found.said == []
    assert found.suppressed.counts["language norm"] == 2


def test_names_of_one_word_and_a_mixture_say_nothing() -> None:
    files = {f"src/{word}.ts": "export {};\n" for word in WORDS}
    files |= {f"src/{word}-one.ts": "export {};\n" for word in WORDS[:5]}
    files |= {f"src/{word}Two.ts": "export {};\n" for word in WORDS[5:]}
    assert trial(files, families=[file_case.FAMILY]).said == []


def test_that_some_folders_of_tests_agree_by_chance_is_no_convention() -> None:
    files = {f"test/cases/{place}/one_{word}.js": "\n" for place in ("deep", "far") for word in WORDS}
    files |= {f"test/more{n}/{word}{'-_'[at % 2]}part.js": "\n" for n in range(9) for at, word in enumerate(WORDS)}
    assert not any("snake_case" in said for said in trial(files, families=[file_case.FAMILY]).said)
