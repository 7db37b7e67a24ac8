"""Verification against bare SHA-256 over the same bytes, and the memory that long reads take."""

import hashlib
import resource
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson

from benchmarks.measure import Row, in_turn, ready
from benchmarks.rebuilding import read_all
from benchmarks.starting import run
from ledger.entry import leaf_bytes
from ledger.service import Ledger
from ledger.verification import verify
from projections.upkeep import open_ledger, rebuild


def verifying(ledger: Ledger, path: Path, rounds: int) -> list[Row]:
    """Verification of a ledger as it stands."""
    hashed: list[bytes] = []
    with ledger.database.reading() as connection:
        for stored in ledger.recorder.read(connection):
            hashed += (stored.state, b"\x00" + leaf_bytes(stored))
            hashed += (kept.salt + kept.text.encode() for kept in stored.texts.values())

    def bare() -> None:
        for data in hashed:
            hashlib.sha256(data).digest()

    def least() -> None:
        read_all(path, orjson.loads)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT * FROM texts ORDER BY position").fetchall()
            connection.execute("PRAGMA integrity_check").fetchall()
        bare()

    assert not verify(ledger).findings
    subjects = (ready(lambda: verify(ledger)), ready(bare), ready(least))
    ours, theirs, floor = in_turn(rounds, *subjects)
    work, their_work, floor_work = in_turn(rounds, *subjects, clock=time.process_time)
    title = f"{ledger.size():,} entries: verify / "
    return [
        Row(title + "SHA-256 of the same bytes", ours, theirs, aim=3.0),
        Row(title + "the same, processor time only", work, their_work, aim=3.0),
        Row(title + "that, reading, JSON and SQLite's own check", ours, floor),
        Row(title + "the same, processor time only", work, floor_work),
    ]


def long_reads(small: Path, large: Path, counts: tuple[int, int]) -> tuple[list[Row], list[Row]]:
    """What verification and rebuild take for each entry, and the most memory that they hold.

    Each in a process of its own, over the whole of a short and of a long history.
    """
    times, sizes = [], []
    title = f"{counts[1]:,} / {counts[0]:,} changes"
    for task in ("verify", "rebuild"):
        (long, most, most_entries), (short, least, least_entries) = (
            map(float, run(sys.executable, "-m", "benchmarks.verifying", task, str(path)).split())
            for path in (large, small)
        )
        each = long / most_entries, short / least_entries
        times.append(Row(f"{task}, for each entry: {title}", *each))
        sizes.append(Row(f"{task}: {title}", most, least, unit="B"))
    return times, sizes


def most_memory() -> int:
    """The most memory that this process has held, in bytes."""
    try:
        # What `resource` says may be the parent's, from before this program took its place.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _alone(task: str, path: str) -> None:
    ledger = open_ledger(path)
    start = time.perf_counter()
    if task == "verify":
        assert not verify(ledger).findings
    else:
        rebuild(ledger)
    taken = time.perf_counter() - start
    print(taken, most_memory(), ledger.size())
    ledger.close()


if __name__ == "__main__":
    _alone(*sys.argv[1:])
