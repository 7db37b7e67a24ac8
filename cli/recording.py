"""What the commands of the boards share: record something, and say what it has re-opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from cli.output import print_receipt
from cli.session import Session, choose_plan

if TYPE_CHECKING:
    from domain.administration import BoardCommand
    from projections.state import PlanState

Following = Callable[["PlanState"], str]
"""Finds the next likely command in the plan as it then is."""


def record(
    session: Session,
    command: BoardCommand,
    given: dict[str, Any],
    following: Following | str,
    *,
    as_at: date | None = None,
    remarks: Callable[[PlanState], list[str]] | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """Carry out a command that concerns the boards, and say what came of it.

    Args:
        given: the words of the write, as `note_options` gives them.
        following: the next likely command, found in the plan as it then is.
        as_at: the day as at which the plan is then looked at; default today.
        remarks: what else the person should know of the plan as it then is.
        extra: more data for JSON.
    """
    from domain.event import EntryVoided
    from projections.state import read_state

    with session.ledger() as ledger:
        code, replaces = choose_plan(ledger, given["plan"]), given.get("replaces")
        receipt = ledger.govern(
            code, command, given["note"], replaces=replaces, dry_run=given["dry_run"]
        )
        said, then = "", []
        if not receipt.dry_run:
            with ledger.database.reading() as connection:
                state = read_state(connection, code, ledger.moment(as_at))
            said = following if isinstance(following, str) else following(state)
            then = remarks(state) if remarks else []
        print_receipt(session, ledger, receipt, said, extra)
    undone = [
        (entry, entry.event.voids)
        for entry in receipt.entries
        if isinstance(entry.event, EntryVoided) and entry.event.voids != replaces
    ]
    if undone and not session.json:
        verb = "would no longer be" if receipt.dry_run else "are no longer"
        click.echo(f"Note: {len(undone)} decision(s) {verb} supported, and open again:", err=True)
        for entry, position in undone[:20]:
            ref = entry.stream_id.rpartition("/")[2]
            click.echo(f"  {ref}, entry {position}: {entry.note.reason}", err=True)
    for remark in () if session.json else then:
        click.echo(f"Note: {remark}", err=True)
