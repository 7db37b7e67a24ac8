"""Amendments of the plan: proposed, then agreed or declined; or recorded directly."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.options import Day, moment_options, note_options
from cli.output import day, envelope, print_json, print_receipt, resolved, show_text, table
from cli.session import Session, choose_plan, pass_session

if TYPE_CHECKING:
    from cli.session import Question
    from domain.administration import BoardCommand
    from domain.commands import Command
    from ledger.entry import Note

Known = date | datetime | int | None


@click.group()
def amend() -> None:
    """Propose and agree amendments of the plan.

    An amendment is proposed (amend propose …), and changes the plan once a body with that power
    has agreed it (amend agree). The direct forms (amend timescale, delay, review, resume, close,
    add, reword, owner) ask no body. They are for history taken over from a published document
    (--source REF), and for a plan in which no body has the power to amend yet (--decided-by BODY
    --meeting DATE --minute REF).

    Example: govledger amend list --open
    """


@amend.group()
def propose() -> None:
    """Propose an amendment, which changes nothing until a body agrees it.

    Anybody who is enrolled on the plan may propose, with a --reason.

    Example: govledger amend propose timescale P5 "March 2026" --reason "Procurement is late"
    """


# --- what can be amended: each is a proposal and a direct form ----------------------------

DIRECTLY = """Recorded directly: for history taken over with --source, and for a plan in which
no body has the power to amend yet. Else it is proposed: govledger amend propose {name}."""
DECIDED = '--decided-by "Improvement Board" --meeting 2025-10-09 --minute 7.2'

HOW = ("note", "replaces", "plan", "dry_run")
"""What a command is given about its recording; the rest says what is to be done."""

Parameter = Callable[[Any], Any]


def _kind(name: str, asks: str, line: str, *parameters: Parameter, example: str) -> None:
    """Make the two commands of one kind of amendment: `amend NAME` and `amend propose NAME`.

    Args:
        asks: the class in `domain.commands` that says what is to be done; it has a field for the
            reference and one for each parameter, named alike.
        line: of help.
        example: what may follow the name, up to the reason.
    """
    parameters = (click.argument("ref"), *parameters)

    def command(given: dict[str, Any]) -> tuple[Command, dict[str, Any]]:
        from domain import commands

        how = {word: given.pop(word) for word in HOW if word in given}
        return getattr(commands, asks)(**given), how

    @note_options(decision=True, replaces=name != "add")
    @pass_session
    def direct(session: Session, **given: Any) -> None:
        _directly(session, *command(given))

    @note_options(decision=False, replaces=False, source=False)
    @pass_session
    def proposal(session: Session, **given: Any) -> None:
        from domain.issue_commands import Propose

        wanted, how = command(given)
        after = "govledger amend agree {} --meeting DATE --minute REF"
        _govern(session, Propose(wanted), how, after)

    shown = f"Example: govledger amend {name} {example} {DECIDED}"
    text = f"{line}\n\n{DIRECTLY.format(name=name)}\n\n{shown}"
    amend.command(name, help=text)(_with(direct, parameters))
    shown = f"Example: govledger amend propose {name} {example}"
    propose.command(name, help=f"{line}\n\n{shown}")(_with(proposal, parameters))


def _with(function: Callable[..., Any], parameters: Sequence[Parameter]) -> Callable[..., Any]:
    for parameter in reversed(parameters):
        function = parameter(function)
    return function


_kind(
    "timescale",
    "ReviseTimescale",
    "Revise the timescale of an action.",
    click.argument("written", metavar="NEW"),
    click.option("--milestone", type=click.IntRange(min=1), help="Of this milestone."),
    example='P5 "March 2026" --reason "Procurement is late"',
)
_kind("delay", "Delay", "Mark an action delayed.", example='P5 --reason "Panels not yet reviewed"')
_kind(
    "review",
    "PlaceUnderReview",
    "Place an action under review.",
    example='S9 --reason "Providers not found"',
)
_kind(
    "resume",
    "Resume",
    "Go on with an action that was delayed or under review.",
    example='P7 --reason "Review under way"',
)
_kind(
    "close",
    "Close",
    "Close an action, perhaps in favour of another.",
    click.option("--replaced-by", metavar="REF", help="The action that takes its place."),
    example='P12 --replaced-by P1 --reason "One place now"',
)
_kind(
    "add",
    "Add",
    "Add an action to the plan.",
    click.option("--section", required=True, help="The section's number or name."),
    click.option("--title", required=True, help="What is to be done."),
    click.option("--owner", "owners", metavar="ROLES", help="Roles that own it, '; ' between."),
    click.option("--timescale", help="By when, such as 'July 2026' or TBC."),
    example='C5 --section "Entries to Care" --title "Edge of care offer" --reason "Audit"',
)
_kind(
    "reword",
    "Reword",
    "Change the wording of an action.",
    click.argument("title"),
    example='P9 "New forms for family help" --reason "National reform"',
)
_kind(
    "owner",
    "ChangeOwners",
    "Give an action to other roles ('; ' between several).",
    click.argument("owners", metavar="ROLES"),
    example='P9 "Principal Social Worker" --reason "Post deleted"',
)


# --- recording ----------------------------------------------------------------------------


def _directly(session: Session, command: Command, how: dict[str, Any]) -> None:
    """Record a change that no body of the plan was asked about, and say so."""
    note, by = how["note"], how["note"].decided_by
    on = f"taken over from {note.source}"
    if not note.source and by:
        on = f"on the word of {by.body}, {day(by.meeting)}, minute {by.minute}"
    said = f"Recorded directly, {on}: no body of the plan was asked."
    with session.ledger() as ledger:
        code = choose_plan(ledger, how.pop("plan"))
        receipt = ledger.act(code, command, **how)
        after = f"govledger show {command.ref}"
        print_receipt(session, ledger, receipt, after, {"directly": said})
        if not session.json and not receipt.dry_run:
            click.echo(said, err=True)


def _govern(session: Session, command: BoardCommand, how: dict[str, Any], after: str) -> None:
    """Record a proposal or a decision.

    Args:
        after: the next likely command; {} stands for the number of the amendment, or, once it is
            agreed, for the reference of the action.
    """
    with session.ledger() as ledger:
        receipt = ledger.govern(choose_plan(ledger, how.pop("plan")), command, **how)
        key = receipt.entries[-1].stream_id.rpartition("/")[2]
        print_receipt(session, ledger, receipt, after.format(key))


def decision(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the words of a decision; it is effective on the day of the meeting."""

    @note_options(decision=False, effective=False, replaces=False, source=False)
    @pass_session
    @functools.wraps(function)
    def decided(session: Session, note: Note, met: date, **given: Any) -> None:
        function(session, met=met, note=replace(note, effective_on=met), **given)

    parameters = (
        click.argument("amendment", metavar="A1"),
        click.option("--meeting", "met", type=Day(), required=True, help="The meeting's date."),
        click.option("--minute", "minuted", metavar="REF", required=True, help="The minute."),
        click.option("--body", metavar="CODE", help="The body. Default: the one with that power."),
    )
    return _with(decided, parameters)


