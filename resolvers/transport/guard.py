"""The body guard: what reaches the engine is sane JSON of the right shape, whatever was sent."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from app.domain.errors import Invalid, TooComplex
from resolvers.transport.protocol import GraphQLRequest

# Deeper than any real variable, and far from where Python's own recursion would end.
NESTING = 64

_KEY = re.compile(rb'"[ \t\n\r]*:')


def parse(raw: bytes, what: str = "The body") -> Any:
    """Read JSON; orjson itself refuses bad UTF-8, NaN, Infinity and numbers beyond a double."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{what} is not valid JSON: {error.msg.partition(': line ')[0]}.") from None
    # Every key of the text is a quote before a colon, so as many of those as there are keys in the result proves that
    # no key came twice. More of them: one came twice, or a string holds such a pair; only then the slow reader looks.
    if len(_KEY.findall(raw)) != _keys(value, what):
        json.loads(raw, object_pairs_hook=lambda pairs: _unique(pairs, what))
    return value


def request(value: object) -> GraphQLRequest:
    """Check the shape of one operation; members nobody knows are ignored, as the specification asks."""
    if type(value) is not dict:
        raise Invalid("A GraphQL request is a JSON object with a `query`.")
    query = value.get("query")
    operation_name = value.get("operationName")
    variables = value.get("variables")
    extensions = value.get("extensions")
    if (
        (query is None or type(query) is str)
        and (operation_name is None or type(operation_name) is str)
        and (variables is None or type(variables) is dict)
        and (extensions is None or type(extensions) is dict)
        and (query or (extensions and "persistedQuery" in extensions))
    ):
        return GraphQLRequest(query or None, operation_name or None, variables, extensions)
    raise _malformed(value)


def _keys(value: Any, what: str) -> int:
    """Count the keys level by level, which also tells how deep the levels go."""
    keys = 0
    level = [value]
    for _ in range(NESTING):
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                keys += len(item)
                below.extend(item.values())
            elif type(item) is list:
                below.extend(item)
        if not below:
            return keys
        level = below
    raise TooComplex(f"{what} is nested more than {NESTING} levels deep.")


def _unique(pairs: list[tuple[str, Any]], what: str) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise Invalid(f"{what} is not valid: the key {key[:100]!r} stands twice in one object.")
        seen.add(key)


def _malformed(value: Mapping[str, Any]) -> Invalid:
    fields = {
        member: f"Must be {expected} or null."
        for member, kind, expected in (
            ("query", str, "a string"),
            ("operationName", str, "a string"),
            ("variables", dict, "an object"),
            ("extensions", dict, "an object"),
        )
        if value.get(member) is not None and type(value[member]) is not kind
    }
    if not fields:
        fields["query"] = "Must be given, unless extensions.persistedQuery is."
    return Invalid("This is no well-formed GraphQL request.", fields=fields)
