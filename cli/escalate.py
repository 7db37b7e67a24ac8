"""Escalations: an issue carried up the plan's ladder of bodies until it is resolved."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.options import Day, moment_options, note_options
from cli.output import envelope, print_json, print_receipt, resolved, show_text, table
from cli.session import Session, choose_plan, pass_session

if TYPE_CHECKING:
    from domain.board_commands import BoardCommand

Known = date | datetime | int | None


@click.group()
def escalate() -> None:
    """Carry an issue up the ladder of bodies.

    A body raises it with one further up, or with one outside the ladder, such as an adviser or an
    inspectorate; it goes up from there, never down, until it is resolved or withdrawn.

    Example: govledger escalate list --open
    """


def _govern(session: Session, command: BoardCommand, given: dict[str, Any], after: str) -> None:
    """Record a step, and say which escalation it was.

    Args:
        after: the next likely command; {} stands for the number of the escalation.
    """
    with session.ledger() as ledger:
        receipt = ledger.govern(
            choose_plan(ledger, given["plan"]),
            command,
            given["note"],
            dry_run=given["dry_run"],
        )
        number = receipt.entries[0].stream_id.rpartition("/")[2]
        print_receipt(session, ledger, receipt, after.format(number))


to_option = click.option(
    "--to", metavar="CODE", required=True, help="The body that is asked: further up, or outside."
)
needed_by_option = click.option(
    "--needed-by", type=Day(), required=True, help="The date by which an answer is needed."
)


@escalate.command("raise")
@click.argument("refs", metavar="REF...", nargs=-1, required=True)
@click.option("--body", metavar="CODE", required=True, help="The body that raises it: yours.")
@to_option
@needed_by_option
@click.option("--issue", metavar="TEXT", required=True, help="What is to be decided, or unblocked.")
@note_options(decision=False, replaces=False, source=False)
@pass_session
def raise_(
    session: Session,
    refs: tuple[str, ...],
    body: str,
    to: str,
    needed_by: date,
    issue: str,
    **given: Any,
) -> None:
    """Raise an issue on one or more actions.

    Any member of the body that raises it may record it. Never write anything about a child here.

    Example: govledger escalate raise S7 --body pog --to iib --needed-by 2025-12-11 --issue "The
    second home waits for its registration visit" --effective-on 2025-11-20
    """
    from domain.issue_commands import Raise

    command = Raise(refs, issue, body, to, needed_by)
    _govern(session, command, given, "govledger escalate show {}")


@escalate.command()
@click.argument("escalation", metavar="E1")
@to_option
@needed_by_option
@note_options(decision=False, replaces=False, source=False)
@pass_session
def refer(session: Session, escalation: str, to: str, needed_by: date, **given: Any) -> None:
    """Pass an escalation on, up the ladder or outside it.

    For a member of the body that has it; while a body outside the ladder has it, for a member of
    the body that passed it on.

    Example: govledger escalate refer E2 --to cfc --needed-by 2025-12-11 --effective-on 2025-11-20
    """
    from domain.issue_commands import Refer

    _govern(session, Refer(escalation, to, needed_by), given, "govledger escalate show {}")


@escalate.command()
@click.argument("escalation", metavar="E1")
@click.argument("text")
@note_options(decision=False, replaces=False, source=False)
@pass_session
def respond(session: Session, escalation: str, text: str, **given: Any) -> None:
    """Answer an escalation, which stays open.

    For a member of the body that has it; what a body outside the ladder answers is recorded by a
    member of the body that passed it on.

    Example: govledger escalate respond E2 "A budget is promised for January"
    """
    from domain.issue_commands import Respond

    _govern(session, Respond(escalation, text), given, "govledger escalate show {}")


@escalate.command()
@click.argument("escalation", metavar="E1")
@click.argument("text")
@note_options(decision=False, replaces=False, source=False)
@pass_session
def resolve(session: Session, escalation: str, text: str, **given: Any) -> None:
    """Say that an escalation is settled, and how.

    For the same people as an answer.

    Example: govledger escalate resolve E2 "The budget is agreed"
    """
    from domain.issue_commands import Resolve

    _govern(session, Resolve(escalation, text), given, "govledger escalate list --open")


@escalate.command()
@click.argument("escalation", metavar="E1")
@note_options(decision=False, replaces=False, source=False)
@pass_session
def withdraw(session: Session, escalation: str, **given: Any) -> None:
    """Withdraw an escalation that needs no answer any more.

    For a member of the body that raised it, with a --reason.

    Example: govledger escalate withdraw E2 --reason "The campaign has ended"
    """
    from domain.issue_commands import Withdraw

    _govern(session, Withdraw(escalation), given, "govledger escalate list --open")


@escalate.command("list")
@click.option("--open", "is_open", is_flag=True, help="Only those that are open.")
@click.option("--overdue", is_flag=True, help="Only those whose answer is overdue.")
@click.option("--body", metavar="CODE", help="Only those that this body has, or had last.")
@click.option("--action", metavar="REF", help="Only those on this action.")
@moment_options
@pass_session
def list_(
    session: Session,
    is_open: bool,
    overdue: bool,
    body: str | None,
    action: str | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """List escalations, the most overdue first.

    Example: govledger escalate list --open --as-at 2025-11-30
    """
    from projections import issue_words as words
    from projections.issues import body_named, escalations
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        held_by = body_named(state, body).code if body is not None else None
        ref = asked.action(state, action).ref if action is not None else None
        found = [
            sheet
            for sheet in escalations(asked.ledger, asked.connection, state, asked.moment)
            if (not is_open or sheet["status"] == "open")
            and (not overdue or sheet["overdue"])
            and held_by in (None, sheet["with"]["code"])
            and (ref is None or ref in [action["ref"] for action in sheet["actions"]])
        ]
        if session.json:
            rows = [{k: v for k, v in sheet.items() if k != "path"} for sheet in found]
            print_json(envelope(asked.ledger, asked.moment, {"escalations": rows}))
            return
        text = table(session, words.ESCALATION_HEADINGS, map(words.escalation_row, found))
        answer = text if found else "No escalations."
        show_text(f"{answer}\n\n{resolved(asked.moment)}")


@escalate.command()
@click.argument("escalation", metavar="E1")
@moment_options
@pass_session
def show(
    session: Session, escalation: str, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show an escalation with its whole path.

    Example: govledger escalate show E1
    """
    from projections import issue_words as words
    from projections.issues import escalations, find
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        sheets = escalations(asked.ledger, asked.connection, state, asked.moment)
        sheet = find(sheets, "escalation", escalation, asked.moment)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, sheet))
            return
        rows = map(words.escalation_step_row, sheet["path"])
        path = table(session, words.STEP_HEADINGS, rows)
        lines = [*words.escalation_lines(sheet), "", path, "", resolved(asked.moment)]
        show_text("\n".join(lines))
