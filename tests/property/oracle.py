"""Slow and obvious answers, to which the ledger's fast ones are held.

Everything here reads the SQLite file itself or the entries as they were read back, and shares
no code with what it is compared to: canonical bytes come from the `rfc8785` package, the tree
is the recursion of RFC 9162, section 2.1.1.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import rfc8785

from domain import action
from domain.event import EntryVoided, Event
from domain.plan import PlanCreated, ReportIssued
from domain.scale import FIVE_STEPS, Scale
from domain.signoff import SignOffGranted, SignOffRevoked
from domain.timeline import EVOLVE, OBJECTION
from ledger.entry import Entry

DONE = ("activity_complete", "complete")
DECISIONS = (
    action.ActionAdded,
    action.TimescaleRevised,
    action.MarkedDelayed,
    action.PlacedUnderReview,
    action.ActionResumed,
    action.ActionClosed,
    action.ActionReworded,
    action.OwnersChanged,
)

Row = tuple[object, ...]
Dump = dict[str, list[Row]]


def day_in_london(instant: datetime) -> date:
    return instant.astimezone(ZoneInfo("Europe/London")).date()


# --- the file ------------------------------------------------------------------------------


def opened(place: Path | str) -> Any:
    """A connection to the file, or to the database on a server, as anybody can open it."""
    if isinstance(place, Path):
        return closing(sqlite3.connect(place))
    return closing(psycopg.connect(place))


def dump(path: Path | str) -> Dump:
    """Every row of every table, and the statements that made them."""
    of_tables = "SELECT name, type, sql FROM sqlite_master"
    if isinstance(path, str):
        of_tables = (
            "SELECT relname, CASE relkind WHEN 'r' THEN 'table' ELSE 'other' END, relchecks "
            "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
    with opened(path) as connection:
        schema = sorted(connection.execute(of_tables))
        names = [name for name, kind, _sql in schema if kind == "table"]
        rows = {n: sorted(connection.execute(f'SELECT * FROM "{n}"'), key=repr) for n in names}
    return {"": schema, **rows}


def dump_read_models(path: Path | str) -> tuple[list[Row], list[Row]]:
    """What the read models say, by names and not by numbers of their own."""
    with opened(path) as connection:
        said = connection.execute(
            "SELECT plan, stream_id, part, attribute, at, position, voided_by, value "
            "FROM assertions JOIN slots ON slots.id = assertions.slot"
        )
        voids = connection.execute("SELECT position, voided_by FROM voids")
        return sorted(said, key=repr), sorted(voids)


# --- the tree ------------------------------------------------------------------------------


def naive_leaves(path: Path | str) -> list[bytes]:
    """The leaf of every entry: the whole envelope and the digest of the payload, as RFC 8785."""
    with opened(path) as connection:
        found = connection.execute("SELECT * FROM entries ORDER BY position")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found]
    leaves = []
    for row in rows:
        envelope = {name: row[name] for name in names if name not in ("payload", "subtrees")}
        decided_by = envelope["decided_by"]
        envelope["decided_by"] = None if decided_by is None else json.loads(decided_by)
        envelope["correction"] = envelope["correction"] == 1
        envelope["payload_sha256"] = hashlib.sha256(row["payload"]).hexdigest()
        leaves.append(rfc8785.dumps(envelope))
    return leaves


def naive_root(leaves: Sequence[bytes]) -> str:
    """MTH(D[n]) of RFC 9162, section 2.1.1, word for word."""

    def mth(part: Sequence[bytes]) -> bytes:
        if not part:
            return hashlib.sha256().digest()
        if len(part) == 1:
            return hashlib.sha256(b"\x00" + part[0]).digest()
        split = 1
        while split * 2 < len(part):
            split *= 2
        return hashlib.sha256(b"\x01" + mth(part[:split]) + mth(part[split:])).digest()

    return mth(leaves).hex()


# --- the entries ---------------------------------------------------------------------------


def live(entries: Sequence[Entry], known_at: int) -> list[Entry]:
    """The entries known and not voided, in the order of the fold."""
    known = [entry for entry in entries if entry.position <= known_at]
    voided = {entry.event.voids for entry in known if isinstance(entry.event, EntryVoided)}
    return sorted(
        (e for e in known if e.position not in voided and not isinstance(e.event, EntryVoided)),
        key=lambda entry: (entry.effective_on, entry.position),
    )


def set_by(
    entries: Sequence[Entry], code: str, as_at: date, known_at: int
) -> dict[str, dict[tuple[str, str], int]]:
    """For each subject of a plan, the position that set each attribute of each of its parts."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for entry in live(entries, known_at):
        if entry.effective_on <= as_at and plan_of(entry) == code:
            for attribute in entry.event.model_dump(exclude_none=True):
                part = "" if attribute in entry.event.whole else entry.event.part_name()
                place = part, attribute
                found.setdefault(entry.stream_id, {})[place] = entry.position
    return found


