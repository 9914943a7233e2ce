"""Schedules: the five fields of cron, held against counting minute by minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.errors import Invalid
from app.domain.schedule import Schedule

MONDAY = datetime(2026, 11, 16, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", "2026-11-16 12:31"),
        ("30 12 * * *", "2026-11-17 12:30"),
        ("0 3 * * 1", "2026-11-23 03:00"),
        ("0 3 * * 0", "2026-11-22 03:00"),
        ("0 3 * * 7", "2026-11-22 03:00"),
        ("*/15 9-17 * * 1-5", "2026-11-16 12:45"),
        ("5/20 * * * *", "2026-11-16 12:45"),
        ("0 0 1 * *", "2026-12-01 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 29 2 1", "2027-02-01 00:00"),  # either day, as in every cron
        ("0 0 */2 * 1", "2026-11-23 00:00"),  # a star, even a stepped one, restricts together with the other
        ("59 23 31 12 *", "2026-12-31 23:59"),
        ("0,30 1,2 * 1,7 *", "2027-01-01 01:00"),
    ],
)
def test_the_next_time_is_the_first_that_all_fields_allow(text: str, due: str) -> None:
    assert Schedule.read(text).next_after(MONDAY) == datetime.fromisoformat(f"{due}+00:00")


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_never_comes_has_no_next_time(text: str) -> None:
    assert Schedule.read(text).next_after(MONDAY) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 0 *",
            "* * * 13 *",
        ),
        *(
            "* * * * 8",
            "-1 * * * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "@daily",
            "MON * * * *",
            "1,,2 * * * *",
        ),
        *(
            "1- * * * *",
            "/5 * * * *",
            "*/5/5 * * * *",
            "\N{ARABIC-INDIC DIGIT THREE} * * * *",
            "1 " * 60,
            "001 * * * *",
        ),
    ],
)
def test_what_is_no_schedule_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Schedule.read(text)
    assert refused.value.extensions["fields"].keys() == {"scheduleCron"}


def one_field(low: int, high: int) -> some.SearchStrategy[str]:
    numbers = some.integers(low, high)
    spans = some.tuples(numbers, numbers).map(lambda pair: f"{min(pair)}-{max(pair)}")
    stepped = some.tuples(spans | some.just("*"), some.integers(1, high)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    piece = numbers.map(str) | spans | stepped
    return some.just("*") | some.lists(piece, min_size=1, max_size=3).map(",".join)


MOMENTS = some.integers(0, 60 * 24 * 366 * 5).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(some.tuples(one_field(0, 59), one_field(0, 23)), MOMENTS)
def test_the_next_time_is_found_as_by_counting_minutes(fields: tuple[str, str], moment: datetime) -> None:
    schedule = Schedule.read(f"{fields[0]} {fields[1]} * * *")
    minute = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute.minute not in schedule.minutes or minute.hour not in schedule.hours:
        minute += timedelta(minutes=1)
    assert schedule.next_after(moment) == minute


@given(some.tuples(one_field(1, 31), one_field(1, 12), one_field(0, 7)), MOMENTS)
def test_the_next_day_is_found_as_by_counting_days(fields: tuple[str, str, str], moment: datetime) -> None:
    days, months, weekdays = fields
    schedule = Schedule.read(f"0 0 {days} {months} {weekdays}")
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(366 * 5):
        day += timedelta(days=1)
        by_date, by_weekday = day.day in schedule.days, day.isoweekday() % 7 in schedule.weekdays
        either = not days.startswith("*") and not weekdays.startswith("*")
        if day.month in schedule.months and ((by_date or by_weekday) if either else (by_date and by_weekday)):
            assert schedule.next_after(moment) == day
            return
    later = schedule.next_after(moment)
    assert later is None or later > day


def test_no_night_is_skipped_or_comes_twice_where_clocks_change() -> None:
    nightly, due, nights = Schedule.read("30 2 * * *"), datetime(2026, 1, 1, tzinfo=UTC), set()
    for _ in range(365):
        following = nightly.next_after(due)
        assert following is not None
        due = following
        nights.add(due.date())
    assert (len(nights), due) == (365, datetime(2026, 12, 31, 2, 30, tzinfo=UTC))
