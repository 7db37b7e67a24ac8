"""Run all benchmarks: `make bench`, or `python -m benchmarks [--quick]`.

Everything is measured in one run, side by side, on files in one temporary folder: ours and the
peer's in turn, several times; the medians are compared. A ratio below 1 says that ours is faster.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.appending import appending, growing
from benchmarks.asking import asking
from benchmarks.comparing import comparing
from benchmarks.histories import history
from benchmarks.importing import importing
from benchmarks.measure import Row, table
from benchmarks.rebuilding import rebuilding
from benchmarks.servers import mariadb, postgresql
from benchmarks.starting import starting
from benchmarks.verifying import long_reads, verifying


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    appends: int = 400
    imported: int = 20_000
    import_rounds: int = 5
    histories: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    questions: int = 60
    rebuilds: int = 5
    verifications: int = 5
    starts: int = 15
    compared: tuple[int, ...] = (10_000, 100_000)
    compared_appends: int = 100
    compared_questions: int = 7


QUICK = Sizes(
    appends=60,
    imported=2_000,
    import_rounds=3,
    histories=(500, 5_000, 50_000),
    questions=15,
    rebuilds=3,
    verifications=1,
    starts=5,
    compared=(500, 5_000),
    compared_appends=30,
    compared_questions=5,
)


def main() -> None:
    """Measure, and print a table for each subject as soon as it is done."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    sizes = QUICK if words.parse_args().quick else Sizes()
    start = time.perf_counter()
    rows: list[Row] = []

    def show(title: str, found: Sequence[Row]) -> None:
        rows.extend(found)
        print(table(title, found), end="\n\n", flush=True)

    with tempfile.TemporaryDirectory(prefix="govledger-bench-") as name:
        folder = Path(name)
        show("Start-up", starting(folder, sizes.starts))
        show("Single append", appending(folder, sizes.appends))
        show("Bulk import", importing(folder, sizes.imported, sizes.import_rounds))
        paths = [folder / f"history-{count}.sqlite" for count in sizes.histories]
        ledgers = [history(p, count) for p, count in zip(paths, sizes.histories, strict=True)]
        show("The plan as at D, known at K", asking(ledgers, sizes.questions))
        show("Rebuild", rebuilding(ledgers[1], paths[1], sizes.rebuilds))
        show("Verification", verifying(ledgers[1], paths[1], sizes.verifications))
        show("Growth: one append", growing(ledgers, sizes.histories, sizes.appends // 2))
        for ledger in ledgers:
            ledger.close()
        ends = sizes.histories[0], sizes.histories[-1]
        times, held = long_reads(paths[0], paths[-1], ends)
        show("Growth: long reads", times)
        show("Memory", held)
        with postgresql(folder) as server, mariadb(folder) as socket:
            if socket is None:
                print("No MariaDB server is installed here, so it is not measured.\n")
            amounts = sizes.compared_appends, sizes.compared_questions
            added, asked, grown = comparing(folder, server, socket, sizes.compared, *amounts)
        show("Against peers: one append", added)
        show("Against peers: all actions as at a random date", asked)
        show("Against peers: growth of each", grown)

    aims = [row for row in rows if row.aim is not None]
    missed = [row.what for row in aims if not row.met]
    print(f"{len(aims) - len(missed)} of {len(aims)} aims met, ", end="")
    print(f"in {time.perf_counter() - start:.0f} seconds.")
    for what in missed:
        print(f"Missed: {what}")


if __name__ == "__main__":
    main()
