"""Plans with a long history, made quickly and alike for everyone who is measured.

One plan of 150 actions over three years: most changes are recorded on the day on which they
take effect or within a week, one in ten is backdated by up to a quarter.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Literal

from domain.action import ActionAdded, ActionRated, ProgressNoted, TimescaleRevised
from domain.event import Event
from domain.plan import PlanCreated, SectionAdded
from domain.timeline import action_stream, plan_stream
from domain.timescale import Timescale
from ledger.entry import Entry, Note
from ledger.service import Ledger
from projections.upkeep import create_ledger

CODE = "P"
ACTIONS = tuple(f"A{number}" for number in range(150))
SECTIONS = tuple(f"1.{number}" for number in range(1, 31))
BEGINS_ON = date(2023, 1, 2)
DAYS = 3 * 365
PREPARED = 2 + len(SECTIONS) + len(ACTIONS)
"""How many entries stand before the first change: ledger, plan, sections, actions."""

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


class Clock:
    """A clock that stands at noon of the day that it was set to."""

    def __init__(self, day: date = BEGINS_ON) -> None:
        self.day = day

    def __call__(self) -> datetime:
        """The instant."""
        return datetime.combine(self.day, time(12), UTC)


def begin(path: Path, clock: Callable[[], datetime]) -> Ledger:
    """A ledger with the plan, its sections and its actions; every stream is at version 1."""
    ledger = create_ledger(path, "Benchmark", "A. Person", clock)
    note = Note(BEGINS_ON, "A. Person", source="Plan as approved")
    created = PlanCreated(code=CODE, title="A plan", begins_on=BEGINS_ON)
    ledger.append([Entry(plan_stream(CODE), 1, created, note)])
    sections = (SectionAdded(section=key, name=f"Section {key}") for key in SECTIONS)
    ledger.append(
        [Entry(plan_stream(CODE), 2 + n, section, note) for n, section in enumerate(sections)]
    )
    ledger.append([Entry(action_stream(CODE, ref), 1, added(ref), note) for ref in ACTIONS])
    return ledger


def added(ref: str) -> ActionAdded:
    """The event with which an action joins the plan."""
    return ActionAdded(
        ref=ref,
        title=f"Make sure that the practice named in recommendation {ref} is followed",
        section=SECTIONS[int(ref[1:]) % len(SECTIONS)],
        owners="Head of Service; Team managers",
        timescale=Timescale.parse("Sept 25"),
    )


def event_of(change: Change) -> Event:
    """The event that records a change."""
    if change.kind == "rating":
        return ActionRated(rating=change.value)
    if change.kind == "progress":
        return ProgressNoted(progress=change.value)
    return TimescaleRevised(timescale=_REVISED)


_REVISED = Timescale.parse("July 2026")


def entries_of(wanted: Iterable[Change], versions: dict[str, int]) -> list[Entry]:
    """The changes as entries that can be appended.

    Args:
        versions: of each stream as it stands (1 where it is not named); moved on.
    """
    made = []
    for change in wanted:
        stream = action_stream(CODE, change.ref)
        versions[stream] = versions.get(stream, 1) + 1
        note = Note(change.effective_on, change.person, change.reason)
        made.append(Entry(stream, versions[stream], event_of(change), note))
    return made


def history(path: Path, count: int) -> Ledger:
    """A ledger with so many changes behind it, recorded day by day over three years."""
    clock = Clock()
    ledger = begin(path, clock)
    versions: dict[str, int] = {}
    for day, on_that_day in groupby(changes(count), key=lambda change: change.recorded_on):
        clock.day = day
        ledger.append(entries_of(on_that_day, versions))
    return ledger
