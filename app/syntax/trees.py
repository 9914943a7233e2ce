"""Rules over syntax trees, run by ast-grep; whatever it does with a bad rule, a refusal is what comes out."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ast_grep_py import Config, SgNode, SgRoot

from app.syntax.languages import RULE_LANGUAGES

MOST_SITES = 2_000


class BadRule(ValueError):
    """A rule that ast-grep cannot read; the message says why."""


class RuleTree:
    """The tree of one file, parsed once for all rules that speak of it."""

    def __init__(self, language: str, text: str) -> None:
        self._root = _root(RULE_LANGUAGES[language], text)

    def sites(
        self, applicable: Mapping[str, Any], conforming: Mapping[str, Any] | None
    ) -> Iterator[tuple[int, int, bool]]:
        """Give first and last line of each applicable node, counted from 1, and whether it conforms."""
        try:
            # A rule may speak of the whole file, and searching below the root would not find the root.
            found = self._root.find_all(_config(applicable))
            for node in found[:MOST_SITES]:
                place = node.range()
                last = place.end.line + (1 if place.end.column or place.end.line == place.start.line else 0)
                fine = conforming is None or node.matches(**conforming)
                yield place.start.line + 1, last, fine
        except BaseException as fault:
            raise _told(fault) from None


def check_rule(language: str, rule: Mapping[str, Any]) -> None:
    """Refuse a rule that ast-grep cannot read for a language."""
    if language not in RULE_LANGUAGES:
        raise BadRule(f"Rules of kind AST cannot read {language}.")
    try:
        _root(RULE_LANGUAGES[language], "x").find(_config(rule))
    except BaseException as fault:
        raise _told(fault) from None


def _config(rule: Mapping[str, Any]) -> Config:
    return cast("Config", {"rule": dict(rule)})


def _root(language: str, text: str) -> SgNode:
    try:
        return SgRoot(text, language).root()
    except BaseException as fault:
        raise _told(fault) from None


def _told(fault: BaseException) -> BaseException:
    # A panic of the library is no Exception; what asks this process to end must still pass.
    if isinstance(fault, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        return fault
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    causes = [line.partition(": ")[2] for line in lines if line[:1].isdigit() and ": " in line and " at " not in line]
    stop = next((place for place, line in enumerate(causes) if line.startswith("<")), len(causes))
    return BadRule((causes[:stop] or lines or ["It cannot be read."])[-1][:300])
