"""Events: facts in the past tense, published after commit. They only ring a bell; the truth stands in PostgreSQL."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one subject."""

    topic: ClassVar[str]
    subject_id: UUID
    sequence: int

    @property
    def channel(self) -> str:
        """The channel that rings for this subject."""
        return f"{self.topic}:{self.subject_id.hex}"


class RunAdvanced(Event):
    """A run has events up to `sequence`."""

    topic = "run"


class PatternsChanged(Event):
    """A repository's patterns have changes up to `sequence`."""

    topic = "patterns"


class CredentialRevoked(Event):
    """A session, an API key or a user's rights changed; caches that know them must forget."""

    topic = "credential"

    @property
    def channel(self) -> str:
        """One channel for all: whoever hears it forgets everybody, and reads again who still comes."""
        return self.topic


class RunQueued(Event):
    """A repository has a new run."""

    topic = "repo"


class Answered(Event):
    """A job that somebody waits for has its answer."""

    topic = "answer"
