"""The two clocks: instants in UTC, and days in London."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.dates import end_of_day, london_day, parse_day, read_instant, write_instant
from domain.errors import BadInput


@pytest.mark.parametrize("day", [date(2025, 3, 30), date(2025, 10, 26), date(2025, 7, 1)])
def test_the_end_of_a_day_in_london(day: date) -> None:
    """The last microsecond belongs to the day and the next does not, also as clocks change."""
    end = end_of_day(day)
    assert london_day(end) == day
    assert london_day(end + timedelta(microseconds=1)) == day + timedelta(days=1)


def test_a_summer_night_in_london() -> None:
    """At half past eleven at night in UTC in July, London is on the next day already."""
    assert london_day(datetime(2025, 7, 1, 23, 30, tzinfo=UTC)) == date(2025, 7, 2)
    assert london_day(datetime(2025, 1, 1, 23, 30, tzinfo=UTC)) == date(2025, 1, 1)


def test_instants_sort_as_they_are_written() -> None:
    """Instants are written in one width, so that text sorts as time does; reading undoes it."""
    instants = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in range(0, 99)]
    written = [write_instant(instant) for instant in instants]
    assert written == sorted(written)
    assert [read_instant(w) for w in written] == instants


@pytest.mark.parametrize("written", ["2025-09-30", "30/09/2025", " 30/9/2025 ", "2025-9-30"])
def test_a_day_as_people_type_it(written: str) -> None:
    """A day is year-month-day or day/month/year."""
    assert parse_day(written) == date(2025, 9, 30)


@pytest.mark.parametrize(
    "written",
    ["", "2025-02-29", "31/09/2025", "09/30/2025", "2025", "30.9.25", "1899-12-31", "2200-01-01"],
)
def test_a_day_that_does_not_exist(written: str) -> None:
    """What is no day, or is in a year that nobody means, is refused."""
    with pytest.raises(BadInput) as refused:
        parse_day(written)
    assert refused.value.rule == "no-such-date"
