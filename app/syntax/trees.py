"""Rules over syntax trees, run by ast-grep; whatever it does with a bad rule, a refusal is what comes out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ast_grep_py import Config, SgNode, SgRoot

from app.syntax.languages import RULE_LANGUAGES
from app.syntax.literals import literal_of

MOST_SITES = 2_000
# A rule is made ready anew for each node that is asked, which takes longer than to search the tree once more.
_FEW = 3


class BadRule(ValueError):
    """A rule that ast-grep cannot read; the message says why."""


class RuleTree:
    """The tree of one file, parsed once for all rules that speak of it."""

    def __init__(self, language: str, text: str) -> None:
        self._root = _root(RULE_LANGUAGES[language], text)
        self._found: dict[str, list[SgNode]] = {}

    def sites(
        self, applicable: Mapping[str, Any], conforming: Mapping[str, Any] | None
    ) -> Iterator[tuple[int, int, bool]]:
        """Give first and last line of each applicable node, counted from 1, and whether it conforms."""
        try:
            # Rules that ask different questions about the same nodes search for them once.
            asked = str(applicable)
            if asked not in self._found:
                self._found[asked] = self._root.find_all(_config(applicable))[:MOST_SITES]
            nodes = self._found[asked]
            for node, fine in zip(nodes, self._fit(nodes, applicable, conforming), strict=True):
                place = node.range()
                last = place.end.line + (1 if place.end.column or place.end.line == place.start.line else 0)
                yield place.start.line + 1, last, fine
        except BaseException as fault:
            raise _told(fault) from None

    def _fit(
        self, nodes: Sequence[SgNode], applicable: Mapping[str, Any], conforming: Mapping[str, Any] | None
    ) -> list[bool]:
        """Tell which nodes conform."""
        if conforming is None:
            return [True] * len(nodes)
        # What patterns capture in one part would bind the other.
        if len(nodes) <= _FEW or "'pattern'" in str((applicable, conforming)):
            return [node.matches(**conforming) for node in nodes]
        fit = set(self._root.find_all(_config({"all": [applicable, conforming]})))
        return [node in fit for node in nodes]


# Words without which a file cannot have a node of a kind, in the languages that are mined.
_WORDS = {
    "accessibility_modifier": "p",
    "annotation": "@",
    "arrow_function": "=>",
    "as_pattern": "as",
    "assert_statement": "assert",
    "attribute_item": "#[",
    "await": "await",
    "await_expression": "await",
    "catch_clause": "catch",
    "catch_formal_parameter": "catch",
    "class_declaration": "class",
    "class_definition": "class",
    "decorated_definition": "@",
    "decorator": "@",
    "defer_statement": "defer",
    "enum_declaration": "enum",
    "enum_item": "enum",
    "except_clause": "except",
    "go_statement": "go",
    "impl_item": "impl",
    "interface_declaration": "interface",
    "lambda": "lambda",
    "macro_invocation": "!",
    "marker_annotation": "@",
    "new_expression": "new",
    "object_creation_expression": "new",
    "private_property_identifier": "#",
    "raise_statement": "raise",
    "struct_item": "struct",
    "throw_statement": "throw",
    "trait_item": "trait",
    "try_statement": "try",
    "type_alias_declaration": "type",
    "use_declaration": "use",
    "with_statement": "with",
    "yield": "yield",
}


def words_of(rule: Mapping[str, Any]) -> frozenset[str] | None:
    """Give words of which a file has one if the rule finds anything in it; None where that cannot be told."""
    known: list[frozenset[str]] = []
    for word in (_WORDS.get(str(rule.get("kind"))), literal_of(str(rule.get("regex", "")))):
        known += () if word is None else (frozenset((word,)),)
    if isinstance(rule.get("any"), list):
        choices = [words_of(each) for each in rule["any"] if isinstance(each, Mapping)]
        if choices and None not in choices:
            known.append(frozenset().union(*(words for words in choices if words is not None)))
    nested = [rule.get("has"), rule.get("inside"), *(rule["all"] if isinstance(rule.get("all"), list) else ())]
    for each in nested:
        if isinstance(each, Mapping) and (words := words_of(each)) is not None:
            known.append(words)
    # The longer a word, the fewer files have it.
    return max(known, key=lambda words: min(map(len, words)), default=None)


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
