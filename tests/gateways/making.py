"""Real git repositories, made to measure; honest ones, and such as no git would make."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime
from pathlib import Path

from app.gateways.git import mailmap
from app.gateways.git.tracing import MOST_COMMITS, Traced, changes_of, parents_of

START = datetime(2026, 1, 1, tzinfo=UTC)
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}


class Made:
    """A repository with a work tree, or a bare one."""

    def __init__(self, path: Path, *options: str, bare: bool = False) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", *(["--bare"] if bare else []), *options, ".")
        self.commits = 0

    def copied(self, path: Path) -> "Made":
        """Give another one that is the same so far."""
        other = copy(self)
        other.path = shutil.copytree(self.path, path, symlinks=True)
        return other

    @property
    def folder(self) -> Path:
        """The folder that holds HEAD and the settings."""
        return self.path if (self.path / "HEAD").exists() else self.path / ".git"

    def git(self, *arguments: str, given: bytes = b"", **environment: str) -> str:
        """Run git here."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=given,
            env={**ENVIRONMENT, **environment},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.decode(errors="surrogateescape").strip()

    def commit(
        self,
        files: Mapping[str, str | bytes | None],
        message: str = "Change",
        *,
        author: str = "Ada <ada@example.com>",
        at: datetime | None = None,
    ) -> str:
        """Write files (None removes one) and commit them; each commit is an hour younger than the one before."""
        for name, content in files.items():
            place = self.path / name
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--force", ".")
        name, _, email = author.removesuffix(">").partition(" <")
        when = (at or START).timestamp() + (3600 * self.commits if at is None else 0)
        self.commits += 1
        self.git(
            *("commit", "-q", "--allow-empty", "-m", message),
            GIT_AUTHOR_NAME=name,
            GIT_AUTHOR_EMAIL=email,
            GIT_AUTHOR_DATE=f"{int(when)} +0000",
            GIT_COMMITTER_NAME="Committer",
            GIT_COMMITTER_EMAIL="committer@example.com",
            GIT_COMMITTER_DATE=f"{int(when)} +0000",
        )
        return self.head()

    def head(self, name: str = "HEAD") -> str:
        """Name the commit of a branch."""
        return self.git("rev-parse", "--verify", name)

    def object(self, kind: str, content: bytes) -> str:
        """Write any object, however wrong."""
        return self.git("hash-object", "-w", "-t", kind, "--literally", "--stdin", given=content)

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Write a tree of (mode, name, object), in the order given and unchecked."""
        return self.object(
            "tree", b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(to) for mode, name, to in entries)
        )

    def point(self, tree: str, branch: str = "main", *, at: int = 1767225600) -> str:
        """Commit a tree to a branch, past all checks."""
        who = f"Eve <eve@example.com> {at} +0000"
        commit = self.object("commit", f"tree {tree}\nauthor {who}\ncommitter {who}\n\nMade\n".encode())
        place = self.folder / "refs" / "heads" / branch
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{commit}\n")
        return commit


def named(kind: str, content: bytes) -> bytes:
    """Compute the name of an object."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).digest()


async def traced(cache: Path, commit: str, since: str | None = None, *, most: int = MOST_COMMITS) -> list[Traced]:
    """Read what commits changed as HISTORY does, newest first."""
    commits = parents_of(cache, commit, since, most)
    return list(changes_of(cache, list(commits), await mailmap(cache, commit)))
