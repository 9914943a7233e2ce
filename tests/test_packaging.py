"""What is shipped agrees with what is coded: settings, containers, the lock, the version."""

import asyncio
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from app import __version__
from app.config import Settings, variable_of
from tests.packaging import example, table
from tests.test_main import served

TOP = Path(__file__).parent.parent
SETTINGS = {variable_of(name) for name in Settings.model_fields}
# What production refuses to begin without.
NEEDED = {"TENET_ENV", "TENET_SECRET", "TENET_ORIGINS", "DATABASE_URL", "REDIS_URL"}


def text_of(name: str) -> str:
    """Read a file at the top."""
    return (TOP / name).read_text()


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads(text_of("pyproject.toml"))


@pytest.fixture(scope="module")
def lock() -> dict[str, tuple[Version, list[str]]]:
    """The version and the hashes of each locked package."""
    entries = re.findall(
        r"^([a-z0-9-]+)==(\S+).*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text_of("requirements.lock"), re.M
    )
    return {name: (Version(version), hashes.split()) for name, version, hashes in entries}


def test_the_example_of_an_environment_lists_every_setting() -> None:
    assert text_of(".env.example") == example(), "run: python -m tests.packaging example > .env.example"


def test_the_readme_lists_every_setting() -> None:
    assert table() in text_of("README.md"), "run: python -m tests.packaging table, and put it into README.md"


def test_compose_gives_production_what_it_needs() -> None:
    given = re.search(r"^  environment:\n((?:    [A-Z_]+: .*\n)+)", text_of("compose.yaml"), re.M)
    assert given is not None
    names = set(re.findall(r"^    ([A-Z_]+):", given[1], re.M))
    assert NEEDED <= names <= SETTINGS


def test_compose_asks_for_nothing_that_nobody_explains() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", text_of("compose.yaml")))
    assert asked <= SETTINGS | {"POSTGRES_PASSWORD"}
    for name in asked:
        assert f"#{name}=" in text_of(".env.example")


def test_compose_waits_as_long_as_an_end_may_take() -> None:
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", text_of("compose.yaml"))
    most = sum(Settings.model_fields[name].default for name in ("drain_seconds", "shutdown_seconds"))
    assert int(grace) > most


@pytest.mark.parametrize("command", ["migrate", "serve", "worker"])
def test_one_image_does_every_part(command: str) -> None:
    assert f"    command: [{command}]\n" in text_of("compose.yaml")
    assert 'ENTRYPOINT ["tenet"]' in text_of("Dockerfile")


def test_the_image_sets_only_settings_and_is_nobody_special() -> None:
    dockerfile = text_of("Dockerfile")
    assert set(re.findall(r"(TENET_[A-Z_]+)=", dockerfile)) <= SETTINGS
    assert re.search(r"^USER (?!root)", dockerfile, re.M)


def test_the_image_has_the_programs_that_workers_start() -> None:
    _, _, shipped = text_of("Dockerfile").rpartition("\nFROM ")
    installed = re.search(r"apt-get install --yes --no-install-recommends (.*) \\$", shipped, re.M)
    assert installed is not None
    assert {"git", "openssh-client"} <= set(installed[1].split())


async def test_the_image_tells_whether_the_api_lives(database_url: str, redis_url: str) -> None:
    command = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", text_of("Dockerfile"), re.M)
    assert command is not None
    program, *arguments = json.loads(command[1])
    assert program == "python"

    async def asked(address: str) -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            env={**os.environ, "TENET_PORT": address.rpartition(":")[2]},
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait()

    async with served(database_url, redis_url) as service:
        assert await asked(service.address) == 0
    assert await asked(service.address) == 1


def test_the_image_has_every_part_of_the_wheel(project: dict[str, Any]) -> None:
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = [*wheel["packages"], *wheel.get("force-include", ()), *project["project"]["license-files"], "README.md"]
    copied = set(re.findall(r"[\w.]+", " ".join(re.findall(r"^COPY (.*) \S+$", text_of("Dockerfile"), re.M))))
    let_in = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    for part in parts:
        assert part in copied, f"the Dockerfile does not copy {part}"
        assert part in let_in, f".dockerignore keeps {part} out"


def test_the_lock_holds_everything_with_hashes_and_no_host(
    project: dict[str, Any], lock: dict[str, tuple[Version, list[str]]]
) -> None:
    raw = text_of("requirements.lock")
    assert "://" not in raw
    assert len(lock) == len(re.findall("^[a-z]", raw, re.M))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for requirement in map(Requirement, wanted):
        locked = lock.get(canonicalize_name(requirement.name))
        assert locked is not None, f"{requirement.name} is not locked; run: make lock"
        version, hashes = locked
        assert requirement.specifier.contains(version), f"{requirement} is locked as {version}; run: make lock"
        assert hashes


def test_the_metadata_is_complete(project: dict[str, Any]) -> None:
    facts = project["project"]
    assert facts["license"] == "Apache-2.0"
    assert text_of("LICENSE").split()[:4] == ["Apache", "License", "Version", "2.0,"]
    for name in ("description", "readme", "requires-python", "authors", "keywords", "classifiers", "urls"):
        assert facts[name], name
    lowest = SpecifierSet(facts["requires-python"])
    tags = [tag.rpartition(" ")[2] for tag in facts["classifiers"] if re.search(r":: 3\.\d+$", tag)]
    assert tags
    assert all(lowest.contains(tag) for tag in tags)
    assert facts["scripts"] == {"tenet": "app.cli:main"}


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", text_of("CHANGELOG.md"), re.M)
    assert newest is not None
    assert newest[1] == __version__


def test_make_help_lists_every_target() -> None:
    makefile = text_of("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony is not None
    described = set(re.findall(r"^([a-z]+):.*## \S", makefile, re.M))
    assert described == set(phony[1].split())
