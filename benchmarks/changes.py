"""The changes that everyone who is measured records: the same ones every time.

One plan of 150 actions over three years: most changes are recorded on the day on which they
take effect or within a week, one in ten is backdated by up to a quarter.

Imports only the standard library, so that peers in an environment of their own can use it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

ACTIONS = tuple(f"A{number}" for number in range(150))
BEGINS_ON = date(2023, 1, 2)
DAYS = 3 * 365

Kind = Literal["rating", "progress", "timescale"]


@dataclass(frozen=True)
class Change:
    """One change of one action, in words that any store can take."""

    ref: str
    kind: Kind
    value: str
    recorded_on: date
    effective_on: date
    person: str = "A. Person"
    reason: str = "Discussed at the monthly meeting of the board"


def changes(count: int, *, seed: int = 1) -> Iterator[Change]:
    """So many changes in the order in which they are recorded; the same ones every time."""
    pick = random.Random(seed)
    for number in range(count):
        recorded_on = BEGINS_ON + timedelta(days=1 + number * (DAYS - 1) // count)
        back = pick.randint(8, 90) if pick.random() < 0.1 else pick.randint(0, 7)
        effective_on = max(BEGINS_ON + timedelta(days=1), recorded_on - timedelta(days=back))
        kind, value = pick.choice(_VALUES)
        yield Change(pick.choice(ACTIONS), kind, value, recorded_on, effective_on)


_VALUES: tuple[tuple[Kind, str], ...] = (
    *((("rating", "amber"), ("rating", "red")) * 3),
    *((("progress", "The new guidance was sent to all teams and is in use"),) * 3),
    ("timescale", "July 2026"),
)
