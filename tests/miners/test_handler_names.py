"""Names of the functions that elements are given for their events."""

from app.miners import handler_names
from tests.miners.trial import Trial, trial


def mined(texts: list[str], ending: str = "tsx") -> Trial:
    files = {f"src/Part{number}.{ending}": f"export const Part = () => {text};\n" for number, text in enumerate(texts)}
    return trial(files, families=[handler_names.FAMILY])


def test_handlers_are_named_after_what_they_are_for() -> None:
    found = mined(["<a onClick={handleClick} />"] * 19 + ["<a onClick={clicked} />"]).find("handle")
    said = "TypeScript handlers given to elements are named `handle…`: `onClick={handleClick}` (19 of 20)"
    assert (str(found), found.violations) == (said, ["src/Part19.tsx:1"])
    assert len(mined(["<a onBlur={this.handleBlur} />"] * 20, "jsx").said) == 1


def test_what_was_given_and_what_sets_a_state_is_no_choice() -> None:
    found = mined(["<a onClick={handleClick} onBlur={onBlur} onChange={setName} onKeyUp={(e) => run(e)} />"] * 20)
    assert (found.find("handle").conforming, found.find("handle").applicable) == (20, 20)
    named_alike = mined(["<a onClick={handleClick} onOpen={settle} onEnd={once} onDo={seen} onIt={s} />"] * 20)
    assert named_alike.said == []


def test_other_names_say_nothing() -> None:
    assert mined(["<a onClick={save} />", "<a onClick={handleClick} />"] * 15).said == []
    assert mined(["<a onClick={onClick} />"] * 20).said == []
