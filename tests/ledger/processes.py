"""Writers in processes of their own; see `tests.ledger.writer`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Writer:
    """A started writer; it waits for `go`.

    Attributes:
        said: what it has said since.
    """

    def __init__(self, kind: str, ledger: Path | str, *words: object) -> None:
        self.said: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.writer", kind, str(ledger), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def go(self) -> None:
        """Let it begin, once it is ready to."""
        self.hear("ready")
        self.release()

    def release(self) -> None:
        """Let it begin; it has said that it is ready."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def hear(self, word: str) -> None:
        """Listen until it says that word, or ends."""
        for line in self._lines():
            self.said.append(json.loads(line))
            if word in self.said[-1]:
                return

    def kill(self) -> None:
        """SIGKILL, and hear what it had said until then."""
        self._process.kill()
        self.end()

    def end(self) -> int:
        """Hear it to its end; returns the exit code, which is negative for a signal."""
        with self._process:
            self.said.extend(json.loads(line) for line in self._lines())
            assert self._process.stderr
            errors = self._process.stderr.read()
        assert not errors, errors
        return self._process.returncode

    def all_said(self, word: str) -> list[Any]:
        """Everything that it has said under that word."""
        return [line[word] for line in self.said if word in line]

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout
        return iter(self._process.stdout)
