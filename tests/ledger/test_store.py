"""Small facts of the store that no command line shows."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.dates import end_of_day
from domain.errors import BadInput, Refusal
from domain.importing import PlannedAction
from ledger.entry import Note
from ledger.tables import triggers
from ledger.verification import verify
from projections.upkeep import create_ledger, open_ledger, rebuild

NOTE = Note(date(2025, 1, 6), "A. Clerk", source="Paper 1")


def test_plans_are_told_apart_by_more_than_capitals(tmp_path: Path) -> None:
    """A second plan needs a title and a code of its own, and sees none of the first's actions."""
    with create_ledger(tmp_path / "l.sqlite", "Two", "A. Clerk") as ledger:
        row = PlannedAction("A1", 2, section="Front door", title="Guidance")
        ledger.import_plan("Plan-1", [row], NOTE)
        for code, title, rule in (("plan-1", "T", "already-there"), ("Plan", None, "unknown-plan")):
            with pytest.raises(Refusal) as refused:
                ledger.import_plan(code, [row], NOTE, title=title)
            assert refused.value.rule == rule
        ledger.create_plan("Plan", "Another", NOTE)
        assert (ledger.references("Plan-1"), ledger.references("Plan")) == (["A1"], [])
        assert ledger.references("plan-1") == []


def test_a_text_that_cannot_be_written_is_refused_by_the_import_itself(tmp_path: Path) -> None:
    """Half a character in a title is refused with its line, whoever made the snapshot."""
    with create_ledger(tmp_path / "l.sqlite", "One", "A. Clerk") as ledger:
        row = PlannedAction("A1", 7, section="Front door", title="t\udc80")
        with pytest.raises(BadInput, match="Line 7") as refused:
            ledger.import_plan("P", [row], NOTE)
        assert refused.value.rule == "control-character"
        assert ledger.size() == 1


def test_the_last_day_there_is(tmp_path: Path) -> None:
    """A question known at the end of all days is one known now."""
    assert end_of_day(date.max) == datetime.max.replace(tzinfo=UTC)
    with create_ledger(tmp_path / "l.sqlite", "One", "A. Clerk") as ledger:
        assert ledger.moment(known_at=date.max).position == 1


def test_a_root_that_somebody_holds(tmp_path: Path) -> None:
    """An end that was left off passes every check from within, and not the root that is held."""
    path = tmp_path / "l.sqlite"
    with create_ledger(path, "One", "A. Clerk") as ledger:
        row = PlannedAction("A1", 2, section="Front door", title="Guidance")
        ledger.import_plan("P", [row], NOTE)
        held = ledger.moment()
        short = ledger.moment(known_at=2)
        assert verify(ledger, held=(held.position, held.root)).findings == ()
        assert verify(ledger, held=(short.position, short.root)).findings == ()
        (found,) = verify(ledger, held=(short.position, held.root)).findings
        assert (found.kind, found.position) == ("other-history", 2)
        with ledger.database.reading() as connection:
            frontier = ledger.recorder.at_positions(connection, [2])[2].subtrees[-32:]
    _leave_off_after(path, 2, bytes.fromhex(short.root), frontier)
    with open_ledger(path) as ledger:
        rebuild(ledger)
        assert verify(ledger).findings == ()
        (found,) = verify(ledger, held=(held.position, held.root)).findings
        assert (found.kind, found.position) == ("other-history", held.position)


def _leave_off_after(path: Path, size: int, root: bytes, frontier: bytes) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for name in triggers():
            connection.execute(f"DROP TRIGGER {name}")
        for table in ("entries", "texts"):
            connection.execute(f"DELETE FROM {table} WHERE position > ?", (size,))
        at = connection.execute("SELECT max(recorded_at) FROM entries").fetchone()[0]
        moved = (size, root, frontier, at)
        connection.execute(
            "UPDATE head SET size = ?, root = ?, frontier = ?, recorded_at = ?", moved
        )
        for statement in triggers().values():
            connection.execute(statement)
        connection.commit()
