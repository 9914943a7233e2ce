"""The words of the product's vocabularies: an enumeration whose every member says what it means."""

from enum import StrEnum


class Word(StrEnum):
    """A closed vocabulary; a member is its own name, with one sentence for people."""

    description: str

    def __new__(cls, value: str, description: str) -> "Word":
        """Keep the sentence beside the value, so that the printed schema can show it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member
