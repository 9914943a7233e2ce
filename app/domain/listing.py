"""All paths of a repository at one commit: what a name beside, above or elsewhere can be looked up in."""

from collections.abc import Collection, Iterable
from functools import cached_property

from app.domain.languages import language_of
from app.domain.material import material_of
from app.domain.recognition import FileRole, has_generated_name, has_vendored_path, role_in, role_of

_JAVA_ROOTS = ("src/main/java/", "src/test/java/", "src/")
_WRITTEN = frozenset(FileRole) - {FileRole.GENERATED, FileRole.FIXTURE, FileRole.ASSET}


def _role_of(path: str) -> FileRole:
    return role_of(path, language_of(path), generated=has_generated_name(path))


class Listing:
    """The files of a snapshot by path, and the folders they make."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self._speakers: dict[tuple[str, tuple[str, ...], tuple[FileRole, ...]], str | None] = {}

    @cached_property
    def folders(self) -> dict[str, tuple[str, ...]]:
        """The names in each folder, files and folders alike, in order; the top is the empty text."""
        found: dict[str, set[str]] = {"": set()}
        for path in self.paths:
            while path:
                folder, _, name = path.rpartition("/")
                known = folder in found
                found.setdefault(folder, set()).add(name)
                if known and folder:
                    break
                path = folder
        return {folder: tuple(sorted(names)) for folder, names in found.items()}

    def speaker(self, folder: str, languages: Collection[str] = (), roles: Collection[FileRole] = ()) -> str | None:
        """Give the file that speaks for a folder: the first in it, or else below it, that people wrote.

        It is of some languages and roles, if asked.
        """
        asked = (folder, tuple(languages), tuple(roles))
        if asked not in self._speakers:
            paths = [f"{folder}/{name}".lstrip("/") for name in self.folders.get(folder, ())]
            own = next((path for path in paths if self._speaks(path, languages, roles)), None)
            if own is None and not any(path in self.paths for path in paths):
                below = (self.speaker(path, languages, roles) for path in paths)
                own = next((path for path in below if path is not None), None)
            self._speakers[asked] = own
        return self._speakers[asked]

    def _speaks(self, path: str, languages: Collection[str], roles: Collection[FileRole]) -> bool:
        language = language_of(path) if path in self.paths else None
        if language is None or (languages and language not in languages) or has_vendored_path(path):
            return False
        return _role_of(path) in (roles or _WRITTEN) and path not in self._material

    @cached_property
    def _material(self) -> frozenset[str]:
        return material_of(self.paths, _role_of)

    @cached_property
    def python_folders(self) -> frozenset[str]:
        """The folders that are packages of Python."""
        return frozenset(path.rpartition("/")[0] for path in self.paths if path.endswith("/__init__.py"))

    @cached_property
    def python_packages(self) -> frozenset[str]:
        """The names that `import` finds in the repository itself."""
        packages = self.python_folders
        tops = {package.rpartition("/")[2] for package in packages if package.rpartition("/")[0] not in packages}
        roots = {package.rpartition("/")[0] for package in packages if package.rpartition("/")[0] not in packages}
        modules = {
            path.rpartition("/")[2].removesuffix(".py")
            for path in self.paths
            if path.endswith(".py") and path.rpartition("/")[0] in roots
        }
        return frozenset(tops | modules) - {"setup", "conftest", "tests", "test"} | (tops & {"tests", "test"})

    @cached_property
    def crates(self) -> frozenset[str]:
        """The names of the crates of Rust that the repository has, as they are imported, by those of their folders."""
        folders = (path.rpartition("/")[0] for path in self.paths if path.endswith("/Cargo.toml"))
        return frozenset(
            folder.rpartition("/")[2].replace("-", "_") for folder in folders if role_in(folder) is FileRole.SOURCE
        )

    @cached_property
    def script_packages(self) -> frozenset[str]:
        """The folders of packages of JavaScript that the repository itself publishes, or could."""
        folders = (path.rpartition("/")[0] for path in self.paths if path.endswith("/package.json"))
        return frozenset(folder.rpartition("/")[2] for folder in folders if role_in(folder) is FileRole.SOURCE)

    @cached_property
    def python_roots(self) -> dict[str, tuple[str, ...]]:
        """The folders in which each name that can be imported stands, by name; longest first."""
        found: dict[str, set[str]] = {}
        for path in self.paths:
            if not path.endswith(".py"):
                continue
            folder = path.rpartition("/")[0]
            if path.endswith("/__init__.py"):
                root, _, name = folder.rpartition("/")
                if f"{root}/__init__.py".lstrip("/") not in self.paths:
                    found.setdefault(name, set()).add(root)
            elif f"{folder}/__init__.py" not in self.paths:
                # Without packages, names are looked for beside the file, and from the top of the repository.
                found.setdefault(path.rpartition("/")[2].removesuffix(".py"), set()).add(folder)
                if folder:
                    found.setdefault(path.partition("/")[0], set()).add("")
        return {name: tuple(sorted(roots, key=lambda root: (-len(root), root))) for name, roots in found.items()}

    @cached_property
    def java_classes(self) -> dict[str, str]:
        """The file of each class with its package, as imports name it."""
        return {name.replace("/", "."): path for name, path in self._java_files()}

    @cached_property
    def java_first(self) -> dict[str, tuple[str]]:
        """The first file of each package, which stands for all of it."""
        found: dict[str, tuple[str]] = {}
        for name, path in self._java_files():
            found.setdefault(name.rpartition("/")[0].replace("/", "."), (path,))
        return found

    def _java_files(self) -> list[tuple[str, str]]:
        found = []
        for path in self.paths:
            if path.endswith(".java"):
                for root in _JAVA_ROOTS:
                    before, marker, name = path.partition(root)
                    if marker and (not before or before.endswith("/")):
                        found.append((name.removesuffix(".java"), path))
                        break
        # Of two classes of one name, that of the sources comes last.
        return sorted(found, key=lambda each: (each[0], "/test/" not in each[1], each[1]))

    @cached_property
    def java_packages(self) -> frozenset[str]:
        """The first two or three words of every package that has a file here."""
        found = set()
        for path in self.paths:
            if path.endswith((".java", ".kt")):
                for root in _JAVA_ROOTS:
                    before, marker, package = path.partition(root)
                    if marker and (not before or before.endswith("/")):
                        found.add(".".join(package.split("/")[:-1][:3]))
                        break
        return frozenset(found - {""})

    def internal(self, language: str | None, module: str) -> bool:
        """Tell whether an import leads to a file of this repository, as far as names can tell."""
        if module.startswith((".", "crate", "super", "self::", "@/", "~/")):
            return True
        if language == "Python":
            return module.partition(".")[0] in self.python_packages
        if language == "Java":
            words = module.split(".")
            return any(".".join(words[:count]) in self.java_packages for count in (1, 2, 3))
        if language == "Go":
            words = module.split("/")
            return "." in words[0] and any("/".join(words[start:]) in self.folders for start in range(2, len(words)))
        return False
