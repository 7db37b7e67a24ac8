"""Ledgers with a long history, made quickly: see `benchmarks.changes`."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

from benchmarks.changes import ACTIONS, BEGINS_ON, DAYS, Change, changes
from domain.action import ActionAdded, ActionRated, ProgressNoted, TimescaleRevised
from domain.event import Event
from domain.plan import PlanCreated, SectionAdded
from domain.timeline import action_stream, plan_stream
from domain.timescale import Timescale
from ledger.entry import Entry, Note
from ledger.service import Ledger
from projections.upkeep import create_ledger

CODE = "P"
SECTIONS = tuple(f"1.{number}" for number in range(1, 31))
LAST_DAY = BEGINS_ON + timedelta(days=DAYS)
PREPARED = 2 + len(SECTIONS) + len(ACTIONS)
"""How many entries stand before the first change: ledger, plan, sections, actions."""


class Clock:
    """A clock that stands at noon of the day that it was set to."""

    def __init__(self, day: date = BEGINS_ON) -> None:
        self.day = day

    def __call__(self) -> datetime:
        """The instant."""
        return datetime.combine(self.day, time(12), UTC)


def begin(path: str | Path, clock: Callable[[], datetime]) -> Ledger:
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


def history(path: str | Path, count: int) -> Ledger:
    """A ledger with so many changes behind it, recorded day by day over three years."""
    clock = Clock()
    ledger = begin(path, clock)
    versions: dict[str, int] = {}
    for day, on_that_day in groupby(changes(count), key=lambda change: change.recorded_on):
        clock.day = day
        ledger.append(entries_of(on_that_day, versions))
    return ledger
