"""Git: repositories are fetched into bare caches and read from there; no file of theirs is ever checked out or run."""

from app.gateways.git.blaming import blame_line, blame_lines, index_commits
from app.gateways.git.fetching import Fetched, FetchLimits, FetchPhase, FetchProgress, Sources
from app.gateways.git.landings import first_parent_changes
from app.gateways.git.log import mailmap
from app.gateways.git.process import git_version
from app.gateways.git.reading import blobs, committed_at, entry_at, files, files_named, sizes

__all__ = [
    "FetchLimits",
    "FetchPhase",
    "FetchProgress",
    "Fetched",
    "Sources",
    "blame_line",
    "blame_lines",
    "blobs",
    "committed_at",
    "entry_at",
    "files",
    "files_named",
    "first_parent_changes",
    "git_version",
    "index_commits",
    "mailmap",
    "sizes",
]
