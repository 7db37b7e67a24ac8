"""A ledger copied from one engine to the other is the same ledger, or is not made at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.errors import Failed, IntegrityBroken
from ledger.address import open_database
from ledger.copying import copy_into, copy_ledger
from ledger.entry import Decision, Note
from ledger.service import Ledger
from ledger.tables import entries, metadata
from ledger.verification import verify
from projections.assertions import PlanProjector
from projections.upkeep import check_read_models, open_ledger
from tests.ledger.behind import tamper
from tests.servers import Server

Made = Callable[[str], str]


@pytest.fixture
def new(postgres: Server, tmp_path: Path) -> Made:
    """Makes the address of an empty place on an engine."""
    return lambda engine: postgres.new() if engine == "postgres" else str(tmp_path / "copy.sqlite")


def stored(ledger: Ledger) -> list[list[tuple[Any, ...]]]:
    """Every row of the store, in the order of the keys."""
    with ledger.database.reading() as connection:
        return [
            [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        ]


def copied(source: str, target: str) -> tuple[int, str]:
    with open_ledger(source) as ledger:
        database = open_database(target, create=True)
        try:
            return copy_ledger(ledger, database, PlanProjector())
        finally:
            database.close()


def test_there_and_back_again(example_path: Path, postgres: Server, tmp_path: Path) -> None:
    """From SQLite to PostgreSQL and back: every row, the root and the read models are the same."""
    there, back = postgres.new(), str(tmp_path / "back.sqlite")
    with open_ledger(example_path) as ledger:
        board = Decision(body="Improvement Board", meeting=date(2025, 11, 11), minute="7.2")
        note = Note(date(2025, 11, 12), "An. Officer", decided_by=board)
        ledger.withhold(2, "recorded_by", "a law", note)
        before, moment = stored(ledger), ledger.moment()
    ways = ((str(example_path), there), (there, back))
    for source, target in ways:
        assert copied(source, target) == (moment.position, moment.root)
        with open_ledger(target) as copy:
            assert stored(copy) == before
            assert verify(copy).findings == ()
            assert check_read_models(copy) == []


def edited(path: Path, statement: str) -> Path:
    tamper(path, statement)
    return path


DEFECTS = {
    "an entry that is gone": "DELETE FROM entries WHERE position = 7",
    "an entry that was changed": "UPDATE entries SET effective_on = '2020-01-01' WHERE position=7",
    "a payload that was changed": "UPDATE entries SET payload = '{}' WHERE position = 7",
    "a hash that was changed": "UPDATE entries SET subtrees = zeroblob(32) WHERE position = 7",
    "a value of another kind": "UPDATE entries SET correction = 'x' WHERE position = 7",
    "an end that was left off": "DELETE FROM entries WHERE position > 300",
    "a text that was changed": "UPDATE texts SET text = 'x' WHERE position = 7",
    "a text with a character that is none": (
        "UPDATE texts SET text = 'a' || char(0) WHERE position = 7"
    ),
    "a text that is gone": "DELETE FROM texts WHERE position = 7",
    "a text on record as withheld that no entry withholds": (
        "INSERT INTO withheld VALUES (7, 'reason', 3, 'a law')"
    ),
    "a head that says other than the entries": "UPDATE head SET root = zeroblob(32)",
}


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
@pytest.mark.parametrize("defect", DEFECTS)
def test_what_does_not_hold_is_not_copied(
    example_path: Path, new: Made, engine: str, defect: str
) -> None:
    """A source with a defect is refused, and the target is as empty as it was."""
    target = new(engine)
    with pytest.raises(IntegrityBroken) as refused:
        copied(str(edited(example_path, DEFECTS[defect])), target)
    assert refused.value.rule == "not-whole"
    database = open_database(target, create=True)
    with database.writing(new=True) as connection:
        database.check_empty(connection)
    database.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_nothing_is_copied_over_another_ledger(
    example_path: Path, new: Made, engine: str, tmp_path: Path
) -> None:
    """A target that holds a ledger already is refused and stays as it is."""
    target = new(engine)
    copied(str(example_path), target)
    with pytest.raises(Failed) as refused:
        copied(str(example_path), target)
    assert refused.value.rule == "already-a-ledger"
    with open_ledger(target) as ledger:
        assert verify(ledger).findings == ()


def test_from_entries_without_their_hashes(example_path: Path, tmp_path: Path) -> None:
    """Entries that come without the tree's hashes, as from an export, get the same ones again."""
    with open_ledger(example_path) as ledger, ledger.database.reading() as connection:
        read = list(ledger.recorder.read(connection))
        moment, before = ledger.moment(), stored(ledger)
    bare = [replace(one, subtrees=b"") for one in read]
    database = open_database(tmp_path / "again.sqlite", create=True)
    with pytest.raises(IntegrityBroken, match="were due"):
        copy_into(database, bare, (moment.position, "00" * 32))
    copy_into(database, bare, (moment.position, moment.root), projector=PlanProjector())
    database.close()
    with open_ledger(tmp_path / "again.sqlite") as ledger:
        assert stored(ledger) == before


def test_what_is_overlooked(example_path: Path, tmp_path: Path) -> None:
    """A text that is missing as expected can be overlooked; nothing else is with it."""
    tamper(example_path, "DELETE FROM texts WHERE position = 7 AND field = 'reason'")
    with open_ledger(example_path) as ledger, ledger.database.reading() as connection:
        read = list(ledger.recorder.read(connection))
        moment = ledger.moment()
    database = open_database(tmp_path / "public.sqlite", create=True)
    copy_into(
        database,
        read,
        (moment.position, moment.root),
        overlook=lambda finding: (finding.kind, finding.position) == ("text-missing", 7),
    )
    with database.reading() as connection:
        assert connection.execute(select(entries.c.position)).all()
    database.close()
