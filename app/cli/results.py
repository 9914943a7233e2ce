"""What a run found: the best candidates as a table for people, every pattern as JSON for programs."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.asking import Asker
from app.cli.welcome import say

SHOWN = 20
# One page of patterns with a page of evidence each stays well inside what one operation may cost.
PATTERNS_A_PAGE, EVIDENCE_A_PAGE = 20, 100
STYLES = {"STRONG": "bold green", "EMERGING": "cyan", "MODERATE": "", "WEAK": "dim", "LEGACY": "dim"}
TIERS = tuple(STYLES)

SUMMARY = """
query Summary($id: ID!) {
  repo(id: $id) {
    fullName fileCount tokenCount lastIngestedCommit languages { language files }
    patternCounts { candidate authoritative deferred }
  }
}
"""

CANDIDATES = """
query Candidates($id: ID!, $first: Int!) {
  triageQueue(repoId: $id, first: $first) {
    nodes {
      name
      scope { languages include }
      confidence { tier applicable conforming trend }
      counterexamples(first: 1) { totalCount }
      canonicalEvidence { path startLine }
    }
  }
}
"""

_EVIDENCE = """
pageInfo { hasNextPage endCursor }
nodes {
  path startLine endLine snippet commitSha permalink author authoredAt codeCategory isCanonical isStale staleReason
  addedBy
}
"""

PATTERNS = f"""
query Patterns($id: ID!, $first: Int!, $after: String, $evidence: Int!) {{
  patterns(
    first: $first, after: $after, orderBy: {{ field: TIER, direction: DESC }}
    filter: {{ repoId: $id, status: [CANDIDATE, DEFERRED, AUTHORITATIVE] }}
  ) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{
      id name description type category suggestedCategory language status severity rationale
      extractedBy extractionReasoning
      rule {{ kind definition text exportable alternative }}
      scope {{ languages include exclude }}
      confidence {{
        tier instances consistency consistencyNote applicable conforming adoption authors authorNames age oldest newest
        trend newFileAdoption primaryLocation locations {{ category instances }}
      }}
      healthSignals {{ category severity message affected total }}
      insight {{ text suggestedActions }}
      evidence(first: $evidence) {{ {_EVIDENCE} }}
      counterexamples(first: $evidence) {{ {_EVIDENCE} }}
    }}
  }}
}}
"""

MORE = """
query More($id: ID!, $first: Int!, $after: String) {{
  pattern(id: $id) {{ places: {field}(first: $first, after: $after) {{ {evidence} }} }}
}}
"""

Found = dict[str, Any]


async def summary_of(asker: Asker, repo_id: str) -> Found:
    """Read what is known of a repository."""
    found: Found = (await asker.ask(SUMMARY, id=repo_id))["repo"]
    return found


async def candidates_of(asker: Asker, repo_id: str) -> list[Found]:
    """Read the head of the triage queue."""
    found: list[Found] = (await asker.ask(CANDIDATES, id=repo_id, first=SHOWN))["triageQueue"]["nodes"]
    return found


async def patterns_of(asker: Asker, repo_id: str) -> list[Found]:
    """Read every pattern that stands or waits, each with all its places."""
    patterns: list[Found] = []
    after: str | None = None
    while True:
        answer = await asker.ask(PATTERNS, id=repo_id, first=PATTERNS_A_PAGE, after=after, evidence=EVIDENCE_A_PAGE)
        page = answer["patterns"]
        for pattern in page["nodes"]:
            for field in ("evidence", "counterexamples"):
                pattern[field] = await _all_places(asker, pattern["id"], field, pattern[field])
            patterns.append(pattern)
        if not page["pageInfo"]["hasNextPage"]:
            # Within a tier as in the queue, where what was found first stands first.
            return sorted(patterns, key=_rank)
        after = page["pageInfo"]["endCursor"]


def _rank(pattern: Found) -> tuple[int, str]:
    tier = (pattern["confidence"] or {}).get("tier")
    return TIERS.index(tier) if tier in TIERS else len(TIERS), pattern["id"]


async def _all_places(asker: Asker, pattern_id: str, field: str, page: Found) -> list[Found]:
    places = list(page["nodes"])
    document = MORE.format(field=field, evidence=_EVIDENCE)
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        answer = await asker.ask(document, id=pattern_id, first=EVIDENCE_A_PAGE, after=after)
        page = answer["pattern"]["places"]
        places += page["nodes"]
    return places


def in_words(summary: Found) -> str:
    """Say in a sentence what was indexed."""
    languages = sorted(summary["languages"], key=lambda share: -share["files"])[:3]
    most = ", ".join(f"{share['language']} {share['files']:,}" for share in languages)
    commit = (summary["lastIngestedCommit"] or "")[:12]
    tokens = f", about {summary['tokenCount']:,} tokens" if summary["tokenCount"] else ""
    return (
        f"{summary['fullName']} at {commit}: {summary['fileCount'] or 0:,} files{f' ({most})' if most else ''}{tokens}."
    )


def found_in_words(summary: Found, shown: int) -> str:
    """Say in a sentence what was found."""
    counts = summary["patternCounts"]
    waiting, standing = counts["candidate"], counts["authoritative"]
    already = f"; {_counted(standing, 'pattern')} already authoritative" if standing else ""
    if not waiting:
        return f"No candidates wait for triage{already}."
    first = f", of which these are the first {shown}" if waiting > shown else ""
    return f"{_counted(waiting, 'candidate')} waiting for triage{first}{already}."


def show_table(console: Console, candidates: list[Found]) -> None:
    """Print the best candidates."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Tier", no_wrap=True)
    table.add_column("Convention", overflow="fold", ratio=1 if console.is_terminal else None)
    for heading in ("Adoption", "Trend", "Against"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "Trend" else "right")
    for candidate in candidates:
        confidence = candidate["confidence"] or {}
        tier = confidence.get("tier") or "-"
        sentence = Text(candidate["name"])
        sentence.append(f"\n{_where(candidate)}", style="dim")
        table.add_row(
            Text(tier.lower(), style=STYLES.get(tier, "")),
            sentence,
            _adoption(confidence),
            (confidence.get("trend") or "-").lower(),
            str(candidate["counterexamples"]["totalCount"]),
        )
    console.print(table, soft_wrap=False)


def as_json(patterns: list[Found]) -> str:
    """Spell patterns for programs."""
    return json.dumps(patterns, indent=2, ensure_ascii=False)


def tell(console: Console, line: str) -> None:
    """Print a sentence as it is."""
    say(console, line)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _adoption(confidence: Found) -> str:
    if confidence.get("applicable") is None:
        return "-"
    return f"{confidence['conforming']} of {confidence['applicable']}"


def _where(candidate: Found) -> str:
    scope, example = candidate["scope"], candidate["canonicalEvidence"]
    parts = [", ".join(scope["include"]) or "everywhere", ", ".join(scope["languages"])]
    if example is not None:
        line = f":{example['startLine']}" if example["startLine"] is not None else ""
        parts.append(f"as in {example['path']}{line}")
    return "; ".join(part for part in parts if part)
