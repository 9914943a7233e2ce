"""Values of variables as the input objects that resolvers take: what Strawberry does, found out once for each type."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition

from resolvers.lists import camel

Convert = Callable[[Any], Any]


def input_of(type_: type, value: Mapping[str, Any]) -> Any:
    """Make an input object of a value that was coerced already; what it omits has its default."""
    fields = _fields(type_)
    return type_(**{fields[name][0]: fields[name][1](given) for name, given in value.items()})


@lru_cache(maxsize=100)
def _fields(type_: type) -> Mapping[str, tuple[str, Convert]]:
    definition: Any = type_.__strawberry_definition__  # type: ignore[attr-defined]
    return {
        field.graphql_name or camel(field.python_name): (field.python_name, _convert(field.resolve_type()))
        for field in definition.fields
    }


def _convert(type_: Any) -> Convert:
    if isinstance(type_, StrawberryOptional):
        return _convert(type_.of_type)
    if isinstance(type_, StrawberryList):
        element = _convert(type_.of_type)
        return lambda given: None if given is None else [element(value) for value in given]
    if has_object_definition(type_):
        return lambda given: None if given is None else input_of(type_, given)
    return lambda given: given
