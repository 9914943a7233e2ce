"""What a file imports, and in which form, in each language alike."""

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from app.syntax.source import Import, Source, line_of, text_of


def imports_of(source: Source) -> list[Import]:
    """List the imports of a file from top to bottom; none where the language is not known."""
    if source.imports is None:
        reader = _READERS.get(source.language)
        source.imports = [] if reader is None else list(reader(source))
    return source.imports


def _top(node: Node, *inner: str) -> bool:
    above = node.parent
    while above is not None:
        if above.type in inner:
            return False
        above = above.parent
    return True


def _below(node: Node, kind: str) -> Iterator[Node]:
    """Give nodes of a kind below a small node, from left to right."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type == kind:
            yield each
        else:
            waiting += reversed(each.named_children)


def _within(node: Node, kind: str) -> bool:
    above = node.parent
    while above is not None:
        if above.type == kind and "TYPE_CHECKING" in text_of(above.child_by_field_name("condition")):
            return True
        above = above.parent
    return False


_MISSING = re.compile(r"\b(?:ImportError|ModuleNotFoundError)\b")


def _tried(node: Node) -> bool:
    """Tell whether an import stands where it is caught that the module is missing."""
    above = node.parent
    while above is not None:
        if above.type == "try_statement" and any(
            child.type in ("except_clause", "catch_clause")
            and (child.type == "catch_clause" or _MISSING.search(text_of(child)))
            for child in above.named_children
        ):
            return True
        above = above.parent
    return False


def _python(source: Source) -> Iterator[Import]:
    tries = _MISSING.search(source.text) is not None
    for node in source.nodes("import_statement", "import_from_statement", "future_import_statement"):
        first, last = line_of(node), node.end_point.row + 1
        top = _top(node, "function_definition", "class_definition")
        typed = _within(node, "if_statement")
        tried = tries and _tried(node)
        if node.type == "import_statement":
            for name in node.children_by_field_name("name"):
                alias = None
                if name.type == "aliased_import":
                    alias, name = text_of(name.child_by_field_name("alias")), name.child_by_field_name("name") or name
                yield Import(text_of(name), first, last, ("absolute", "module"), (), alias, top, typed, tried)
            continue
        names = []
        renamed = []
        for name in node.children_by_field_name("name"):
            alias = text_of(name.child_by_field_name("alias")) if name.type == "aliased_import" else None
            names.append(text_of(name.child_by_field_name("name") or name if alias else name))
            if alias is not None:
                renamed.append((names[-1], alias))
        module = (
            "__future__" if node.type == "future_import_statement" else text_of(node.child_by_field_name("module_name"))
        )
        star = any(child.type == "wildcard_import" for child in node.children)
        forms = ("relative" if module.startswith(".") else "absolute", "star" if star else "names")
        single = renamed[0][1] if renamed and len(names) == 1 else None
        yield Import(module, first, last, forms, tuple(names), single, top, typed, tried, tuple(renamed))


_BUILTIN_NAMES = (
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain "
    "events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl "
    "stream string_decoder timers tls trace_events tty url util v8 vm wasi worker_threads zlib"
)
# Of these there are parts; `constants/theme` and `util/dates` are modules of the repository's own.
_BUILTIN_PARTS = (
    "assert/strict dns/promises fs/promises inspector/promises path/posix path/win32 readline/promises "
    "stream/consumers stream/promises stream/web timers/promises util/types"
)
_BUILTINS = frozenset((*_BUILTIN_NAMES.split(), *_BUILTIN_PARTS.split()))
_CODE_SUFFIXES = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")


def _place(module: str) -> tuple[str, ...]:
    if module.startswith("."):
        last = module.rpartition("/")[2]
        return ("relative", "extension" if last.endswith(_CODE_SUFFIXES) else "bare")
    if module.startswith("node:"):
        return ("node",)
    if module.removesuffix("/") in _BUILTINS:
        return ("builtin",)
    return ("alias",) if module.startswith(("@/", "~/", "#", "~", "$")) else ("package",)


def _javascript(source: Source) -> Iterator[Import]:
    for node in source.nodes("import_statement", "export_statement", "call_expression"):
        first, last = line_of(node), node.end_point.row + 1
        if node.type == "call_expression":
            yield from _called(node, first, last)
            continue
        origin = node.child_by_field_name("source")
        if origin is None:
            continue
        module = text_of(origin).strip("\"'`")
        typed = any(child.type == "type" for child in node.children[:2])
        if node.type == "export_statement":
            yield Import(module, first, last, (*_place(module), "export"), (), None, True, typed)
            continue
        clause = next((child for child in node.named_children if child.type == "import_clause"), None)
        forms, names, alias = [], [], None
        for part in [] if clause is None else clause.named_children:
            if part.type == "identifier":
                forms.append("default")
                alias = text_of(part)
            elif part.type == "namespace_import":
                forms.append("namespace")
                alias = text_of(part.named_children[0]) if part.named_children else None
            else:
                forms.append("named")
                specifiers = list(_below(part, "import_specifier"))
                names = [text_of(each.child_by_field_name("name")) for each in specifiers]
                if any(child.type == "type" for each in specifiers for child in each.children):
                    forms.append("inline")
        yield Import(
            module, first, last, (*_place(module), *(forms or ["side-effect"])), tuple(names), alias, True, typed
        )


_FUNCTIONS = ("function_declaration", "function_expression", "arrow_function", "method_definition", "function")


def _called(node: Node, first: int, last: int) -> Iterator[Import]:
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or arguments is None or function.type not in ("identifier", "import"):
        return
    form = {"require": "require", "import": "dynamic"}.get(text_of(function))
    given = arguments.named_children
    if form is not None and given and given[0].type == "string":
        module = text_of(given[0]).strip("\"'`")
        top = _top(node, *_FUNCTIONS)
        yield Import(module, first, last, (*_place(module), form), (), None, top, False, _tried(node))


def _go(source: Source) -> Iterator[Import]:
    for node in source.nodes("import_spec"):
        module = text_of(node.child_by_field_name("path")).strip('"`')
        name = node.child_by_field_name("name")
        form = {None: "plain", "dot": "dot", "blank_identifier": "blank"}.get(
            None if name is None else name.type, "alias"
        )
        place = "outside" if "." in module.partition("/")[0] else "standard"
        alias = text_of(name) if form == "alias" else None
        yield Import(module, line_of(node), node.end_point.row + 1, (place, form), (), alias)


def _java(source: Source) -> Iterator[Import]:
    for node in source.nodes("import_declaration"):
        words = {child.type for child in node.children}
        named = next(
            (child for child in node.named_children if child.type in ("scoped_identifier", "identifier")), None
        )
        forms = (
            *(("static",) if "static" in words else ()),
            "wildcard" if "asterisk" in words else "single",
        )
        module = text_of(named)
        yield Import(module, line_of(node), node.end_point.row + 1, forms, (module.rpartition(".")[2],))


def _rust(source: Source) -> Iterator[Import]:
    for node in source.nodes("use_declaration"):
        argument = node.child_by_field_name("argument")
        module = " ".join(text_of(argument).split())
        first = module.partition("::")[0]
        place = first if first in ("crate", "super", "self", "std", "core", "alloc") else "outside"
        shape = "glob" if module.endswith("*") else "list" if "{" in module else "single"
        alias = module.rpartition(" as ")[2] if " as " in module and "{" not in module else None
        top = _top(node, "function_item")
        yield Import(module[:300], line_of(node), node.end_point.row + 1, (place, shape), (), alias, top)


_READERS: dict[str, Callable[[Source], Iterator[Import]]] = {
    "Python": _python,
    "JavaScript": _javascript,
    "TypeScript": _javascript,
    "TSX": _javascript,
    "Go": _go,
    "Java": _java,
    "Rust": _rust,
}
