"""A repository at one commit, as plain facts about its files: what each is, what it is for, and what may be quoted."""

from dataclasses import dataclass

from app.domain.attributes import Marks
from app.domain.languages import DATA, PROSE, language_in
from app.domain.recognition import (
    HEAD,
    FileRole,
    estimated_tokens,
    has_binary_name,
    has_generated_name,
    has_vendored_path,
    is_binary,
    is_generated,
    is_quotable,
    role_of,
)

FACTS_VERSION = 8
"""Grows with every change of what `facts_of` says, so that files are looked at again."""

_NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of one file."""

    path: str
    blob_id: str
    size: int
    language: str | None
    role: FileRole
    tokens: int | None
    """About how many tokens a language model reads it as; None for what is no text."""
    binary: bool
    generated: bool
    vendored: bool
    symlink: bool
    detectable: bool
    """Whether it counts among the languages of the repository."""
    quotable: bool
    """Whether evidence may come from it: UTF-8 without NUL, read to its end."""

    @property
    def minable(self) -> bool:
        """Tell whether conventions are looked for here: code that people of this repository write."""
        return (
            self.quotable
            and self.language is not None
            and self.role not in (FileRole.GENERATED, FileRole.FIXTURE, FileRole.ASSET)
            and not (self.vendored or self.symlink)
        )


def facts_of(
    path: str, blob_id: str, size: int, content: bytes | None, *, marks: Marks | None = None, symlink: bool = False
) -> FileFacts:
    """Say what a file is; without its content (too large, or missing) its name and size must tell."""
    marks = marks or _NO_MARKS
    # A symbolic link has for content a path, and that is nobody's code.
    text = None if symlink else content
    head = (text or b"")[:HEAD]
    # An attribute says more than the content, and the content more than a suffix.
    binary = _first(marks.binary, has_binary_name(path) if text is None else is_binary(text)) and not symlink
    language = None if binary or symlink else marks.language or language_in(path, head)
    vendored = _first(marks.vendored, has_vendored_path(path))
    generated = _first(
        marks.generated, has_generated_name(path) or (not binary and is_generated(language, text or b""))
    )
    role = role_of(path, language, generated=generated, documentation=marks.documentation)
    counts = language is not None and language not in PROSE and language not in DATA
    hidden = vendored or generated or role in (FileRole.DOCS, FileRole.FIXTURE)
    return FileFacts(
        path=path,
        blob_id=blob_id,
        size=size,
        language=language,
        role=role,
        tokens=None if binary or symlink else estimated_tokens(text, size),
        binary=binary,
        generated=generated,
        vendored=vendored,
        symlink=symlink,
        detectable=language is not None and _first(marks.detectable, counts and not hidden),
        quotable=text is not None and not binary and is_quotable(text),
    )


def _first(told: bool | None, otherwise: bool) -> bool:
    return otherwise if told is None else told
