"""Which text a regular expression cannot do without: a file that lacks it need not be searched, nor even parsed."""

import re

_LEAST = 3
_TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|\\(?P<escaped>.)|(?P<open>\((?:\?(?P<mark>[^:]))?)|(?P<close>\))"
    r"|(?P<repeat>[?*]|\{[^}]*\})|(?P<plain>[^\\\[\](){}?*+.^$|])|.",
    re.DOTALL,
)
# What stands for a character by its number or its kind, which is told by what follows, or for a border of a word.
_SPECIAL = frozenset("xuUpP<>")


def literal_of(pattern: str) -> str | None:
    """Give the longest text that stands in whatever an expression matches; None where none can be told."""
    runs, run, depth = [], "", 0
    for token in _TOKEN.finditer(pattern):
        escaped = token["escaped"] or ""
        # Flags and what looks around, classes of classes and characters by numbers are for others to read.
        if token["mark"] or "[" in (token["class"] or "")[1:] or escaped in _SPECIAL or (not depth and token[0] == "|"):
            return None
        if not depth and (one := token["plain"] or (escaped if not escaped.isalnum() else "")):
            run += one
            continue
        # What may be missing is the last character, if it is one.
        runs.append(run[:-1] if token["repeat"] else run)
        run = ""
        depth += (token["open"] is not None) - (token["close"] is not None)
    longest = max([*runs, run], key=len)
    return longest if len(longest) >= _LEAST else None
