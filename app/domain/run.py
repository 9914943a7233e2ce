"""An ingestion run: its stages, its states, and the events that tell of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.words import Word


class RunStatus(Word):
    """Where a run stands."""

    QUEUED = "QUEUED", "Waits for a worker."
    RUNNING = "RUNNING", "A worker is at it."
    SUCCEEDED = "SUCCEEDED", "Ended well."
    FAILED = "FAILED", "Ended with an error; see errorCode and errorMessage."
    CANCELLED = "CANCELLED", "Ended because a person asked for it."


LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class RunTrigger(Word):
    """What started a run."""

    CONNECT = "CONNECT", "The repository was connected."
    MANUAL = "MANUAL", "A person or a program asked for it."
    PUSH = "PUSH", "A push arrived by webhook."
    SCHEDULE = "SCHEDULE", "The repository's schedule."


class IngestionStage(Word):
    """The stages of a run, in order."""

    FETCH = "FETCH", "Get the git objects."
    INDEX = "INDEX", "List files with language, size and token estimate."
    HISTORY = "HISTORY", "Read authors and dates from history."
    PULLS = "PULLS", "Collect recently merged pull requests."
    MINE = "MINE", "Find conventions by static analysis."
    EXTRACT = "EXTRACT", "Let Claude propose what static analysis cannot see."
    VERIFY = "VERIFY", "Check every piece of evidence against its blob."
    SCORE = "SCORE", "Judge confidence, health and duplicates."
    BACKTEST = "BACKTEST", "Check candidates against merged pull requests."
    DONE = "DONE", "Nothing is left to do."


class StageState(Word):
    """Where one stage of a run stands."""

    PENDING = "PENDING", "Not begun."
    RUNNING = "RUNNING", "Under way."
    SUCCEEDED = "SUCCEEDED", "Ended well."
    FAILED = "FAILED", "Ended with an error."
    CANCELLED = "CANCELLED", "Stopped by a person."
    SKIPPED = "SKIPPED", "Does not apply; the note says why."


class IngestionEventKind(Word):
    """What an ingestion event tells."""

    SNAPSHOT = "SNAPSHOT", "The state as a subscriber finds it; first in every stream."
    STAGE = "STAGE", "A stage changed its state."
    PROGRESS = "PROGRESS", "A stage moved on; readings may be coalesced, and `skipped` says how many."
    PATTERN = "PATTERN", "A pattern was found."
    LOG = "LOG", "A line for people."
    RETRY = "RETRY", "The run goes on after a fault, with a new attempt."
    FINISHED = "FINISHED", "The run ended; see its status."


# What runs cost, about: one stage's share of the whole, for people who watch a bar.
SHARES = {
    IngestionStage.FETCH: 15,
    IngestionStage.INDEX: 15,
    IngestionStage.HISTORY: 10,
    IngestionStage.PULLS: 5,
    IngestionStage.MINE: 30,
    IngestionStage.EXTRACT: 10,
    IngestionStage.VERIFY: 5,
    IngestionStage.SCORE: 5,
    IngestionStage.BACKTEST: 5,
}
STAGES = tuple(SHARES)
ENDED = (StageState.SUCCEEDED, StageState.FAILED, StageState.CANCELLED, StageState.SKIPPED)


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How one stage stands."""

    stage: IngestionStage
    state: StageState = StageState.PENDING
    done: int = 0
    total: int | None = None
    unit: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    note: str | None = None

    @property
    def fraction(self) -> float:
        """Tell how much of the stage is done, as far as anybody knows."""
        if self.state in (StageState.SUCCEEDED, StageState.SKIPPED):
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0


def fraction_of(stages: Iterable[StageProgress]) -> float:
    """Tell how much of a whole run is done."""
    return sum(SHARES[stage.stage] * stage.fraction for stage in stages) / sum(SHARES.values())


def seconds_left(stages: Sequence[StageProgress], now: datetime) -> float | None:
    """Estimate how long a run will still take from the pace so far; None where that would be a guess."""
    worked = [stage for stage in stages if stage.started_at is not None and stage.state is not StageState.SKIPPED]
    done = sum(SHARES[stage.stage] * stage.fraction for stage in worked)
    left = sum(SHARES[stage.stage] * (1 - stage.fraction) for stage in stages)
    begun = min((stage.started_at for stage in worked if stage.started_at is not None), default=None)
    if begun is None or done < sum(SHARES.values()) / 20 or (now - begun).total_seconds() < 1:
        return None
    return round((now - begun).total_seconds() * left / done, 1)
