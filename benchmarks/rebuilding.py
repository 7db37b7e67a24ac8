"""The read models made anew, against a bare read of the same entries with their JSON decoded."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measure import Row, in_turn, ready
from ledger.service import Ledger
from projections.upkeep import rebuild


def rebuilding(ledger: Ledger, path: Path, rounds: int) -> list[Row]:
    """Rebuilds of a ledger as it stands."""
    ours, with_orjson, with_json = in_turn(
        rounds,
        ready(lambda: rebuild(ledger)),
        ready(lambda: read_all(path, orjson.loads)),
        ready(lambda: read_all(path, json.loads)),
    )
    title = f"{ledger.size():,} entries: rebuild / "
    return [
        Row(title + "read and orjson.loads", ours, with_orjson, aim=3.0),
        Row(title + "read and json.loads", ours, with_json),
    ]


def read_all(path: Path, loads: Callable[[bytes], Any]) -> int:
    """Read every entry whole, in order, and decode its payload."""
    connection = sqlite3.connect(path)
    [at] = [r[0] for r in connection.execute("PRAGMA table_info(entries)") if r[1] == "payload"]
    size = 0
    for row in connection.execute("SELECT * FROM entries ORDER BY position"):
        loads(row[at])
        size += 1
    connection.close()
    return size
