"""AST rules: every node that `applicable` finds is a site; it conforms if `conforming` matches it, in one of `files`.

{"applicable": {"kind": "class_definition", "has": {...}}, "files": ["**/_exceptions.py"]}
"""

from collections.abc import Iterable

from app.checkers.subject import Checker, Site, Subject
from app.domain import globs
from app.domain.errors import Invalid
from app.domain.listing import Listing
from app.domain.rule import Rule
from app.syntax import GRAMMARS, RULE_LANGUAGES, BadRule, check_rule, words_of


def compile_rule(rule: Rule) -> Checker:
    """Make an AST rule ready."""
    applicable, conforming = rule.definition["applicable"], rule.definition.get("conforming")
    in_place = globs.matcher(rule.definition["files"]) if rule.definition.get("files") else None
    languages = rule.scope.languages
    if not languages:
        raise Invalid("The rule cannot be read.", fields={"scope.languages": "An AST rule speaks of a language."})
    for part, wanted in (("applicable", applicable), ("conforming", conforming)):
        if wanted is None:
            continue
        for language in languages:
            try:
                check_rule(language, wanted)
            except BadRule as bad:
                raise Invalid("The rule cannot be read.", fields={f"definition.{part}": f"{language}: {bad}"}) from None

    words = words_of(applicable)

    def sites(subject: Subject, _: Listing) -> Iterable[Site]:
        if subject.language not in RULE_LANGUAGES:
            return
        # A file without any of the words is not worth parsing.
        if words is not None and subject.language in GRAMMARS and not any(word in subject.text for word in words):
            return
        fits = in_place is None or in_place(subject.path)
        for first, last, fine in subject.tree.sites(applicable, conforming):
            yield Site(fine and fits, first, last)

    return Checker(rule, sites)
