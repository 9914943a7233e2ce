"""Types of Go with one ending: what they have beside them."""

from app.miners import go_types
from tests.miners.trial import Trial, trial

WORDS = ("Copy", "Move", "List", "Show", "Push", "Pull", "Lint", "Find", "Sign", "Open", "Close", "Mount")
TYPE = "package a\n\ntype {0}Options struct {{\n\tin{0} int\n}}\n"
METHOD = "\nfunc (o *{0}Options) AddFlags(f *Flags) {{}}\n"
MAKER = "\nfunc New{0}Options() *{0}Options {{ return nil }}\n"


def mined(beside: str, other: str = "", **more: str) -> Trial:
    """Mine a type for each word, the last of which has something else beside it."""
    texts = {f"cmd/{word.lower()}.go": f"{TYPE}{beside}".format(word) for word in WORDS}
    texts["cmd/mount.go"] = f"{TYPE}{other or beside}".format("Mount")
    return trial(texts | {f"cmd/{name}.go": text for name, text in more.items()}, families=[go_types.FAMILY])


def test_types_with_one_ending_have_a_method_in_common() -> None:
    found = mined(METHOD, METHOD.replace("AddFlags", "Other"))
    assert found.said == ["Go types `…Options` have a method `AddFlags` (11 of 12)"]
    assert found.conventions[0].violations == ["cmd/mount.go:3"]


def test_types_with_one_ending_are_made_alike() -> None:
    found = mined(MAKER, MAKER.replace("New", "Make"))
    assert found.said == ["Go types `…Options` are made by `New…Options` (11 of 12)"]


def test_what_they_embed_and_have_is_said_together() -> None:
    held = TYPE.replace("in{0} int", '*base\n\tlog Log `json:"log"`')
    texts = {f"cmd/{word.lower()}.go": held.format(word) for word in WORDS} | {"cmd/mount.go": TYPE.format("Mount")}
    found = trial(texts, families=[go_types.FAMILY])
    assert found.said == ["Go types `…Options` embed `*base` and have a field `log Log` (11 of 12)"]


def test_what_an_interface_or_the_language_demands_is_no_choice() -> None:
    demanded = "package a\n\ntype Flagged interface {\n\tAddFlags(f *Flags)\n}\n"
    assert mined(METHOD, flagged=demanded).said == []
    assert mined(METHOD.replace("AddFlags", "String")).said == []


def test_methods_of_other_types_in_the_file_are_not_theirs() -> None:
    assert mined(METHOD.replace("{0}Options)", "{0}Other)")).said == []
