"""What the names of a folder's files have in common."""

import pytest

from app.miners import file_affixes
from tests.miners.trial import Trial, trial


def mined(*paths: str) -> Trial:
    return trial(dict.fromkeys(paths, "x\n"), families=[file_affixes.FAMILY])


ELSEWHERE = [f"src/{part}/{name}" for part in "abc" for name in ("userData.ts", "price_list.py", "OrderLine.java")]


@pytest.mark.parametrize(
    ("files", "other", "language", "affix"),
    [
        ("src/api/part{}.controller.ts", "strange.ts", "TypeScript", "*.controller.ts"),
        ("src/hooks/usePart{0}s{0}x.ts", "notAHook.ts", "TypeScript", "use*.ts"),
        ("src/db/Part{}Repository.java", "Strange.java", "Java", "*Repository.java"),
        ("src/on/p{}_handler.py", "strange.py", "Python", "*_handler.py"),
        ("deploy/jobs/p{}-job.yaml", "strange.yaml", ".yaml", "*-job.yaml"),
    ],
    ids=["dotted", "prefix", "suffix", "underscore", "no language"],
)
def test_an_affix_that_a_folder_shares(files: str, other: str, language: str, affix: str) -> None:
    folder = files.rpartition("/")[0]
    elsewhere = [*ELSEWHERE, *(f"config/{name}.yaml" for name in ("app", "web", "big-data", "more", "less"))]
    found = mined(*(files.format(chr(97 + n)) for n in range(19)), f"{folder}/{other}", *elsewhere).find(affix)
    assert found.name.startswith(language)
    assert f"in `{folder.partition('/')[0]}/" in found.name
    assert (found.conforming, found.applicable) == (19, 20)
    assert found.violations == [f"{folder}/{other}"]


def test_names_that_tools_give_are_no_exceptions() -> None:
    files = [f"src/api/part{chr(97 + n)}_view.py" for n in range(12)]
    found = mined(*files, "src/api/__init__.py", "src/other/some_thing.py", "src/other/more_things.py").find(
        "*_view.py"
    )
    assert (found.conforming, found.applicable) == (12, 12)


def test_what_is_everywhere_and_what_is_nowhere_are_no_news() -> None:
    assert mined(*(f"{part}/user_{n}_view.py" for part in "abc" for n in range(10))).said == []
    assert mined(*(f"src/api/{chr(97 + n)}lpha_{chr(97 + n)}eta.py" for n in range(20)), *ELSEWHERE).said == []


def test_files_that_are_chosen_by_their_name_share_it_anyway() -> None:
    assert (
        mined(*(f"apps/{n}/{name}.ts" for n in range(12) for name in ("next-env.d", "home-page")), *ELSEWHERE).said
        == []
    )


def test_what_a_folder_is_called_is_not_said_of_its_files_again() -> None:
    files = [f"test/eventsource/eventsource-part{chr(97 + n)}.js" for n in range(19)]
    assert mined(*files, "test/eventsource/other-part.js", *ELSEWHERE).said == []
    files = [f"plugins/registry-graphite/src/Graphite{chr(65 + n)}part.java" for n in range(12)]
    assert mined(*files, *ELSEWHERE).said == []


def test_what_a_folder_is_about_is_not_said_of_its_files_again() -> None:
    files = [f"flows/{place}/{verb}-{place}s.ts" for place in ("store",) for verb in ("create", "drop", "get", "list")]
    files += [f"flows/store/steps/{verb}-stores.ts" for verb in ("add", "join", "find", "open", "move", "keep")]
    assert mined(*files, *ELSEWHERE).said == []
    kinds = [f"web/cells/{word}-cell.ts" for word in ("date", "name", "price", "user", "text", "link", "mail", "time")]
    assert "`*-cell.ts`" in mined(*kinds, *ELSEWHERE).said[0]


def test_material_of_tests_and_copies_say_nothing() -> None:
    files = [f"test/parts/dynamic-{chr(97 + n)}.ts" for n in range(12)]
    assert mined(*files, *ELSEWHERE).said == []
    files = [f"test/parts/part{chr(97 + n)}.page.ts" for n in range(12)]
    others = [f"test/more/thing-{chr(97 + n)}.ts" for n in range(6)]
    assert "in `test/parts/` are named `*.page.ts`" in mined(*files, *others, *ELSEWHERE).find("named").name
    copies = [f"web/app{n}/public/logo-light.svg" for n in range(12)]
    assert mined(*copies, *(f"art/{name}.svg" for name in ("one", "two-three", "four", "five", "six"))).said == []


def test_files_that_begin_and_end_alike_are_said_once() -> None:
    files = [f"src/base/Abstract{chr(65 + n)}partSupport.java" for n in range(12)]
    assert len(mined(*files, *ELSEWHERE).said) == 1


def test_what_examples_are_called_is_a_matter_of_their_frameworks() -> None:
    def named(top: str) -> list[str]:
        return mined(*(f"{top}/app/part{chr(97 + n)}.component.html" for n in range(19)), "site/a-b.html").said

    assert (len(named("shop")), named("examples")) == (1, [])
