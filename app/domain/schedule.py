"""Schedules in the five fields of cron, in UTC: minute, hour, day of month, month, day of week."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import Invalid

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
# The 29th of February on a given weekday comes round within 28 years.
_FARTHEST = timedelta(days=366 * 28)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something happens again and again."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    # As in every cron: where both days are restricted, either one will do.
    either_day: bool

    @classmethod
    def read(cls, text: str) -> "Schedule":
        """Read five fields, or refuse them."""
        parts = text.split()
        if len(parts) != len(_FIELDS) or len(text) > 100:
            raise _refused("needs five fields, as in 0 3 * * 1")
        sets = [_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
        weekdays = frozenset(day % 7 for day in sets[4])
        either = not parts[2].startswith("*") and not parts[4].startswith("*")
        return cls(sets[0], sets[1], sets[2], sets[3], weekdays, either)

    def next_after(self, moment: datetime) -> datetime | None:
        """Give the first time behind a moment; None for a day that never comes, as the 31st of February."""
        time = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        until = moment + _FARTHEST
        while time < until:
            if time.month not in self.months:
                time = (time.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            elif not self._on(time):
                time = time.replace(hour=0, minute=0) + timedelta(days=1)
            elif time.hour not in self.hours:
                time = time.replace(minute=0) + timedelta(hours=1)
            elif time.minute not in self.minutes:
                time += timedelta(minutes=1)
            else:
                return time
        return None

    def _on(self, time: datetime) -> bool:
        by_date, by_weekday = time.day in self.days, time.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def _values(part: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        span, slash, step_text = piece.partition("/")
        step = _number(step_text, name, 1, high) if slash else 1
        if span == "*":
            first, last = low, high
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, name, low, high)
            last = _number(last_text, name, low, high) if dash else (high if slash else first)
        if first > last:
            raise _refused(f"has a {name} that runs backwards")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and low <= int(text) <= high):
        raise _refused(f"has a {name} that is no number from {low} to {high}")
    return int(text)


def _refused(why: str) -> Invalid:
    return Invalid("This is no schedule.", fields={"scheduleCron": why})
