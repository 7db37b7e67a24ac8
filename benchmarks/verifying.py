"""Verification against bare SHA-256 over the same bytes, and the memory that long reads take."""

import hashlib
import resource
import sys
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


def memory(small: Path, large: Path) -> list[Row]:
    """The most memory that verification and rebuild hold, each in a process of its own."""
    rows = []
    for task in ("verify", "rebuild"):
        most, least = (
            float(run(sys.executable, "-m", "benchmarks.verifying", task, str(path)))
            for path in (large, small)
        )
        rows.append(Row(f"{task}: longest / shortest history", most, least, unit="B"))
    return rows


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
    if task == "verify":
        assert not verify(ledger).findings
    else:
        rebuild(ledger)
    ledger.close()
    print(most_memory())


if __name__ == "__main__":
    _alone(*sys.argv[1:])
