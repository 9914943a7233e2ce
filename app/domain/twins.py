"""Files that belong together by their names: what a test is called after, and where the other of a pair stands."""

import re

_MARK = re.compile(r"^tests?[_-]|^Test(?=[A-Z])|[_-](?:tests?|spec)$|(?<=[a-z0-9])(?:Tests?|TestCase|Spec|IT)$")
_BELOW = re.compile(r"\{below:([0-9])\}")


def stem_of(path: str) -> str:
    """Give the name of a file up to its first dot, or after it where it begins with one."""
    name = path.rpartition("/")[2]
    return name.lstrip(".").partition(".")[0]


def subject_of(path: str) -> str:
    """Give the stem of what a test is called after: its own, without what marks a test."""
    stem = stem_of(path)
    return _MARK.sub("", stem) or stem


def twin_of(shape: str, path: str) -> str:
    """Give the path that a shape means for a file: `{folder}/{stem}.css`, or `src/{below:1}/{tested}.py`."""
    folder, _, name = path.rpartition("/")
    shape = _BELOW.sub(lambda found: "/".join(folder.split("/")[int(found.group(1)) :]), shape)
    places = {
        "folder": folder,
        "parent": folder.rpartition("/")[2],
        "name": name,
        "stem": stem_of(path),
        "tested": subject_of(path),
    }
    for place, text in places.items():
        shape = shape.replace(f"{{{place}}}", text)
    parts: list[str] = []
    for part in shape.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
