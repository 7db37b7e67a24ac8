"""Many at once for a long time: `make soak`, or `python -m faults.soak [--on sqlite|postgresql]`.

16 processes record 2,000 entries each, 100 of them on one action that all of them share, where
they lose conflicts and try again. Others read meanwhile, and hold each state that they see to
what a ledger has to be. At the end everything is verified. Exit code 1 if anything is wrong.
"""

import argparse
import contextlib
import hashlib
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from cli.main import run
from domain.action import ProgressNoted
from domain.commands import NoteProgress
from domain.errors import Conflict
from domain.importing import PlannedAction
from ledger.entry import Note
from ledger.lawfulness import check_lawfulness
from ledger.service import Ledger
from ledger.tables import entries
from ledger.verification import verify
from projections.assertions import VERSION, PlanProjector
from projections.overview import summary
from projections.state import read_state
from projections.upkeep import check_read_models, create_ledger, open_ledger

CODE, SHARED, DAY = "SOAK", "SHARED", date(2025, 9, 30)
OWN = 10
"""Actions that each process writes on by itself; so none has a history of thousands."""
SHARED_EVERY = 20


def refs(number: int) -> list[str]:
    """The actions of the process of that number."""
    return [f"P{number}A{n}" for n in range(OWN)]


def prepare(where: str, processes: int) -> int:
    """Begin the ledger, with a plan in it; returns its size."""
    named = [SHARED, *(ref for number in range(processes) for ref in refs(number))]
    plan = [
        PlannedAction(ref, line, "Chapter", "Section", f"Action {ref}", "Head", "July 2026", "Red")
        for line, ref in enumerate(named, 2)
    ]
    ledger = create_ledger(where, "Soak", "A. Clerk")
    ledger.import_plan(CODE, plan, Note(date(2025, 1, 6), "A. Clerk", source="Paper"))
    size = ledger.size()
    ledger.close()
    return size


# --- a writer ---------------------------------------------------------------------------------


def write(where: str, number: int, appends: int) -> None:
    """Record so many entries, and say where each stands: JSON on standard output."""
    ledger, own = open_ledger(where), refs(number)
    placed: dict[str, int] = {}
    conflicts, longest = 0, 0.0
    for count in range(appends):
        text = f"Writer {number}, note {count}"
        ref = SHARED if count % SHARED_EVERY == SHARED_EVERY - 1 else own[count % OWN]
        begun = time.monotonic()
        while True:
            try:
                note = Note(DAY, f"Writer {number}", source="Paper")
                receipt = ledger.act(CODE, NoteProgress(ref, text), note)
            except Conflict:
                conflicts += 1
            else:
                break
        longest = max(longest, time.monotonic() - begun)
        placed[text] = receipt.entries[0].position
    ledger.close()
    print(json.dumps({"placed": placed, "conflicts": conflicts, "longest": longest}))


# --- a reader ---------------------------------------------------------------------------------


def read(where: str, number: int) -> None:
    """Look at random moments until told to stop, and say what was wrong: JSON."""
    chance, ledger = random.Random(number), open_ledger(where)
    looks, asked, wrong = 0, 0, list[str]()
    roots: dict[int, str] = {}
    answers: dict[int, bytes] = {}
    until = Path(sys.argv[-1])
    while not until.exists():
        found = _look(ledger, roots)
        wrong += found
        looks += 1
        if looks % 5 == 0:
            position = chance.choice([*answers, max(roots)])
            answer = _answer(where, position)
            asked += 1
            if answers.setdefault(position, answer) != answer:
                wrong.append(f"as known at #{position} the answer was other bytes before")
        time.sleep(chance.uniform(0, 0.2))
    for position, root in roots.items():
        if ledger.moment(None, position).root != root:
            wrong.append(f"the root at {position} was another before")
    for position, answer in answers.items():
        if _answer(where, position) != answer:
            wrong.append(f"as known at #{position} the answer was other bytes before")
    ledger.close()
    print(json.dumps({"looks": looks, "asked": asked, "states": len(roots), "wrong": wrong}))


def _look(ledger: Ledger, roots: dict[int, str]) -> list[str]:
    """What is wrong with the state that one transaction sees."""
    wrong = []
    with ledger.database.reading() as connection:
        moment = ledger.moment()
        last, count = connection.execute(
            select(func.max(entries.c.position), func.count(entries.c.position))
        ).one()
        versions = connection.execute(
            select(func.count(), func.max(entries.c.stream_version)).group_by(entries.c.stream_id)
        ).all()
        state = read_state(connection, CODE, moment)
        models = PlanProjector().position(connection)
    if not last == count == moment.position:
        wrong.append(f"head {moment.position}, last {last}, {count} entries")
    if models != (VERSION, moment.position):
        wrong.append(f"read models at {models}, entries at {moment.position}")
    if any(number != highest for number, highest in versions):
        wrong.append(f"a stream has a gap at {moment.position}")
    counts = summary(state)
    if sum(counts["by_rating"].values()) != counts["total"] or not counts["total"]:
        wrong.append(f"the overview does not add up at {moment.position}")
    if roots and moment.position < max(roots):
        wrong.append(f"{moment.position} entries after {max(roots)} had been seen")
    if roots.setdefault(moment.position, moment.root) != moment.root:
        wrong.append(f"two roots at {moment.position}")
    return wrong


