"""Sign-offs: recommended, voted on, granted; what stands, what waits, and the proof of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import moment_options, note_options
from cli.output import envelope, print_json, resolved, show_text
from cli.recording import record
from cli.session import Session, pass_session
from cli.signing import approve, at_meeting, confirm, decline, phase_option
from cli.signoff_words import all_lines, lines_for, pending_lines, phase_lines

if TYPE_CHECKING:
    from domain.administration import BoardCommand

Known = date | datetime | int | None


@click.group()
def signoff() -> None:
    """Recommend, approve and grant sign-offs.

    Phase 1 says that the activity is complete (Amber E), phase 2 that its impact is evidenced
    (Green). The lead body recommends, members approve or decline with a signature, and once enough
    have approved the body grants it.

    Example: govledger signoff list --pending
    """


for command in (approve, decline, confirm):
    signoff.add_command(command)


@signoff.command()
@click.argument("ref")
@phase_option
@click.option("--body", metavar="CODE", help="The lead body, where you sit on several.")
@note_options(decision=False, source=False)
@pass_session
def recommend(session: Session, ref: str, phase: int, body: str | None, **given: Any) -> None:
    """Recommend a sign-off, on the action and its evidence as they are.

    Example: govledger signoff recommend P5 --phase 1 --reason "The tracker is in use"
    """
    from domain.errors import BadInput
    from domain.signoff_commands import Recommend

    if not given["note"].reason:
        raise BadInput(
            "needs-reason",
            "A recommendation needs a reason: members read it before they vote.",
            "Give --reason TEXT.",
        )
    after = f"govledger signoff approve {ref} --phase {phase} --meeting DATE"
    record(session, Recommend(ref, phase, body), given, after)


@signoff.command()
@at_meeting(minute=True)
@note_options(decision=False, effective=False, source=False)
@pass_session
def grant(
    session: Session,
    ref: str,
    phase: int,
    day: date,
    under: str,
    body: str | None,
    **given: Any,
) -> None:
    """Record that enough members have approved; the rating moves with it.

    For the chair or the secretary of the body.

    Example: govledger signoff grant S9 --phase 1 --meeting 2025-11-20 --minute 3.3
    """
    from domain.signoff_commands import Grant

    _decide(session, Grant(ref, phase, day, under, body), given)


@signoff.command("return")
@at_meeting(minute=True)
@note_options(decision=False, effective=False, source=False)
@pass_session
def return_(
    session: Session,
    ref: str,
    phase: int,
    day: date,
    under: str,
    body: str | None,
    **given: Any,
) -> None:
    """Record that the body declined; it goes back to the lead body.

    For the chair or the secretary of the body.

    Example: govledger signoff return P9 --phase 1 --meeting 2025-11-20 --minute 3.4 --reason
    "The audit is not there yet"
    """
    from domain.signoff_commands import Return

    _decide(session, Return(ref, phase, day, under, body), given)


@signoff.command()
@at_meeting(minute=True)
@note_options(decision=False, effective=False, source=False)
@pass_session
def revoke(
    session: Session,
    ref: str,
    phase: int,
    day: date,
    under: str,
    body: str | None,
    **given: Any,
) -> None:
    """Record that the body takes a granted sign-off back; the rating moves back with it.

    For the chair or the secretary of the body.

    Example: govledger signoff revoke SL2a --phase 2 --meeting 2025-11-20 --minute 3.5 --reason
    "The audit found gaps"
    """
    from domain.signoff_commands import Revoke

    _decide(session, Revoke(ref, phase, day, under, body), given)


def _decide(session: Session, command: BoardCommand, given: dict[str, Any]) -> None:
    """Record what a body decided; it is true from its meeting."""
    wanted: Any = command
    note = replace(given["note"], effective_on=wanted.meeting)
    record(session, command, {**given, "note": note}, f"govledger signoff show {wanted.ref}")


# --- reading ----------------------------------------------------------------------------


@signoff.command("list")
@click.option("--phase", type=click.IntRange(1, 2), help="Of this phase.")
@click.option("--body", metavar="CODE", help="Decided, to be decided or recommended by this body.")
@click.option("--stale", is_flag=True, help="Granted for what has changed since.")
@click.option("--pending", is_flag=True, help="Recommended, and waiting to be decided.")
@click.option("--for", "person", metavar="PERSON", help="Waiting for the vote of this person.")
@moment_options
@pass_session
def list_(
    session: Session,
    phase: int | None,
    body: str | None,
    stale: bool,
    pending: bool,
    person: str | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """List sign-offs: all, the stale ones, or those that wait for a vote.

    Example: govledger signoff list --pending
    """
    from projections.boards import find_body, find_person
    from projections.record import Record
    from projections.signoffs import TAKEN_OVER, lines, obstacle, waiting

    with session.question(as_at, known_at, plan) as asked:
        found = Record(asked.ledger, asked.connection, asked.code, asked.moment)
        every = [line for line in lines(found) if phase in (None, line["phase"])]
        if body is not None:
            code = find_body(found.state, body, asked.moment).code
            every = [line for line in every if code in (line["body"], line["lead"])]
        data: dict[str, Any] = {
            "signoffs": [line for line in every if line["status"] != TAKEN_OVER],
            "taken_over": [line for line in every if line["status"] == TAKEN_OVER],
        }
        if stale:
            data["signoffs"] = [
                line
                for line in data["signoffs"]
                if line["stale"] or (line["in_doubt"] and line["status"] == "granted")
            ]
        if pending or person is not None:
            open_ = [line for line in data["signoffs"] if line["status"] == "recommended"]
            data["signoffs"] = [waiting(found, line) for line in open_]
        if person is not None:
            who = find_person(found.state, person, asked.moment)
            data["person"] = {"person": who.person, "name": who.name}
            for line in data["signoffs"]:
                why = obstacle(found, line, who.person)
                line["can_vote"] = why is None
                line["rule"], line["because"] = why or (None, None)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        if person is not None:
            parts = lines_for(session, data)
        elif pending:
            parts = [pending_lines(session, data["signoffs"])]
        else:
            parts = all_lines(session, data, stale)
        show_text("\n\n".join([*parts, resolved(asked.moment)]))


@signoff.command()
@click.argument("ref")
@click.option("--phase", type=click.IntRange(1, 2), help="Of this phase only.")
@moment_options
@pass_session
def show(
    session: Session,
    ref: str,
    phase: int | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show the sign-offs of an action: recommendation, evidence, votes, decision.

    Example: govledger signoff show SL5
    """
    from projections.record import Record
    from projections.signoffs import sheet

    with session.question(as_at, known_at, plan) as asked:
        found = Record(asked.ledger, asked.connection, asked.code, asked.moment)
        action = asked.action(found.state, ref)
        phases = [sheet(found, action, one) for one in (1, 2) if phase in (None, one)]
        if session.json:
            data = {"ref": ref, "title": action.title, "phases": phases}
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        lines = [f"{ref}  {action.title}", f"  Rating: {phases[0]['rating']}"]
        for data in phases:
            lines += ["", *phase_lines(data)]
        show_text("\n".join([*lines, "", resolved(asked.moment)]))


