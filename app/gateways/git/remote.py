"""A repository on another host: what its branches are at, and how its objects are brought into a cache."""

import math
import os
import re
import shlex
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urljoin

from app.domain.source import (
    DETACHED,
    Source,
    SourceFailed,
    SourceProblem,
    SourceRules,
    Transport,
    check_branch,
    read_source,
)
from app.gateways.addresses import Lookup, addresses_of
from app.gateways.git.cache import Cache, is_object_id
from app.gateways.git.process import PINS_SINCE, answer, git_version, running

_HEADS = "refs/heads/"
_ASKS = "/info/refs?service=git-upload-pack"
_MOST_MOVES = 3
_HEADER = re.compile(r"<= Recv header: ([a-z-]+): *(.+)", re.IGNORECASE)
# Seconds of silence after which a connection counts as dead.
_SILENCE = "60"


@dataclass(frozen=True, slots=True)
class SshAccess:
    """With what ssh shows itself to other hosts; without a key of its own, with those of this process's account."""

    known_hosts: Path
    key: Path | None = None
    own_keys: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What a branch of a remote repository is at, and the address and settings with which it answered."""

    branch: str
    commit: str
    source: Source
    config: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    @property
    def reference(self) -> str:
        """The reference to fetch."""
        return DETACHED if self.branch == DETACHED else _HEADS + self.branch


@dataclass(frozen=True, slots=True)
class Remotes:
    """Speaks with other hosts, each at the address that was looked at before."""

    rules: SourceRules
    ssh: SshAccess
    lookup: Lookup

    async def look(self, source: Source, branch: str | None, authorization: str | None) -> Offer:
        """Find a branch of a repository, the one of its HEAD unless another is named."""
        for _ in range(_MOST_MOVES):
            config, environment = await self._access(source, authorization)
            patterns = [DETACHED] if branch is None else [DETACHED, _HEADS + branch]
            try:
                listed = await self._list(source, patterns, config, environment)
            except SourceFailed as failed:
                if source.transport is Transport.SSH:
                    raise
                if failed.code is SourceProblem.RATE_LIMITED:
                    raise await self._limited(source, failed, config, environment) from failed
                if failed.code is not SourceProblem.REDIRECTED:
                    raise
                source = await self._moved(source, config, environment)
                continue
            found, commit = _chosen(listed, branch)
            if commit is None:
                raise await self._nothing(source, branch, config, environment)
            return Offer(found, commit, source, config, environment)
        raise SourceFailed(SourceProblem.REDIRECTED, "The host sends from one address to the next.")

    async def fetch(self, offer: Offer, cache: Cache, *, most_bytes: int, heard: Callable[[str], None]) -> str:
        """Bring a branch into a cache, and give the object it is at by now."""
        target = cache.reference(offer.branch)
        async with running(
            *("fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"),
            *("--no-auto-maintenance", "--no-show-forced-updates", "--update-shallow", "--refmap="),
            *("--end-of-options", offer.source.url, f"+{offer.reference}:{target}"),
            repository=cache.path,
            config=offer.config,
            environment=offer.environment,
            largest_file=most_bytes,
            heard=heard,
        ) as git:
            try:
                await git.must_end_well()
            except SourceFailed as failed:
                if offer.source.transport is Transport.SSH or failed.code is not SourceProblem.RATE_LIMITED:
                    raise
                raise await self._limited(offer.source, failed, offer.config, offer.environment) from failed
        commit = cache.kept(offer.branch)
        if commit is None:
            raise SourceFailed(SourceProblem.BROKEN, "The repository offered a branch and did not send it.")
        return commit

    async def _access(self, source: Source, authorization: str | None) -> tuple[dict[str, str], dict[str, str]]:
        """Look the host up, now, and make the settings under which git connects to what was found."""
        addresses = await addresses_of(source.host, source.port, private=self.rules.private, lookup=self.lookup)
        environment = {"GIT_ALLOW_PROTOCOL": source.transport.value}
        config = {
            f"protocol.{source.transport}.allow": "always",
            "protocol.version": "2",
            # A fetch, however small, comes as a pack, and is never strewn over single files.
            "fetch.unpackLimit": "1",
        }
        if source.transport is Transport.SSH:
            return config, {**environment, **_ssh(self.ssh, source, addresses[0])}
        config |= {
            "http.followRedirects": "false",
            "http.sslVerify": "true",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": _SILENCE,
            "transfer.bundleURI": "false",
        }
        if not _is_address(source.host):
            if not self.rules.private and await git_version() < PINS_SINCE:
                raise SourceFailed(
                    SourceProblem.UNSUPPORTED, "This installation needs git 2.37 or newer to fetch over https."
                )
            config["http.curloptResolve"] = f"{source.host}:{source.port}:{','.join(map(_bracketed, addresses))}"
        if authorization is not None:
            spelt = b64encode(authorization.encode()).decode()
            config[f"http.{source.transport}://{_bracketed(source.host)}:{source.port}/.extraHeader"] = (
                f"Authorization: Basic {spelt}"
            )
        return config, environment

    async def _list(
        self, source: Source, patterns: list[str], config: Mapping[str, str], environment: Mapping[str, str]
    ) -> dict[str, str]:
        """List references; a symbolic one is its own name after `ref:`."""
        told = await answer(
            *("ls-remote", "--symref", "--end-of-options", source.url, *patterns),
            config=config,
            environment=environment,
            seconds=float(_SILENCE) * 2,
        )
        listed: dict[str, str] = {}
        for line in told.decode(errors="surrogateescape").splitlines():
            value, _, name = line.partition("\t")
            listed[f"ref:{name}" if value.startswith("ref: ") else name] = value.removeprefix("ref: ")
        return listed

    async def _nothing(
        self, source: Source, branch: str | None, config: Mapping[str, str], environment: Mapping[str, str]
    ) -> SourceFailed:
        """Say why a branch was not found: there is no such one, or there is none at all."""
        async with running(
            *("ls-remote", "--heads", "--end-of-options", source.url), config=config, environment=environment
        ) as git:
            if not await git.read(float(_SILENCE)):
                await git.must_end_well()
                return SourceFailed(SourceProblem.EMPTY, "The repository has no commits.")
        if branch is None:
            return SourceFailed(SourceProblem.NO_DEFAULT_BRANCH, "The repository's HEAD leads nowhere; name a branch.")
        return SourceFailed(SourceProblem.BRANCH_GONE, f"The repository has no branch {branch}.")

    async def _limited(
        self, source: Source, failed: SourceFailed, config: Mapping[str, str], environment: Mapping[str, str]
    ) -> SourceFailed:
        """Find out when a host will answer again, of which git tells nothing."""
        named = (await self._headers(source, config, environment)).get("retry-after", "")
        seconds = seconds_until(named)
        if seconds is None:
            return failed
        told = f"The host takes no more requests for {math.ceil(seconds)} s."
        return SourceFailed(failed.code, told, detail=failed.detail, retry_after=seconds)

    async def _headers(
        self, source: Source, config: Mapping[str, str], environment: Mapping[str, str]
    ) -> dict[str, str]:
        """Ask once more for what git keeps to itself: the headers of the host's last answer."""
        heard: list[str] = []
        tracing = {**environment, "GIT_TRACE_CURL": "1", "GIT_TRACE_CURL_NO_DATA": "1"}
        with suppress(SourceFailed):
            async with running(
                *("ls-remote", "--end-of-options", source.url, DETACHED),
                config=config,
                environment=tracing,
                heard=heard.append,
            ) as git:
                await git.must_end_well()
        found = (_HEADER.search(line) for line in heard)
        return {header[1].lower(): header[2].strip() for header in found if header}

    async def _moved(self, source: Source, config: Mapping[str, str], environment: Mapping[str, str]) -> Source:
        """Follow a redirect by hand: to the same host only, and through every check that the first address passed."""
        location = (await self._headers(source, config, environment)).get("location", "").partition(" ")[0]
        try:
            target = urljoin(source.url.rstrip("/") + _ASKS, location) if location else ""
        except ValueError:
            target = ""
        if not target.endswith(_ASKS):
            raise SourceFailed(SourceProblem.REDIRECTED, "The repository's address leads to something else.")
        moved = read_source(target.removesuffix(_ASKS), replace(self.rules, local=False))
        if moved.host != source.host:
            raise SourceFailed(
                SourceProblem.REDIRECTED,
                f"The repository has moved to the host {moved.host}; connect it by its address there.",
            )
        if source.transport is Transport.HTTPS and moved.transport is not Transport.HTTPS:
            raise SourceFailed(SourceProblem.REDIRECTED, "The host sends from https to plain http.")
        return moved


