"""Many entries in one append, against the peer's save and against bare SQLite."""

import shutil
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.changes import changes
from benchmarks.histories import Clock, begin, entries_of
from benchmarks.measure import Prepared, Row, in_turn
from benchmarks.peer import Peer, carry_out_all, peer_actions

TABLES = ("entries", "texts", "slots", "assertions")


def importing(folder: Path, entries: int, rounds: int) -> list[Row]:
    """Imports of so many entries, each into a new file."""
    wanted = list(changes(entries))
    clock = Clock(wanted[-1].recorded_on)
    number = count(1)
    opened: list[Any] = []

    def close() -> None:
        while opened:
            opened.pop().close()

    def new() -> Path:
        close()
        sub = folder / f"import-{next(number)}"
        sub.mkdir()
        previous = folder / f"import-{int(sub.name.split('-')[1]) - 1}"
        shutil.rmtree(previous, ignore_errors=True)
        return sub / "import.sqlite"

    begin(folder / "empty.sqlite", clock).close()

    def ours() -> Prepared:
        ledger = begin(new(), clock)
        opened.append(ledger)
        made = entries_of(wanted, {})
        return lambda: ledger.append(made)

    def theirs() -> Prepared:
        peer = Peer(new())
        opened.append(peer)
        actions = peer_actions()
        peer.save(*actions.values())
        carry_out_all(actions, wanted)
        return lambda: peer.save(*actions.values())

    full = folder / "full.sqlite"
    ledger = begin(full, clock)
    before = ledger.size()
    ledger.append(entries_of(wanted, {}))
    ledger.close()

    def bare(tables: tuple[str, ...]) -> Callable[[], Prepared]:
        rows = _rows(full, tables, before)

        def prepare() -> Prepared:
            path = new()
            shutil.copyfile(folder / "empty.sqlite", path)
            connection = sqlite3.connect(path, isolation_level=None)
            opened.append(connection)
            connection.execute("PRAGMA journal_mode=WAL")

            def timed() -> None:
                connection.execute("BEGIN IMMEDIATE")
                for statement, values in rows:
                    connection.executemany(statement, values)
                connection.execute("COMMIT")

            return timed

        return prepare

    medians = in_turn(rounds, ours, theirs, bare(TABLES), bare(("entries",)))
    close()
    title = f"{entries:,} entries: append / "
    return [
        Row(title + "eventsourcing save", medians[0], medians[1]),
        Row(title + "bare sqlite3, all rows", medians[0], medians[2]),
        Row(title + "bare sqlite3, entries only", medians[0], medians[3]),
    ]


def _rows(
    full: Path, tables: tuple[str, ...], before: int
) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """For each table the statement and the rows that the import added, as they stand on disk."""
    found = []
    connection = sqlite3.connect(full)
    for table in tables:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        where = f"position > {before}" if "position" in names else _NEW_SLOTS.format(before=before)
        rows = connection.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()
        marks = ", ".join("?" * len(names))
        found.append((f"INSERT INTO {table} VALUES ({marks})", rows))
    connection.close()
    return found


_NEW_SLOTS = (
    "id NOT IN (SELECT slot FROM assertions WHERE position <= {before}) "
    "AND id IN (SELECT slot FROM assertions)"
)
