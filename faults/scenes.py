"""The ledgers that faults are injected into, and the commands that meet them.

All of it is made up: people are roles, and their keys are made anew for each run.
"""

import contextlib
import io
import os
import shlex
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cli.main import run

LEDGER = "ledger.sqlite"
PLAN = Path(__file__).parent.parent / "examples" / "improvement-plan" / "2024-07-17-approved.csv"

SMALL_PLAN = """ref,section,title,owners,timescale,rating
C1,Edge of care,Edge of care offer,Head of Edge of Care,March 2026,On track
C2,Edge of care,Panel for entries to care,Director,March 2026,On track
C3,Edge of care,Review of thresholds,Head of Front Door,March 2026,On track
"""
PEOPLE = ("chair", "director", "lead", "clerk", "workstream")
OPENING = "registrar: init --name Faults"
PLAN_IN = "registrar: plan import plan.csv --plan P --as-at 2025-04-01 --source 'Council paper 1'"
PROGRESS = "registrar: progress C1 'Seen on site.'"
ENROL = "registrar: person enrol {0} --name 'The {0}' --role {0} --key {0}.pub"
BOARDS = (
    "registrar: body establish pog --name 'Oversight Group' --rung 1 --quorum 1 --power recommend",
    "registrar: body establish iib --name 'Improvement Board' --rung 2 --quorum 2 "
    "--power phase_1 --power phase_2 --power amend",
    "registrar: body appoint pog workstream --capacity chair",
    "registrar: body appoint iib chair --capacity chair",
    "registrar: body appoint iib director",
    "registrar: body appoint iib lead",
    "registrar: body appoint iib clerk --capacity secretary",
)
ON = " --effective-on 2025-09-01"
MEETING = "clerk: meeting record iib 2025-10-16 --present chair,director,lead,clerk"
READY = (
    "workstream: evidence lodge {ref} --kind performance --title 'Figures of {ref}' "
    "--reference F1 --effective-on 2025-10-01",
    "workstream: signoff recommend {ref} --phase 1 --effective-on 2025-10-01 "
    "--reason 'The work is done.'",
)
VOTE = "{who}: signoff approve {ref} --phase 1 --meeting 2025-10-16 --key {who} --confirm {ref}"
GRANT = "clerk: signoff grant {ref} --phase 1 --meeting 2025-10-16 --minute 4.1"


@dataclass(frozen=True)
class Scene:
    """A command that meets faults.

    Attributes:
        name: what the table calls it.
        base: the name of the ledger that it is given on; `none` for no ledger.
        words: the command, after the person who gives it and a colon.
        tries: how many random images of a power cut to make after each change.
        reader: another connection reads all the while, so the log cannot be folded in at the end.
    """

    name: str
    base: str
    words: str
    reader: bool = False
    tries: int = 6


SCENES = (
    Scene("init", "none", OPENING),
    Scene("progress", "plan", PROGRESS),
    Scene("progress, while another reads", "plan", PROGRESS, reader=True),
    Scene("progress, after a crash", "crashed", PROGRESS),
    Scene(
        "rate, on an action with a vote",
        "boards",
        "registrar: rate C2 Delayed --source 'Paper 2' --reason Seen",
    ),
    Scene("signoff approve", "boards", VOTE.format(who="lead", ref="C2")),
    Scene("signoff grant", "boards", GRANT.format(ref="C3")),
    Scene("void, with what rests on it", "boards", "registrar: void {vote} --reason Withdrawn"),
    Scene(
        "report issue",
        "boards",
        "registrar: report issue --committee Scrutiny --meeting 2025-11-10 --as-at 2025-10-31 "
        "--ref R/1",
    ),
    Scene("rebuild", "boards", "registrar: rebuild"),
    Scene(
        "withhold",
        "boards",
        "registrar: withhold {recommended} reason --basis 'Data Protection Act 2018' "
        "--decided-by Council --meeting 2025-10-20 --minute 1 --confirm {recommended}",
    ),
    Scene(
        "plan import (the example plan)",
        "opened",
        f"registrar: plan import '{PLAN}' --plan CSIP --as-at 2024-07-17 --source Published",
        tries=1,
    ),
)


def give(folder: Path, line: str) -> tuple[int, str]:
    """Give a command (`who: words`) on the ledger of a folder; its exit code and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(arguments(folder, line))
    return code, said.getvalue()


def arguments(folder: Path, line: str) -> list[str]:
    """The words of a command on the ledger of a folder; files named in it stand beside it."""
    who, _, words = line.partition(": ")
    return ["--ledger", str(folder / LEDGER), "--as", who, *shlex.split(words)]


def must(folder: Path, line: str) -> None:
    """Give a command that has to be carried out."""
    code, said = give(folder, line)
    if code:
        raise RuntimeError(f"{line}\n{said}")


@dataclass(frozen=True)
class Bases:
    """Folders with ledgers, to be copied.

    Attributes:
        vote: the entry of a vote on which a grant rests, in `boards`.
    """

    folder: Path
    vote: int

    def of(self, scene: Scene) -> Path:
        """The folder that the command is to be given on a copy of."""
        return self.folder / scene.base

    def line(self, scene: Scene) -> str:
        """The command, with the entry that it names."""
        words = scene.words.replace("{vote}", str(self.vote))
        return words.replace("{recommended}", str(self.vote - 1))


def make_bases(folder: Path) -> Bases:
    """Make the ledgers; files that commands name are looked for in the current folder."""
    from ledger.keys import make_key

    for name in ("none", "opened"):
        (folder / name).mkdir()
    os.chdir(folder)
    Path("plan.csv").write_text(SMALL_PLAN, encoding="utf-8")
    for person in PEOPLE:
        make_key(folder / person)
    must(folder / "opened", OPENING)
    plan, boards = (Path(shutil.copytree("opened", name)) for name in ("plan", "boards"))
    must(plan, PLAN_IN)
    _crash(Path(shutil.copytree(plan, "crashed")))
    for line in (PLAN_IN, *(ENROL.format(person) + ON for person in PEOPLE)):
        must(boards, line)
    for line in (*(line + ON for line in BOARDS), MEETING):
        must(boards, line)
    vote = 0
    for ref, members in {
        "C1": ("chair", "lead"),
        "C2": ("chair",),
        "C3": ("chair", "lead"),
    }.items():
        for line in READY:
            must(boards, line.format(ref=ref))
        for who in members:
            must(boards, VOTE.format(who=who, ref=ref))
            vote = vote or _size(boards)
        if ref == "C1":
            must(boards, GRANT.format(ref=ref))
    return Bases(folder, vote)


def _crash(folder: Path) -> None:
    """Leave the ledger as a process leaves it that dies after recording: all in the log."""
    child = os.fork()
    if child == 0:
        reader = read_on(folder)
        must(folder, PROGRESS)
        os._exit(0 if reader else 1)
    if os.waitpid(child, 0)[1] or not (folder / f"{LEDGER}-wal").stat().st_size:
        raise RuntimeError("the ledger was not left with its log")
    (folder / f"{LEDGER}-shm").unlink()


def read_on(folder: Path) -> sqlite3.Connection:
    """A connection that reads the ledger of a folder until it is closed."""
    reader = sqlite3.connect(folder / LEDGER, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchall()
    return reader


def _size(folder: Path) -> int:
    from projections.upkeep import open_ledger

    ledger = open_ledger(folder / LEDGER)
    try:
        return ledger.size()
    finally:
        ledger.close()
