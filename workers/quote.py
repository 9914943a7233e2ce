"""Quote: the lines of a file that a person points at, byte for byte as they stand at the commit that was read last."""

from typing import Any

from app.domain import jobs
from app.domain.categories import category_of
from app.domain.errors import Invalid
from app.domain.evidence import quote as cut
from app.domain.moments import spell
from app.domain.recognition import is_quotable
from app.gateways import git
from app.runtime import Runtime
from workers.answering import Reading


async def quote(runtime: Runtime, job: jobs.Quote) -> dict[str, Any]:
    """Look the place up, or refuse one that is not there."""
    reading = await Reading.of(runtime, job, path=job.path)
    file = reading.files.get(job.path)
    if file is None:
        raise Invalid("There is no such file.", fields={"path": f"is not there at {reading.commit[:10]}"})
    content = await reading.content(file.blob_id)
    told: dict[str, Any] = {
        "commit": reading.commit,
        "path": file.path,
        "blob_id": file.blob_id,
        "start_line": None,
        "end_line": None,
        "snippet": None,
        "code_category": category_of(file.path, file.language, file.role).value,
    }
    if job.start_line is not None and job.end_line is not None:
        told |= _lines(content, job.start_line, job.end_line)
    blame = await git.blame_line(reading.cache, reading.commit, file.path, job.start_line or 1)
    if blame is not None and blame.author:
        told |= {"author": blame.author[:200], "authored_at": spell(blame.authored_at)}
    return told


def _lines(content: bytes | None, start: int, end: int) -> dict[str, Any]:
    if content is None or not is_quotable(content):
        raise Invalid("This file cannot be quoted.", fields={"path": "is no text in UTF-8, or too large"})
    count = content.count(b"\n") + (not content.endswith(b"\n"))
    if not 1 <= start <= end <= count:
        wrong = "startLine" if not 1 <= start <= count else "endLine"
        raise Invalid("There are no such lines.", fields={wrong: f"the file has {count} lines"})
    found = cut(content, start, end)
    if found is None:
        raise Invalid("There is nothing in these lines.", fields={"startLine": "is blank, and so are those after it"})
    return {"start_line": start, "end_line": found[0], "snippet": found[1]}
