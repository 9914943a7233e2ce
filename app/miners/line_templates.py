"""Lines that every file of a place carries: `logger = logging.getLogger(__name__)`, a mark, a class header, a licence.

Lines are compared with white space collapsed and the file's own name masked, so that `class {Stem}Controller:` is one
line of all controllers. Says, for instance: "Files in `rules/` carry `meta: RuleMeta = {`". Only what is rare elsewhere
counts.
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole, has_migration_path
from app.domain.rule import Rule, RuleKind
from app.domain.templates import stem_of, template_of
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, with_lines
from app.syntax import Source

_MOST_LINES = 160
_LONGEST = 140
_SHORTEST = 10
_HEAD, _MARGIN = 60, 5
_MOST_SHOWN = 3
_LEAST_COPIED = 4
# What other families say better, or what says nothing: imports, packages, brackets, bare keywords, prose in comments.
_BOILERPLATE = re.compile(
    r"(?:import|from|package|use|pub use|export \*|mod|pub mod|extern crate|#include|using|return|else|try|finally|"
    r"break|continue|if|elif|for|while|switch|case|default|await|yield|throw|raise|assert|with|pass|\}|\)|\]|@Override|end)\b.{0,200}|[^A-Za-z]*|.*require\(.*|"
    # A bare path in a block of imports, the end of one, a field or an argument that is a name and no more.
    r"(?:\w+ )?\"[\w./@{}-]+\"[,;]?|\} from .*|[\w.\"']+\??:? ?[=:]? ?[\w.\"'\[\]]+[,;]?|[\w.]+\([\w, .]*\)?[;,{]?|"
    # Where every program begins.
    r"(?:export |public |final |abstract |sealed )*(?:class|interface) \{stem\}(?:Tests?|IT)? ?\{|"
    # What own names say: a declaration that is named for its file, and no more.
    r"(?:export )?(?:default )?(?:async )?(?:const|type|interface|enum|function|class) "
    r"[\w$]*\{[Ss]tem(?:Camel)?\}[\w$]*(?: =)?(?: async| function)?[ (){}=>]*|"
    r"(?:module\.exports =|export default) \{[Ss]tem(?:Camel)?\};?|"
    r"(?:before|after)(?:All|Each)?\((?:async )?(?:\(\) =>|function ?\(\)) \{|[)}\]].*|"
    r"(?:pub )?(?:async )?fn (?:main|\{stem\})\(\).*|func main\(\).*|public static void main\(.*|"
    # Who wrote it is said by who wrote it.
    r"\W*@?[Aa]uthors?\b.*|"
    # Comments that tools read are kept, and so are attributes of Rust, but for those that all files have.
    r"#!?\[(?:derive|cfg|test|inline|allow|doc|must_use)\b.*|"
    r"(?!#!?\[|\S{1,3} ?(?:@type|@ts-|@jest|@vitest|@flow|@format|eslint|type:|-\*-)|//go:)"
    r"(?:#|//|/\*|\*|--|;|\"\"\"|<!--).*"
)
# Beside other lines a part of them, alone nothing: how any module tells what it is for, a member that a base or a tool
# asks for, a parameter, a path in a block of imports.
_ALONE = re.compile(
    r"(?:(?:module\.)?exports =|export default) (?:\{|\[|(?:async )?(?:function|\().*)?|"
    r"(?:async )?def \w+\(.*:|(?:pub(?:\(\w+\))? )?(?:async )?fn \w+\(.*\{|func (?:\([^)]*\) )?\w+\(.*\{|"
    r"(?:(?:public|protected|private|static|final|async|get|set) )*(?:[\w<>\[\], ?.]+ )?(?:\w+|\{stem\})\([^)]*\)"
    r"(?:: [\w<>\[\], |.]+| throws [\w, .]+)? ?\{|"
    r"(?:private |readonly )*\w+\??: &?(?:mut )?[\w<>\[\]:.']+,?|(?:\w+::)+(?:\w+|\{.*\}|\*)[,;]?|"
    # A call that goes on in the next line, a variable without a value yet, what a class of tests extends.
    r"[^\"']*\.|[\w<>\[\]?,. ]+ \w+ = null;|"
    r"(?:public |final |abstract )*class \{stem\}(?:Tests?|IT) extends [\w<>, ]+ ?\{|"
    # A variable whose value begins in the next line; an item, or an argument, without a name or a text of its own.
    r"(?:export )?(?:[\w<>\[\]]+ )+\w+ = [{\[(]|"
    r"[^\"'`{]*,"
)
# What tests of one thing do with it, each in turn.
_STEP = re.compile(r"(?:[\w<>\[\], ?]+ \w+ = )?\w[\w.]*\([^{}]*\);?")
# So few tests of one place are alike because one was copied from the other; examples of one thing are always.
_LEAST_TESTS = 15
_MARK = re.compile(r"@(?!Deprecated|SuppressWarnings)[A-Z]\w{4,}")
_WORD = re.compile(r"[A-Za-z_]{2,}|\{[A-Za-z_-]+\}")


def facts(source: Source) -> Any:
    """Keep the templates of the lines near the head and near the margin."""
    stem = stem_of(source.name)
    found: dict[str, None] = {}
    for number, line in enumerate(source.lines):
        if len(found) == _MOST_LINES:
            break
        # What stands far from the margin is looked at near the head alone; most lines do.
        if number >= _HEAD and len(line) >= _MARGIN and line[:_MARGIN].isspace():
            continue
        if not _SHORTEST <= len(line.strip()) <= _LONGEST:
            continue
        template = template_of(line, stem)
        # What marks a whole file is telling even as one word.
        words = 2 - (not line[:1].isspace() and _MARK.fullmatch(template) is not None)
        if not _BOILERPLATE.fullmatch(template) and len(_WORD.findall(template)) >= words:
            found[template] = None
    return list(found)


def votes(file: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each file vote for the lines that it carries; a step of a database's history is written by a tool."""
    if facts is not None and not has_migration_path(file.path):
        yield Vote("lines", tuple(facts))


