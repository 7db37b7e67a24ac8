"""Peers in processes of their own, so that what they hook into or need cannot disturb the rest.

A peer process reads one question a line and answers with how long it took, by its own clock, and
what it found. Imports only the standard library.
"""

import gc
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parent.parent
REQUIREMENTS = Path(__file__).with_name("peers.txt")
OURS = ("PIP_BUILD_CONSTRAINT", "PIP_CONSTRAINT", "PYTHONPATH")
"""What in the environment would give a peer our versions instead of its own."""


class Store(Protocol):
    """What a peer can do."""

    def fill(self, count: int) -> None:
        """Record the plan and so many changes."""

    def append(self, ref: str, rating: str) -> None:
        """Record one change, so that it is on the disk."""

    def as_at(self, day: date) -> int:
        """How many actions are red by what was recorded by the end of a day."""


def serve(store: Store) -> None:
    """Answer questions until there are no more."""
    todo: Mapping[str, Callable[[Any], Any]] = {
        "fill": lambda given: store.fill(given[0]),
        "append": lambda given: store.append(*given),
        "as_at": lambda given: store.as_at(date.fromisoformat(given[0])),
    }
    for line in sys.stdin:
        name, *given = json.loads(line)
        gc.collect(1)
        start = time.perf_counter()
        found = todo[name](given)
        print(json.dumps([time.perf_counter() - start, found]), flush=True)


class Peer:
    """A peer process.

    Args:
        module: is run, and calls `serve`.
        words: its arguments.
        python: of another environment.
        env: set for it.
    """

    def __init__(
        self,
        module: str,
        *words: str,
        python: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [str(python or sys.executable), "-m", module, *words],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._to: Any = self._process.stdin
        self._from: Any = self._process.stdout

    def ask(self, name: str, *given: Any) -> tuple[float, Any]:
        """Seconds, and what was found.

        Raises:
            RuntimeError: the peer has ended; what it said is on stderr.
        """
        try:
            self._to.write(json.dumps([name, *given]) + "\n")
            self._to.flush()
            taken, found = json.loads(self._from.readline())
        except (BrokenPipeError, ValueError) as error:
            raise RuntimeError(f"the peer {self._process.args!r} has ended") from error
        return taken, found

    def close(self) -> None:
        """End it."""
        self._to.close()
        self._process.wait(timeout=30)
        self._from.close()


def environment() -> Path:
    """The Python of an environment for peers that need other versions than ours; made if missing.

    Raises:
        CalledProcessError: they could not be installed.
    """
    folder = ROOT / "build" / "peers"
    python, made = folder / "bin" / "python", folder / "made"
    wanted = REQUIREMENTS.read_text()
    if not made.exists() or made.read_text() != wanted:
        venv.create(folder, clear=True, with_pip=True)
        others = {key: value for key, value in os.environ.items() if key not in OURS}
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS],
            check=True,
            env=others,
        )
        made.write_text(wanted)
    return python
