"""Small facts of the store that no command line shows."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.dates import end_of_day
from domain.errors import BadInput
from domain.importing import PlannedAction
from ledger.entry import Note
from projections.upkeep import create_ledger

NOTE = Note(date(2025, 1, 6), "A. Clerk", source="Paper 1")


def test_plans_whose_codes_differ_in_capitals_are_kept_apart(tmp_path: Path) -> None:
    """The actions of `Plan-1` are not among those of `plan-1`."""
    with create_ledger(tmp_path / "l.sqlite", "Two", "A. Clerk") as ledger:
        row = PlannedAction("A1", 2, section="Front door", title="Guidance")
        ledger.import_plan("Plan-1", [row], NOTE)
        ledger.create_plan("plan-1", "Another", NOTE)
        assert ledger.references("Plan-1") == ["A1"]
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
