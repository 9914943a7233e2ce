"""Jobs: what a worker is asked to do, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID


class Line(StrEnum):
    """The line a job waits in: somebody is waiting for an interactive one, nobody for a bulk one.

    Parts of large runs have a line of their own, so that they never stand before the runs of others.
    """

    INTERACTIVE = "interactive"
    BULK = "bulk"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Job:
    """A request to a worker; `id` makes asking twice ask once."""

    name: ClassVar[str]
    line: ClassVar[Line] = Line.BULK

    @property
    def id(self) -> str | None:
        """The id under which the queue knows this job; None lets any number of equal ones stand."""
        return None

    def again(self) -> Self:
        """Spell the job as a person asks for it who knows that it failed."""
        return self

    def arguments(self) -> dict[str, Any]:
        """Spell the job for the queue, whose JSON knows no UUID."""
        return {name: value.hex if isinstance(value, UUID) else value for name, value in asdict(self).items()}

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """Read a job as it was spelt for the queue."""
        spelt = {field.name: arguments[field.name] for field in fields(cls) if field.name in arguments}
        identifiers = {field.name: UUID(spelt[field.name]) for field in fields(cls) if field.type is UUID}
        return cls(**{**spelt, **identifiers})


@dataclass(frozen=True, slots=True)
class Sweep(Job):
    """Remove what has expired."""

    name = "sweep"

    @property
    def id(self) -> str | None:
        """One sweep at a time is enough."""
        return self.name


@dataclass(frozen=True, slots=True)
class Nightly(Job):
    """Dismiss what nobody cares for, and remove what belongs to nobody."""

    name = "nightly"

    @property
    def id(self) -> str | None:
        """One at a time over all workers."""
        return self.name


@dataclass(frozen=True, slots=True)
class Ingest(Job):
    """Carry out an ingestion run."""

    name = "ingest"
    run_id: UUID
    afresh: bool = False
    """Whether a run that has failed is begun anew, as another run of its repository."""

    @property
    def id(self) -> str | None:
        """A run is carried out by one worker at a time."""
        return f"{self.name}:{self.run_id.hex}"

    def again(self) -> Self:
        """A run that has ended has ended: what is asked for is another one."""
        return replace(self, afresh=True)


@dataclass(frozen=True, slots=True)
class Share(Job):
    """Do a part of one stage of a run."""

    name = "share"
    line = Line.SHARED
    run_id: UUID
    stage: str
    number: int
    attempt: int

    @property
    def id(self) -> str | None:
        """A part is done by one worker at a time."""
        return f"{self.name}:{self.run_id.hex}:{self.attempt}:{self.stage}:{self.number}"


@dataclass(frozen=True, slots=True)
class Revive(Job):
    """Find runs that nobody carries out, and ask for them again."""

    name = "revive"

    @property
    def id(self) -> str | None:
        """One look at a time is enough."""
        return self.name


@dataclass(frozen=True, slots=True)
class Compare(Job):
    """Flag candidates that say what was decided since they were last compared."""

    name = "compare"

    @property
    def id(self) -> str | None:
        """One look at a time is enough."""
        return self.name


@dataclass(frozen=True, slots=True)
class Schedule(Job):
    """Start the runs whose time has come."""

    name = "schedule"

    @property
    def id(self) -> str | None:
        """One look at a time is enough."""
        return self.name


@dataclass(frozen=True, slots=True)
class Forget(Job):
    """Remove what is kept of a disconnected repository outside the database."""

    name = "forget"
    organization_id: UUID
    repo_id: UUID


BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, float("inf"))
"""The seconds by which jobs are told apart when they are counted."""


@dataclass(frozen=True, slots=True)
class Measure(Job):
    """Run a rule over a repository, and tell what it does there; somebody waits for the answer."""

    name = "measure"
    line = Line.INTERACTIVE
    ask_id: UUID
    repo_id: UUID
    kind: str
    definition: dict[str, Any]
    languages: list[str]
    include: list[str]
    exclude: list[str]

    @property
    def id(self) -> str | None:
        """Each question is one of its own."""
        return f"{self.name}:{self.ask_id.hex}"


@dataclass(frozen=True, slots=True)
class Quote(Job):
    """Quote lines of a file at the commit that was read last; somebody waits for the answer."""

    name = "quote"
    line = Line.INTERACTIVE
    ask_id: UUID
    repo_id: UUID
    path: str
    start_line: int | None
    end_line: int | None

    @property
    def id(self) -> str | None:
        """Each question is one of its own."""
        return f"{self.name}:{self.ask_id.hex}"


Question = Measure | Quote


@dataclass(frozen=True, slots=True)
class JobTally:
    """How many jobs of a name ended in a state; each bucket counts those that took at most so many seconds."""

    name: str
    state: str
    buckets: Mapping[float, int]
    seconds: float


def spelt(name: str, arguments: Mapping[str, Any]) -> Job | None:
    """Read a job by its name; None where no such job, or none with such arguments, is known any more."""
    known = {job.name: job for job in Job.__subclasses__()}
    try:
        return known[name].read(arguments)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
