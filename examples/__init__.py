"""The example plan: published facts, and the dated history that rebuilds it in a ledger."""

import json
import shlex
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from documents.plan_csv import read_plan_csv
from domain.commands import Command, Delay, ReviseTimescale
from ledger.entry import Note
from ledger.note import Signer
from ledger.service import Ledger

PLAN = "CSIP"
"""The code of the example plan in commands."""

TITLE = "Children's services improvement plan"


def folder() -> Traversable:
    """The folder with the example plan's files."""
    return resources.files(__name__) / "improvement-plan"


def load(
    ledger: Ledger, recorded_by: str, *, reports: bool = True, signer: Signer | None = None
) -> None:
    """Take the example plan's history over into an empty ledger, step by step.

    Args:
        reports: issue the reports too, which close their periods.
        signer: signs the checkpoints of the reports.
    """
    history = json.loads((folder() / "history.json").read_text(encoding="utf-8"))
    for step in history:
        if reports or step["do"] != "report":
            _carry_out(ledger, step, recorded_by, signer)


REGISTRAR = "registrar"
"""Who begins the ledger of the illustrative governance, and so its first administrator."""


def governance() -> list[tuple[str, list[str]]]:
    """What boards do on the example plan, made up: (who gives the command, its words) in order."""
    text = (resources.files(__name__) / "governance" / "commands.txt").read_text("utf-8")
    given = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            who, _, command = line.partition(": ")
            given.append((who, shlex.split(command)))
    return given


def _carry_out(
    ledger: Ledger, step: dict[str, Any], recorded_by: str, signer: Signer | None
) -> None:
    day = date.fromisoformat(step.get("as_at") or step["effective_on"])
    note = Note(day, recorded_by, reason=step.get("reason"), source=step.get("source"))
    match step["do"]:
        case "import":
            with resources.as_file(folder() / step["file"]) as path:
                snapshot = read_plan_csv(Path(path))
            # The later files hold what was new at their date, not the whole plan.
            ledger.import_plan(PLAN, snapshot, note, title=TITLE, whole=False)
        case "delay" | "timescale":
            command: Command = (
                Delay(step["ref"])
                if step["do"] == "delay"
                else ReviseTimescale(step["ref"], step["to"])
            )
            ledger.act(PLAN, command, note)
        case "report":
            meeting = date.fromisoformat(step["meeting"])
            issued = Note(meeting, recorded_by)
            ledger.issue_report(
                PLAN, step["ref"], step["committee"], meeting, day, issued, signer=signer
            )
        case unknown:
            raise ValueError(f"the history has a step '{unknown}', which means nothing")
