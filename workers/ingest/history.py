"""HISTORY: who touched each path, and when first and last."""

import json
from collections import Counter
from contextlib import aclosing
from typing import Any

from app.domain.tree import PathFault, read_path
from app.gateways import git
from workers.ingest.step import Attempt


async def history(attempt: Attempt) -> None:
    """Sum up who touched each path, and when first and last, in one walk."""
    progress, found, owner = attempt.progress, attempt.found, attempt.owner
    paths: dict[str, dict[str, Any]] = {}
    count = 0
    async with aclosing(git.history(attempt.cache, found.commit)) as commits:
        async for commit in commits:
            count += 1
            progress.move(count)
            for change in commit.changes:
                path = read_path(change.path)
                if isinstance(path, PathFault):
                    continue
                told = paths.setdefault(path, {"last": commit.committed_at.isoformat(), "authors": Counter()})
                told["first"] = commit.committed_at.isoformat()
                told["authors"][commit.author] += 1
    await attempt.storage.put(
        owner.organization_id, owner.repo_id, f"history/{found.commit}", json.dumps(paths).encode()
    )
    progress.note(f"{count} commits")
