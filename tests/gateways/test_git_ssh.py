"""Fetching over ssh: to one address, with one key, and without a question."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from app.domain.source import SourceRules, read_source
from app.gateways.git import Sources
from app.gateways.git.remote import SshAccess, _ssh
from tests.gateways.conftest import Fetcher, lookup
from tests.gateways.making import Made


class Ssh:
    """An ssh that notes how it was called, and runs the command here."""

    def __init__(self, folder: Path) -> None:
        self._noted = folder / "noted"
        self._surroundings = folder / "surroundings"
        program = folder / "ssh"
        noted, surroundings = shlex.quote(str(self._noted)), shlex.quote(str(self._surroundings))
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" > {noted}\nenv > {surroundings}\n'
            'for last; do :; done\nexec sh -c "$last"\n'
        )
        program.chmod(0o755)

    @property
    def options(self) -> list[str]:
        """What it was called with."""
        return self._noted.read_text().splitlines()

    @property
    def environment(self) -> list[str]:
        """What it was surrounded by."""
        return self._surroundings.read_text().splitlines()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ssh:
    """An ssh of ours in place of the system's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Ssh(folder)


async def test_ssh_goes_to_the_address_that_was_looked_at_and_asks_nothing(
    fetch: Fetcher, made: Made, ssh: Ssh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    fetched = await fetch(f"ssh://git@git.example.com:2222{made.path}")
    assert fetched.commit == made.head()
    options = ssh.options
    assert {"HostName=127.0.0.1", "HostKeyAlias=[git.example.com]:2222", "BatchMode=yes"} <= set(options)
    assert {"ProxyCommand=none", "ClearAllForwardings=yes", "IdentityFile=none"} <= set(options)
    assert options[options.index("-F") + 1] == "none"
    assert options[-2] == "git@git.example.com"
    assert "SSH_AUTH_SOCK=/run/agent" not in ssh.environment


async def test_the_short_form_of_ssh_is_understood(fetch: Fetcher, made: Made, ssh: Ssh) -> None:
    assert (await fetch(f"git@git.example.com:{made.path}", "main")).commit == made.head()
    assert "HostKeyAlias=git.example.com" in ssh.options


async def test_ssh_uses_the_key_of_the_installation_alone(caches: Path, made: Made, ssh: Ssh, tmp_path: Path) -> None:
    key = tmp_path / "100% key"
    sources = Sources(caches, SourceRules(private=True), ssh_key=key, own_ssh_keys=True, lookup=lookup)
    await Fetcher(sources)(f"ssh://git@git.example.com{made.path}")
    assert {f'IdentityFile="{tmp_path}/100%% key"', "IdentitiesOnly=yes", "IdentityAgent=none"} <= set(ssh.options)


async def test_a_developer_may_use_their_own_keys(
    caches: Path, made: Made, ssh: Ssh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    sources = Sources(caches, SourceRules(private=True), own_ssh_keys=True, lookup=lookup)
    await Fetcher(sources)(f"ssh://git@git.example.com{made.path}")
    assert not [option for option in ssh.options if option.startswith("Identit")]
    assert "SSH_AUTH_SOCK=/run/agent" in ssh.environment


@pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh here")
def test_the_real_ssh_understands_all_options(caches: Path, tmp_path: Path) -> None:
    source = read_source("ssh://git@git.example.com:2222/x", SourceRules())
    access = SshAccess(caches / "known hosts", tmp_path / "100% key")
    command = shlex.split(_ssh(access, source, "192.0.2.1")["GIT_SSH_COMMAND"])
    done = subprocess.run([*command, "-G", "git@git.example.com"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    settings = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert (settings["hostname"], settings["batchmode"]) == ("192.0.2.1", "yes")
    assert settings.get("proxycommand", "none") == "none"
    assert settings["userknownhostsfile"].replace('"', "") == str(caches / "known hosts")