@signoff.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("ref", required=False)
@moment_options
@pass_session
def export(
    session: Session,
    folder: Path,
    ref: str | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Write every signed statement into a new folder, to be checked with stock OpenSSH.

    The folder holds the statements, the signatures, what was shown, and the keys; its README.txt
    says how to check them. Votes that were voided are left out, and listed there.

    Example: govledger signoff export proofs SL2a
    """
    from documents.signoff_folder import collect, write_folder
    from projections.overview import in_plan_order
    from projections.record import Record

    with session.question(as_at, known_at, plan) as asked:
        found = Record(asked.ledger, asked.connection, asked.code, asked.moment)
        if ref is not None:
            asked.action(found.state, ref)
        refs = [ref] if ref else [action.ref for action in in_plan_order(found.state)]
        data = write_folder(collect(found, refs), folder)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        count = len(data["statements"])
        signed = "1 signed statement" if count == 1 else f"{count} signed statements"
        out = f"; {len(data['left_out'])} left out, see README.txt" if data["left_out"] else ""
        click.echo(f"Wrote {signed} to {folder}{out}.")
        for one in data["statements"]:
            if one["trouble"]:
                about = f"{one['ref']}, entry {one['entry']}"
                click.echo(f"NOT GOOD: {about}: {one['trouble']}", err=True)
        click.echo(f"Check one:\n  {data['check_one']}\nCheck all:\n  {data['check_all']}\n")
        click.echo(resolved(asked.moment))
