"""Appendix 3: what was changed in the plan between two dates, by whom, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from domain.action import ActionAdded, MilestoneSet, TimescaleRevised, is_delayed
from domain.dates import write_instant
from domain.event import EntryVoided
from domain.plan import ReportIssued
from domain.scale import CLOSED, OPEN, UNDER_REVIEW
from domain.timeline import action_stream
from ledger.entry import Entry
from ledger.reading import begins_with
from ledger.service import Ledger
from ledger.store import Moment
from ledger.tables import entries
from projections.assertions import assertions, day_end_key, day_of, slots, voids
from projections.state import PlanState, live_at, read_state
from projections.wording import decision_data, describe

FIRST_SAID = (ActionAdded.tag, MilestoneSet.tag)
"""Entries that say a thing for the first time; whatever asserts it later has revised it."""


@dataclass(frozen=True)
class _Assertion:
    ref: str
    part: str
    effective_on: date
    position: int
    type: str


@dataclass(frozen=True)
class _Report:
    as_at: date
    position: int
    known_at: int


def changes(
    ledger: Ledger, connection: Connection, code: str, moment: Moment, since: date | None = None
) -> dict[str, Any]:
    """The change log after `since` and up to the moment's date.

    Args:
        since: a date; default the as-at date of the last report before the moment's date, else
            the day on which the plan began.
    """
    state = read_state(connection, code, moment)
    until = moment.as_at
    reports = _reports(ledger, connection, code, moment)
    if since is None:
        before = [report.as_at for report in reports if report.as_at < until]
        since = max(before, default=state.plan.begins_on)
    return _Log(ledger, connection, code, moment, state, since).answer(reports)


class _Log:
    """One change log in the making."""

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        code: str,
        moment: Moment,
        state: PlanState,
        since: date,
    ) -> None:
        self.ledger, self.connection, self.code = ledger, connection, code
        self.moment, self.state, self.since = moment, state, since
        self._entries: dict[int, Entry] = {}

    def answer(self, reports: list[_Report]) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(),
            "until": self.moment.as_at.isoformat(),
            "timescales_revised": self._rewritten("timescale"),
            "delayed": self._delayed(),
            "under_review": self._standing(UNDER_REVIEW),
            "added": self._added(),
            "closed": self._standing(CLOSED),
            "reworded": self._rewritten("title"),
            "owner_changed": self._rewritten("owners"),
            "corrections": self._corrections(reports),
        }

    def _entry(self, position: int) -> Entry:
        if position not in self._entries:
            found = self.ledger.recorder.at_positions(self.connection, [position])
            entry = self.ledger.mapper.to_domain_event(found[position])
            self._entries[position] = entry
        return self._entries[position]

    def _why(self, position: int) -> dict[str, Any]:
        if not position:
            return {"position": None, "effective_on": None, "reason": None, "decided_by": None}
        entry = self._entry(position)
        return {
            "position": position,
            "effective_on": entry.effective_on.isoformat(),
            "reason": entry.note.reason,
            "decided_by": decision_data(entry.note.decided_by),
            "source": entry.note.source,
        }

    def _title(self, ref: str) -> dict[str, Any]:
        action = self.state.actions[ref]
        written = action.timescale.written if action.timescale else None
        return {"ref": ref, "title": action.title, "timescale": written}

    def _delayed(self) -> list[dict[str, Any]]:
        scale = self.state.plan.scale
        return [
            {**self._title(ref), **self._why(self.state.setter(ref, "rating"))}
            for ref, action in self.state.actions.items()
            if action.standing == OPEN and is_delayed(action, scale)
        ]

    def _standing(self, standing: str) -> list[dict[str, Any]]:
        """All that are under review; of the closed ones, those closed in the period."""
        found = []
        for ref, action in self.state.actions.items():
            if action.standing != standing:
                continue
            why = self._why(self.state.setter(ref, "standing"))
            if standing == UNDER_REVIEW:
                found.append({**self._title(ref), **why})
            elif self._in_period(date.fromisoformat(why["effective_on"])):
                found.append({**self._title(ref), "replaced_by": action.replaced_by, **why})
        return found

    def _in_period(self, day: date) -> bool:
        return self.since < day <= self.moment.as_at

    def _added(self) -> list[dict[str, Any]]:
        rows = (r for r in self._assertions("ref") if self._in_period(r.effective_on))
        joined = {row.ref: row.position for row in rows}
        return [
            {**self._title(ref), **self._why(joined[ref])}
            for ref in self.state.actions
            if ref in joined
        ]

    def _rewritten(self, attribute: str) -> list[dict[str, Any]]:
        """Where an attribute was given anew in the period: what it was, what it is, and why."""
        found = []
        rows = self._assertions(attribute)
        for (ref, part), group in groupby(rows, key=lambda row: (row.ref, row.part)):
            history = list(group)
            revised = [row for row in history if row.type not in FIRST_SAID]
            later = [row for row in revised if self._in_period(row.effective_on)]
            if not later or ref not in self.state.actions:
                continue
            earlier = [row for row in history if row.effective_on <= self.since]
            first = [row for row in history if row.type in FIRST_SAID]
            past = earlier[-1:] or first
            before = self._value(past[-1], attribute) if past else None
            after = self._value(history[-1], attribute)
            why = self._why(history[-1].position)
            title = self.state.actions[ref].title
            if attribute == "timescale":
                found.append(
                    {
                        "ref": ref,
                        "milestone": int(part.partition("/")[2]) if part else None,
                        "title": title,
                        "original": before,
                        "revised": after,
                        "first_agreed": self._value(history[0], attribute),
                        "times_revised": len(revised),
                        **why,
                    }
                )
            else:
                found.append({"ref": ref, "title": title, "before": before, "after": after, **why})
        return found

    def _value(self, row: _Assertion, attribute: str) -> str:
        event = self._entry(row.position).event
        value = getattr(event, attribute)
        return str(
            value.written
            if isinstance(event, TimescaleRevised)
            else getattr(value, "written", value)
        )

    def _assertions(self, attribute: str) -> Iterator[_Assertion]:
        """Every live assertion of an attribute of actions up to the date, in order of the fold."""
        query = asserted(self.code, self.moment, attribute)
        for stream, part, at, position, type_ in self.connection.execute(query):
            ref = stream.split("/")[2]
            yield _Assertion(ref, part, day_of(at), position, type_)

    def _corrections(self, reports: list[_Report]) -> list[dict[str, Any]]:
        """What altered periods already reported: recorded since their report was made.

        That is every correction, and whatever slipped in between the making of the paper and its
        issue. A later report's own change log lists these up to its own making, and no more.
        """
        last = max(
            (r for r in reports if r.as_at <= self.since),
            key=lambda r: (r.as_at, r.position),
            default=_Report(self.since, 0, 0),
        )
        until = min(
            (
                r.known_at
                for r in reports
                if r.as_at >= self.moment.as_at and r.position > last.position
            ),
            default=self.moment.position,
        )
        slipped_in = and_(
            entries.c.position < last.position,
            entries.c.effective_on <= self.since.isoformat(),
        )
        query = (
            select(entries.c.position)
            .where(
                and_(entries.c.position > last.known_at, entries.c.position <= until),
                or_(entries.c.correction == 1, slipped_in),
                entries.c.stream_id.in_(
                    select(slots.c.stream_id).where(slots.c.plan == self.code).distinct()
                ),
            )
            .order_by(entries.c.position)
        )
        positions = list(self.connection.execute(query).scalars())
        voided = {
            row.position: row.voided_by
            for row in self.connection.execute(
                select(voids).where(
                    voids.c.position.in_(positions), voids.c.voided_by <= self.moment.position
                )
            )
        }
        return [self._correction(position, voided.get(position)) for position in positions]

    def _correction(self, position: int, voided_by: int | None) -> dict[str, Any]:
        entry, about = self._entry(position), self._why(position)
        said = None
        if isinstance(entry.event, EntryVoided):
            # It alters the day of what it voids, not the day on which it was typed.
            target = self._entry(entry.event.voids)
            said, about["effective_on"] = target.event, target.effective_on.isoformat()
        return {
            "ref": entry.stream_id.partition("/")[2].partition("/")[2] or None,
            "what": describe(entry.event, self.state.plan, said),
            "recorded_at": write_instant(entry.recorded_at) if entry.recorded_at else None,
            "voided_by": voided_by,
            **about,
        }


def asserted(code: str, moment: Moment, attribute: str) -> Select[Any]:
    """Every live assertion of an attribute of actions, for each slot in order of the fold."""
    return (
        select(
            slots.c.stream_id,
            slots.c.part,
            assertions.c.at,
            assertions.c.position,
            entries.c.type,
        )
        .join(assertions, assertions.c.slot == slots.c.id)
        .join(entries, entries.c.position == assertions.c.position)
        .where(
            slots.c.plan == code,
            slots.c.attribute == attribute,
            begins_with(slots.c.stream_id, action_stream(code, "")),
            assertions.c.at <= day_end_key(moment.as_at),
            live_at(moment),
        )
        .order_by(slots.c.id, assertions.c.at)
    )


def _reports(ledger: Ledger, connection: Connection, code: str, moment: Moment) -> list[_Report]:
    """Every report known, whenever it was issued: it closes its period for those who know it."""
    query = (
        select(assertions.c.position)
        .join(slots, slots.c.id == assertions.c.slot)
        .where(
            slots.c.plan == code,
            slots.c.part.startswith("report/"),
            slots.c.attribute == "as_at",
            live_at(moment),
        )
    )
    found = ledger.recorder.at_positions(connection, connection.execute(query).scalars())
    reports = []
    for position in sorted(found):
        event = ledger.mapper.to_domain_event(found[position]).event
        assert isinstance(event, ReportIssued)
        reports.append(_Report(event.as_at, position, event.known_at))
    return reports
