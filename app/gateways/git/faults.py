"""What git says when it fails, in the words of this product."""

import re
import signal
from collections.abc import Iterable

from app.domain.source import SourceFailed
from app.domain.source import SourceProblem as Problem

BROKEN = "Objects of the repository are not well-formed."

# The first of these that is found anywhere is the reason: what git says later is often only that an earlier step
# failed. Words of git, of curl with its several TLS libraries, and of ssh.
_REASONS: dict[tuple[Problem, str], list[str]] = {
    (Problem.DISK_FULL, "The disk of this installation is full."): [
        "No space left on device",
        "Disk quota exceeded",
    ],
    (Problem.TOO_LARGE, "The repository is larger than this installation allows."): [
        "File too large",
        "pack exceeds maximum",
    ],
    (Problem.TOO_LARGE, "The repository's objects unfold to more memory than this installation allows."): [
        "[Oo]ut of memory",
        "[Cc]annot allocate memory",
        "bad_alloc",
    ],
    (Problem.UNKNOWN_HOST, "The host has no address."): [
        "Could not resolve host",
        "Name or service not known",
    ],
    (Problem.UNTRUSTED_HOST, "The host's key is not the one that was seen before."): [
        "Host key verification failed",
        "HOST IDENTIFICATION HAS CHANGED",
    ],
    (Problem.UNTRUSTED_HOST, "The host's certificate does not hold."): [
        "(?:server|SSL|peer) certificate",
        "gnutls_handshake",
        "SSL_ERROR",
        "SSL connect error",
        "TLS connection",
        "OpenSSL/",
    ],
    (Problem.AUTHENTICATION_NEEDED, "The repository is private, or there is none at this address."): [
        "could not read (?:Username|Password)",
        "Authentication failed",
        "terminal prompts disabled",
        "returned error: 40[137]",
        r"Permission denied \(",
        "Access denied",
    ],
    (Problem.REDIRECTED, "The repository has moved to another address; connect it by that one."): [
        r"returned error: 3\d\d",
        "unable to update url base from redirection",
    ],
    (Problem.RATE_LIMITED, "The host takes no more requests just now."): [
        "returned error: 429",
    ],
    (Problem.SERVER_FAILED, "The host answers with an error of its own."): [
        r"returned error: 5\d\d",
        "remote error",
    ],
    (Problem.NOT_FOUND, "There is no repository at this address."): [
        "returned error: 4(?:00|04|10)",
        "[Rr]epository (?:'.*' )?not found",
        "does not appear to be a git repository",
        "is this a git repository",
        "project you were looking for",
    ],
    (Problem.BRANCH_GONE, "The repository has no such branch."): [
        "couldn't find remote ref",
    ],
    (Problem.PROTOCOL_NOT_ALLOWED, "Repositories are fetched over https and ssh only."): [
        "transport '.*' not allowed",
        "[Pp]rotocol .* (?:not supported|disabled)",
        "Unsupported protocol",
    ],
    (Problem.UNREACHABLE, "The host does not take connections."): [
        "Connection refused",
        "Couldn't connect to server",
        "Failed to connect",
        "No route to host",
        "Network is unreachable",
    ],
    (Problem.TIMED_OUT, "The host stopped answering."): [
        "[Tt]imed out",
        "Operation too slow",
    ],
    (Problem.INTERRUPTED, "The connection broke."): [
        "early EOF",
        "hung up unexpectedly",
        "unexpected disconnect",
        "Connection reset",
        "Connection closed",
        "Broken pipe",
        r"curl (?:16|18|52|55|56|92)\b",
        "Empty reply",
        "transfer closed",
        "(?:Recv|Send) failure",
    ],
    (Problem.UNSUPPORTED, "The repository has a form that this git does not understand."): [
        "mismatched algorithms",
        "unknown object format",
        "hash algorithm",
        "unknown repository extension",
    ],
    (Problem.OBJECTS_MISSING, "Objects of the repository are missing, as in a partial clone."): [
        "did not send all necessary objects",
        "[Uu]nable to (?:read|find) [0-9a-f]{40}",
        "missing (?:blob|tree|commit|object)",
        "[Ff]ailed to traverse parents",
        "[Cc]ould not read [0-9a-f]{40}",
        "not a tree object",
        "bad (?:tree )?object (?!at offset)",
        "unable to parse commit",
        "Not a valid object name",
        "revision walk setup failed",
        "not our ref",
        "bad revision",
    ],
    (Problem.BROKEN, BROKEN): [
        "corrupt",
        "inflate",
        "invalid index-pack output",
        "index-pack (?:failed|died)",
        "hash mismatch",
        "malformed",
        "too-short tree",
        "empty filename",
        "truncated",
        "bad pack",
        "bad object at offset",
        "SHA1 COLLISION",
        "protocol error",
        "bad line length",
        "not a git repository",
        "invalid object",
        "garbage",
    ],
}
_COMPILED = [(re.compile("|".join(patterns)), *reason) for reason, patterns in _REASONS.items()]
# Addresses, branches and paths stand in quotes, and may be called like any fault.
_QUOTED = re.compile(r"'[^']*'")


def explained(said: Iterable[str], *, killed_by: int = 0) -> SourceFailed:
    """Find the reason in the last lines that git said."""
    # What the other side says is shown to nobody and decides nothing: it could claim anything.
    lines = [line for line in said if not line.startswith("remote: ")]
    detail = " / ".join(lines[-6:])[-1000:]
    text = "\n".join(_QUOTED.sub("''", line) for line in lines)
    for pattern, problem, sentence in _COMPILED:
        if pattern.search(text):
            return SourceFailed(problem, sentence, detail=detail)
    if killed_by in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT):
        return SourceFailed(Problem.BROKEN, BROKEN, detail=detail)
    sentence = "Git could not read the repository, for a reason it does not share."
    return SourceFailed(Problem.FAILED, sentence, detail=detail)