@amend.command()
@decision
def agree(
    session: Session, amendment: str, met: date, minuted: str, body: str | None, **how: Any
) -> None:
    """Record that a body agreed a proposed amendment: the plan changes with it.

    For the chair or the secretary of the body. The change is effective on the day of the meeting,
    and its reason is that of the proposal unless the body gave one of its own.

    Example: govledger amend agree A4 --meeting 2025-11-20 --minute 3.2
    """
    from domain.issue_commands import Agree

    _govern(session, Agree(amendment, met, minuted, body), how, "govledger show {}")


@amend.command()
@decision
def decline(
    session: Session, amendment: str, met: date, minuted: str, body: str | None, **how: Any
) -> None:
    """Record that a body declined a proposed amendment: the plan stays as it is.

    For the chair or the secretary of the body, with the --reason that it gave.

    Example: govledger amend decline A4 --meeting 2025-11-20 --minute 3.2 --reason "Not yet"
    """
    from domain.issue_commands import Decline

    _govern(session, Decline(amendment, met, minuted, body), how, "govledger amend show {}")


# --- reading ------------------------------------------------------------------------------


def _sheets(asked: Question) -> list[dict[str, Any]]:
    from projections.issues import amendments
    from projections.state import read_state

    state = read_state(asked.connection, asked.code, asked.moment)
    return amendments(asked.ledger, asked.connection, state, asked.moment)


@amend.command("list")
@click.option("--open", "is_open", is_flag=True, help="Only those that wait for a decision.")
@moment_options
@pass_session
def list_(
    session: Session, is_open: bool, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """List proposed amendments, those that wait for a decision first.

    Example: govledger amend list --open
    """
    from projections import issue_words as words

    with session.question(as_at, known_at, plan) as asked:
        found = [s for s in _sheets(asked) if not is_open or s["status"] == "proposed"]
        rows = map(words.amendment_row, found)
        text = table(session, words.AMENDMENT_HEADINGS, rows) if found else "No amendments."
        _answer(session, asked, {"amendments": found}, text)


@amend.command()
@click.argument("amendment", metavar="A1")
@moment_options
@pass_session
def show(
    session: Session, amendment: str, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show a proposed amendment, and what was decided of it.

    Example: govledger amend show A1
    """
    from projections.issue_words import amendment_lines
    from projections.issues import find

    with session.question(as_at, known_at, plan) as asked:
        sheet = find(_sheets(asked), "amendment", amendment, asked.moment)
        _answer(session, asked, sheet, "\n".join(amendment_lines(sheet)))


def _answer(session: Session, asked: Question, data: dict[str, Any], text: str) -> None:
    if session.json:
        print_json(envelope(asked.ledger, asked.moment, data))
    else:
        show_text(f"{text}\n\n{resolved(asked.moment)}")
