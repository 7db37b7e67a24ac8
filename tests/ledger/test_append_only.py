"""Append-only by the database itself: plain SQL is refused, whoever sends it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.tables import KEYS, entries, texts
from ledger.verification import verify
from projections.upkeep import open_ledger

HOLD = ("entries", "texts")
COLUMNS = [(column.table.name, column.name) for column in (*entries.columns, *texts.columns)]


def content(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as plain:
        return [
            row for table in KEYS for row in plain.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]


def refused(path: Path, statement: str) -> None:
    """The statement fails by the ledger's own trigger, and not a value has moved."""
    before = content(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as plain,
        pytest.raises(sqlite3.IntegrityError, match="the ledger is append-only"),
    ):
        plain.execute(statement)
    assert content(path) == before
    ledger = open_ledger(path)
    assert verify(ledger).findings == ()
    ledger.close()


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_update_is_refused(example_path: Path, table: str, column: str) -> None:
    """UPDATE of any column of an entry or a text is refused, even to the value that it has."""
    refused(example_path, f"UPDATE {table} SET {column} = {column} WHERE position = 5")


@pytest.mark.parametrize("table", HOLD)
@pytest.mark.parametrize("where", ["", "WHERE position = 5", "WHERE position > 300"])
def test_delete_is_refused(example_path: Path, table: str, where: str) -> None:
    """DELETE of one entry or text, of the last ones, or of all of them is refused."""
    refused(example_path, f"DELETE FROM {table} {where}")


@pytest.mark.parametrize("table", HOLD)
@pytest.mark.parametrize("resolution", ["IGNORE", "REPLACE", "FAIL", "ROLLBACK", "ABORT"])
def test_update_is_refused_however_it_resolves(
    example_path: Path, table: str, resolution: str
) -> None:
    """UPDATE OR … does not get past the triggers."""
    refused(example_path, f"UPDATE OR {resolution} {table} SET position = 1 WHERE position = 5")


@pytest.mark.parametrize("table", HOLD)
def test_upsert_is_refused(example_path: Path, table: str) -> None:
    """INSERT … ON CONFLICT DO UPDATE is refused as the UPDATE that it is."""
    refused(
        example_path,
        f"INSERT INTO {table} SELECT * FROM {table} WHERE position = 5 "
        "ON CONFLICT DO UPDATE SET position = 5",
    )


@pytest.mark.parametrize("table", HOLD)
def test_insert_or_replace_is_refused(example_path: Path, table: str) -> None:
    """INSERT OR REPLACE of a row that is there is refused as the DELETE that it is."""
    refused(
        example_path, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE position = 5"
    )


ENTRY = """INSERT INTO entries SELECT 9001, 'ledger', 9, 'ledger.text_{0}/1', recorded_at, 'x',
effective_on, recorded_by, NULL, NULL, NULL, 0, CAST('{1}' AS BLOB), subtrees
FROM entries WHERE position = 1"""
SAYS_SO = '{"basis":"a law","field":"reason","position":5}'
WITHHOLD = "INSERT INTO withheld VALUES ({0}, '{1}', {2}, '{3}')"


def test_nothing_is_withheld_that_no_entry_withholds(example_path: Path) -> None:
    """A row of `withheld` is refused unless the entry it names says the same of that text."""
    row = (5, "reason", 9001, "a law")
    for statement in (
        WITHHOLD.format(5, "reason", 3, "a law"),
        WITHHOLD.format(*row),
        WITHHOLD.format(*row).replace("INSERT", "INSERT OR REPLACE"),
    ):
        refused(example_path, statement)
    refusals = [
        ("withheld", SAYS_SO, (6, "reason", 9001, "a law")),
        ("withheld", SAYS_SO, (5, "source", 9001, "a law")),
        ("withheld", SAYS_SO, (5, "reason", 9001, "another law")),
        ("withheld", SAYS_SO, (5, "reason", 9002, "a law")),
        ("exempted", SAYS_SO, row),
        ("withheld", "no JSON", row),
        ("withheld", SAYS_SO.replace("5", "9001"), (9001, "reason", 9001, "a law")),
    ]
    with closing(sqlite3.connect(example_path, isolation_level=None)) as plain:
        for kind, payload, said in refusals:
            plain.execute("BEGIN")
            plain.execute(ENTRY.format(kind, payload))
            with pytest.raises(sqlite3.IntegrityError, match="no entry withholds this text"):
                plain.execute(WITHHOLD.format(*said))
            plain.execute("ROLLBACK")
        plain.execute(ENTRY.format("withheld", SAYS_SO))
        assert plain.execute(WITHHOLD.format(*row)).rowcount == 1