def seconds_until(text: str) -> float | None:
    """Read when a host answers again, as HTTP spells it: in so many seconds, or at a moment."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _chosen(listed: Mapping[str, str], branch: str | None) -> tuple[str, str | None]:
    """Pick a branch among references, and the object it is at; None where it is not there."""
    if branch is not None:
        return branch, _object(listed.get(_HEADS + branch))
    commit = _object(listed.get(DETACHED))
    name = listed.get(f"ref:{DETACHED}", "")
    return (check_branch(name.removeprefix(_HEADS)) if name.startswith(_HEADS) else DETACHED), commit


def _object(text: str | None) -> str | None:
    return text if text is not None and is_object_id(text) else None


def _ssh(access: SshAccess, source: Source, address: str) -> dict[str, str]:
    """Make the command that git connects with: no settings of this account, no questions, no forwarding."""
    alias = source.host if source.port == 22 else f"[{source.host}]:{source.port}"
    known = [access.known_hosts]
    if access.own_keys:
        known.append(Path("~/.ssh/known_hosts").expanduser())
    options = {
        "BatchMode": "yes",
        "HostName": address,
        "HostKeyAlias": alias,
        "CheckHostIP": "no",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": " ".join(f'"{_literal(path)}"' for path in known),
        "ProxyCommand": "none",
        "ProxyJump": "none",
        "ControlMaster": "no",
        "ControlPath": "none",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RequestTTY": "no",
        "ConnectTimeout": "20",
        "ServerAliveInterval": "15",
        "PreferredAuthentications": "publickey",
    }
    if access.key is not None:
        options |= {"IdentityFile": f'"{_literal(access.key)}"', "IdentitiesOnly": "yes", "IdentityAgent": "none"}
    elif not access.own_keys:
        options |= {"IdentityFile": "none", "IdentitiesOnly": "yes", "IdentityAgent": "none"}
    command = ["ssh", "-F", "none", "-a", "-x", "-T"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    environment = {"GIT_SSH_COMMAND": shlex.join(command), "GIT_SSH_VARIANT": "ssh"}
    if access.own_keys and access.key is None and (agent := os.environ.get("SSH_AUTH_SOCK")):
        environment["SSH_AUTH_SOCK"] = agent
    return environment


def _literal(path: Path) -> str:
    """Spell a path for ssh, which reads percent signs as abbreviations."""
    return str(path).replace("%", "%%")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
