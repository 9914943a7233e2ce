"""Which file of the repository an import leads to, as far as paths alone can tell."""

from collections.abc import Iterable, Sequence

from app.domain.listing import Listing

_SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs", ".d.ts", ".vue", ".svelte")
_COMPILED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_ALIASES = ("@/", "~/")
_SCRIPTS = frozenset(("JavaScript", "TypeScript", "TSX"))


def targets_of(
    listing: Listing, path: str, language: str | None, module: str, names: Sequence[str] = ()
) -> tuple[str, ...]:
    """List the files that an import of the file at `path` leads to; none where it leads out of the repository.

    Python, JavaScript, TypeScript and Java are read; Go names its own module in each import, and Rust its items.
    """
    if language == "Python":
        return tuple(dict.fromkeys(_python(listing, path, module, names)))
    if language in _SCRIPTS:
        return _script(listing, path, module)
    return _java(listing, module) if language == "Java" else ()


def _python(listing: Listing, path: str, module: str, names: Sequence[str]) -> Iterable[str]:
    if module.startswith("."):
        words = module.lstrip(".")
        places = path.split("/")[: -(len(module) - len(words))]
        if len(module) - len(words) > path.count("/") + 1:
            return
        base = "/".join([*places, *(words.split(".") if words else ())])
    else:
        first = module.partition(".")[0]
        roots = listing.python_roots.get(first)
        if roots is None:
            return
        # Of several packages of one name, the one beside the importing file is meant.
        root = next((root for root in roots if not root or path.startswith(f"{root}/")), roots[0])
        base = f"{root}/{module.replace('.', '/')}".lstrip("/")
    whole = False
    for name in names:
        inner = _python_file(listing, f"{base}/{name}".lstrip("/"))
        if inner is None:
            whole = True
        else:
            yield inner
    if (whole or not names) and (found := _python_file(listing, base)) is not None:
        yield found


def _python_file(listing: Listing, base: str) -> str | None:
    return next((path for path in (f"{base}.py", f"{base}/__init__.py", f"{base}.pyi") if path in listing.paths), None)


def _script(listing: Listing, path: str, module: str) -> tuple[str, ...]:
    folder = path.rpartition("/")[0]
    if module.startswith("."):
        found = _script_file(listing, _joined(folder, module))
        return () if found is None else (found,)
    if not module.startswith((*_ALIASES, "src/")):
        return ()
    # An alias leads to the sources of the nearest folder above that has such a file.
    inner = module if module.startswith("src/") else module[2:]
    while True:
        for base in (f"{folder}/src/{inner}", f"{folder}/{inner}"):
            if (found := _script_file(listing, base.lstrip("/"))) is not None:
                return (found,)
        if not folder:
            return ()
        folder = folder.rpartition("/")[0]


def _joined(folder: str, module: str) -> str | None:
    parts = folder.split("/") if folder else []
    for part in module.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _script_file(listing: Listing, base: str | None) -> str | None:
    if base is None:
        return None
    if base in listing.paths:
        return base
    stem, dot, ending = base.rpartition(".")
    sources = [f"{stem}{suffix}" for suffix in _COMPILED.get(f"{dot}{ending}", ())]
    named = [f"{base}{suffix}" for suffix in _SUFFIXES]
    inside = [f"{base}/index{suffix}".lstrip("/") for suffix in _SUFFIXES]
    return next((path for path in (*sources, *named, *inside) if path in listing.paths), None)


def _java(listing: Listing, module: str) -> tuple[str, ...]:
    words = module.split(".")
    # The last words may be a nested class or a static member; a wildcard names a package, which has no one file.
    for count in range(len(words), max(len(words) - 3, 1), -1):
        found = listing.java_classes.get(".".join(words[:count]))
        if found is not None:
            return (found,)
    return listing.java_first.get(module, ())
