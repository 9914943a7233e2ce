"""All paths of a repository at one commit: what a name beside, above or elsewhere can be looked up in."""

from collections.abc import Iterable
from functools import cached_property

_JAVA_ROOTS = ("src/main/java/", "src/test/java/", "src/")


class Listing:
    """The files of a snapshot by path, and the folders they make."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)

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

    @cached_property
    def python_packages(self) -> frozenset[str]:
        """The names that `import` finds in the repository itself."""
        packages = {path.rpartition("/")[0] for path in self.paths if path.endswith("/__init__.py")}
        tops = {package.rpartition("/")[2] for package in packages if package.rpartition("/")[0] not in packages}
        roots = {package.rpartition("/")[0] for package in packages if package.rpartition("/")[0] not in packages}
        modules = {
            path.rpartition("/")[2].removesuffix(".py")
            for path in self.paths
            if path.endswith(".py") and path.rpartition("/")[0] in roots
        }
        return frozenset(tops | modules) - {"setup", "conftest", "tests", "test"} | (tops & {"tests", "test"})

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
