"""One file as facts are taken from it: its text, its lines, and the nodes of its tree that somebody asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from tree_sitter import Node, Parser, Query, QueryCursor

from app.syntax.languages import GRAMMARS, grammar

MOST_BYTES = 500_000
LONGEST_LINE = 100_000
MOST_DEPTH = 1_500
_OPENING, _CLOSING = b"([{", b")]}"


class Unreadable(Exception):
    """A file that no facts can be taken from; the message is the reason that stands in the run's report."""


def readable(content: bytes) -> str:
    """Give the text of a file, or say why nothing is read from it."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"larger than {MOST_BYTES // 1000} kB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
    if len(content) > LONGEST_LINE and max(map(len, content.split(b"\n"))) > LONGEST_LINE:
        raise Unreadable("a line is too long")
    if _depth(content) > MOST_DEPTH:
        raise Unreadable("nested too deep")
    return text


def _depth(content: bytes) -> int:
    """Bound how deep brackets may nest, without a tree; what stands in texts counts, so it errs on the safe side."""
    kept = content.translate(None, _NO_BRACKETS)
    if len(kept) <= MOST_DEPTH:
        return 0
    depth = deepest = 0
    for letter in kept:
        depth = depth + 1 if letter in _OPENING else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


_NO_BRACKETS = bytes(set(range(256)) - set(_OPENING + _CLOSING))

# Which kinds of nodes were ever asked for, by language, numbered as they came: the next file finds them all in one pass
# over its tree, and knows by the number of a kind whether its own pass was before that.
_WANTED: dict[str, dict[str, int]] = {language: {} for language in GRAMMARS}
_QUERIES: dict[str, tuple[int, Query]] = {}


@dataclass(frozen=True, slots=True)
class Import:
    """One import of one module.

    The forms of a language: Python relative/absolute, module/names/star; JavaScript and TypeScript relative/alias/
    package/node/builtin, extension/bare, default/named/namespace/side-effect/require/dynamic/export, inline (some names
    are marked `type`); Go standard/
    outside, plain/alias/dot/blank; Java static, single/wildcard; Rust crate/super/self/std/core/alloc/outside,
    single/list/glob.
    """

    module: str
    """As written: `.models`, `app.db`, `./button`, `net/http`, `java.util.List`, `crate::config`."""
    line: int
    end_line: int
    forms: tuple[str, ...]
    names: tuple[str, ...] = ()
    alias: str | None = None
    top: bool = True
    """Whether it stands outside of functions and classes."""
    type_only: bool = False
    optional: bool = False
    """Whether the code around it copes with the module missing."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Names of Python that are taken under another, each with the other."""


class Source:
    """What a miner may know of a file when it takes facts: nothing of the folders above, so facts survive moves."""

    def __init__(self, name: str, language: str, text: str) -> None:
        self.name = name
        self.language = language
        self.text = text
        self._found: dict[str, list[Node]] = {}
        self._asked = 0
        self.imports: list[Import] | None = None
        """What it imports, once somebody asked (`imports_of`)."""

    @property
    def stem(self) -> str:
        """The name without its last suffix."""
        return PurePosixPath(self.name).stem

    @cached_property
    def content(self) -> bytes:
        """The text as bytes; positions in the tree count them."""
        return self.text.encode()

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.split("\n")

    @cached_property
    def root(self) -> Node | None:
        """The root of the tree; None where no grammar is known. Errors inside it are normal."""
        if self.language not in GRAMMARS:
            return None
        return Parser(grammar(self.language)).parse(self.content).root_node

    def nodes(self, *kinds: str) -> Sequence[Node]:
        """Give all nodes of some kinds, from top to bottom; kinds that a grammar lacks have none."""
        if self.root is None:
            return ()
        wanted = _WANTED[self.language]
        if max([wanted.setdefault(kind, len(wanted)) for kind in kinds], default=-1) >= self._asked:
            self._found = _captured(self.language, self.root)
            self._asked = len(wanted)
        if len(kinds) == 1:
            return self._found.get(kinds[0], ())
        found = [node for kind in kinds for node in self._found.get(kind, ())]
        return sorted(found, key=lambda node: (node.start_byte, -node.end_byte))


def _captured(language: str, root: Node) -> dict[str, list[Node]]:
    if not root.child_count:
        return {root.type: [root]}
    known = _QUERIES.get(language)
    wanted = _WANTED[language]
    if known is None or known[0] != len(wanted):
        tongue = grammar(language)
        kinds = [kind for kind in wanted if tongue.id_for_node_kind(kind, True) is not None]
        known = (len(wanted), Query(tongue, " ".join(f"({kind}) @{kind}" for kind in kinds)))
        _QUERIES[language] = known
    found = QueryCursor(known[1]).captures(root)
    for nodes in found.values():
        nodes.sort(key=lambda node: node.start_byte)
    return found


def text_of(node: Node | None) -> str:
    """Give the text of a node."""
    return "" if node is None or node.text is None else node.text.decode(errors="replace")


def line_of(node: Node) -> int:
    """Give the line a node begins in, counted from 1."""
    return node.start_point.row + 1
