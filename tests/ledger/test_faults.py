"""Faults at each statement and each write: the ledger is as before or after, never between."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, exc

from domain.commands import NoteProgress, Rate
from domain.errors import Conflict, Failed
from domain.importing import PlannedAction
from ledger.entry import Note
from ledger.service import Ledger
from ledger.verification import verify
from ledger.writing import Writing
from projections.upkeep import create_ledger, open_ledger
from tests.boards import ADMIN, CODE, MEETING, Boards
from tests.servers import Server


@contextmanager
def failing_at(ledger: Ledger, number: int) -> Iterator[list[str]]:
    """The statement of that number, from 1, fails as if the disk did; lists those given."""
    given: list[str] = []

    def on_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        given.append(statement)
        if len(given) == number:
            raise exc.OperationalError(statement, {}, sqlite3.OperationalError("disk I/O error"))

    event.listen(ledger.database.engine, "before_cursor_execute", on_statement)
    try:
        yield given
    finally:
        event.remove(ledger.database.engine, "before_cursor_execute", on_statement)


def test_an_error_while_reading_is_never_an_objection(tmp_path: Path) -> None:
    """A disk that fails while decisions are looked at again stops the write; it voids nothing.

    A rating is recorded on an action with a recommendation and a vote, which the write looks at
    again; each of its statements fails once.
    """
    boards = Boards(tmp_path / "boards.sqlite")
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    ledger = boards.ledger
    before, number = ledger.size(), 0
    note = Note(MEETING, ADMIN, source="Paper 2")
    while True:
        number += 1
        with failing_at(ledger, number) as given:
            try:
                receipt = ledger.act(CODE, Rate("C1", "Delayed"), note)
            except Failed:
                assert ledger.size() == before
            else:
                assert len(given) == number - 1
                break
    assert [entry.event.tag for entry in receipt.entries] == ["action.rated/1"]
    assert number > 20
    assert verify(ledger).findings == ()
    ledger.close()


def test_another_writer_right_after_a_conflict(postgres: Server) -> None:
    """On a server a conflict lets the next writer go on at once; it stays a conflict.

    The server ends a transaction at its first error, before we have looked at what went wrong.
    By then the position that we wanted may be taken, which says nothing against the head.
    """
    address = postgres.new()
    ledger = create_ledger(address, "Soak", ADMIN)
    plan = [PlannedAction(ref, 2, "C", "S", "Title", "Head", "July 2026", "Red") for ref in "AB"]
    note = Note(MEETING, ADMIN, source="Paper")
    ledger.import_plan(CODE, plan, note)
    other = open_ledger(address)
    late = Writing(ledger, CODE)
    late.carry_out(NoteProgress("A", "Second."), note)
    other.act(CODE, NoteProgress("A", "First."), note)

    def go_on(_context: object) -> None:
        other.act(CODE, NoteProgress("B", "Third."), note)

    event.listen(ledger.database.engine, "handle_error", go_on, once=True)
    before = ledger.size()
    with pytest.raises(Conflict):
        late.commit()
    assert ledger.size() == before + 1
    ledger.close()
    other.close()
