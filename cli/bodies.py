"""Bodies that decide: their place on the ladder, their terms, and who sits on them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.options import Day, moment_options, note_options
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.recording import record
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from projections.state import PlanState

Known = date | datetime | int | None
CAPACITIES = ("chair", "member", "secretary")
POWER_HELP = (
    "What it may decide: recommend (recommend sign-offs), phase_1, phase_2 (decide sign-offs), "
    "amend (agree amendments). Give it again for each."
)


@click.group()
def body() -> None:
    """Establish bodies, and appoint their members.

    Bodies stand on a ladder: rung 1 is the lowest, and escalations go up. An adviser or an
    inspectorate stands outside it. An administrator gives each of these.
    """


@body.command()
@click.argument("code")
@click.option("--name", required=True, help="The name of the body.")
@click.option("--rung", type=int, metavar="N", help="Its rung on the ladder, 1 the lowest.")
@click.option("--outside", is_flag=True, help="It stands outside the ladder and decides nothing.")
@click.option("--quorum", type=int, metavar="N", help="Members with a vote needed to decide.")
@click.option("--power", "powers", multiple=True, metavar="POWER", help=POWER_HELP)
@note_options(decision=False, source=False)
@pass_session
def establish(
    session: Session,
    code: str,
    name: str,
    rung: int | None,
    outside: bool,
    quorum: int | None,
    powers: tuple[str, ...],
    **given: Any,
) -> None:
    """Establish a body.

    Example: govledger body establish quality --name "Quality Board" --rung 2 --quorum 2
    --power recommend --power phase_1
    """
    from domain.board_commands import Establish
    from domain.errors import BadInput

    if outside == (rung is not None):
        raise BadInput(
            "which-place",
            "A body stands either on a rung of the ladder or outside it.",
            "Give --rung N (1 is the lowest), or --outside for an adviser or an inspectorate.",
        )
    if rung is not None and rung < 1:
        raise BadInput(
            "bad-rung",
            f"There is no rung {rung}: rung 1 is the lowest.",
            "Give --rung 1 or higher, or --outside.",
        )
    if quorum is None and not outside:
        raise BadInput(
            "needs-quorum",
            "A body on the ladder needs a quorum.",
            "Say how many members with a vote it takes to decide: --quorum N.",
        )
    command = Establish(code, name, rung or 0, 1 if quorum is None else quorum, tuple(powers))
    following = (
        "govledger body list"
        if outside
        else f"govledger body appoint {code} PERSON --capacity chair"
    )
    record(session, command, given, following)


@body.command()
@click.argument("code", metavar="BODY")
@click.option("--quorum", type=int, metavar="N", help="Members with a vote needed to decide.")
@click.option(
    "--power", "powers", multiple=True, metavar="POWER", help=f"{POWER_HELP} Replaces those it has."
)
@click.option("--no-powers", is_flag=True, help="It decides nothing any more.")
@note_options(decision=False, source=False)
@pass_session
def terms(
    session: Session,
    code: str,
    quorum: int | None,
    powers: tuple[str, ...],
    no_powers: bool,
    **given: Any,
) -> None:
    """Change the quorum of a body, or what it may decide.

    The powers that are given take the place of those that it has.

    Example: govledger body terms iib --quorum 4 --reason "New terms of reference"
    """
    from domain.board_commands import ChangeTerms
    from domain.errors import BadInput

    if powers and no_powers:
        raise BadInput("usage", "--power and --no-powers contradict each other.", "Give one.")
    if quorum is None and not powers and not no_powers:
        raise BadInput(
            "nothing-to-change",
            "No terms were given.",
            "Give --quorum N, or --power for each power that it shall have, or --no-powers.",
        )
    wanted = tuple(powers) if powers or no_powers else None
    command = ChangeTerms(code, quorum, wanted)
    following = f"govledger body show {code}"
    record(session, command, given, following, remarks=lambda state: _too_few(state, code))


def _too_few(state: PlanState, word: str) -> list[str]:
    """That a body which decides has fewer votes than its quorum, where that is so."""
    from domain.dates import london_day, now
    from projections.boards import body_named

    found = body_named(state, word)
    if found is None or not found.powers:
        return []
    voting = len(found.voting(london_day(now())))
    if voting >= found.quorum:
        return []
    return [
        f"{found} needs {found.quorum} members with a vote to decide and has {voting}, so it can "
        f"decide nothing. Appoint more with: govledger body appoint {found.code} PERSON"
    ]


@body.command()
@click.argument("code", metavar="BODY")
@click.argument("person")
@click.option(
    "--capacity",
    type=click.Choice(CAPACITIES, case_sensitive=False),
    default="member",
    show_default=True,
    help="Chair and members have a vote; chair and secretary record what was decided.",
)
@click.option("--until", type=Day(), help="The last day of the membership. Default: no end.")
@note_options(decision=False, source=False)
@pass_session
def appoint(
    session: Session, code: str, person: str, capacity: str, until: date | None, **given: Any
) -> None:
    """Appoint a person to a body.

    Example: govledger body appoint iib pog-chair --capacity member --until 2027-03-31
    """
    from domain.board_commands import Appoint
    from domain.body import NO_END
    from domain.dates import london_day, now
    from projections.boards import body_named

    def following(state: PlanState) -> str:
        found, today = body_named(state, code), london_day(now())
        if found is None or found.outside:
            return f"govledger body show {code}"
        seats = [found.seat(member, today) for member in found.members]
        if len(found.voting(today)) < found.quorum:
            capacity = "member" if "chair" in seats else "chair"
            return f"govledger body appoint {found.code} PERSON --capacity {capacity}"
        if "chair" not in seats and "secretary" not in seats:
            return f"govledger body appoint {found.code} PERSON --capacity secretary"
        there = ",".join(member for member in found.members if found.seat(member, today))
        return f"govledger meeting record {found.code} DATE --present {there}"

    record(session, Appoint(code, person, capacity, until or NO_END), given, following)


@body.command("stand-down")
@click.argument("code", metavar="BODY")
@click.argument("person")
@note_options(decision=False, source=False)
@pass_session
def stand_down(session: Session, code: str, person: str, **given: Any) -> None:
    """End a membership.

    The person sits on the body no more from --effective-on; what was decided before stays.

    Example: govledger body stand-down iib lead-member --reason "Left the council"
    """
    from domain.board_commands import StandDown

    def remarks(state: PlanState) -> list[str]:
        return [*_sits_again(state, code, person), *_too_few(state, code)]

    command = StandDown(code, person)
    record(session, command, given, f"govledger body show {code}", remarks=remarks)


def _sits_again(state: PlanState, code: str, word: str) -> list[str]:
    """That an appointment of a later day stands, where a stand-down was recorded before that."""
    from domain.dates import london_day, now
    from projections.boards import body_named, person_named

    found, person = body_named(state, code), person_named(state, word)
    if found is None or person is None or not found.seat(person.person, london_day(now())):
        return []
    return [
        f"{person} sits on {found} again today, by an appointment of a later day. If that was a "
        f"mistake, void it too; its entry is in: govledger log {found.code}"
    ]


@body.command("list")
@moment_options
@pass_session
def list_bodies(session: Session, as_at: date | None, known_at: Known, plan: str | None) -> None:
    """Show the ladder of bodies, from the top down.

    Example: govledger body list
    """
    from projections.boards import ladder
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        plan_then, most = state.plan, state.plan.most_revisions
        bodies = ladder(state, asked.moment.as_at)
        if session.json:
            terms = {"impact_kinds": plan_then.impact_kinds, "most_revisions": most}
            data = {"bodies": bodies, "terms": terms}
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        rows = [
            (
                "outside" if line["outside"] else line["rung"],
                line["code"],
                line["name"],
                _may(line["powers"]),
                "" if line["outside"] else line["quorum"],
                line["voting_members"],
            )
            for line in bodies
        ]
        headings = ("Rung", "Code", "Body", "May", "Quorum", "With a vote")
        text = table(session, headings, rows) if rows else "No body is established.\n"
        outside = [line["name"] for line in bodies if line["outside"]]
        steps = [line for line in reversed(bodies) if not line["outside"]]
        if steps:
            # Bodies on one rung stand side by side.
            by_rung: dict[int, list[str]] = {}
            for line in steps:
                by_rung.setdefault(line["rung"], []).append(line["name"])
            text += "\n\nEscalations go up: " + ", then ".join(
                " or ".join(sorted(names)) for names in by_rung.values()
            )
            text += f". Outside the ladder: {', '.join(outside)}." if outside else "."
        text += f"\nPhase 2 needs {plan_then.impact_kinds} of the four inner sources of evidence. "
        text += (
            "Revisions of a timescale are not capped."
            if most is None
            else f"For more than {most} revisions of a timescale an escalation has to be open."
        )
        show_text(f"{text}\n\n{resolved(asked.moment)}")


def _may(powers: list[str]) -> str:
    from domain.body import POWERS

    return "; ".join(POWERS[power] for power in powers) or "decide nothing"


@body.command("show")
@click.argument("code", metavar="BODY")
@moment_options
@pass_session
def show_body(
    session: Session, code: str, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show a body: its terms, its members, its meetings.

    Example: govledger body show iib --as-at 2025-10-16
    """
    from projections.boards import body_sheet, find_body
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        found = find_body(state, code, asked.moment)
        data = body_sheet(asked.ledger, state, found, asked.moment)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        show_text(f"{_sheet(session, data)}\n\n{resolved(asked.moment)}")


