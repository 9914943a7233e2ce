"""`tenet ingest --explain WORDS`: what became of a convention, whether it is said or was left out, and why."""

from collections.abc import Iterator
from typing import Any

from app.cli.asking import Asker

MOST = 12

SAID = """
query Said($id: ID!, $first: Int!, $after: String) {
  patterns(first: $first, after: $after, filter: { repoId: $id }) {
    pageInfo { hasNextPage endCursor }
    nodes {
      name description status extractedBy extractionReasoning
      confidence { tier conforming applicable trend }
    }
  }
}
"""

LEFT_OUT = """
query LeftOut($id: ID!) {
  repo(id: $id) {
    runs(first: 20) {
      nodes {
        report {
          suppressed { reason count examples }
          dropped { reason count examples }
          contradictions { statement path line followed total }
        }
      }
    }
  }
}
"""

WHY = {
    "language norm": "nearly everybody who writes the language does so; it tells nothing of this repository",
    "holds everywhere": "it holds in the rest of the repository as well, so it says nothing of this place",
    "nothing worth saying": "it was counted, and is no sentence that anybody needs",
    "broken too often": "too many places do otherwise",
    "declared, not followed": "the repository declares it, and too many places do otherwise",
    "too few sites": "its rule speaks of too few places to tell",
    "eroding": "new files follow it less than old ones: it is on its way out",
    "dead": "hardly any new file follows it any more",
    "one author's habit": "all places are by one person of several",
    "said by another": "another convention speaks of the very same places",
    "over the limit": "better ones took all the room that a run has",
    "rejected by a person": "somebody rejected it, and it does not come back by itself",
    "a miner failed": "the miner itself failed",
}
"""What the reasons of a run's report mean."""

Found = dict[str, Any]


async def explain(asker: Asker, repo_id: str, words: str) -> list[str]:
    """Tell of all conventions whose sentence has the words, in lines for people."""
    said = [
        line for pattern in await _said(asker, repo_id) if fits(pattern["name"], words) for line in _of_said(pattern)
    ]
    left_out = list(_of_report(await _report(asker, repo_id), words))
    return said + left_out or [f"Nothing that was counted is called so: {words!r}. Fewer words find more."]


def fits(name: str, words: str) -> bool:
    """Tell whether a sentence has all the words, whatever marks stand between them."""
    plain = name.replace("`", "").lower()
    return all(word in plain for word in words.replace("`", "").lower().split())


def _of_said(pattern: Found) -> Iterator[str]:
    measured = pattern["confidence"] or {}
    told = [str(measured[part]).lower() for part in ("tier", "trend") if measured.get(part)]
    if measured.get("applicable") is not None:
        told.insert(0, f"{measured['conforming']} of {measured['applicable']}")
    yield f"{pattern['name']}: {pattern['status'].lower()} ({', '.join(told)})" if told else pattern["name"]
    for part in ("description", "extractionReasoning"):
        if pattern[part]:
            yield f"  {pattern[part]}"


def _of_report(report: Found, words: str) -> Iterator[str]:
    shown = 0
    for row in (*report["suppressed"], *report["dropped"]):
        for name in row["examples"]:
            if shown < MOST and fits(name, words):
                shown += 1
                yield f"{name}: left out"
                why = WHY.get(row["reason"])
                yield f"  {row['reason']}: {why}." if why else f"  {row['reason']}."
    for each in report["contradictions"]:
        if fits(each["statement"], words):
            place = f"{each['path']}:{each['line']}" if each["line"] else each["path"]
            yield f"{each['statement']}: declared in {place}, followed in {each['followed']} of {each['total']}"


async def _said(asker: Asker, repo_id: str) -> list[Found]:
    found: list[Found] = []
    after: str | None = None
    while True:
        page = (await asker.ask(SAID, id=repo_id, first=100, after=after))["patterns"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def _report(asker: Asker, repo_id: str) -> Found:
    """Give the report of the last run that looked at the code; one that found it unchanged has nothing to say."""
    runs = (await asker.ask(LEFT_OUT, id=repo_id))["repo"]["runs"]["nodes"]
    reports = [run["report"] for run in runs if run["report"] is not None]
    looked = next((each for each in reports if each["suppressed"] or each["contradictions"]), None)
    return looked or {"suppressed": [], "dropped": [], "contradictions": []}
