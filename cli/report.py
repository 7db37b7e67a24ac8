"""Papers issued to a committee."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.held import key_option
from cli.options import Day, KnownAt, make_note, plan_option
from cli.output import in_full, print_receipt
from cli.session import Session, choose_plan, pass_session

if TYPE_CHECKING:
    from ledger.note import Signer
    from ledger.writing import Receipt


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
@key_option
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
    key: Path | None,
    plan: str | None,
    dry_run: bool,
) -> None:
    """Record that a paper was issued; it closes the period up to its as-at date.

    From then on an entry that is effective in that period is a correction, and is listed as one.
    A signed checkpoint of what the paper was made from is recorded with it, to be published with
    the paper; the first report makes the key.

    Example: govledger report issue --committee "Children and Families Committee"
    --meeting 2025-11-10 --as-at 2025-09-30 --ref CF/23/25-26
    """
    from ledger.log_key import check_report_key, key_for_report, key_path
    from ledger.reported import last_report_key

    note: Any = make_note(effective_on=effective_on, reason=reason)
    with session.ledger() as ledger:
        if effective_on is None:
            note = replace(note, effective_on=min(meeting, ledger.today()))
        shown = ledger.moment(as_at, known_at)
        code = choose_plan(ledger, plan)

        def record(signer: Signer | None, *, dry_run: bool) -> Receipt:
            return ledger.issue_report(
                code,
                ref,
                committee,
                meeting,
                as_at,
                note,
                known_at=shown.position,
                signer=signer,
                dry_run=dry_run,
            )

        receipt = record(None, dry_run=True)  # what is refused makes no key
        earlier, made = last_report_key(ledger), check_report_key(ledger, key)
        extra: dict[str, Any] = {"key_made": made, "key_file": str(key_path(ledger, key))}
        if not dry_run:
            signer, made = key_for_report(ledger, key, shown.position)
            extra |= {"key_made": made, "verifier": signer.verifier.text}
            receipt = record(signer, dry_run=False)
        print_receipt(session, ledger, receipt, f"govledger changes --as-at {as_at}", extra)
        if session.json:
            return
        _say_key(extra, earlier, dry_run)
        if not dry_run:
            words = f"govledger checkpoint --report {shlex.quote(ref)}"
            click.echo(f"To publish with the paper: {in_full(session, words)}")


def _say_key(extra: dict[str, Any], earlier: str | None, dry_run: bool) -> None:
    """That a key was made, or that another one signs now than before."""
    if extra["key_made"]:
        made = "A key would be made" if dry_run else "Made the key that signs this"
        also = "" if dry_run else f"; give out its verifier key: {extra['verifier']}"
        click.echo(f"Note: {made} in {extra['key_file']}. Keep a copy of it{also}", err=True)
    elif not dry_run and earlier not in (None, extra["verifier"]):
        click.echo(
            f"Note: signed with another key than the last report. Give out the new verifier key: "
            f"{extra['verifier']}",
            err=True,
        )
