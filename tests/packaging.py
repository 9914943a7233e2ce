"""What is written from the settings: `python -m tests.packaging example` for `.env.example`, `table` for the README."""

import sys
from enum import Enum

from pydantic_core import PydanticUndefined

from app.config import Settings, variable_of

HEAD = """\
# The settings of Tenet. Copy this file to .env and change what you need; lines that are commented out show defaults.
"""
TAIL = """
# Read by compose.yaml alone: the password of its PostgreSQL, letters and digits.
#POSTGRES_PASSWORD=
"""


def example() -> str:
    """Write `.env.example`."""
    settings = (
        f"\n# {field.description}\n#{variable_of(name)}={default_of(name)}\n"
        for name, field in Settings.model_fields.items()
    )
    return HEAD + "".join(settings) + TAIL


def table() -> str:
    """Write the table of settings in the README."""
    rows = (
        f"| `{variable_of(name)}` | {f'`{default_of(name)}`' if default_of(name) else ''} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return "| variable | default | what it says |\n|---|---|---|\n" + "".join(rows)


def default_of(name: str) -> str:
    """Spell the default of a setting as the environment would."""
    default = Settings.model_fields[name].default
    if default is PydanticUndefined or default is None or default == ():
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default.value if isinstance(default, Enum) else default)


if __name__ == "__main__":
    sys.stdout.write({"example": example, "table": table}[sys.argv[1]]())
