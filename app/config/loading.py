"""Reading the environment: all that is wrong with it is said at once, by the names of its variables."""

import difflib
import os
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.config.settings import PREFIX, Settings, SettingsError


def load(**overrides: Any) -> Settings:
    """Read and validate the environment; `overrides` are what the command line said."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        faults = _unknown(os.environ)
        settings = Settings(**given)
    except SettingsError as error:
        faults += error.faults
    except ValidationError as error:
        faults += [_line(detail) for detail in error.errors()]
    if faults:
        raise SettingsError(faults)
    return settings


def variable_of(name: str) -> str:
    """Name the environment variable of a setting."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def _line(detail: Any) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    variable = variable_of(name) if name in Settings.model_fields else name
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{variable}: {message[:1].lower()}{message[1:]}"


def _unknown(environment: Mapping[str, str]) -> list[str]:
    """A misspelt variable would otherwise be a setting that silently does nothing."""
    known = {variable_of(name) for name in Settings.model_fields}
    lines = []
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and variable not in known:
            near = difflib.get_close_matches(variable, known, n=1)
            lines.append(f"{variable}: is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return lines
