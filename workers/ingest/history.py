"""HISTORY: who touched each path, and when first and last."""

import json
from collections import Counter
from contextlib import aclosing
from typing import Any

from app.domain.history import ChangeKind
from app.domain.tree import PathFault, read_path
from app.gateways import git
from workers.ingest.step import Attempt


async def history(attempt: Attempt) -> None:
    """Sum up who touched each path, under whichever names it had, in one walk."""
    progress, found, owner = attempt.progress, attempt.found, attempt.owner
    paths: dict[str, dict[str, Any]] = {}
    later: dict[str, str] = {}
    count = 0
    async with aclosing(git.history(attempt.cache, found.commit)) as commits:
        async for commit in commits:
            count += 1
            progress.move(count)
            for change in commit.changes:
                name = read_path(change.path)
                if isinstance(name, PathFault):
                    continue
                path = later.get(name, name)
                told = paths.setdefault(path, {"last": commit.committed_at.isoformat(), "authors": Counter()})
                told["first"] = commit.committed_at.isoformat()
                told["authors"][commit.author] += 1
                if change.kind is ChangeKind.ADDED:
                    # What was here before it was added is another file.
                    later.pop(name, None)
                elif change.before is not None and isinstance(before := read_path(change.before), str):
                    later[before] = path
    await attempt.storage.put(
        owner.organization_id, owner.repo_id, f"history/{found.commit}", json.dumps(paths).encode()
    )
    progress.note(f"{count} commits")
