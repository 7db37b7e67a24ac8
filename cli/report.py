"""Papers issued to a committee."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import click

from cli.options import Day, KnownAt, make_note, plan_option
from cli.output import print_receipt
from cli.session import Session, choose_plan, pass_session


@click.group()
def report() -> None:
    """Record papers issued to a committee."""


@report.command()
@click.option("--committee", metavar="BODY", required=True, help="Who receives the paper.")
@click.option("--meeting", type=Day(), required=True, help="The date of its meeting.")
@click.option("--as-at", "as_at", type=Day(), required=True, help="The date that the paper shows.")
@click.option("--ref", metavar="REF", required=True, help="The paper's reference.")
@click.option(
    "--known-at",
    "known_at",
    type=KnownAt(),
    help="The paper was made from what was known then: a date, an instant or #N. Default: now.",
)
@click.option(
    "--effective-on",
    type=Day(),
    help="The day on which it was issued. Default: the meeting's, or today if that is earlier.",
)
@click.option("--reason", metavar="TEXT", help="Anything to say about it.")
@plan_option
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@pass_session
def issue(
    session: Session,
    committee: str,
    meeting: date,
    as_at: date,
    ref: str,
    known_at: date | datetime | int | None,
    effective_on: date | None,
    reason: str | None,
    plan: str | None,
    dry_run: bool,
) -> None:
    """Record that a paper was issued; it closes the period up to its as-at date.

    From then on an entry that is effective in that period is a correction, and is listed as one.

    Example: govledger report issue --committee "Children and Families Committee"
    --meeting 2025-11-10 --as-at 2025-09-30 --ref CF/23/25-26
    """
    note: Any = make_note(effective_on=effective_on, reason=reason)
    with session.ledger() as ledger:
        if effective_on is None:
            note = replace(note, effective_on=min(meeting, ledger.today()))
        shown = ledger.moment(as_at, known_at)
        receipt = ledger.issue_report(
            choose_plan(ledger, plan),
            ref,
            committee,
            meeting,
            as_at,
            note,
            known_at=shown.position,
            dry_run=dry_run,
        )
        print_receipt(session, ledger, receipt, f"govledger changes --as-at {as_at}")
