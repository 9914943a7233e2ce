"""What is wrapped in a call before it is passed on."""

import pytest

from app.miners import wrapped_arguments
from tests.miners.trial import Trial, trial


def mined(ending: str, bodies: list[str]) -> Trial:
    files = {f"src/part{number}.{ending}": body for number, body in enumerate(bodies)}
    return trial(files, families=[wrapped_arguments.FAMILY])


CASES = {
    "call": (
        "ts",
        'toast.success(t("It is done"));\n',
        'toast.success("It is done");\n',
        "TypeScript texts given to `toast.success` are passed through `t`",
    ),
    "key": (
        "js",
        'show(i18n.t("copy.done"));\n',
        "show(`It is done`);\n",
        "JavaScript texts given to `show` are passed through `i18n.t`",
    ),
    "keyword": (
        "py",
        'name = Field(\n    label=_("Your name"),\n)\n',
        'name = Field(label="Your name")\n',
        "Python texts given as `label` are passed through `_`",
    ),
    "python-call": (
        "py",
        'raise Refused(_("It is " "gone"), 3)\n',
        'raise Refused("It is gone")\n',
        "Python texts given to `Refused` are passed through `_`",
    ),
    "attribute": (
        "tsx",
        'const a = <A title={t("a.b")} />;\n',
        'const a = <A title="Your name" />;\n',
        "TypeScript texts of attributes that people see (`label`, `title`, …) are passed through `t`",
    ),
    "content": (
        "tsx",
        'const a = <A>{t("a.b")}</A>;\n',
        "const a = <A>Your name</A>;\n",
        "TypeScript texts in JSX are passed through `t`",
    ),
    "component": (
        "tsx",
        "export const Page = observer(() => <A />);\n",
        "export const Page = () => <A />;\n",
        "TypeScript components stand in `observer(…)`",
    ),
    "function": (
        "ts",
        'tools.register("a", traced(async () => 1));\n',
        'tools.register("a", async () => 1);\n',
        "TypeScript functions in calls of `tools.register` stand in `traced(…)`",
    ),
    "route": (
        "js",
        'router.post("/a", auth({ admin: true }), handle);\n',
        'router.post("/a", handle);\n',
        "JavaScript routes of `router.post` pass `auth(…)`",
    ),
}


@pytest.mark.parametrize(("ending", "usual", "other", "said"), [pytest.param(*c, id=name) for name, c in CASES.items()])
def test_nearly_all_are_wrapped(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 30 + [other] * 2).find(said)
    assert str(found) == f"{said} (30 of 32)"
    assert [place.partition(":")[0] for place in found.violations] == [f"src/part30.{ending}", f"src/part31.{ending}"]


@pytest.mark.parametrize(("ending", "usual", "other", "said"), [pytest.param(*c, id=name) for name, c in CASES.items()])
def test_what_half_of_them_do_is_none(ending: str, usual: str, other: str, said: str) -> None:
    assert mined(ending, [usual, other] * 20).said == []


@pytest.mark.parametrize(
    ("ending", "body"),
    [
        # A type that must be made, with nobody who passes anything else; what registers tests; what people do not read.
        ("py", 'add(path=Path("Your name"), page=Paragraph("Your name"))\n'),
        ("ts", 'it("works", act(() => 1));\nlog.info(red("It is done"));\nuse(key("a-b"));\nrun(debounce(() => 1));\n'),
        ("ts", 'toast.success("It is done");\nrouter.get("/a", handle);\n'),
    ],
    ids=["required", "tests", "bare"],
)
def test_what_says_nothing(ending: str, body: str) -> None:
    assert mined(ending, [body] * 30).said == []


def test_texts_are_translated_though_nobody_forgets_it() -> None:
    assert mined("py", ['Field(label=_("Your name"))\n'] * 20).said == [
        "Python texts given as `label` are passed through `_` (20 of 20)"
    ]
