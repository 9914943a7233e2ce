"""Material of tests: code that stands beside one and the same test in very many folders, which only reads it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from app.domain.recognition import FileRole, has_test_name
from app.domain.snapshot import FileFacts

# A test of one name in so many folders is one test, run over what each of them holds.
_LEAST_FOLDERS = 100


def minable(files: Iterable[FileFacts]) -> list[FileFacts]:
    """List the files in which conventions are looked for: what people of this repository write as its code."""
    found = {file.path: file for file in files if file.minable}
    material = material_of(found, lambda path: found[path].role)
    return [file for path, file in found.items() if path not in material]


def material_of(paths: Collection[str], role_of: Callable[[str], FileRole]) -> frozenset[str]:
    """List what tests only read; the role of a path is asked for where it matters."""
    names = Counter(name for path in paths if has_test_name(name := path.rpartition("/")[2]))
    tests = {name for name, count in names.items() if count >= _LEAST_FOLDERS}
    if not tests:
        return frozenset()
    folders = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in tests}
    return frozenset(
        path for path in paths if not has_test_name(path) and _is_in(path, folders) and role_of(path) is FileRole.TEST
    )


def _is_in(path: str, folders: set[str]) -> bool:
    folder = path.rpartition("/")[0]
    while folder and folder not in folders:
        folder = folder.rpartition("/")[0]
    return folder in folders
