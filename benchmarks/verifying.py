"""Verification against bare SHA-256 over the same bytes, and the memory that long reads take."""

import hashlib
import resource
import sys
import time
from pathlib import Path

from benchmarks.measure import Row, in_turn, ready
from benchmarks.starting import run
from ledger.entry import leaf_bytes
from ledger.service import Ledger
from ledger.verification import verify
from projections.upkeep import open_ledger, rebuild


def verifying(ledger: Ledger, rounds: int) -> list[Row]:
    """Verification of a ledger as it stands."""
    hashed: list[bytes] = []
    with ledger.database.reading() as connection:
        for stored in ledger.recorder.read(connection):
            hashed += (stored.state, b"\x00" + leaf_bytes(stored))
            hashed += (kept.salt + kept.text.encode() for kept in stored.texts.values())

    def bare() -> None:
        for data in hashed:
            hashlib.sha256(data).digest()

    assert not verify(ledger).findings
    ours, theirs = in_turn(rounds, ready(lambda: verify(ledger)), ready(bare), warm_up=0)
    return [Row(f"{ledger.size():,} entries: verify / SHA-256 of the same bytes", ours, theirs)]


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
