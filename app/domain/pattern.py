"""A pattern: its vocabularies, and the table of who may move it from which status to which."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from app.domain.errors import InvalidTransition
from app.domain.words import Word


class PatternType(Word):
    """What a pattern speaks about."""

    CODE = "CODE", "The text of files."
    FILESYSTEM = "FILESYSTEM", "Names and places of files."


class PatternCategory(Word):
    """What kind of convention a pattern is."""

    STRUCTURAL = "STRUCTURAL", "How code is built up."
    BEHAVIORAL = "BEHAVIORAL", "How code acts at run time."
    API = "API", "How interfaces are shaped."
    TESTING = "TESTING", "How tests are written."
    NAMING = "NAMING", "How things are called in code."
    DEPENDENCY = "DEPENDENCY", "What may import or use what."
    DOCUMENTATION = "DOCUMENTATION", "How code is documented."
    FILE_NAMING = "FILE_NAMING", "How files are called."
    FILE_STRUCTURE = "FILE_STRUCTURE", "Where files live."
    OTHER = "OTHER", "None of these; suggestedCategory keeps the proposed word."


class PatternStatus(Word):
    """Where a pattern stands in its life."""

    CANDIDATE = "CANDIDATE", "Found or proposed; waits for a person."
    AUTHORITATIVE = "AUTHORITATIVE", "Accepted by a person; enforced."
    REJECTED = "REJECTED", "Refused by a person, or dismissed by a job that says so in the history."
    DEFERRED = "DEFERRED", "Put off by a person."
    DEPRECATED = "DEPRECATED", "Once authoritative, no longer to be followed."


class PatternEventKind(Word):
    """What happened to a pattern."""

    CREATED = "CREATED", "Found by a run or written by a person."
    PROMOTED = "PROMOTED", "Made authoritative."
    REJECTED = "REJECTED", "Refused."
    DEFERRED = "DEFERRED", "Put off."
    REOPENED = "REOPENED", "Made a candidate again."
    DEMOTED = "DEMOTED", "Taken from authoritative back to candidate."
    DEPRECATED = "DEPRECATED", "Retired."
    RESTORED = "RESTORED", "Made authoritative again after retirement."
    UPDATED = "UPDATED", "Edited by a person."
    MERGED = "MERGED", "Merged into another pattern, or received one."
    WITHDRAWN = "WITHDRAWN", "No longer found by a run."
    EVIDENCE = "EVIDENCE", "Evidence was added, removed or made canonical."
    PROVENANCE = "PROVENANCE", "A link that says why was added or removed."
    MEASURED = "MEASURED", "Measured anew by a run."


class Severity(Word):
    """How grave a violation is."""

    ERROR = "ERROR", "Fails the check."
    WARNING = "WARNING", "Worth a comment."
    INFO = "INFO", "Worth knowing."


class EvidenceSource(Word):
    """Who added a piece of evidence."""

    MINER = "MINER", "A static miner."
    MODEL = "MODEL", "A language model; verified like all others."
    PERSON = "PERSON", "A person."


class ProvenanceKind(Word):
    """What a link that says why points at."""

    PULL_REQUEST = "PULL_REQUEST", "A pull request."
    COMMIT = "COMMIT", "A commit."
    ISSUE = "ISSUE", "An issue."
    DOCUMENT = "DOCUMENT", "A document."
    ADR = "ADR", "An architecture decision record."
    CHAT = "CHAT", "A conversation."
    OTHER = "OTHER", "Something else."


class CodeCategory(Word):
    """What part of a codebase a file belongs to."""

    CORE = "CORE", "Code that much else builds on."
    FEATURE = "FEATURE", "Code of one feature."
    FRONTEND = "FRONTEND", "Code that runs in a user interface."
    BACKEND = "BACKEND", "Code that runs on a server."
    TEST = "TEST", "Tests."
    CONFIG = "CONFIG", "Configuration."
    HELPER = "HELPER", "Small helpers."


class Move(Word):
    """What a person can do with a pattern's status."""

    PROMOTE = "PROMOTE", "Make it authoritative."
    REJECT = "REJECT", "Refuse it."
    DEFER = "DEFER", "Put it off."
    REOPEN = "REOPEN", "Make it a candidate again."
    DEMOTE = "DEMOTE", "Take authority from it."
    DEPRECATE = "DEPRECATE", "Retire it."
    RESTORE = "RESTORE", "Give authority back after retirement."
    MERGE = "MERGE", "Let another pattern take its place, with its evidence."


