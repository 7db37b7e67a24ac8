"""What a workstream records month by month: ratings, progress, and the impact of a section."""

from __future__ import annotations

from typing import Any

import click

from cli.options import note_options
from cli.output import print_receipt
from cli.session import Session, choose_plan, pass_session


@click.command()
@click.argument("ref")
@click.argument("rating")
@click.option("--milestone", type=click.IntRange(min=1), help="Rate this milestone of it.")
@note_options(decision=True)
@pass_session
def rate(
    session: Session,
    ref: str,
    rating: str,
    milestone: int | None,
    note: Any,
    replaces: int | None,
    plan: str | None,
    dry_run: bool,
) -> None:
    """Rate an action.

    Any label of the plan's scale will do, in any case. Amber E and Green are given by a sign-off
    and not here, unless they are history taken over from a published document (--source).

    Example: govledger rate P5 "On track" --effective-on 2025-10-31 --reason "Plan agreed"
    """
    from domain.commands import Rate

    with session.ledger() as ledger:
        receipt = ledger.act(
            choose_plan(ledger, plan),
            Rate(ref, rating, milestone),
            note,
            replaces=replaces,
            dry_run=dry_run,
        )
        print_receipt(session, ledger, receipt, f"govledger show {ref}")


@click.command()
@click.argument("ref")
@click.argument("text")
@note_options(decision=False, source=True)
@pass_session
def progress(
    session: Session,
    ref: str,
    text: str,
    note: Any,
    replaces: int | None,
    plan: str | None,
    dry_run: bool,
) -> None:
    """Note what has been done on an action.

    Never write anything about a child here.

    Example: govledger progress P5 "Draft went to the board" --effective-on 2025-10-31
    """
    from domain.commands import NoteProgress

    with session.ledger() as ledger:
        receipt = ledger.act(
            choose_plan(ledger, plan),
            NoteProgress(ref, text),
            note,
            replaces=replaces,
            dry_run=dry_run,
        )
        print_receipt(session, ledger, receipt, f"govledger show {ref}")


@click.command()
@click.argument("section")
@click.argument("rating")
@note_options(decision=True)
@pass_session
def impact(
    session: Session,
    section: str,
    rating: str,
    note: Any,
    replaces: int | None,
    plan: str | None,
    dry_run: bool,
) -> None:
    """Rate the impact of a section.

    That is, against what inspectors found. The key for impact is not the key for actions, and the
    two share no label.

    Example: govledger impact 1.2 "Some impact seen" --reason "Audit of pathway plans"
    """
    with session.ledger() as ledger:
        receipt = ledger.rate_impact(
            choose_plan(ledger, plan),
            section,
            rating,
            note,
            replaces=replaces,
            dry_run=dry_run,
        )
        print_receipt(session, ledger, receipt, "govledger overview")
