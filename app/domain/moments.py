"""Moments, as this product spells them wherever they leave it: RFC 3339 in UTC, always with microseconds."""

from datetime import UTC, datetime


def spell(moment: datetime) -> str:
    """Spell a moment."""
    # strftime would leave out the zeros of the year 1.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
