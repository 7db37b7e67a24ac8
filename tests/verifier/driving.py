"""Asking both verifiers of an export: ours, and the one of a single file."""

import contextlib
import io
import json
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from cli.main import run

SINGLE = Path(__file__).parents[2] / "verifier" / "govledger_verify.py"
Named = set[tuple[str, int | None]]
"""(kind, position) of findings."""


def single(folder: Path, *more: str, program: Path = SINGLE) -> tuple[int, Named, str]:
    """(exit code, findings, everything printed) of the verifier of a single file."""
    printed, code = io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["verify.py", str(folder), *more]),
        contextlib.redirect_stdout(printed),
    ):
        try:
            runpy.run_path(str(program), run_name="__main__")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    said = printed.getvalue()
    lines = re.findall(r"^([a-z-]+) (?:\(entry (-?\d+)\))? ", said, re.MULTILINE)
    found = {(kind, int(at) if at else None) for kind, at in lines}
    assert (code == 5) == bool(found), said
    return code, found, said


def ours(folder: Path | None, *more: str, before: Sequence[str] = ()) -> tuple[int, Named, Any]:
    """(exit code, findings, the answer) of `govledger verify`."""
    printed = io.StringIO()
    words = [str(folder)] if folder else []
    with contextlib.redirect_stdout(printed):
        code = run(["--json", *before, "verify", *words, *more])
    answer = json.loads(printed.getvalue())
    found = {(f["kind"], f["position"]) for f in answer.get("data", {}).get("findings", ())}
    assert (code == 5) == bool(found), answer
    return code, found, answer
