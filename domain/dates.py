"""The two clocks: instants in UTC, and days in Europe/London."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from domain.errors import BadInput

LONDON = ZoneInfo("Europe/London")
YEARS = range(1900, 2200)
"""The years that a person can mean."""

Day = TypeVar("Day", bound=date)

_instant = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
).fullmatch
_day = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def london_day(instant: datetime) -> date:
    """The date in London at that instant."""
    return instant.astimezone(LONDON).date()


def end_of_day(day: date) -> datetime:
    """The last microsecond of that day in London, as an instant in UTC."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    after = datetime.combine(day + timedelta(days=1), time(), LONDON)
    return after.astimezone(UTC) - timedelta(microseconds=1)


def write_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds, always the same width so that it sorts as text."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(written: str) -> datetime:
    """The instant that `write_instant` wrote."""
    return datetime.fromisoformat(written)


def exact_instant(written: str) -> datetime:
    """The instant, if it is written in the one form of `write_instant`.

    Instants are compared as text: in another form, such as with an offset, a later one can sort
    before an earlier one.

    Raises:
        TypeError, ValueError: it is no instant, or not in that form.
    """
    if _instant(written) is None:
        raise ValueError(f"'{written}' is not an instant as the ledger writes one")
    return datetime.fromisoformat(written)


def exact_day(written: str) -> date:
    """The day, if it is written as year-month-day, such as 2025-09-30.

    Raises:
        TypeError, ValueError: it is no day, or not in that form.
    """
    if _day(written) is None:
        raise ValueError(f"'{written}' is not a day as the ledger writes one")
    return date.fromisoformat(written)


def parse_day(written: str) -> date:
    """A day as people type it: 2025-09-30 or 30/09/2025.

    Raises:
        BadInput: no-such-date.
    """
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            found = datetime.strptime(written.strip(), form).date()
        except ValueError:
            continue
        return in_our_time(found, written)
    raise BadInput(
        "no-such-date",
        f"'{written}' is not a date that exists.",
        "Write year-month-day, such as 2025-09-30.",
    )


def in_our_time(day: Day, written: str) -> Day:
    """That day or instant, if its year can be meant; far off years are slips of the finger.

    Raises:
        BadInput: no-such-date.
    """
    if day.year not in YEARS:
        raise BadInput(
            "no-such-date",
            f"The year of '{written}' is not from {YEARS.start} to {YEARS.stop - 1}.",
            "Check the year.",
        )
    return day
