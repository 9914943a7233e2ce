"""What the stages of one attempt share, and what they found."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from app.config import Settings
from app.domain.authorship import Authorship
from app.domain.confidence import Team
from app.domain.repo import Owner
from app.domain.snapshot import FileFacts
from app.gateways import git
from app.gateways.storage import Storage
from app.runtime import Runtime
from workers.mining.prospects import Prospect, Report, Standing
from workers.progress import Progress


@dataclass(slots=True)
class Findings:
    """What the stages of one attempt found."""

    commit: str = ""
    branch: str = ""
    unchanged: bool = False
    files: int = 0
    tokens: int = 0
    languages: list[dict[str, Any]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    snapshot: list[FileFacts] = field(default_factory=list)
    past: Authorship = field(default_factory=Authorship)
    """Who wrote the files, and when: `past.traces[path]`; empty until HISTORY was done."""
    paths: dict[str, FileFacts] = field(default_factory=dict)
    prospects: list[Prospect] = field(default_factory=list)
    """What MINE found and VERIFY left."""
    standing: dict[UUID, Standing] = field(default_factory=dict)
    """What was measured of the rules of patterns that stand."""
    team: Team = field(default_factory=Team)
    report: Report = field(default_factory=Report)

    @property
    def by_path(self) -> dict[str, FileFacts]:
        """Give the files of the snapshot by path."""
        if len(self.paths) != len(self.snapshot):
            self.paths = {file.path: file for file in self.snapshot}
        return self.paths


@dataclass(slots=True)
class Attempt:
    """One attempt at a run: what its stages work with."""

    runtime: Runtime
    progress: Progress
    found: Findings = field(default_factory=Findings)

    @property
    def owner(self) -> Owner:
        """Give the repository that all rows belong to."""
        return Owner(self.progress.held.repo_id, self.progress.held.organization_id)

    @property
    def cache(self) -> Path:
        """Give the bare repository to read from."""
        return sources_of(self.runtime).cache(self.owner.repo_id)

    @property
    def storage(self) -> Storage:
        """Give the place of objects."""
        return storage_of(self.runtime.settings)


def sources_of(runtime: Runtime) -> git.Sources:
    """Give the caches of this installation, with the rules of what may be fetched."""
    settings = runtime.settings
    return git.Sources(
        settings.data_dir / "git",
        runtime.source_rules,
        ssh_key=settings.ssh_key,
        own_ssh_keys=not settings.production,
        lookup=runtime.lookup,
    )


def storage_of(settings: Settings) -> Storage:
    """Give the stored objects of this installation."""
    return Storage(settings.data_dir / "objects")
