"""Evidence: a place that somebody claims, and the same place after it was found there byte for byte.

Only `verify` makes a `Verified`, and only what is verified is stored.
"""

from dataclasses import dataclass, field

from app.domain.recognition import is_quotable

LONGEST_SNIPPET = 500
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Claim:
    """A place that shows a convention, or breaks it, by the word of a miner, a model or a person."""

    path: str
    blob_id: str
    start: int | None = None
    end: int | None = None
    snippet: str | None = None
    """What is said to stand there; None where the file or its name is meant."""
    counterexample: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """A claim that was found true: this text stands in these lines of this blob, which is this path of the commit."""

    path: str
    blob_id: str
    start: int | None
    end: int | None
    snippet: str | None
    counterexample: bool
    seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hold that nobody but `verify` makes one."""
        if self.seal is not _SEAL:
            raise TypeError("evidence is verified, never claimed")


def verify(claim: Claim, blob_id: str | None, content: bytes | None) -> Verified | str:
    """Compare a claim with the blob at its path, or say why it cannot stand."""
    if blob_id is None:
        return "no such path"
    if blob_id != claim.blob_id:
        return "another blob"
    if claim.start is None and claim.snippet is None:
        return Verified(claim.path, blob_id, None, None, None, claim.counterexample, _SEAL)
    if claim.start is None or claim.end is None or claim.snippet is None:
        return "incomplete"
    if content is None:
        return "blob is missing"
    if not is_quotable(content):
        return "not quotable"
    if not 0 < len(claim.snippet) <= LONGEST_SNIPPET:
        return "too long"
    lines = content.split(b"\n")
    if not 1 <= claim.start <= claim.end <= len(lines):
        return "no such lines"
    standing = b"\n".join(lines[claim.start - 1 : claim.end])
    quoted = claim.snippet.encode()
    # One line that is longer than a snippet may be is quoted from its beginning.
    if quoted != standing and not (claim.start == claim.end and standing.startswith(quoted)):
        return "other text"
    return Verified(claim.path, blob_id, claim.start, claim.end, claim.snippet, claim.counterexample, _SEAL)


def quote(content: bytes, start: int, end: int) -> tuple[int, str] | None:
    """Quote lines, whole ones as far as they fit; gives the last line quoted. None where nothing can be quoted."""
    if not is_quotable(content):
        return None
    lines = content.decode().split("\n")
    if not 1 <= start <= len(lines):
        return None
    taken: list[str] = []
    size = 0
    for line in lines[start - 1 : end]:
        size += len(line) + 1
        if taken and size > LONGEST_SNIPPET + 1:
            break
        taken.append(line)
    text = "\n".join(taken)[:LONGEST_SNIPPET]
    return (start + len(taken) - 1, text) if text.strip() else None


def locate(path: str, blob_id: str, content: bytes | None, snippet: str | None, line: int | None) -> Verified | None:
    """Find a text again that was quoted before, nearest to where it stood; None where it is gone."""
    if snippet is None or line is None:
        return Verified(path, blob_id, None, None, None, counterexample=False, seal=_SEAL) if line is None else None
    if content is None or not is_quotable(content):
        return None
    lines, wanted = content.decode().split("\n"), snippet.split("\n")
    count = len(wanted)
    found = [number for number in range(len(lines) - count + 1) if lines[number : number + count] == wanted]
    if not found:
        return None
    start = min(found, key=lambda number: (abs(number + 1 - line), number)) + 1
    place = verify(Claim(path, blob_id, start, start + count - 1, snippet), blob_id, content)
    return place if isinstance(place, Verified) else None
