"""Meetings of bodies: who was there, who sent apologies, and which interests were declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.options import Day, moment_options, note_options
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.recording import record as govern
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from projections.state import PlanState

Known = date | datetime | int | None


@click.group()
def meeting() -> None:
    """Record meetings, attendance and interests.

    What a body decides is decided at one of its meetings, and true from that day. The chair, the
    secretary or an administrator records it.
    """


@meeting.command()
@click.argument("body")
@click.argument("held_on", metavar="DATE", type=Day())
@click.option(
    "--present",
    multiple=True,
    required=True,
    metavar="CODES",
    help="Who was there, with commas between; or give it again for each.",
)
@click.option("--apologies", multiple=True, metavar="CODES", help="Who sent apologies.")
@click.option("--minutes", metavar="REF", help="Where the minutes are.")
@note_options(decision=False, effective=False, source=False)
@pass_session
def record(
    session: Session,
    body: str,
    held_on: date,
    present: tuple[str, ...],
    apologies: tuple[str, ...],
    minutes: str | None,
    **given: Any,
) -> None:
    """Record a meeting of a body.

    Recorded again it takes the place of what was recorded before; minutes that were given before
    stay, unless others are given. A decision that was taken without a quorum is then open again.

    Example: govledger meeting record iib 2025-10-16 --present iib-chair,dcs,clerk
    --apologies lead-member --minutes "IIB 2025-10"
    """
    from domain.board_commands import RecordMeeting
    from domain.errors import BadInput

    there = _codes(present)
    if not there:
        raise BadInput(
            "nobody-present",
            "A meeting at which nobody was present is none.",
            "Give --present with the codes of those who were there. See them: govledger person "
            "list",
        )
    given["note"] = replace(given["note"], effective_on=held_on)
    command = RecordMeeting(body, held_on, there, _codes(apologies), minutes)
    following = f"govledger meeting show {body} {held_on}"
    govern(
        session,
        command,
        given,
        following,
        as_at=held_on,
        remarks=lambda state: _remarks(state, body, held_on),
    )


def _codes(given: tuple[str, ...]) -> tuple[str, ...]:
    words = (word.strip() for part in given for word in part.split(","))
    return tuple(word for word in words if word)


def _remarks(state: PlanState, word: str, held_on: date) -> list[str]:
    """Whether the meeting can decide, and who was there without a seat, as at that day."""
    from projections.boards import body_named

    found = body_named(state, word)
    held = found.meetings.get(held_on) if found else None
    if found is None or held is None or found.outside:
        return []
    said = []
    voting = len(found.present(held_on))
    if voting < found.quorum:
        said.append(
            f"it was not quorate, {voting} of {found.quorum} with a vote, so it can decide nothing."
        )
    guests = [person for person in held.present if not found.seat(person, held_on)]
    if guests:
        said.append(
            f"without a seat on {found} on that day, so without a vote: {', '.join(guests)}."
        )
    return said


@meeting.command()
@click.argument("body")
@click.argument("held_on", metavar="DATE", type=Day())
@click.argument("person")
@click.argument("ref")
@note_options(decision=False, effective=False, source=False)
@pass_session
def interest(
    session: Session, body: str, held_on: date, person: str, ref: str, **given: Any
) -> None:
    """Declare a member's interest in an action.

    The member then has no part in what that meeting decides on it. Everybody can declare for
    themselves.

    Example: govledger meeting interest iib 2025-10-16 dcs SL17 --reason "Wrote the audit"
    """
    from domain.board_commands import DeclareInterest

    given["note"] = replace(given["note"], effective_on=held_on)
    command = DeclareInterest(body, held_on, person, ref)
    govern(session, command, given, f"govledger meeting show {body} {held_on}")


@meeting.command("show")
@click.argument("body")
@click.argument("held_on", metavar="DATE", type=Day())
@moment_options
@pass_session
def show_meeting(
    session: Session,
    body: str,
    held_on: date,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show a meeting: attendance, apologies, interests, and whether it was quorate.

    Example: govledger meeting show iib 2025-10-16
    """
    from projections.boards import find_body, meeting_sheet
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        found = find_body(state, body, asked.moment)
        data = meeting_sheet(asked.ledger, state, found, held_on, asked.moment)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        show_text(f"{_sheet(session, data)}\n\n{resolved(asked.moment)}")


def _sheet(session: Session, data: dict[str, Any]) -> str:
    enough = "Quorate" if data["quorate"] else "NOT quorate, so it could decide nothing"
    lines = [
        f"{data['name']} ({data['body']}), {day(data['meeting'])}",
        f"  {enough}: {data['voting_present']} with a vote, quorum {data['quorum']}",
        f"  Minutes  {data['minutes'] or 'none given yet'}",
        "",
    ]
    rows = [
        (member["person"], member["name"] or "", member["seat"] or "no seat, no vote", was)
        for key, was in (
            ("present", "present"),
            ("apologies", "apologies"),
            ("not_heard_of", "absent"),
        )
        for member in data[key]
    ]
    lines += [table(session, ("Code", "Name", "Seat", "Was"), rows), ""]
    declared = [
        (held["person"], held["item"], held["reason"] or "no reason recorded")
        for held in data["interests"]
    ]
    headings = ("Declared by", "Interest in", "Reason")
    none = "No interests were declared."
    lines.append(table(session, headings, declared) if declared else none)
    return "\n".join(lines)
