"""What every table shares: naming, column types, and the bounds that the database itself keeps."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKeyConstraint, MetaData, Text, Uuid, func
from sqlalchemy import Enum as EnumType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from app.domain.ids import new_id

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# In byte order a text sorts alike in every installation, a prefix finds its index, and no upgrade of the system's
# locales spoils an index. Whoever compares without case asks for the collation "default".
_TEXT = Text(collation="C")
# A None that was given is as absent as one that was not: without this it would be stored as the JSON word null.
_JSON = JSONB(none_as_null=True)


class Table(DeclarativeBase):
    """The parent of all models; there are no relationships, joins are written in reads."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: _TEXT,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
        dict[str, Any]: _JSON,
        list[Any]: _JSON,
        list[str]: ARRAY(_TEXT),
    }


Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Now = Annotated[datetime, mapped_column(server_default=func.now())]


def belongs_to(parents: str, column: str) -> ForeignKeyConstraint:
    """Tie a row to its parent and to the parent's organization: visibility trusts the organization of each row."""
    return ForeignKeyConstraint(
        [column, "organization_id"], [f"{parents}.id", f"{parents}.organization_id"], ondelete="CASCADE"
    )


def words(vocabulary: type[Enum], name: str | None = None) -> EnumType:
    """Store a vocabulary as text under a check: a new word is a migration of the check, not of the type."""
    return EnumType(
        vocabulary,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name or _snake(vocabulary.__name__),
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )


def all_words(column: str, vocabulary: type[Enum]) -> CheckConstraint:
    """Hold a list of texts to a vocabulary."""
    known = ", ".join(f"'{member.value}'" for member in vocabulary)
    return CheckConstraint(f"{column} <@ ARRAY[{known}]", name=column)


def at_most(column: str, characters: int, *, least: int = 0) -> CheckConstraint:
    """Bound a text."""
    bounds = f"BETWEEN {least} AND {characters}" if least else f"<= {characters}"
    return CheckConstraint(f"char_length({column}) {bounds}", name=f"{column}_length")


def within(column: str, low: float, high: float | None = None) -> CheckConstraint:
    """Bound a number."""
    top = "" if high is None else f" AND {column} <= {high}"
    return CheckConstraint(f"{column} >= {low}{top}", name=f"{column}_range")


def amount(column: str) -> CheckConstraint:
    """Bound a number with a fraction: PostgreSQL holds NaN and infinity for greater than any other."""
    return CheckConstraint(f"{column} >= 0 AND {column} < 'infinity'", name=f"{column}_range")


def object_name(column: str) -> CheckConstraint:
    """Hold a text to the names of git objects, SHA-1 or SHA-256."""
    return CheckConstraint(f"{column} ~ '^([0-9a-f]{{40}}|[0-9a-f]{{64}})$'", name=f"{column}_shape")


def digest(column: str) -> CheckConstraint:
    """Hold bytes to the length of a digest, so that an empty or open secret cannot be stored in its place."""
    return CheckConstraint(f"octet_length({column}) BETWEEN 32 AND 64", name=f"{column}_length")


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