_S = PatternStatus
MOVES: dict[tuple[PatternStatus, Move], PatternStatus] = {
    (_S.CANDIDATE, Move.PROMOTE): _S.AUTHORITATIVE,
    (_S.CANDIDATE, Move.REJECT): _S.REJECTED,
    (_S.CANDIDATE, Move.DEFER): _S.DEFERRED,
    (_S.DEFERRED, Move.PROMOTE): _S.AUTHORITATIVE,
    (_S.DEFERRED, Move.REJECT): _S.REJECTED,
    (_S.DEFERRED, Move.DEFER): _S.DEFERRED,
    (_S.DEFERRED, Move.REOPEN): _S.CANDIDATE,
    (_S.REJECTED, Move.REOPEN): _S.CANDIDATE,
    (_S.AUTHORITATIVE, Move.DEPRECATE): _S.DEPRECATED,
    (_S.AUTHORITATIVE, Move.DEMOTE): _S.CANDIDATE,
    (_S.DEPRECATED, Move.RESTORE): _S.AUTHORITATIVE,
    (_S.CANDIDATE, Move.MERGE): _S.REJECTED,
    (_S.DEFERRED, Move.MERGE): _S.REJECTED,
}

# A move leads to one and the same status wherever it begins.
_LEADS = {move: after for (_, move), after in MOVES.items()}
_BEGINS = {wanted: [status for status, move in MOVES if move is wanted] for wanted in _LEADS}

# How the history calls each move.
RECORDED_AS: dict[Move, PatternEventKind] = {
    Move.PROMOTE: PatternEventKind.PROMOTED,
    Move.REJECT: PatternEventKind.REJECTED,
    Move.DEFER: PatternEventKind.DEFERRED,
    Move.REOPEN: PatternEventKind.REOPENED,
    Move.DEMOTE: PatternEventKind.DEMOTED,
    Move.DEPRECATE: PatternEventKind.DEPRECATED,
    Move.RESTORE: PatternEventKind.RESTORED,
    Move.MERGE: PatternEventKind.MERGED,
}

# The nightly job rejects a weak candidate that nobody touched for so long, in these words.
UNTOUCHED = timedelta(days=60)
DISMISSED = "Auto-dismissed: insufficient evidence"


def advance(status: PatternStatus, move: Move, facts: Callable[[], Mapping[str, Any]] | None = None) -> PatternStatus:
    """Say where a move leads from a status, or refuse it with what a client needs to know."""
    try:
        return MOVES[status, move]
    except KeyError:
        raise InvalidTransition(
            f"A pattern that is {status.value} cannot be moved by {move.value}.",
            **(facts() if facts else {"status": status.value}),
        ) from None


def way_of(move: Move) -> tuple[Sequence[PatternStatus], PatternStatus]:
    """Say from which statuses a move leads, and where to."""
    return _BEGINS[move], _LEADS[move]


def move_to(status: PatternStatus, wanted: PatternStatus) -> Move:
    """Name the move that leads from one status to another; whether it is allowed stands in the table."""
    match wanted:
        case PatternStatus.AUTHORITATIVE:
            return Move.RESTORE if status is PatternStatus.DEPRECATED else Move.PROMOTE
        case PatternStatus.CANDIDATE:
            return Move.DEMOTE if status is PatternStatus.AUTHORITATIVE else Move.REOPEN
        case PatternStatus.REJECTED:
            return Move.REJECT
        case PatternStatus.DEFERRED:
            return Move.DEFER
        case PatternStatus.DEPRECATED:
            return Move.DEPRECATE


def may_be_reviewed(category: PatternCategory) -> bool:
    """Tell whether a pattern can be enforced on pull requests: there, a file's place may just be work in progress."""
    return category != PatternCategory.FILE_STRUCTURE
