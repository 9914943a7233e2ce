"""IMPORT rules: imports, or the files that have them, against a selector.

    {"per": "import", "applicable": {"internal": true}, "conforming": {"form": ["relative"]}}
    {"per": "file", "applicable": {"module": ["app.db*"]}, "forbidden": {"module": ["strawberry*"]}}
    {"per": "file", "order": [[{"standard": true}], [{"standard": false}]], "apart": true}

All parts of a selector hold: `module` (one of some names with `*`), `names`, `form`, `alias` (of the module, or of one
of its names), `target` (globs of the file of this repository that it leads to), `internal`, `top`, `type_only`,
`standard` (it comes with the language), `optional` (the code copes with the module missing), `types` (of its names
all, some or none are only types), `any` (one of some selectors), and `not` (no such import).

With `order` a site is a file whose first imports are of at least two groups; it conforms if those of each group stand
before those of the next, with blank lines between them if they are to be `apart`. With `sorted` it is one with at
least three imports in a block, and conforms if each block is in the order of its modules.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from re import compile as expression
from typing import Any

from app.checkers.subject import Checker, Site, Subject
from app.domain import globs
from app.domain.import_order import MOST_UNSORTED, misplaced
from app.domain.listing import Listing
from app.domain.rule import Rule
from app.domain.targets import targets_of
from app.syntax import Import, head_of, is_sorted, is_standard

Selector = Callable[[Import, Subject, Listing], bool]


def compile_rule(rule: Rule) -> Checker:
    """Make an IMPORT rule ready."""
    definition = rule.definition
    applicable, conforming, forbidden = (
        _selector(definition[name]) if definition.get(name) else None
        for name in ("applicable", "conforming", "forbidden")
    )
    per_file = definition.get("per", "import") == "file"
    if definition.get("order") or definition.get("sorted"):
        return Checker(rule, _laid_out(definition))

    words = _words(definition.get("applicable"))
    whole_repository = any(
        "target" in part
        for name in ("applicable", "conforming", "forbidden")
        for part in _selectors(definition.get(name))
    )

    def each(subject: Subject, listing: Listing) -> Iterable[Site]:
        if not _mentions(subject, words):
            return
        for found in subject.imports:
            if applicable is None or applicable(found, subject, listing):
                fine = (conforming is None or conforming(found, subject, listing)) and not (
                    forbidden is not None and forbidden(found, subject, listing)
                )
                yield Site(fine, found.line, found.end_line, None if fine else found.alias or found.module)

    def whole(subject: Subject, listing: Listing) -> Iterable[Site]:
        if not _mentions(subject, words):
            return
        imports = subject.imports
        if applicable is not None and not any(applicable(found, subject, listing) for found in imports):
            return
        wrong = [found for found in imports if forbidden is not None and forbidden(found, subject, listing)]
        if wrong:
            yield Site(False, wrong[0].line, wrong[0].end_line, wrong[0].module)
        elif conforming is None:
            yield Site(True)
        else:
            right = [found for found in imports if conforming(found, subject, listing)]
            yield Site(True, right[0].line, right[0].end_line) if right else Site(False)

    return Checker(rule, whole if per_file else each, whole=whole_repository)


def _laid_out(definition: Mapping[str, Any]) -> Callable[[Subject, Listing], Iterable[Site]]:
    groups = [[_selector(parts) for parts in group] for group in definition.get("order") or ()]
    selectors = [(rank, selects) for rank, group in enumerate(groups) for selects in group]
    apart, how = bool(definition.get("apart")), definition.get("sorted")

    def ordered(subject: Subject, listing: Listing) -> Iterable[Site]:
        head = []
        for found, parted in head_of(subject.imports, subject.lines):
            rank = next((rank for rank, fits in selectors if fits(found, subject, listing)), None)
            if rank is not None:
                head.append((found, rank, parted))
        if len({rank for _, rank, _ in head}) > 1:
            wrong = misplaced([(rank, parted) for _, rank, parted in head], apart=apart)
            yield _shown([found for found, *_ in head], None if wrong is None else head[wrong][0])

    def in_order(subject: Subject, _: Listing) -> Iterable[Site]:
        blocks: list[list[Import]] = []
        for found, parted in head_of(subject.imports, subject.lines):
            if parted or not blocks:
                blocks.append([])
            blocks[-1].append(found)
        if any(len(block) >= MOST_UNSORTED for block in blocks):
            wrong = next((block[0] for block in blocks if not is_sorted(block, str(how))), None)
            yield _shown([found for block in blocks for found in block], wrong)

    return ordered if groups else in_order


def _shown(head: Sequence[Import], wrong: Import | None) -> Site:
    if wrong is not None:
        return Site(False, wrong.line, wrong.end_line, wrong.module)
    return Site(True, head[0].line, max(found.end_line for found in head))


def _selectors(parts: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return [] if not parts else [parts, *parts.get("any", ())]


def _words(parts: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Give words of which a file has one if it imports what is meant; none where that cannot be told."""
    words = tuple(name.partition("*")[0].rstrip("./:") for name in (parts or {}).get("module", ()))
    return words if all(len(word) > 1 for word in words) else ()


def _mentions(subject: Subject, words: tuple[str, ...]) -> bool:
    # A file that does not even mention them is not worth parsing.
    return not words or any(word in subject.text for word in words)


def _selector(parts: Mapping[str, Any]) -> Selector:
    modules = [_matching(name) for name in parts.get("module", ())]
    names, forms, aliases = (frozenset(parts.get(part, ())) for part in ("names", "form", "alias"))
    leads = globs.matcher(parts["target"]) if parts.get("target") else None
    choices = [_selector(choice) for choice in parts.get("any", ())]
    internal, top, type_only = parts.get("internal"), parts.get("top"), parts.get("type_only")
    optional, types = parts.get("optional"), frozenset(parts.get("types", ()))
    standard, unwanted = parts.get("standard"), _selector(parts["not"]) if parts.get("not") else None

    def selects(found: Import, subject: Subject, listing: Listing) -> bool:
        return (
            (not modules or any(matches(found.module) for matches in modules))
            and (not names or not names.isdisjoint(found.names))
            and (not forms or not forms.isdisjoint(found.forms))
            and (not aliases or found.alias in aliases or any(alias in aliases for _, alias in found.renamed))
            and (top is None or found.top is top)
            and (type_only is None or found.type_only is type_only)
            and (optional is None or found.optional is optional)
            and (standard is None or is_standard(subject.language, found) is standard)
            and (internal is None or listing.internal(subject.language, found.module) is internal)
            and (leads is None or any(map(leads, _targets(found, subject, listing))))
            and (not choices or any(choice(found, subject, listing) for choice in choices))
            and (not types or subject.type_uses.get(found.line) in types)
            and (unwanted is None or not unwanted(found, subject, listing))
        )

    return selects


def _targets(found: Import, subject: Subject, listing: Listing) -> tuple[str, ...]:
    return targets_of(listing, subject.path, subject.language, found.module, found.names)


def _matching(name: str) -> Callable[[str], bool]:
    if name.count("*") == 0:
        return name.__eq__
    if name.count("*") == 1 and name.endswith("*"):
        return lambda module: module.startswith(name[:-1])
    # So few stars that trying all their places stays cheap; modules are short.
    shape = expression(translate("*".join(name.split("*")[:6])))
    return lambda module: shape.match(module[:300]) is not None
