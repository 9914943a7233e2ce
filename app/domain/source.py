"""Where a repository is fetched from: which addresses and branches are taken, and how a source can fail."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from app.domain.addresses import refused_address
from app.domain.words import Word

LONGEST_ADDRESS = 2000
LONGEST_BRANCH = 255

DETACHED = "HEAD"
"""The branch of a repository whose HEAD names a commit, not a branch."""


class SourceProblem(Word):
    """Why the objects of a repository could not be had."""

    INVALID_ADDRESS = "INVALID_ADDRESS", "The address has no form that is understood."
    INVALID_BRANCH = "INVALID_BRANCH", "No branch can have this name."
    PROTOCOL_NOT_ALLOWED = "PROTOCOL_NOT_ALLOWED", "Only https and ssh are taken."
    LOCAL_NOT_ALLOWED = "LOCAL_NOT_ALLOWED", "This installation takes no local paths."
    HOST_NOT_ALLOWED = "HOST_NOT_ALLOWED", "The host is on a network that this installation does not fetch from."
    UNKNOWN_HOST = "UNKNOWN_HOST", "The host has no address."
    LOOKUP_FAILED = "LOOKUP_FAILED", "The host's address could not be looked up just now."
    UNREACHABLE = "UNREACHABLE", "The host does not take connections."
    UNTRUSTED_HOST = "UNTRUSTED_HOST", "The host's certificate or key is not the expected one."
    AUTHENTICATION_NEEDED = "AUTHENTICATION_NEEDED", "The repository is private, or there is none."
    REDIRECTED = "REDIRECTED", "The repository has moved to another host."
    NOT_FOUND = "NOT_FOUND", "There is no repository at this address."
    BRANCH_GONE = "BRANCH_GONE", "The repository has no such branch."
    NO_DEFAULT_BRANCH = "NO_DEFAULT_BRANCH", "The repository's HEAD leads nowhere."
    EMPTY = "EMPTY", "The repository has no commits."
    TOO_LARGE = "TOO_LARGE", "The repository is larger than this installation allows."
    TOO_MANY_FILES = "TOO_MANY_FILES", "The repository has more files than this installation allows."
    TIMED_OUT = "TIMED_OUT", "It took longer than this installation allows."
    INTERRUPTED = "INTERRUPTED", "The connection broke."
    RATE_LIMITED = "RATE_LIMITED", "The host takes no more requests just now."
    SERVER_FAILED = "SERVER_FAILED", "The host answers with an error of its own."
    OBJECTS_MISSING = "OBJECTS_MISSING", "Objects of the repository are missing."
    BROKEN = "BROKEN", "Objects of the repository are not well-formed."
    UNSUPPORTED = "UNSUPPORTED", "The repository has a form that is not understood."
    BUSY = "BUSY", "The repository is being fetched already."
    DISK_FULL = "DISK_FULL", "This installation has no room left."
    FAILED = "FAILED", "Git failed for a reason it does not share."


PASSING = frozenset(
    {
        SourceProblem.LOOKUP_FAILED,
        SourceProblem.UNREACHABLE,
        SourceProblem.TIMED_OUT,
        SourceProblem.INTERRUPTED,
        SourceProblem.RATE_LIMITED,
        SourceProblem.SERVER_FAILED,
        SourceProblem.BUSY,
    }
)


class SourceFailed(Exception):
    """The objects of a repository cannot be had: a code, a sentence for people, whether trying again makes sense."""

    def __init__(
        self, code: SourceProblem, sentence: str, *, detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence
        self.detail = detail
        """What git said, for the log; a stranger's server may have written it."""
        self.retry_after = retry_after
        """After how many seconds the host says that it will answer again."""

    def __str__(self) -> str:
        return self.sentence

    @property
    def passing(self) -> bool:
        """Tell whether trying again makes sense."""
        return self.code in PASSING


