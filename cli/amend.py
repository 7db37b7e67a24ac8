"""Amendments of the plan: decisions of a body, recorded with the meeting and the minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.options import note_options
from cli.output import print_receipt
from cli.session import Session, choose_plan, pass_session

if TYPE_CHECKING:
    from domain.commands import Command


@click.group()
def amend() -> None:
    """Record an amendment that a body has decided.

    Each takes --decided-by BODY --meeting DATE --minute REF --reason TEXT, or --source REF for
    history taken over from a published document.
    """


def _record(session: Session, command: Command, given: dict[str, Any]) -> None:
    with session.ledger() as ledger:
        receipt = ledger.act(
            choose_plan(ledger, given["plan"]),
            command,
            given["note"],
            replaces=given.get("replaces"),
            dry_run=given["dry_run"],
        )
        print_receipt(session, ledger, receipt, f"govledger show {command.ref}")


@amend.command()
@click.argument("ref")
@click.argument("new", metavar="NEW")
@click.option("--milestone", type=click.IntRange(min=1), help="Of this milestone.")
@note_options(decision=True)
@pass_session
def timescale(session: Session, ref: str, new: str, milestone: int | None, **given: Any) -> None:
    """Revise the timescale of an action.

    Example: govledger amend timescale P5 "March 2026" --effective-on 2025-10-09 --reason
    "Procurement is late" --decided-by "Improvement Board" --meeting 2025-10-09 --minute 7.2
    """
    from domain.commands import ReviseTimescale

    _record(session, ReviseTimescale(ref, new, milestone), given)


@amend.command()
@click.argument("ref")
@note_options(decision=True)
@pass_session
def delay(session: Session, ref: str, **given: Any) -> None:
    """Mark an action delayed.

    Example: govledger amend delay P5 --reason "Panels not yet reviewed" --decided-by
    "Improvement Board" --meeting 2025-10-09 --minute 5
    """
    from domain.commands import Delay

    _record(session, Delay(ref), given)


@amend.command()
@click.argument("ref")
@note_options(decision=True)
@pass_session
def review(session: Session, ref: str, **given: Any) -> None:
    """Place an action under review.

    Example: govledger amend review S9 --reason "Providers not found" --decided-by
    "Improvement Board" --meeting 2025-10-09 --minute 6
    """
    from domain.commands import PlaceUnderReview

    _record(session, PlaceUnderReview(ref), given)


@amend.command()
@click.argument("ref")
@note_options(decision=True)
@pass_session
def resume(session: Session, ref: str, **given: Any) -> None:
    """Go on with an action that was delayed or under review.

    Example: govledger amend resume P7 --reason "Review under way" --decided-by
    "Improvement Board" --meeting 2025-11-13 --minute 4
    """
    from domain.commands import Resume

    _record(session, Resume(ref), given)


@amend.command()
@click.argument("ref")
@click.option("--replaced-by", metavar="REF", help="The action that takes its place.")
@note_options(decision=True)
@pass_session
def close(session: Session, ref: str, replaced_by: str | None, **given: Any) -> None:
    """Close an action, perhaps in favour of another.

    Example: govledger amend close P12 --replaced-by P1 --reason "One place now" --decided-by
    "Improvement Board" --meeting 2025-11-13 --minute 8
    """
    from domain.commands import Close

    _record(session, Close(ref, replaced_by), given)


@amend.command()
@click.argument("ref")
@click.option("--section", required=True, help="The section's number or name.")
@click.option("--title", required=True, help="What is to be done.")
@click.option("--owner", metavar="ROLES", help="Roles that own it, '; ' between several.")
@click.option("--timescale", help="By when, such as 'July 2026' or TBC.")
@note_options(decision=True, replaces=False)
@pass_session
def add(
    session: Session,
    ref: str,
    section: str,
    title: str,
    owner: str | None,
    timescale: str | None,
    **given: Any,
) -> None:
    """Add an action to the plan.

    Example: govledger amend add C5 --section "Entries to Care" --title "Edge of care offer"
    --timescale "March 2026" --reason "Audit of entries" --decided-by "Improvement Board"
    --meeting 2025-11-13 --minute 9
    """
    from domain.commands import Add

    _record(session, Add(ref, title, section, owner, timescale), given)


@amend.command()
@click.argument("ref")
@click.argument("title")
@note_options(decision=True)
@pass_session
def reword(session: Session, ref: str, title: str, **given: Any) -> None:
    """Change the wording of an action.

    Example: govledger amend reword P9 "New forms for family help" --reason "National reform"
    --decided-by "Improvement Board" --meeting 2025-11-13 --minute 10
    """
    from domain.commands import Reword

    _record(session, Reword(ref, title), given)


@amend.command()
@click.argument("ref")
@click.argument("owners", metavar="ROLES")
@note_options(decision=True)
@pass_session
def owner(session: Session, ref: str, owners: str, **given: Any) -> None:
    """Give an action to other roles ('; ' between several).

    Example: govledger amend owner P9 "Principal Social Worker" --reason "Post deleted"
    --decided-by "Improvement Board" --meeting 2025-11-13 --minute 11
    """
    from domain.commands import ChangeOwners

    _record(session, ChangeOwners(ref, owners), given)
