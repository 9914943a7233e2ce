"""What git says becomes a code: words as git, curl and ssh of several versions write them."""

import signal

import pytest

from app.domain.errors import Fault
from app.domain.source import SourceFailed, SourceProblem
from app.gateways.git.faults import explained
from app.gateways.git.process import failure, git_version

P = SourceProblem


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("fatal: unable to access 'https://x/': Could not resolve host: x", P.UNKNOWN_HOST),
        ("ssh: Could not resolve hostname x: Name or service not known", P.UNKNOWN_HOST),
        ("fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused", P.UNREACHABLE),
        (
            "fatal: unable to access 'https://x/': Failed to connect to x port 443: Couldn't connect to server",
            P.UNREACHABLE,
        ),
        ("ssh: connect to host x port 22: Network is unreachable", P.UNREACHABLE),
        ("fatal: unable to access 'https://x/': Operation timed out after 300 ms with 0 bytes received", P.TIMED_OUT),
        ("ssh: connect to host x port 22: Connection timed out", P.TIMED_OUT),
        ("error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec transferred", P.TIMED_OUT),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", P.AUTHENTICATION_NEEDED),
        ("fatal: Authentication failed for 'https://x/'", P.AUTHENTICATION_NEEDED),
        ("git@x: Permission denied (publickey).", P.AUTHENTICATION_NEEDED),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", P.AUTHENTICATION_NEEDED),
        ("Host key verification failed.", P.UNTRUSTED_HOST),
        ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", P.UNTRUSTED_HOST),
        (
            "fatal: unable to access 'https://x/': SSL certificate problem: unable to get local issuer certificate",
            P.UNTRUSTED_HOST,
        ),
        (
            "fatal: unable to access 'https://x/': server certificate verification failed.",
            P.UNTRUSTED_HOST,
        ),
        ("fatal: unable to access 'https://x/': gnutls_handshake() failed: An unexpected TLS packet", P.UNTRUSTED_HOST),
        ("fatal: repository 'https://x/certificate.git/' not found", P.NOT_FOUND),
        ("ERROR: Repository not found.", P.NOT_FOUND),
        ("fatal: '/x' does not appear to be a git repository", P.NOT_FOUND),
        ("fatal: https://x/info/refs not valid: is this a git repository?", P.NOT_FOUND),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 301", P.REDIRECTED),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 503", P.SERVER_FAILED),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 429", P.RATE_LIMITED),
        ("fatal: couldn't find remote ref refs/heads/corrupt", P.BRANCH_GONE),
        ("fatal: transport 'ext' not allowed", P.PROTOCOL_NOT_ALLOWED),
        ("fatal: write error: No space left on device", P.DISK_FULL),
        ("fatal: cannot pwrite: Disk quota exceeded", P.DISK_FULL),
        ("fatal: write error: File too large", P.TOO_LARGE),
        ("fatal: Out of memory, malloc failed (tried to allocate 4294967296 bytes)", P.TOO_LARGE),
        ("fatal: mmap failed: Cannot allocate memory", P.TOO_LARGE),
        ("error: RPC failed; curl 18 transfer closed with outstanding read data remaining", P.INTERRUPTED),
        ("fetch-pack: unexpected disconnect while reading sideband packet", P.INTERRUPTED),
        ("fatal: early EOF", P.INTERRUPTED),
        ("fatal: the remote end hung up unexpectedly", P.INTERRUPTED),
        ("kex_exchange_identification: read: Connection reset by peer", P.INTERRUPTED),
        ("fatal: mismatched algorithms: client sha1; server sha256", P.UNSUPPORTED),
        (f"fatal: unable to read {'a' * 40}", P.OBJECTS_MISSING),
        ("fatal: bad object refs/tenet/0", P.OBJECTS_MISSING),
        ("error: https://x did not send all necessary objects", P.OBJECTS_MISSING),
        ("fatal: Failed to traverse parents of commit " + "a" * 40, P.OBJECTS_MISSING),
        ("fatal: pack has bad object at offset 12: inflate returned -3", P.BROKEN),
        ("fatal: pack is corrupted (SHA1 mismatch)", P.BROKEN),
        ("error: too-short tree object", P.BROKEN),
        ("fatal: protocol error: bad line length character: <htm", P.BROKEN),
        ("fatal: something that nobody has ever seen", P.FAILED),
        ("", P.FAILED),
    ],
)
def test_each_saying_has_its_code(said: str, code: SourceProblem) -> None:
    found = explained([said])
    assert found.code is code
    assert found.sentence.endswith(".")
    assert found.detail == said


def test_the_cause_counts_and_not_what_follows_from_it() -> None:
    said = [
        "fatal: write error: No space left on device",
        "fatal: fetch-pack: invalid index-pack output",
        "fatal: the remote end hung up unexpectedly",
    ]
    assert explained(said).code is P.DISK_FULL


def test_what_the_other_side_says_decides_nothing_and_is_not_repeated() -> None:
    found = explained(["remote: No space left on device", "remote: your password is hunter22", "fatal: early EOF"])
    assert found.code is P.INTERRUPTED
    assert "hunter22" not in found.detail


def test_names_of_branches_and_addresses_decide_nothing() -> None:
    assert explained(["fatal: repository 'https://x/No space left on device' not found"]).code is P.NOT_FOUND


def test_a_git_that_crashes_met_something_broken() -> None:
    assert explained([], killed_by=signal.SIGSEGV).code is P.BROKEN
    assert explained([], killed_by=signal.SIGKILL).code is P.FAILED


def test_only_what_may_pass_is_said_to_pass() -> None:
    passing = {code for code in P if SourceFailed(code, "x").passing}
    assert passing == {
        P.LOOKUP_FAILED,
        P.UNREACHABLE,
        P.TIMED_OUT,
        P.INTERRUPTED,
        P.RATE_LIMITED,
        P.SERVER_FAILED,
        P.BUSY,
    }


async def test_a_missing_git_is_a_fault_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Fault, match="cannot be executed") as fault:
        await git_version()
    assert "Install git" in fault.value.remedy


async def test_an_old_git_is_a_fault_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.gateways.git.process.OLDEST", (99, 0))
    with pytest.raises(Fault, match="too old") as fault:
        await git_version()
    assert fault.value.remedy == "Install git 99.0 or newer."


def test_how_git_was_ended_is_understood() -> None:
    assert isinstance(failure(127, ["not found"]), Fault)
    error = failure(-signal.SIGSEGV, [])
    assert isinstance(error, SourceFailed)
    assert error.code is P.BROKEN
