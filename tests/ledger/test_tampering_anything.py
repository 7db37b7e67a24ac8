"""Any change at all behind the ledger's back is found, down to one character or one byte."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.commands import Add, NoteProgress, Rate, ReviseTimescale
from domain.errors import GovledgerError
from domain.importing import PlannedAction
from ledger.entry import Decision, Note
from ledger.tables import entries, head, texts
from projections.upkeep import create_ledger
from tests.conftest import Clock
from tests.ledger.behind import findings, unguarded

TABLES = {table.name: table for table in (entries, texts, head)}
COLUMNS = [(table.name, column.name) for table in TABLES.values() for column in table.columns]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of some thirty entries in which every column is filled somewhere."""
    path = tmp_path_factory.mktemp("small") / "small.sqlite"
    ledger = create_ledger(path, "Small", "A. Clerk", Clock())
    begin, later = date(2025, 1, 1), date(2025, 6, 1)
    plan = [
        PlannedAction(f"A{n}", n, "Chapter", "Section", f"Action {n}", "Lead", "July 2026")
        for n in range(1, 13)
    ]
    ledger.import_plan("P", plan, Note(begin, "A. Clerk", source="the paper"))
    board = Decision(body="Board", meeting=later, minute="7")
    note = Note(later, "B. Chair", reason="Agreed.", decided_by=board)
    for n in range(1, 5):
        ledger.act("P", ReviseTimescale(f"A{n}", "June 2027"), note)
        ledger.act("P", NoteProgress(f"A{n}", "Under way."), note)
    wrong = ledger.act("P", Rate("A5", "Red"), note)
    ledger.act("P", Rate("A5", "Amber"), note, replaces=wrong.entries[-1].position)
    ledger.act("P", Add("B1", "One more", "Section"), note)
    ledger.issue_report("P", "R1", "Committee", later, later, Note(later, "A. Clerk"))
    correction = Note(begin, "A. Clerk", reason="Left out.", correction=True)
    ledger.act("P", Rate("A6", "Amber"), correction)
    assert 28 <= ledger.size() <= 36
    ledger.close()
    return path


def changed(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """The value with one character, byte or bit of it changed, put in or taken out."""
    if value is None:
        return draw(st.sampled_from(["", "x", 0, b""]))
    if isinstance(value, int):
        return value + draw(st.sampled_from([-2, -1, 1, 2, 256]))
    at = draw(st.integers(0, len(value)))
    if isinstance(value, bytes):
        put: Any = bytes([draw(st.integers(0, 255))])
    else:
        put = draw(st.characters(exclude_categories=["Cs"]))
    match draw(st.sampled_from(["replace", "insert", "delete"])):
        case "replace":
            return value[:at] + put + value[at + 1 :]
        case "insert":
            return value[:at] + put + value[at:]
    return value[:at] + value[at + 1 :]


@settings(max_examples=250)
@given(data=st.data())
def test_any_small_change_is_found(
    small: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One character or byte of any column in any row of entries, texts or head, and it is found."""
    path = tmp_path_factory.getbasetemp() / "changed.sqlite"
    shutil.copy(small, path)
    table, column = data.draw(st.sampled_from(COLUMNS))
    keys = [key.name for key in TABLES[table].primary_key.columns]
    order = ", ".join(keys)
    with unguarded(path) as connection:
        rows = connection.execute(f"SELECT {order}, {column} FROM {table} ORDER BY {order}")
        *key, value = data.draw(st.sampled_from(rows.fetchall()))
        new = changed(value, data.draw)
        before = connection.execute(f"SELECT * FROM {table}").fetchall()
        where = " AND ".join(f"{name} = ?" for name in keys)
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [new, *key])
        except sqlite3.IntegrityError:
            assume(False)  # the database itself refuses it
        # A value may be stored as it was: '7' in a column of integers is 7.
        assume(connection.execute(f"SELECT * FROM {table}").fetchall() != before)
    if (table, column) == ("head", "format"):
        with pytest.raises(GovledgerError):
            findings(path)
        return
    found = findings(path)
    assert found
    if table == "entries" and column not in ("position", "subtrees"):
        assert ("entry-changed", key[0]) in found
    if table == "texts" and column in ("salt", "text"):
        assert found == [("text-changed", key[0])]
