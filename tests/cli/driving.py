"""Driving the command line in this process: words in, text and an exit code out."""

import functools
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from domain.dates import london_day, now
from projections import upkeep

PUBLISHED = Path(__file__).parents[2] / "examples" / "improvement-plan"
BOARD = ("--decided-by", "Improvement Board", "--meeting", "2025-10-09", "--minute", "7.2")
"""A body's decision, for the commands that need one."""
LATER = ("--effective-on", "2025-10-10")
"""A date after the period that the example's report has closed."""
WHY = ("--reason", "Agreed with the lead.")


@dataclass(frozen=True)
class Answer:
    """What one command line printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def error(self) -> dict[str, str]:
        found: dict[str, str] = self.json["error"]
        return found

    @property
    def position(self) -> int:
        """Of the first entry that the receipt says was recorded."""
        found = re.search(r"[Rr]ecorded as entry (\d+)", self.out)
        assert found, self
        return int(found[1])


class Cli:
    """Commands on one ledger, carried out in this process."""

    def __init__(
        self,
        path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.path = path
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str) -> Answer:
        """Give a command, whatever comes of it."""
        self._capsys.readouterr()
        code = run(list(words))
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return Answer(code, out, err)

    def done(self, *words: str) -> Answer:
        """Give a command that is carried out."""
        answer = self(*words)
        assert answer.code == 0, answer
        return answer

    def data(self, *words: str) -> Any:
        """The `data` of a command's answer in JSON."""
        return self.done("--json", *words).data

    def refused(self, *words: str) -> Answer:
        """Give a command that must record nothing: in words, and again in JSON."""
        with self.unchanged():
            answer = self(*words)
            said = self("--json", *words)
        assert answer.code == said.code != 0, answer
        error = said.error
        assert error.keys() == {"code", "rule", "message", "hint"}
        assert answer.out == "", "messages belong on standard error"
        assert f"({error['rule']}): {error['message']}\n" in answer.err
        assert error["hint"], "it does not say what to do"
        assert f"\n  {error['hint']}\n" in answer.err
        return Answer(answer.code, said.out, answer.err)

    def proof_files(self) -> None:
        """Make the files that the examples on checkpoints and proofs name."""
        key = self.done("checkpoint", "key", "show").out.strip()
        self.done("checkpoint", "--out", "checkpoint.txt")
        self.done("prove", "since", "checkpoint.txt", "--out", "since.txt")
        self.done("prove", "entry", "326", "--out", "entry.tlog-proof")
        self.done("checkpoint", "key", "new", "--cosigner", "scrutiny", "--key", "cosigner.key")
        cosign = ("checkpoint", "cosign", "checkpoint.txt", "--key", "cosigner.key")
        self.done(*cosign, "--log-key", key, "--out", "checkpoint.txt")

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """What is done here leaves the ledger's file as it is, byte for byte."""
        before = self._bytes()
        yield
        assert self._bytes() == before, "the ledger was changed"

    def _bytes(self) -> bytes | None:
        log = Path(f"{self.path}-wal")
        assert not log.exists() or not log.stat().st_size
        return self.path.read_bytes() if self.path.is_file() else None

    def days_go_by(self, days: int) -> date:
        """From now on the ledger's clock is that much ahead; returns the date that it then is."""
        ahead = timedelta(days=days)
        opener = functools.partial(upkeep.open_ledger, clock=lambda: now() + ahead)
        self._monkeypatch.setattr(upkeep, "open_ledger", opener)
        return london_day(now() + ahead)


def today() -> date:
    return london_day(now())


def refs(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["ref"] for row in rows]