def _sheet(session: Session, data: dict[str, Any]) -> str:
    place = "outside the ladder" if data["outside"] else f"rung {data['rung']} of the ladder"
    able = "" if data["can_be_quorate"] or data["outside"] else ", so it can decide nothing"
    lines = [
        f"{data['code']}  {data['name']}",
        f"  Place   {place}",
        f"  Quorum  {data['quorum']}; {data['voting_members']} with a vote{able}",
        f"  May     {_may(data['powers'])}",
        "",
    ]
    rows = [
        (
            member["person"],
            member["name"] or "",
            member["capacity"],
            day(member["since"]),
            day(member["until"]) if member["until"] else "no end set",
            "now" if member["sitting"] else "ended",
        )
        for member in data["members"]
    ]
    headings = ("Code", "Name", "Seat", "Since", "Until", "")
    lines.append(table(session, headings, rows) if rows else "Nobody has been appointed.")
    meetings = [
        (
            met["meeting"],
            f"{met['voting_present']} (quorum {met['quorum']})",
            "quorate" if met["quorate"] else "NOT quorate",
            met["minutes"] or "",
        )
        for met in data["meetings"]
    ]
    of_meetings = ("Meeting", "With a vote there", "", "Minutes")
    none = "No meeting is recorded."
    lines += ["", table(session, of_meetings, meetings) if meetings else none]
    return "\n".join(lines)