class Transport(StrEnum):
    """How objects travel."""

    HTTPS = "https"
    HTTP = "http"
    SSH = "ssh"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What this installation fetches from: paths of its own disk; hosts of its own network, these without TLS too."""

    local: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """An address that was read part by part, so that no two programs can read it differently."""

    transport: Transport
    url: str
    host: str = ""
    port: int = 0
    path: str = ""


_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"(?P<host>\[[0-9A-Fa-f:.]{{2,45}}\]|{_LABEL}(?:\.{_LABEL})*)"
_USER = r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._~%+-]*)@)?"
_WEB = re.compile(
    rf"(?P<scheme>https?)://{_USER}{_HOST}(?::(?P<port>\d{{1,5}}))?(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
)
_SSH = re.compile(rf"ssh://{_USER}{_HOST}(?::(?P<port>\d{{1,5}}))?(?P<path>/[A-Za-z0-9._~+,=:@%/-]+)")
_SCP = re.compile(rf"{_USER}{_HOST}:(?P<path>(?!-|:|//)[A-Za-z0-9._~+,=@%/-]+)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://|:)")
# Who forgot a slash does not mean a host of that name.
_HALF_SCHEME = re.compile(r"(?:https?|ssh|git|file|ftps?):/", re.IGNORECASE)
_PASSWORD = re.compile(r"[A-Za-z]+://[^/@]*:[^/@]*@")
# What hosts call a user is short, and does not begin as their tokens do.
_TOKEN = re.compile(
    r"(?:[A-Za-z]+://)?(?:gh[a-z]_|github_pat_|gl[a-z]{2,8}-|ATBB|ATCT|bbdc-|[^/@:]{40})[^/@:]*@", re.IGNORECASE
)
# Git decodes these before it hands the path to the other side.
_HIDDEN_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# What looks like a number is one to the resolver: 2130706433, 0x7f.1 and 127.1 are all this host.
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")


def read_source(text: str, rules: SourceRules) -> Source:
    """Read the address of a repository, or say what is wrong with it."""
    if len(text) > LONGEST_ADDRESS or _CONTROL.search(text):
        raise _invalid(f"It must have at most {LONGEST_ADDRESS} characters, and no control characters.")
    if text.startswith("/"):
        return _local(text, rules)
    if not text.isascii():
        raise _invalid("It must be plain ASCII.")
    if _PASSWORD.match(text):
        raise _invalid("It must carry no password: addresses are shown to people.")
    if _TOKEN.match(text):
        raise _invalid("It must carry no token: addresses are shown to people.")
    if _HIDDEN_CONTROL.search(text):
        raise _invalid("It must not hide control characters.")
    if found := _WEB.fullmatch(text):
        return _web(found, rules)
    if found := _SSH.fullmatch(text):
        return _ssh(found, text, rules)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in ("http", "https", "ssh"):
        raise SourceFailed(
            SourceProblem.PROTOCOL_NOT_ALLOWED,
            "Repositories are fetched over https and ssh only; a local one is named by its plain path.",
        )
    if not scheme and not _HALF_SCHEME.match(text) and (found := _SCP.fullmatch(text)):
        return _ssh(found, text, rules)
    raise _invalid("It needs the form https://host/path or git@host:path.")


def check_branch(name: str) -> str:
    """Give back the name of a branch, or refuse it as git would, and what looks like an option too."""
    parts = name.split("/")
    if (
        not 0 < len(name.encode(errors="surrogatepass")) <= LONGEST_BRANCH
        or _FORBIDDEN_IN_BRANCH.search(name)
        or name.startswith("-")
        or name in ("@", DETACHED)
        or name.endswith(".")
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    ):
        raise SourceFailed(SourceProblem.INVALID_BRANCH, "No branch can have this name.")
    return name


_FORBIDDEN_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{")


def _local(text: str, rules: SourceRules) -> Source:
    if not rules.local:
        raise SourceFailed(SourceProblem.LOCAL_NOT_ALLOWED, "This installation takes no local paths.")
    return Source(Transport.LOCAL, text, path=text)


def _web(found: re.Match[str], rules: SourceRules) -> Source:
    transport = Transport(found["scheme"])
    if transport is Transport.HTTP and not rules.private:
        raise SourceFailed(
            SourceProblem.PROTOCOL_NOT_ALLOWED,
            "Plain http is taken only where private addresses are allowed; write https.",
        )
    host, port = _host(found, rules), _port(found, 443 if transport is Transport.HTTPS else 80)
    user = f"{found['user']}@" if found["user"] else ""
    path = found["path"] or "/"
    return Source(transport, f"{transport}://{user}{host}:{port}{path}", host.strip("[]"), port, path)


def _ssh(found: re.Match[str], text: str, rules: SourceRules) -> Source:
    host = _host(found, rules)
    port = _port(found, 22) if "port" in found.groupdict() else 22
    return Source(Transport.SSH, text, host.strip("[]"), port, found["path"])


def _host(found: re.Match[str], rules: SourceRules) -> str:
    host = found["host"].lower()
    if host.startswith("["):
        try:
            address: IPv4Address | IPv6Address | None = IPv6Address(host[1:-1])
        except ValueError:
            raise _invalid("The host is no address.") from None
    elif _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            address = IPv4Address(host)
        except ValueError:
            raise _invalid("The host is no address.") from None
    else:
        address = None
    local_name = host == "localhost" or host.endswith(".localhost")
    if (local_name and not rules.private) or (
        address is not None and refused_address(str(address), private=rules.private)
    ):
        raise SourceFailed(
            SourceProblem.HOST_NOT_ALLOWED, f"This installation does not fetch from the network of {host}."
        )
    return host


def _port(found: re.Match[str], usual: int) -> int:
    port = int(found["port"] or usual)
    if not 0 < port < 65536:
        raise _invalid("The port is out of range.")
    return port


def _invalid(why: str) -> SourceFailed:
    return SourceFailed(SourceProblem.INVALID_ADDRESS, f"This is no address of a repository. {why}")
