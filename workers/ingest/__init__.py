"""Ingest: one pass over a repository at one commit, a file for each stage, by whichever worker holds the run."""

from workers.ingest.carrying import ingest
from workers.ingest.upkeep import forget, revive

__all__ = ["forget", "ingest", "revive"]
