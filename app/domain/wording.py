"""Wording: what people write about a pattern, within its bounds; HTML and control characters are text like any."""

from collections.abc import Mapping

from app.domain.errors import Invalid

# At least and at most so many characters, by the name that clients give the field.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "name": (1, 200),
    "description": (1, 4000),
    "rationale": (0, 1000),
    "reason": (0, 500),
}


def fault_of(field: str, text: str) -> str | None:
    """Tell what is wrong with a text; None if nothing is."""
    least, most = BOUNDS[field]
    if least and not text.strip():
        return "must not be blank"
    return f"has more than {most} characters" if len(text) > most else None


def check_wording(**texts: str | None) -> None:
    """Refuse texts that are blank or too long, all of them at once; a text that is None was not given."""
    faults = {field: fault for field, text in texts.items() if text is not None and (fault := fault_of(field, text))}
    if faults:
        raise Invalid("Some of these words cannot be kept.", fields=faults)
