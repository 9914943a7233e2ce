"""Material of tests: code that stands beside one and the same test in very many folders, which only reads it."""

from collections import Counter
from collections.abc import Iterable

from app.domain.recognition import FileRole, has_test_name
from app.domain.snapshot import FileFacts

# A test of one name in so many folders is one test, run over what each of them holds.
_LEAST_FOLDERS = 100


def minable(files: Iterable[FileFacts]) -> list[FileFacts]:
    """List the files in which conventions are looked for: what people of this repository write as its code."""
    found = [file for file in files if file.minable]
    names = Counter(_name(file) for file in found if _is_test(file))
    run_over = {_folder(file) for file in found if _is_test(file) and names[_name(file)] >= _LEAST_FOLDERS}
    return [file for file in found if not (run_over and _is_read(file, run_over))]


def _is_test(file: FileFacts) -> bool:
    return file.role is FileRole.TEST and has_test_name(file.path)


def _is_read(file: FileFacts, folders: set[str]) -> bool:
    if file.role is not FileRole.TEST or has_test_name(file.path):
        return False
    folder = _folder(file)
    while folder and folder not in folders:
        folder = folder.rpartition("/")[0]
    return folder in folders


def _folder(file: FileFacts) -> str:
    return file.path.rpartition("/")[0]


def _name(file: FileFacts) -> str:
    return file.path.rpartition("/")[2]
