"""Plans in."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from cli.options import Day, make_note, note_options
from cli.output import print_receipt
from cli.session import Session, pass_session


@click.group()
def plan() -> None:
    """Take a plan in, and set its terms."""


@plan.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--plan", "code", metavar="CODE", help="The plan's short name, such as CSIP.")
@click.option("--as-at", "as_at", type=Day(), required=True, help="The date that the file shows.")
@click.option("--source", metavar="REF", required=True, help="The document that it comes from.")
@click.option("--title", help="The plan's title, when the file makes the plan.")
@click.option("--reason", metavar="TEXT", help="Why, in your own words.")
@click.option(
    "--partial", is_flag=True, help="The file holds some of the actions: none has gone missing."
)
@click.option(
    "--scale",
    "scale_file",
    type=click.Path(path_type=Path),
    help="A JSON file with the plan's own key for actions, when the file makes the plan.",
)
@click.option(
    "--impact-scale",
    "impact_file",
    type=click.Path(path_type=Path),
    help="The same for its key for the impact of sections.",
)
@click.option("--correction", is_flag=True, help="Correct a period that a report has closed.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@pass_session
def import_plan(
    session: Session,
    file: Path,
    code: str | None,
    as_at: date,
    source: str,
    title: str | None,
    reason: str | None,
    partial: bool,
    scale_file: Path | None,
    impact_file: Path | None,
    correction: bool,
    dry_run: bool,
) -> None:
    """Take a plan in from a CSV file.

    The first import makes the plan. A later one of the same plan records what has changed, each
    change as the entry that it is; an action that has gone missing from the file is reported and
    left as it is. All of it is recorded, or nothing.

    Columns: ref, and as many as there are of chapter, section, title, owners, milestone,
    timescale, rating.

    Example: govledger plan import plan.csv --plan CSIP --as-at 2025-09-30 --source CF/23/25-26
    """
    from documents.plan_csv import read_plan_csv, read_scale
    from domain.errors import BadInput

    snapshot = read_plan_csv(file)
    note: Any = make_note(effective_on=as_at, reason=reason, source=source, correction=correction)
    with session.ledger() as ledger:
        codes = ledger.plan_codes()
        if code is None and len(codes) != 1:
            raise BadInput(
                "which-plan",
                "The ledger holds several plans." if codes else "The ledger holds no plan yet.",
                "Name the plan with --plan CODE.",
            )
        chosen = code or codes[0]
        own: dict[str, Any] = {"title": title}
        if scale_file is not None:
            own["scale"] = read_scale(scale_file)
        if impact_file is not None:
            own["impact_scale"] = read_scale(impact_file)
        if chosen in codes and (title or scale_file or impact_file):
            raise BadInput(
                "plan-is-made",
                f"The plan {chosen} is in the ledger already; its title and scale stay as they "
                "were made.",
                "Leave out --title and --scale.",
            )
        receipt, found = ledger.import_plan(
            chosen, snapshot, note, whole=not partial, dry_run=dry_run, **own
        )
        extra = {"missing": found.missing, "remarks": found.remarks}
        print_receipt(session, ledger, receipt, f"govledger overview --as-at {as_at}", extra)
    for remark in found.remarks:
        click.echo(f"Note: {remark}", err=True)
    if found.missing:
        more = len(found.missing) - 20
        named = ", ".join(found.missing[:20]) + (f" and {more} more" if more > 0 else "")
        click.echo(
            f"Note: {len(found.missing)} action(s) of the plan are not in the file and were left "
            f"as they are: {named}. To close one: govledger amend close REF … If the file is only "
            "part of the plan, say so with --partial.",
            err=True,
        )


@plan.command()
@click.option(
    "--impact-kinds",
    type=int,
    metavar="N",
    help="Of the four inner sources of evidence, how many a sign-off of phase 2 needs: 2, 3 or 4.",
)
@click.option(
    "--most-revisions",
    type=int,
    metavar="N",
    help="Of one timescale; for more an escalation has to be open.",
)
@note_options(decision=False, source=False)
@pass_session
def terms(
    session: Session, impact_kinds: int | None, most_revisions: int | None, **given: Any
) -> None:
    """Set the plan's terms for decisions.

    A plan that says nothing needs two sources for phase 2, and does not cap revisions.

    Example: govledger plan terms --impact-kinds 3 --most-revisions 2 --reason "Agreed terms"
    """
    from cli.recording import record
    from domain.board_commands import SetTerms
    from domain.errors import BadInput

    if impact_kinds is None and most_revisions is None:
        raise BadInput(
            "nothing-to-change",
            "No terms were given.",
            "Give --impact-kinds N or --most-revisions N, or both.",
        )
    record(session, SetTerms(impact_kinds, most_revisions), given, "govledger body list")
