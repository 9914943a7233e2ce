"""`tenet schema`: the contract as it is, and as it was printed."""

import difflib
from itertools import islice
from pathlib import Path

import app
from app.domain.errors import Fault
from resolvers.schema import schema

PLACE = Path(app.__file__).parent.parent / "schema.graphql"


def print_schema() -> str:
    """Give the schema of the code."""
    return schema.as_str()


def check_schema() -> str:
    """Compare the schema of the code with the printed one, or say where they part."""
    if not PLACE.is_file():
        raise Fault("There is no schema.graphql to compare with; this is no checkout.", remedy="See: tenet schema")
    lines = PLACE.read_text().splitlines()
    difference = list(islice(difflib.unified_diff(lines, print_schema().splitlines(), "printed", "code", n=0), 2, 12))
    if difference:
        raise Fault(
            "\n".join(("schema.graphql is not what the code says:", *difference)),
            remedy="Print it again: tenet schema > schema.graphql",
        )
    return "schema.graphql is what the code says."
