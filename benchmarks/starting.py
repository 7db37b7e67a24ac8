"""Start-up, as whole processes: two commands against the import of a library."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.measure import Prepare, Row, in_turn, ready


def starting(folder: Path, rounds: int) -> list[Row]:
    """Commands on the example ledger."""
    program = str(Path(sysconfig.get_path("scripts")) / "govledger")
    demo = folder / "demo"
    run(program, "demo", str(demo))
    ledger = str(demo / "govledger.sqlite")
    commands: list[tuple[str, ...]] = [
        (program, "--help"),
        (sys.executable, "-c", "import click"),
        (program, "--ledger", ledger, "overview"),
        (sys.executable, "-c", "import sqlalchemy"),
    ]
    shown, click, overview, sqlalchemy = in_turn(rounds, *map(_process, commands))
    return [
        Row('govledger --help / python -c "import click"', shown, click),
        Row('govledger --help / python -c "import sqlalchemy"', shown, sqlalchemy),
        Row('govledger overview / python -c "import click"', overview, click),
        Row('govledger overview / python -c "import sqlalchemy"', overview, sqlalchemy),
    ]


def _process(command: tuple[str, ...]) -> Prepare:
    return ready(lambda: run(*command))


def run(*command: str) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        CalledProcessError: it failed.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GOVLEDGER_")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout
