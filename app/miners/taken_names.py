"""What all files of one place of a Rust crate take from elsewhere: a prelude, a macro, the types of a test bench.

Says, for instance: "Rust files in `src/commands/` use `command_prelude::*`" and "Rust files in `benches/` use
`criterion_group!` and `criterion_main!`". What the language brings, and what is taken everywhere, is no convention of
a place.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, with_lines
from app.syntax import Source, imports_of, text_of

_MOST_NAMES, _MOST_SHOWN = 80, 4
_LEAST_OF_TYPES = 3
_STANDARD = frozenset(("std", "core", "alloc"))
_MACRO, _ALL, _SOME = "!", "::*", "::…"
# What was made to be taken: a prelude, a macro, a function, the crate's own way to fail.
_CHOSEN = re.compile(r"(!|::\*|Result)$|^[a-z0-9]+(_[a-z0-9]+)+$")
_LEAF = re.compile(r"(\w+::\*|\w+)(?=\s*(?:,|\}|$))")
_MODULE = re.compile(r"(\w+)::")
_RENAMED = re.compile(r"\s+as\s+\w+")
# What comes with the language, what tells nothing of who calls it, and what others speak of: logs, errors, records.
_COMMON_NAMES = (
    "self super crate Result Error Arc Serialize Deserialize serde Context Regex super::* self::* "
    "assert! assert_eq! assert_ne! debug_assert! debug_assert_eq! debug_assert_ne! panic! todo! unimplemented! "
    "unreachable! dbg! println! eprintln! print! eprint! format! format_args! write! writeln! vec! matches! cfg! env! "
    "concat! stringify! include! include_str! include_bytes! line! file! column! module_path! compile_error! "
    "macro_rules! thread_local! option_env! addr_of! trace! debug! info! warn! error! log! event! span! "
    "anyhow! bail! ensure! format_err!"
)
_COMMON = frozenset(_COMMON_NAMES.split())


def facts(source: Source) -> Any:
    """List the names that a file imports from other crates and modules, and the macros that it calls."""
    found = dict.fromkeys(_names(source))
    # A macro that is called need not be named once more for being imported.
    left = [name for name in found if name not in _COMMON and f"{name}{_MACRO}" not in found]
    return left[:_MOST_NAMES]


def _names(source: Source) -> Iterator[str]:
    for each in imports_of(source):
        root, _, rest = each.module.partition("::")
        if root == "crate" and (found := _MODULE.match(rest)) is not None:
            yield f"{found.group(1)}{_SOME}"
        if root not in _STANDARD:
            yield from (name for name in _LEAF.findall(_RENAMED.sub("", each.module)) if len(name) > 2)
    for call in source.nodes("macro_invocation"):
        yield f"{text_of(call.child_by_field_name('macro')).rpartition('::')[2]}{_MACRO}"


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each file vote for all that it takes."""
    if facts is not None:
        yield Vote("names", tuple(facts))


def propose(finding: Finding) -> Proposal | None:
    """Say what is taken, and where; one or two types alone are the matter that some files are about."""
    names = finding.together or (finding.form,)
    # What tests take from one module is what helps them; what sources do is how they depend upon each other.
    tests = finding.scope.roles == (FileRole.TEST,)
    chosen = [name for name in names if _CHOSEN.search(name) or (tests and name.endswith(_SOME))]
    types = [name for name in names if name not in chosen and not name.endswith(_SOME)]
    if not chosen and (not finding.scope.include or len(types) < _LEAST_OF_TYPES):
        return None
    shown = [*chosen, *types]
    rule = Rule(
        RuleKind.AST,
        {
            "applicable": {"kind": "source_file"},
            "conforming": {"all": [{"has": {**_use(name), "stopBy": "end"}} for name in shown]},
        },
        finding.scope,
    )
    begin = f"{in_scope(finding, 'Files')} use"
    return Proposal(
        with_lines(begin, shown, _MOST_SHOWN, "name"),
        rule,
        PatternCategory.DEPENDENCY,
        detail=f"All of them: {', '.join(f'`{name}`' for name in shown)}." if len(shown) > _MOST_SHOWN else "",
        weight=1.0 if chosen else 0.7,
    )


def _use(name: str) -> dict[str, Any]:
    if name.endswith(_MACRO):
        shape = rf"(^|::){re.escape(name.removesuffix(_MACRO))}$"
        return {"kind": "macro_invocation", "has": {"field": "macro", "regex": shape}}
    if name.endswith(_SOME):
        return {"kind": "use_declaration", "regex": rf"\bcrate::{name.removesuffix(_SOME)}::"}
    shape = rf"\b{re.escape(name)}" if name.endswith(_ALL) else rf"\b{name}\b"
    return {"kind": "use_declaration", "regex": shape}


FAMILY = Family(
    "taken-names",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=frozenset(("Rust",)),
    roles=frozenset((FileRole.SOURCE, FileRole.TEST, FileRole.EXAMPLE)),
    least=Least(sites=8, files=8, share=0.88, careful=0.8, bits=1.5, rising=False),
    open=True,
    joins=True,
    local=True,
    most=5,
    most_of_a_place=2,
)
