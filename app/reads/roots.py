"""All shapes by the name of their GraphQL type, and where a query may begin."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.ids import Kind
from app.reads.admin import FAILED_JOB
from app.reads.checks import CHECK, VIOLATION
from app.reads.patterns import EVIDENCE, PATTERN, PATTERN_EVENT, PATTERNS, PROVENANCE
from app.reads.people import API_KEY, AUDIT_ENTRY, INVITATION, MEMBERSHIP, ORGANIZATION, USER
from app.reads.repos import REPO, REPO_FILE, REPOS
from app.reads.runs import INGESTION_EVENT, INGESTION_RUN
from app.reads.shape import Many, Shape

SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        API_KEY,
        AUDIT_ENTRY,
        CHECK,
        EVIDENCE,
        FAILED_JOB,
        INGESTION_EVENT,
        INGESTION_RUN,
        INVITATION,
        MEMBERSHIP,
        ORGANIZATION,
        PATTERN,
        PATTERN_EVENT,
        PROVENANCE,
        REPO,
        REPO_FILE,
        USER,
        VIOLATION,
    )
}

BY_KIND: Mapping[Kind, Shape] = {shape.kind: shape for shape in SHAPES.values() if shape.kind is not None}


@dataclass(frozen=True, slots=True)
class Me:
    """The viewer."""


@dataclass(frozen=True, slots=True)
class ById:
    """The object with an id."""

    to: str
    argument: str = "id"


@dataclass(frozen=True, slots=True)
class ByColumn:
    """The object whose unique column has a value."""

    to: str
    column: str


@dataclass(frozen=True, slots=True)
class Through:
    """A list of one object that an argument names; `relation` where the flag is false, `otherwise` where it is true."""

    to: str
    argument: str
    relation: str
    flag: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class AnyNode:
    """Objects of any kind, told by their ids."""

    argument: str
    many: bool


Root = Me | ById | ByColumn | Through | AnyNode | Many

ROOTS: Mapping[str, Root] = {
    "node": AnyNode("id", many=False),
    "nodes": AnyNode("ids", many=True),
    "viewer": Me(),
    "organization": ByColumn("Organization", "slug"),
    "repo": ById("Repo"),
    "repos": REPOS,
    "pattern": ById("Pattern"),
    "patterns": PATTERNS,
    "triage_queue": Through("Repo", "repo_id", "triage_queue", flag="deferred", otherwise="deferred_queue"),
    "ingestion_run": ById("IngestionRun"),
    "check": ById("Check"),
}
