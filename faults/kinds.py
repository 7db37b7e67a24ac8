"""The kinds of faults: which can meet a command, one by one, and what each leaves."""

import functools
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, exc

from faults.injection import (
    DONE,
    Said,
    Standing,
    Tally,
    copy_after_crash,
    fresh,
    in_child,
    judge,
    limit_files,
    standing_of,
)
from faults.powercut import images, write_image
from faults.scenes import LEDGER, Bases, Scene
from faults.shim import Fault, Shim, read_log

PAGE = 4096
SEED = 20251122
NOTHING_RECORDED = "Nothing was recorded"


class Trial:
    """One command on one base, to be given again and again with a fault in its way.

    Args:
        bases: the ledgers.
        scene: the command.
        shim: counts and strikes.
        scratch: a folder to work in.
    """

    def __init__(self, bases: Bases, scene: Scene, shim: Shim, scratch: Path) -> None:
        self.scene, self.shim = scene, shim
        self.base, self.line = bases.of(scene), bases.line(scene)
        self.work, self.copy = scratch / "work", scratch / "copy"
        said = self.run(lambda: None)
        if said.code:
            raise RuntimeError(f"{scene.name}: {said.text}")
        after = standing_of(self.work).before
        self.standing = replace(standing_of(self.base), after=after, changes=said.counted)

    def run(self, arm: Callable[[], None]) -> Said:
        """Give the command on a fresh copy of the base."""
        fresh(self.base, self.work)

        def armed() -> None:
            self.shim.watch(self.work)
            arm()

        return in_child(self.work, self.scene, self.line, armed, self.shim)

    def strike(
        self, tally: Tally, what: str, arm: Callable[[], None], *, only_if_struck: bool = False
    ) -> Said:
        """Give the command with a fault in its way, and judge what it leaves.

        Args:
            only_if_struck: if the command is carried out, the fault did not come up: no count.
        """
        said = self.run(arm)
        if said.code == 0 and only_if_struck:
            return said
        if said.code == 0 and not said.done:
            tally.untrue.append(f"{self.scene.name}, {what}: exit 0 and nothing reported")
        folder = copy_after_crash(self.work, self.copy)
        found, wrong = judge(
            folder, self.line, self.standing, acknowledged=said.done or said.code == 0
        )
        count(tally, self.scene, self.standing, what, said, found, wrong)
        return said


def count(
    tally: Tally, scene: Scene, standing: Standing, what: str, said: Said, found: str, wrong: str
) -> None:
    """Take what came of one fault into the tally."""
    tally.faults += 1
    where = f"{scene.name}, {what}"
    match found:
        case "before":
            tally.before += 1
        case "after":
            tally.after += 1
        case _:
            tally.damaged.append(f"{where}: {wrong}")
    if said.rule:
        tally.rules[said.rule] = tally.rules.get(said.rule, 0) + 1
    # What is withheld stays so where the file cannot be cleaned after it; the command says that.
    told = said.rule or "could not be written anew" in said.text
    if said.code > 0 and not told:
        tally.untrue.append(f"{where}: no plain error, exit {said.code}: {said.text[-600:]}")
    if found == "after" and standing.after != standing.before and NOTHING_RECORDED in said.text:
        tally.untrue.append(f"{where}: it is recorded, and the message says that nothing was")


# --- an error at each statement ---------------------------------------------------------------


def statements(trial: Trial) -> Tally:
    """Each statement and commit of the command fails once, as if the disk gave an error."""
    tally = Tally()
    for number in itertools.count(1):
        fail = functools.partial(_fail_at, number)
        said = trial.strike(tally, f"statement {number}", fail, only_if_struck=True)
        if said.code == 0:
            break  # there is no such statement
    return tally


