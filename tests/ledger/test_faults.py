"""Faults at each statement and each write: the ledger is as before or after, never between."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, exc

from domain.commands import NoteProgress, Rate
from domain.errors import Conflict, Failed
from domain.importing import PlannedAction
from faults.injection import fresh, judge, standing_of
from faults.powercut import Disk
from faults.scenes import LEDGER
from faults.shim import Change, compiler
from faults.soak import soak
from ledger.entry import Note
from ledger.service import Ledger
from ledger.verification import verify
from ledger.writing import Writing
from projections.upkeep import create_ledger, open_ledger
from tests.boards import ADMIN, CODE, MEETING, Boards
from tests.ledger.processes import ROOT
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


def test_every_fault_of_the_short_part(tmp_path: Path) -> None:
    """A command that meets a full disk or a power cut at each point damages nothing.

    `make faults` injects all kinds into all commands; this is one command, in its own process.
    """
    if compiler() is None:
        pytest.skip("fault injection needs a C compiler, and there is none")
    said = tmp_path / "said.json"
    command = [sys.executable, "-m", "faults", "--short", "--json"]
    with said.open("wb") as file:
        code = subprocess.run(command, stdout=file, check=False, cwd=ROOT).returncode
    found = json.loads(said.read_bytes())
    assert [row["damaged"] + row["untrue"] for row in found] == [[], []]
    assert code == 0
    # Each kind has struck before the entry was recorded and after, many times.
    for row in found:
        assert row["before"] > 20, row
        assert row["after"] > 10, row
        assert row["before"] + row["after"] == row["faults"], row


def test_the_faults_can_find_something(tmp_path: Path) -> None:
    """The judge of the faults is no yes-man: a lost entry, and a half-written file, are damage."""
    base, folder = tmp_path / "base", tmp_path / "left"
    base.mkdir()
    ledger = create_ledger(base / LEDGER, "Judged", ADMIN)
    ledger.create_plan("P", "Plan", Note(MEETING, ADMIN))
    ledger.close()
    standing = replace(standing_of(base), after=3)
    line = "registrar: plan import none.csv --plan X --as-at 2025-01-01 --source S"
    assert judge(fresh(base, folder), line, standing, acknowledged=True) == (
        "damaged",
        "what was reported as recorded is not there",
    )
    path = fresh(base, folder) / LEDGER
    path.write_bytes(path.read_bytes()[:8192])
    assert judge(folder, line, standing, acknowledged=False)[0] == "damaged"


def test_a_power_cut_loses_what_was_not_synced(tmp_path: Path) -> None:
    """The disk that is worked out keeps what was synced; of the rest nothing, all, or sectors."""
    (tmp_path / "a").write_bytes(b"old")
    disk, path = Disk(tmp_path), str(tmp_path / "a")
    disk.take(Change("w", path, 0, b"N" * 1024), tmp_path)
    assert disk.left(None, 0) == {"a": b"old"}
    assert disk.left(None, 1) == {"a": b"N" * 1024}
    torn = {disk.left(Random(seed), 0.5)["a"] for seed in range(40)}
    assert torn == {b"old", b"N" * 512, b"N" * 1024, b"old" + bytes(509) + b"N" * 512}
    disk.take(Change("s", path, 0, b""), tmp_path)
    assert disk.left(None, 0) == {"a": b"N" * 1024}
    disk.take(Change("u", path, 0, b""), tmp_path)
    assert disk.left(None, 0) == {"a": b"N" * 1024}
    disk.take(Change("s", str(tmp_path), 0, b""), tmp_path)
    assert disk.left(None, 0) == {}


def test_four_at_once_on_a_server(postgres: Server) -> None:
    """Four processes that record at once on PostgreSQL lose nothing and leave no gap.

    A reader meanwhile holds each state that it sees to what a ledger has to be. `make soak` does
    the same for long.
    """
    assert soak(postgres.new(), 4, 40, 1) == []


def test_a_ledger_opened_twice_in_one_process(tmp_path: Path) -> None:
    """What is recorded on a ledger stays, though the process has opened and closed it once more.

    A file that a process opens and closes by itself loses every lock that the process has on it.
    Another process then took itself for the last to close the ledger, and removed the log: what
    the first recorded after that was nowhere.
    """
    path = tmp_path / "twice.sqlite"
    ledger = create_ledger(path, "Twice", ADMIN)
    note = Note(MEETING, ADMIN)
    ledger.create_plan("P1", "Plan", note)
    open_ledger(path).close()
    elsewhere(f"ledger.create_plan('P2', 'Plan', {note!r})", path)
    recorded = ledger.create_plan("P3", "Plan", note).entries[0].position
    assert elsewhere("print(ledger.size())", path).strip() == str(recorded)
    ledger.close()


def elsewhere(words: str, path: Path) -> str:
    """Do something with a ledger in another process; what it prints."""
    program = (
        "import datetime\n"
        "from ledger.entry import Note\n"
        "from projections.upkeep import open_ledger\n"
        f"with open_ledger({str(path)!r}) as ledger:\n    {words}\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return done.stdout
