"""Links: the addresses that say why a pattern is there, and what can be told of one without looking at it."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.domain.errors import Invalid
from app.domain.pattern import ProvenanceKind

# They come in one answer with their pattern, unpaged.
MOST = 50
LONGEST_URL = 2000
LONGEST_TITLE = 300
LONGEST_DESCRIPTION = 1000

_KINDS = {
    "pull": ProvenanceKind.PULL_REQUEST,
    "issues": ProvenanceKind.ISSUE,
    "commit": ProvenanceKind.COMMIT,
}
_GITHUB = re.compile(
    r"/(?P<slug>[\w.-]{1,100}/[\w.-]{1,100})/(?:(?:pull/\d{1,10}/)?commits?/(?P<commit>[0-9a-f]{7,64})"
    r"|(?P<numbered>pull|issues)/(?P<number>[1-9]\d{0,9}))(?:/.*)?",
    re.ASCII,
)
_SHORT = 10


@dataclass(frozen=True, slots=True)
class Link:
    """A link as a person gives it."""

    kind: ProvenanceKind
    url: str
    title: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Recognized:
    """What an address on GitHub points at."""

    kind: ProvenanceKind
    slug: str
    reference: str

    @property
    def title(self) -> str:
        """Name it as GitHub does where it is mentioned elsewhere."""
        if self.kind is ProvenanceKind.COMMIT:
            return f"{self.slug}@{self.reference[:_SHORT]}"
        return f"{self.slug}{self.reference}"


def checked(link: Link, place: str = "provenance") -> Link:
    """Give a link in the form in which it is kept, or refuse it and name its fields below `place`."""
    url = link.url.strip()
    faults = {
        "url": _fault_of(url),
        "title": _too_long(link.title, LONGEST_TITLE),
        "description": _too_long(link.description, LONGEST_DESCRIPTION),
    }
    if any(faults.values()):
        fields = {f"{place}.{name}": fault for name, fault in faults.items() if fault}
        raise Invalid("This link cannot be kept.", fields=fields)
    known = recognized(url)
    # Whoever says OTHER leaves it to us; any other word is theirs.
    kind = known.kind if known and link.kind is ProvenanceKind.OTHER else link.kind
    return Link(kind, url, (link.title or "").strip() or None, (link.description or "").strip() or None)


def recognized(url: str) -> Recognized | None:
    """Recognize a pull request, an issue or a commit on GitHub."""
    parts = _split(url)
    if parts is None or (parts.hostname or "").removeprefix("www.") != "github.com":
        return None
    found = _GITHUB.fullmatch(parts.path.rstrip("/"))
    if found is None:
        return None
    if found["commit"]:
        return Recognized(ProvenanceKind.COMMIT, found["slug"], found["commit"])
    return Recognized(_KINDS[found["numbered"]], found["slug"], f"#{found['number']}")


def is_of(slug: str, clone_url: str) -> bool:
    """Tell whether a clone URL is that of a repository on GitHub."""
    address = clone_url.strip().rstrip("/").lower().removesuffix(".git")
    return re.search(rf"github\.com[:/]{re.escape(slug.lower())}$", address) is not None


def _fault_of(url: str) -> str | None:
    if len(url) > LONGEST_URL:
        return f"has more than {LONGEST_URL} characters"
    if not url.isprintable() or any(character.isspace() or character in '<>"\\^`{|}' for character in url):
        return "holds a character that no address has"
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "needs the form https://host/path"
    if "@" in parts.netloc:
        return "must not carry a name or a password"
    return None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # Only asking shows that it is no number.
        parts.port  # noqa: B018
    except ValueError:
        return None
    return parts


def _too_long(text: str | None, most: int) -> str | None:
    return f"has more than {most} characters" if text is not None and len(text.strip()) > most else None
