"""A process that writes to a ledger until it is done, or until somebody kills it.

    python -m tests.ledger.writer import LEDGER ACTIONS ROUNDS [STATEMENT]
    python -m tests.ledger.writer note LEDGER NAME COUNT REF...

It says `ready`, waits for a line, and then says what it does, a line of JSON at a time. The
first imports one generated plan after another; given a STATEMENT it kills itself before the
database carries out that statement of the last import's transaction (1 is BEGIN). The second
notes progress on the actions in turn, and tries again when it has lost a conflict.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, event

from domain.commands import NoteProgress
from domain.errors import Conflict
from domain.importing import PlannedAction
from ledger.entry import Note
from ledger.rows import Fact
from ledger.service import Ledger
from projections.assertions import PlanProjector

DAY = date(2025, 9, 30)


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def generated_plan(actions: int) -> list[PlannedAction]:
    """A plan of that many actions, as a document would hold it."""
    return [
        PlannedAction(
            ref=f"A{n}",
            line=n + 1,
            chapter=f"Chapter {n % 7}",
            section=f"Section {n % 50}",
            title=f"Action number {n} of a long plan",
            owners="Head of Service",
            timescale="July 2026",
            rating="On track",
        )
        for n in range(1, actions + 1)
    ]


class Telling(PlanProjector):
    """Says when it is called, which is in the middle of the transaction."""

    def apply(self, connection: Connection, appended: Sequence[Fact]) -> None:
        say(inside=len(appended))
        super().apply(connection, appended)


class Death:
    """Kills the process before a statement of the transaction that appends."""

    def __init__(self, ledger: Ledger, statement: int) -> None:
        self.left = statement
        event.listen(ledger.database.engine, "before_cursor_execute", self.on_execute)
        event.listen(ledger.database.engine, "commit", self.on_commit)

    def on_execute(self, connection: Connection, *_statement: Any) -> None:
        if connection.get_execution_options().get("writes"):
            self.on_commit(connection)

    def on_commit(self, connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def write_imports(ledger: Ledger, actions: int, rounds: int, statement: int | None) -> None:
    plan = generated_plan(actions)
    note = Note(DAY, "A. Clerk", source="the long plan")
    say(ready=True)
    sys.stdin.readline()
    for number in range(1, rounds + 1):
        if statement is not None and number == rounds:
            Death(ledger, statement)
        say(start=number)
        ledger.import_plan(f"R{number}", plan, note, title="One of many")
        say(done=number)


def write_notes(ledger: Ledger, code: str, name: str, count: int, refs: Sequence[str]) -> None:
    say(ready=True)
    sys.stdin.readline()
    for number in range(count):
        text = f"{name} {number}"
        command = NoteProgress(refs[number % len(refs)], text)
        while True:
            try:
                receipt = ledger.act(code, command, Note(DAY, name, source="the long plan"))
            except Conflict as lost:
                say(lost=text, rule=lost.rule, message=lost.message, hint=lost.hint)
            else:
                say(recorded=text, position=receipt.entries[0].position)
                break


def main() -> None:
    kind, path, *rest = sys.argv[1:]
    ledger = Ledger.open(path, Telling() if kind == "import" else PlanProjector())
    if kind == "import":
        actions, rounds, *statement = (int(word) for word in rest)
        write_imports(ledger, actions, rounds, statement[0] if statement else None)
    else:
        name, count, *refs = rest
        write_notes(ledger, "R1", name, int(count), refs)
    ledger.close()


if __name__ == "__main__":
    main()
