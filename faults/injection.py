"""Gives a command with a fault in its way, in a process of its own, and judges what it left.

The process is forked from one that has everything imported, so a fault costs some hundredths of
a second, and a kill is a real SIGKILL.
"""

import io
import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from cli.main import run
from domain.errors import GovledgerError
from faults.scenes import LEDGER, Scene, arguments, give, read_on
from faults.shim import Shim
from ledger.lawfulness import check_lawfulness
from ledger.verification import verify
from projections.upkeep import check_read_models, open_ledger

DONE = ("Recorded as entry ", "Began the ledger ", "Rebuilt the read models ")
"""How a command tells the person that it is done."""
NEXT = "registrar: plan import plan.csv --plan N --as-at 2025-04-01 --source S --title T"
LONGEST = 60
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Said:
    """What came of a command.

    Attributes:
        code: its exit code; negative for the signal that ended it.
        text: all that it said.
        counted: how many changes to the files the shim saw; 0 where the process was killed.
    """

    code: int
    text: str
    counted: int = 0

    @property
    def done(self) -> bool:
        """Whether it told the person that it is done."""
        return any(words in self.text for words in DONE)

    @property
    def rule(self) -> str:
        """The rule id of the error that it gave; empty where it gave none."""
        for line in self.text.splitlines():
            if line.startswith(("Failed (", "Integrity broken (", "Refused (", "Not understood (")):
                return line.partition("(")[2].partition(")")[0]
        return ""


@dataclass(frozen=True)
class Standing:
    """A ledger before and after the command, where nothing is in its way.

    Attributes:
        before: how many entries it has; 0 where there is none yet.
        root: of the tree over those, in hexadecimal.
        after: how many it has once the command is carried out.
        changes: how many changes to its files the command makes.
    """

    before: int
    root: str
    after: int = 0
    changes: int = 0


@dataclass
class Tally:
    """What came of the faults of one kind in one command.

    Attributes:
        faults: how many were injected.
        before, after: ledgers that were left so.
        damaged: ledgers that were left otherwise, with what is wrong.
        untrue: commands that told the person what is not so, or ended without a plain error.
        rules: how often each error was given.
    """

    faults: int = 0
    before: int = 0
    after: int = 0
    damaged: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)


def in_child(
    folder: Path, scene: Scene, line: str, arm: Callable[[], None], shim: Shim | None = None
) -> Said:
    """Carry the scene out on the ledger of a folder, in a process of its own.

    Args:
        arm: called in that process before the command.
        shim: counts the changes, where it is there.
    """
    hears, tells = os.pipe()
    counts, counted = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(hears)
        os.close(counts)
        code = 70
        try:
            signal.alarm(LONGEST)
            os.dup2(tells, 1)
            os.dup2(tells, 2)
            out = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
            sys.stdout = sys.stderr = out
            with redirect_stdout(out), redirect_stderr(out):
                reader = read_on(folder) if scene.reader else None
                arm()
                try:
                    code = run(arguments(folder, line))
                    del reader
                except BaseException:
                    traceback.print_exc()
            if shim:
                os.write(counted, str(shim.count()).encode())
        finally:
            os._exit(code)
    os.close(tells)
    os.close(counted)
    with open(hears, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    with open(counts, "rb") as file:
        changes = int(file.read() or b"0")
    _child, status = os.waitpid(child, 0)
    return Said(os.waitstatus_to_exitcode(status), text, changes)


def limit_files(size: int) -> None:
    """Let no file of this process grow beyond that many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def inspect(folder: Path, standing: Standing) -> tuple[int, list[str]]:
    """How many entries the ledger of a folder has, and what is wrong with it.

    All that `govledger verify` checks: hashes, rules, signatures, read models. And the root over
    the entries that were there before is what it was.
    """
    try:
        ledger = open_ledger(folder / LEDGER)
    except GovledgerError as error:
        # One whose beginning was broken off is none yet.
        begun = error.rule not in ("no-ledger", "not-a-ledger", "empty-ledger")
        wrong = [f"{error.rule}: {error.message}"] if begun or standing.before else []
        return 0, wrong
    try:
        verified = verify(ledger)
        lawful = check_lawfulness(ledger)
        found = [*verified.findings, *lawful.findings, *check_read_models(ledger)]
        wrong = [f"{finding.kind}: {finding.message}" for finding in found]
        if lawful.failure:
            wrong.append(lawful.failure.message)
        size = verified.size
        if standing.before and not found:
            root = ledger.moment(None, min(standing.before, size)).root
            if root != standing.root:
                wrong.append("the entries that were there before are others")
    except Exception as error:
        return -1, [f"{type(error).__name__}: {error}"]
    finally:
        ledger.close()
    return size, wrong


def standing_of(folder: Path) -> Standing:
    """How the ledger of a folder stands; it has to be whole."""
    size, wrong = inspect(folder, Standing(0, ""))
    if wrong:
        raise RuntimeError(f"{folder}: {wrong}")
    if not size:
        return Standing(0, "")
    ledger = open_ledger(folder / LEDGER)
    try:
        return Standing(size, ledger.moment(None, size).root)
    finally:
        ledger.close()


def judge(
    folder: Path,
    line: str,
    standing: Standing,
    *,
    acknowledged: bool,
) -> tuple[str, str]:
    """Whether the ledger of a folder is as before the command or as after it.

    Then, if before, the same command is given again and has to be carried out; if after, another
    one. Works on the folder itself: give it a copy.

    Returns:
        `before`, `after` or `damaged`; and in the last case what is wrong.
    """
    size, wrong = inspect(folder, standing)
    if wrong:
        return "damaged", "; ".join(wrong)
    if size not in (standing.before, standing.after):
        return "damaged", f"{size} entries, between {standing.before} and {standing.after}"
    is_after = size == standing.after
    if acknowledged and not is_after:
        return "damaged", "what was reported as recorded is not there"
    if not is_after or standing.after == standing.before:
        code, said = give(folder, line)
        expected = standing.after
    else:
        then = (
            "registrar: plan import plan.csv --plan AFTER --as-at 2025-04-01 --source S --title T"
        )
        code, said = give(folder, then)
        expected = -1
    if code:
        return "damaged", f"the next write failed: {said.strip()}"
    ledger = open_ledger(folder / LEDGER)
    again = verify(ledger)
    ledger.close()
    if again.findings or (expected >= 0 and again.size != expected):
        return "damaged", f"after the next write: {again.size} entries; {again.findings}"
    return ("after" if is_after else "before"), ""


def fresh(base: Path, folder: Path) -> Path:
    """A copy of a base in a folder of that name, whatever stood there."""
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(base, folder))


def copy_after_crash(folder: Path, target: Path) -> Path:
    """A copy of what a process left, without the memory that SQLite shares between processes.

    That file (`-shm`) holds nothing of its own, and is made anew by whoever opens first.
    """
    fresh(folder, target)
    (target / f"{LEDGER}-shm").unlink(missing_ok=True)
    return target
