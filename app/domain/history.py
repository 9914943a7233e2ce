"""What a repository's history tells: who changed what and when, as plain data."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

_LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


class ChangeKind(StrEnum):
    """What a commit did to a path."""

    ADDED = "A"
    MODIFIED = "M"
    DELETED = "D"
    RENAMED = "R"


@dataclass(frozen=True, slots=True)
class Landing:
    """A commit of the first-parent history of a branch: a merged pull request, or what was pushed without one."""

    id: str
    title: str
    number: int | None
    """The number of the pull request, where the message says it."""
    author: str
    email: str
    committed_at: datetime
    diff: bytes
    files: int
    """So many files were changed, those included whose diffs were left out."""
    truncated: bool
    """Whether diffs of some files were left out, because all together were too long."""


@dataclass(frozen=True, slots=True)
class Blame:
    """Who wrote a line last."""

    line: int
    commit: str
    author: str
    email: str
    authored_at: datetime
    stood: int | None = None
    """Its number in the commit that nobody looked beyond, if it stood there already; who wrote it is not known then."""


def moment(seconds: int) -> datetime:
    """Read a time as git stores it; a forged one becomes the nearest that can be stored."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LATEST), UTC)


_NUMBERED = re.compile(r"\((?:#|!)(\d{1,9})\)\s*$")
_MERGED = re.compile(r"(?:Merge pull request #|Merged in .{1,200} \(pull request #|Merge PR #)(\d{1,9})\b")
_MERGED_BRANCH = re.compile(r"Merge (?:(?:remote-tracking )?branch|tag) ['\"]")
_GITLAB = re.compile(r"^See merge request .{0,300}?!(\d{1,9})\s*$", re.MULTILINE)


def title_of(subject: str, body: str) -> tuple[str, int | None]:
    """Find the title and the number of the pull request that a commit landed, as the great forges write them."""
    first = next((line.strip() for line in body.splitlines() if line.strip()), "")
    if merged := _MERGED.match(subject):
        return first or subject, int(merged[1])
    if request := _GITLAB.search(body):
        return (first if _MERGED_BRANCH.match(subject) and not first.startswith("See merge") else subject), int(
            request[1]
        )
    if numbered := _NUMBERED.search(subject):
        return subject[: numbered.start()].rstrip(), int(numbered[1])
    return subject, None