def _answer(where: str, position: int) -> bytes:
    said = io.StringIO()
    words = ["overview", "--as-at", DAY.isoformat(), "--known-at", str(position)]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(["--ledger", where, "--json", *words])
    if code:
        raise RuntimeError(said.getvalue())
    return hashlib.sha256(said.getvalue().encode()).digest()


# --- all of them ------------------------------------------------------------------------------


def soak(where: str, processes: int, appends: int, readers: int) -> list[str]:
    """Run it on a new ledger there, print the figures, and return what is wrong."""
    size = prepare(where, processes)
    with tempfile.TemporaryDirectory() as name:
        done = Path(name) / "done"
        reading = [_start("read", where, n, str(done)) for n in range(readers)]
        begun = time.monotonic()
        writing = [_start("write", where, n, str(appends)) for n in range(processes)]
        wrote = [_end(process) for process in writing]
        seconds = time.monotonic() - begun
        done.touch()
        seen = [_end(process) for process in reading]
    wrong = [what for reader in seen for what in reader.get("wrong", ["it broke off"])]
    acknowledged: Counter[tuple[str, int]] = Counter()
    for number, writer in enumerate(wrote):
        placed = writer.get("placed", {})
        if len(placed) != appends:
            wrong.append(f"writer {number} recorded {len(placed)}")
        acknowledged.update(placed.items())
    began = time.monotonic()
    wrong += check(where, size, acknowledged)
    total = processes * appends
    print(f"{total:,} entries by {processes} processes in {seconds:.0f} s: ", end="")
    print(f"{total / seconds:.0f} a second.")
    print(
        f"Conflicts told and tried again: {sum(w.get('conflicts', 0) for w in wrote):,}. ", end=""
    )
    print(f"The longest that one entry took: {max(w.get('longest', 0) for w in wrote):.1f} s.")
    print(f"{readers} readers meanwhile: {sum(r.get('looks', 0) for r in seen):,} looks, ", end="")
    print(f"{sum(r.get('asked', 0) for r in seen):,} answers asked again.")
    print(f"Verified in {time.monotonic() - began:.0f} s. Wrong: {len(wrong)}.")
    for what in wrong[:20]:
        print(f"  ! {what}")
    return wrong


def _start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "faults.soak", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _end(process: subprocess.Popen[str]) -> dict[str, Any]:
    with process:
        said, _none = process.communicate()
    return json.loads(said) if process.returncode == 0 else {}


def check(where: str, size: int, acknowledged: Counter[tuple[str, int]]) -> list[str]:
    """What is wrong with the ledger at the end: lost, doubled, not in order, or not verified."""
    ledger = open_ledger(where)
    try:
        verified = verify(ledger)
        checks = (*verified.findings, *check_lawfulness(ledger).findings)
        wrong = [f"{one.kind}: {one.message}" for one in (*checks, *check_read_models(ledger))]
        if verified.size != size + acknowledged.total():
            wrong.append(f"{verified.size} entries, not {size + acknowledged.total()}")
        found: Counter[tuple[str, int]] = Counter()
        for position, entry in enumerate(entries_of(ledger), 1):
            if entry.position != position:
                wrong.append(f"entry {entry.position} stands where {position} should")
            if isinstance(entry.event, ProgressNoted):
                found[entry.event.progress, entry.position] += 1
        if found != acknowledged:
            lost, more = acknowledged - found, found - acknowledged
            wrong.append(f"{lost.total()} acknowledged and not there, {more.total()} not so told")
    finally:
        ledger.close()
    return wrong


def entries_of(ledger: Ledger) -> Iterator[Any]:
    """Every entry, in order."""
    with ledger.database.reading() as connection:
        for stored in ledger.recorder.read(connection):
            yield ledger.mapper.to_domain_event(stored)


def main() -> None:
    """Soak each kind of database, or be one of the processes."""
    kind, *rest = (*sys.argv[1:], "")
    if kind == "write":
        write(rest[0], int(rest[1]), int(rest[2]))
        return
    if kind == "read":
        read(rest[0], int(rest[1]))
        return
    words = argparse.ArgumentParser(prog="python -m faults.soak", description=__doc__)
    words.add_argument("--on", choices=("sqlite", "postgresql"), help="only this; default: both")
    words.add_argument("--processes", type=int, default=16)
    words.add_argument("--appends", type=int, default=2000, help="by each process")
    words.add_argument("--readers", type=int, default=3)
    given = words.parse_args()
    amount = given.processes, given.appends, given.readers
    wrong = []
    if given.on != "postgresql":
        print("SQLite", flush=True)
        with tempfile.TemporaryDirectory(prefix="govledger-soak-") as name:
            wrong += soak(str(Path(name) / "soak.sqlite"), *amount)
    if given.on != "sqlite":
        from faults.servers import running

        print("PostgreSQL", flush=True)
        with running() as server:
            wrong += soak(server.get_uri(), *amount)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
