"""Inject every fault: `make faults`, or `python -m faults [--short] [--json]`.

Each command of `faults.scenes` is given again and again, on a fresh copy of a ledger, with one
fault in its way each time. Then the ledger is verified, and has to be as before the command or as
after it; and the next write has to work. Needs Linux and a C compiler. Exit code 1 if any ledger
is damaged, or any command told the person what is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from faults import shim

if TYPE_CHECKING:
    from faults.injection import Tally


def main() -> None:
    """Inject, and print a row for each command and kind as soon as it is done."""
    words = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    words.add_argument("--short", action="store_true", help="a fixed small part, for the tests")
    words.add_argument("--json", action="store_true", help="answer in JSON")
    words.add_argument("--only", metavar="WORD", help="commands with this word in their name")
    given = words.parse_args()
    shim.load()

    # Only now: what follows runs with the shim loaded.
    from faults.kinds import KINDS, SHORT, Trial
    from faults.scenes import SCENES, make_bases

    start = time.perf_counter()
    every: list[tuple[str, str, Tally]] = []
    # In memory where there is such a folder: what is synced is ours to say, not the disk's.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="govledger-faults-", dir=memory) as name:
        for part in ("bases", "scratch"):
            (Path(name) / part).mkdir()
        bases, striking = make_bases(Path(name) / "bases"), shim.Shim()
        for scene in SCENES:
            kinds = {kind: inject for kind, inject in KINDS.items() if "few" not in kind}
            if given.short:
                kinds = {kind: KINDS[kind] for kind in SHORT.get(scene.name, ())}
            if (given.only and given.only not in scene.name) or not kinds:
                continue
            trial = Trial(bases, scene, striking, Path(name) / "scratch")
            if not given.json:
                print(f"{scene.name} ({trial.standing.changes} changes to files)", flush=True)
            for kind, inject in kinds.items():
                began = time.perf_counter()
                tally = inject(trial)
                every.append((scene.name, kind, tally))
                if not given.json:
                    _print_row(kind, tally, time.perf_counter() - began)
    if given.json:
        print(json.dumps([{"command": s, "kind": k, **asdict(t)} for s, k, t in every]))
    else:
        _print_sums(every, time.perf_counter() - start)
    sys.exit(any(tally.damaged or tally.untrue for _scene, _kind, tally in every))


def _print_row(kind: str, tally: Tally, seconds: float) -> None:
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(tally.rules.items()))
    print(
        f"  {kind:34}{tally.faults:7}{tally.before:8}{tally.after:8}{len(tally.damaged):9}"
        f"{len(tally.untrue):8}  {seconds:5.0f} s  {rules}",
        flush=True,
    )
    for wrong in (*tally.damaged[:5], *tally.untrue[:5]):
        print(f"    ! {wrong}")


def _print_sums(every: list[tuple[str, str, Tally]], seconds: float) -> None:
    from faults.injection import Tally

    print(f"\n{'All commands':36}{'faults':>7}{'before':>8}{'after':>8}{'damaged':>9}{'untrue':>8}")
    total = Tally()
    for kind in (*dict.fromkeys(kind for _scene, kind, _tally in every), None):
        found = Tally()
        for _scene, of, tally in every:
            if kind in (None, of):
                found.faults += tally.faults
                found.before += tally.before
                found.after += tally.after
                found.damaged += tally.damaged
                found.untrue += tally.untrue
        total = found
        print(
            f"  {kind or 'in all':34}{found.faults:7}{found.before:8}{found.after:8}"
            f"{len(found.damaged):9}{len(found.untrue):8}"
        )
    print(f"{total.faults} faults, {len(total.damaged)} ledgers damaged, in {seconds:.0f} seconds.")


if __name__ == "__main__":
    main()