def _fail_at(number: int) -> None:
    left = number

    def on_statement(*_given: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise exc.OperationalError("injected", {}, sqlite3.OperationalError("disk I/O error"))

    event.listen(Engine, "before_cursor_execute", on_statement)
    event.listen(Engine, "commit", on_statement)


# --- at each change to the files --------------------------------------------------------------


def changes(trial: Trial, fault: Fault, *, stays: bool = False) -> Tally:
    """At each create, write, sync, truncate and remove of the ledger's files."""
    tally = Tally()
    for number in range(1, trial.standing.changes + 1):
        arm = functools.partial(trial.shim.arm, fault, number, stays=stays)
        what = f"{fault.name} at change {number}{' and on' if stays else ''}"
        # Only a write can be broken off halfway.
        trial.strike(tally, what, arm, only_if_struck=fault is Fault.KILL_HALFWAY)
    return tally


# --- no room ----------------------------------------------------------------------------------


def small_files(trial: Trial, step: int) -> Tally:
    """No file of the process can grow beyond a size, for every size in steps."""
    tally = Tally()
    files = [file.stat().st_size for file in trial.base.glob(f"{LEDGER}*")]
    # The log holds a page and 24 bytes for each page changed.
    most = max([0, *files]) + trial.standing.changes * PAGE // 2 + 2 * step
    for size in range(0, most, step):
        said = trial.strike(
            tally,
            f"files of {size} bytes",
            functools.partial(limit_files, size),
            only_if_struck=True,
        )
        if said.code == 0 and size > max([0, *files]) + 16 * PAGE:
            break
    return tally


def few_pages(trial: Trial) -> Tally:
    """The database can have no more than so many pages, for every number of them."""
    tally = Tally()
    path = trial.base / LEDGER
    there = path.stat().st_size // PAGE if path.exists() else 0
    for more in range(10_000):
        said = trial.strike(
            tally,
            f"{there + more} pages",
            functools.partial(_cap, there + more),
            only_if_struck=True,
        )
        if said.code == 0:
            break
    return tally


def _cap(pages: int) -> None:
    def on_connect(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={max(pages, 1)}")

    event.listen(Engine, "connect", on_connect)


# --- power cuts -------------------------------------------------------------------------------


def power_cuts(trial: Trial, tries: int, seed: int) -> Tally:
    """The power goes after each change; what was not synced is lost, whole or in part.

    The tally counts the images that were opened; the same image is opened once.
    """
    with tempfile.TemporaryFile() as file:
        said = trial.run(lambda: trial.shim.log(file.fileno()))
        file.seek(0)
        log = list(read_log(file.read()))
    if said.code:
        raise RuntimeError(said.text)
    # The command runs anew, so what it leaves has other identifiers; its size is the same.
    tally = Tally()
    for number, told, files in images(trial.base, trial.work, log, DONE, tries, seed):
        shutil.rmtree(trial.copy, ignore_errors=True)
        trial.copy.mkdir()
        write_image(files, trial.copy)
        found, wrong = judge(trial.copy, trial.line, trial.standing, acknowledged=told)
        where = f"a power cut after change {number} of {len(log)}"
        count(tally, trial.scene, trial.standing, where, Said(0, ""), found, wrong)
    return tally


# --- all of them ------------------------------------------------------------------------------

KINDS: dict[str, Callable[[Trial], Tally]] = {
    "error at each statement": statements,
    "I/O error at each change": lambda t: changes(t, Fault.IO_ERROR),
    "I/O error from each change on": lambda t: changes(t, Fault.IO_ERROR, stays=True),
    "kill before each change": lambda t: changes(t, Fault.KILL),
    "kill halfway through each write": lambda t: changes(t, Fault.KILL_HALFWAY),
    "disk full from each change on": lambda t: changes(t, Fault.NO_SPACE, stays=True),
    "page limit, each number": few_pages,
    "file-size limit, each 4 KiB": lambda t: small_files(t, PAGE),
    "power cut after each change": lambda t: power_cuts(t, t.scene.tries, SEED),
    "power cut, few": lambda t: power_cuts(t, 1, SEED),
}
"""Every kind of fault by the name that the table gives it."""

SHORT = {"progress": ("disk full from each change on", "power cut, few")}
"""The part that the tests inject: kinds by command."""
