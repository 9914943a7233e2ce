"""`tenet documents`: the list of documents that production may run."""

import json
from pathlib import Path

from app.domain.errors import Fault
from resolvers.schema import schema
from resolvers.trusted import list_of

USAGE = 2


def list_documents(places: list[Path]) -> str:
    """Give the list of the documents in files, and in the .graphql files below directories."""
    files = [file for place in places for file in (sorted(place.rglob("*.graphql")) if place.is_dir() else [place])]
    if not files:
        raise Fault("There are no .graphql files there.", remedy="Name files or directories.", exit_code=USAGE)
    try:
        texts = [(str(file), file.read_text(encoding="utf-8")) for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"A document cannot be read: {error}.", remedy="Check the path.", exit_code=USAGE) from None
    return json.dumps(list_of(schema.core, texts), indent=1, ensure_ascii=False)
