"""Fuzz every parser of bytes from outside: `make fuzz`, or `python -m faults.fuzz [WORD ...]`.

Atheris varies true inputs, guided by which lines of ours each new one reaches. Anything raised
that a parser may not raise is a finding, and so is an input that takes longer than a second. The
inputs of findings are kept in the folder given with --finds. Needs `pip install '.[fuzz]'`.

Before that, every target is given true inputs repeated to a megabyte: what takes time in
proportion to the square of its input shows there.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

SLOW = 1.0
"""Seconds of processor time that no input may take."""
LONGEST = 8192
"""Bytes of an input that is varied."""
OURS = ("cli", "documents", "domain", "faults", "ledger", "projections", "verifier")
BIG = 1_000_000
"""Bytes of an input that is only large."""


def main() -> None:
    """Fuzz each target in a process of its own, and print a row for each."""
    words = argparse.ArgumentParser(prog="python -m faults.fuzz", description=__doc__)
    words.add_argument("words", nargs="*", help="only targets with one of these in their name")
    words.add_argument("--seconds", type=int, default=120, help="for each target")
    words.add_argument("--finds", type=Path, default=Path("build/fuzz"))
    words.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.one:
        one(given.words[0], given.seconds, given.finds)
        return
    from faults.parsers import find

    print(f"{'':20}{'inputs':>12}{'seconds':>9}{'largest s':>11}{'findings':>10}")
    every, total, found = 0, 0.0, 0
    for target in find(given.words):
        folder = given.finds / target.name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        large = big(target)
        command = [sys.executable, "-m", "faults.fuzz", "--one", target.name]
        command += ["--seconds", str(given.seconds), "--finds", str(folder)]
        with tempfile.TemporaryFile() as said:
            code = subprocess.run(command, stdout=said, stderr=said, check=False).returncode
            said.seek(0)
            end = said.read().decode("utf-8", "replace")
        report = folder / "report.json"
        got: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
        finds = got.get("finds", [])
        if code or not got:
            finds.append(f"it ended with exit code {code}: {end[-400:]}")
        if large > SLOW * 5:
            finds.append(f"{BIG:,} bytes took {large:.1f} s")
        every, found = every + got.get("inputs", 0), found + len(finds)
        total += got.get("seconds", 0)
        print(
            f"{target.name:20}{got.get('inputs', 0):12,}{got.get('seconds', 0):9.0f}{large:11.2f}"
            f"{len(finds):10}",
            flush=True,
        )
        for what in finds:
            print(f"  ! {what}")
    print(f"{every:,} inputs in {total / 60:.0f} minutes, {found} findings.")
    sys.exit(bool(found))


def big(target: Any) -> float:
    """The most seconds that a true input takes that is repeated to a megabyte, in three ways."""
    longest = 0.0
    for seed in target.seeds:
        half = len(seed) // 2
        for data in (
            seed * (BIG // len(seed)),
            seed[:half] + seed[half : half + 1] * BIG + seed[half:],
            seed[:half] + b"\n" * BIG + seed[half:],
            seed[:half] + b" " * BIG + seed[half:],
            seed[:half] + b"9" * BIG + seed[half:],
        ):
            begun = time.process_time()
            target.feed(data)
            longest = max(longest, time.process_time() - begun)
    return longest


def one(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one target for so long; never returns.

    Findings are kept by what was raised and where, the shortest input of each.
    """
    import atheris

    with atheris.instrument_imports(include=list(OURS)):
        from faults.parsers import find

        [target] = [t for t in find([name]) if t.name == name]
    finds: dict[str, bytes] = {}
    begun, count = time.monotonic(), 0

    def report() -> None:
        for what, data in finds.items():
            (folder / hashlib.sha256(what.encode()).hexdigest()[:12]).write_bytes(data)
        got = {"inputs": count, "seconds": time.monotonic() - begun, "finds": list(finds)}
        (folder / "report.json").write_text(json.dumps(got))

    def give(data: bytes) -> None:
        nonlocal count
        count += 1
        start = time.process_time()
        try:
            target.feed(data)
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} at {at.name}: {str(error)[:100]}"
            where = f"{type(error).__name__} at {at.name}:{at.lineno}"
            if not any(where in known for known in finds):
                finds[f"{where} ({what})"] = data
                report()
        if time.process_time() - start > SLOW and "slow" not in finds:
            finds["slow"] = data
            report()
        if count % 500 == 0:
            report()

    report()
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-seed=4"]
    atheris.Setup([sys.argv[0], *options, "-verbosity=0", str(corpus)], give)
    try:
        atheris.Fuzz()
    finally:
        report()


if __name__ == "__main__":
    main()