def plan_of(entry: Entry) -> str | None:
    """The code of the plan that the entry is about."""
    parts = entry.stream_id.split("/")
    return parts[1] if len(parts) > 1 else None


def scale_of(entries: Sequence[Entry], code: str | None) -> Scale:
    """The plan's key for actions."""
    created = (e.event for e in entries if plan_of(e) == code)
    return next((event.scale for event in created if isinstance(event, PlanCreated)), FIVE_STEPS)


def closed_until(entries: Sequence[Entry], code: str | None, known_at: int) -> date | None:
    """The last day that a report of the plan has closed, as known after an entry."""
    return max(
        (
            entry.event.as_at
            for entry in live(entries, known_at)
            if plan_of(entry) == code and isinstance(entry.event, ReportIssued)
        ),
        default=None,
    )


def objections(entries: Sequence[Entry], stream: str, known_at: int) -> Iterator[str]:
    """What the law of the stream says against its timeline as known after an entry."""
    kind = stream.split("/")[0]
    if kind not in OBJECTION:
        return
    of_stream = [entry for entry in entries if entry.stream_id == stream]
    scale = scale_of(entries, plan_of(of_stream[0]))
    state: object = None
    for entry in live(of_stream, known_at):
        found = OBJECTION[kind](state, entry.event, scale)
        if found:
            yield f"after entry {known_at}: entry {entry.position} {found}"
        state = EVOLVE[kind](state, entry.event)


def faults(entries: Sequence[Entry], position: int) -> Iterator[str]:
    """What the design's sections 2, 3 and 5 say against the entry at a position where it stands."""
    entry, before = entries[position - 1], entries[: position - 1]
    if entry.position != position:
        yield f"position {entry.position} stands where {position} should"
    recorded_at = entry.recorded_at
    assert recorded_at is not None
    if before and before[-1].recorded_at and recorded_at < before[-1].recorded_at:
        yield "recorded_at ran backwards"
    if entry.effective_on > day_in_london(recorded_at):
        yield "effective after the day on which it was recorded"
    if entry.stream_version != 1 + sum(e.stream_id == entry.stream_id for e in before):
        yield f"version {entry.stream_version} of its stream is out of turn"
    if any(e.entry_id == entry.entry_id for e in before):
        yield "its id is that of an earlier entry"
    note, event, code = entry.note, entry.event, plan_of(entry)
    begun = [e.event for e in before if plan_of(e) == code and isinstance(e.event, PlanCreated)]
    if begun and entry.effective_on < begun[0].begins_on:
        yield "effective before the plan began"
    if isinstance(event, DECISIONS) and note.decided_by is None and not note.source:
        yield "a decision without authority"
    if _is_done(event, scale_of(entries, code)) and not note.source:
        yield "Amber E or Green without a sign-off or a source"
    if code is not None:
        touched = entry.effective_on
        if isinstance(event, EntryVoided):
            voided = entries[event.voids - 1]
            touched = voided.effective_on
            if isinstance(voided.event, ReportIssued):
                touched = voided.event.as_at
        closed = closed_until(entries, code, position - 1)
        within = closed is not None and touched <= closed
        if within != note.correction or (within and not note.reason):
            yield f"closed until {closed}, touches {touched}, says correction={note.correction}"


def _is_done(event: Event, scale: Scale) -> bool:
    if isinstance(event, SignOffGranted | SignOffRevoked):
        return False  # what these rest on `board_oracle` works out
    step = scale.step(getattr(event, "rating", None))
    return step is not None and step.meaning in DONE
