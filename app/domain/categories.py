"""What part of a codebase a file belongs to, told by its role, its folders and its language."""

from app.domain.pattern import CodeCategory
from app.domain.recognition import FileRole

_FOLDERS = {
    CodeCategory.HELPER: "common helper helpers lib libs misc shared support toolkit tools util utilities utils",
    CodeCategory.CONFIG: "conf config configs configuration settings",
    CodeCategory.FRONTEND: (
        "app client components composables css frontend hooks layouts pages public screens stores styles templates ui "
        "views web webapp widgets www"
    ),
    CodeCategory.FEATURE: "apps feature features modules plugins",
    CodeCategory.BACKEND: (
        "api apis backend cmd consumers controllers daemon db graphql handlers jobs migrations repositories resolvers "
        "routers routes rpc server services tasks workers"
    ),
    CodeCategory.CORE: "core domain engine internal kernel model models pkg",
}
_BY_FOLDER = {name: category for category, names in _FOLDERS.items() for name in names.split()}
_SERVED = frozenset(("Go", "Java", "Kotlin", "Python", "Ruby", "Rust", "PHP", "C#", "Scala", "Elixir"))
_SHOWN = frozenset(("TSX", "CSS", "SCSS", "Less", "HTML", "Vue", "Svelte", "Astro"))


def category_of(path: str, language: str | None, role: FileRole) -> CodeCategory:
    """Say what part of the codebase a file is; the nearest telling folder decides."""
    if role in (FileRole.TEST, FileRole.FIXTURE):
        return CodeCategory.TEST
    if role is FileRole.CONFIG:
        return CodeCategory.CONFIG
    if language in _SHOWN:
        return CodeCategory.FRONTEND
    stem = path.rpartition("/")[2].partition(".")[0].lower()
    for word in (stem, *reversed(path.lower().split("/")[:-1])):
        found = _BY_FOLDER.get(word)
        # `app/` and `web/` hold a user interface only where a user interface's languages are written.
        if found is CodeCategory.FRONTEND and language in _SERVED:
            continue
        if found is not None:
            return found
    return CodeCategory.CORE
