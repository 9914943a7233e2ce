"""`tenet documents`: the list of documents that production may run."""

import json
from pathlib import Path
from typing import Any

from app.domain.errors import Fault
from resolvers.engine.trusted import list_of
from resolvers.schema import schema

USAGE = 2
SUFFIXES = (".graphql", ".gql")


def list_documents(places: list[Path]) -> str:
    """Give the list of the documents in files of GraphQL, in directories that have such, and in manifests."""
    files = [file for place in places for file in (_below(place) if place.is_dir() else [place])]
    if not files:
        raise Fault(
            f"There are no files there that end in {' or '.join(SUFFIXES)}.",
            remedy="Name files or directories.",
            exit_code=USAGE,
        )
    try:
        texts = [text for file in files for text in _texts_in(file)]
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"A document cannot be read: {error}.", remedy="Check the path.", exit_code=USAGE) from None
    return json.dumps(list_of(schema.core, texts), indent=1, ensure_ascii=False)


def _below(directory: Path) -> list[Path]:
    return sorted(file for file in directory.rglob("*") if file.suffix in SUFFIXES)


def _texts_in(file: Path) -> list[tuple[str, str]]:
    """Give the documents in a file with a name for each; clients send the hash of exactly this text."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".json":
        return [(str(file), text)]
    try:
        manifest: Any = json.loads(text)
    except ValueError:
        manifest = None
    match manifest:
        # As Apollo's tool writes it.
        case {"operations": [*operations]}:
            named = [(each.get("name"), each.get("body")) for each in operations if isinstance(each, dict)]
        # As graphql-codegen and Relay do, and this command itself: each text by its hash.
        case {**texts}:
            named = [*texts.items()]
        case _:
            named = [(None, None)]
    bodies = [(f"{name} in {file}", body) for name, body in named if isinstance(body, str)]
    if len(bodies) < len(named):
        raise Fault(
            f"{file} is no manifest of documents.",
            remedy="Name one that Apollo, graphql-codegen or Relay wrote.",
            exit_code=USAGE,
        )
    return bodies