def _of_one_name(finding: Finding) -> bool:
    """Tell whether it is about sources that are called alike, which with many lines the same are copies."""
    names = [glob.removeprefix("**/") for glob in finding.scope.include]
    return bool(names) and not any("*" in name for name in names) and finding.scope.roles == (FileRole.SOURCE,)


def propose(finding: Finding) -> Proposal | None:
    """Say which lines they are."""
    lines = finding.together or (finding.form,)
    telling = [line for line in lines if not _ALONE.fullmatch(line)]
    if not telling or (len(lines) >= _LEAST_COPIED and _of_one_name(finding)):
        return None
    roles, of_a_part = finding.scope.roles, bool(finding.scope.include)
    few_tests = roles == (FileRole.TEST,) and (finding.applicable < _LEAST_TESTS or all(map(_STEP.fullmatch, telling)))
    if of_a_part and (few_tests or roles == (FileRole.EXAMPLE,)):
        return None
    rule = Rule(RuleKind.REGEX, {"per": "file", "lines": list(lines)}, finding.scope)
    return Proposal(
        with_lines(f"{in_scope(finding, 'Files')} carry", telling, _MOST_SHOWN, more=len(lines) - len(telling)),
        rule,
        PatternCategory.STRUCTURAL,
        detail=f"All of them: {', '.join(f'`{line}`' for line in lines)}." if len(lines) > 1 else "",
        weight=1.2 if any("{" in line and "}" in line for line in lines) else 1.0,
    )


FAMILY = Family(
    "line-templates",
    votes,
    propose,
    facts=facts,
    version=6,
    least=Least(sites=8, files=7, share=0.85, careful=0.8, bits=1.5),
    open=True,
    joins=True,
    local=True,
    most=5,
)
