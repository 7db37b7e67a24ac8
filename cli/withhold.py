"""Texts that the law takes away, and texts that are not made public."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.options import Day, dry_run_option, make_note, plan_option
from cli.output import envelope, in_full, print_json
from cli.session import Session, choose_plan, pass_session, said

if TYPE_CHECKING:
    from ledger.service import Ledger
    from ledger.withholding import Outcome

F = TypeVar("F", bound=Callable[..., Any])

MOST = 20
"""How many places are listed before the rest is only counted."""


def on_text(function: F) -> F:
    """The words of a decision on a text: which, on what basis, and whose decision it is."""
    for option in (
        dry_run_option,
        plan_option,
        click.option("--reason", metavar="TEXT", help="Why; never repeat the text in it."),
        click.option("--minute", metavar="REF", help="The minute that records the decision."),
        click.option("--meeting", type=Day(), help="The date of its meeting, or of the decision."),
        click.option(
            "--decided-by", metavar="BODY", help="The body that decided; never a person's name."
        ),
        click.option(
            "--basis",
            metavar="TEXT",
            help="The law or the rule, shown in the text's place; never a person.",
        ),
        click.argument("field"),
        click.argument("position", metavar="N", type=click.IntRange(1, 1_000_000_000_000)),
    ):
        function = option(function)
    return function


@click.command()
@on_text
@click.option("--copies", is_flag=True, help="Withhold every other text that holds the same words.")
@click.option("--confirm", metavar="N", help="The entry number again, where nobody can type it.")
@pass_session
def withhold(
    session: Session,
    position: int,
    field: str,
    basis: str | None,
    copies: bool,
    confirm: str | None,
    plan: str | None,
    dry_run: bool,
    **given: Any,
) -> None:
    """Delete a text by law; its entry and hashes stay.

    N is the entry, FIELD the name of the text in it, such as owners, reason or recorded_by. The
    text is deleted for good, from the file and its log, and reads '[withheld: BASIS]' from then on,
    at every date. It lists where else the same words stand. Asks for the entry number to be typed.

    It does not reach backups, exported copies and papers: see docs/withholding.md. Ends with exit
    code 1 where the file could not be cleaned, as while others read it; given again for a text that
    is withheld already, it cleans the file again.

    Example: govledger withhold 22 reason --basis "Data Protection Act 2018" --decided-by
    "Information Governance Board" --meeting 2025-10-09 --minute 4.1 --dry-run
    """
    note = make_note(**given)
    with session.ledger() as ledger:
        _on_plan(ledger, position, plan)
        because = _needed(basis)
        tried = ledger.withhold(position, field, because, note, copies=copies, dry_run=True)
        outcome = tried
        if not dry_run:
            if tried.already_by is None:
                _confirm(session, ledger, position, field, tried, copies, confirm)
            outcome = ledger.withhold(position, field, because, note, copies=copies)
        _print(session, ledger, outcome, position, field, "withhold", copies)
    if outcome.left:
        click.get_current_context().exit(1)


@click.command()
@on_text
@click.option("--lift", is_flag=True, help="Say that it is exempt no more.")
@pass_session
def exempt(
    session: Session,
    position: int,
    field: str,
    basis: str | None,
    lift: bool,
    plan: str | None,
    dry_run: bool,
    **given: Any,
) -> None:
    """Leave a text out of what is made public.

    The text is kept and shown as before; 'export --public' leaves it out, and the export still
    verifies. N is the entry, FIELD the name of the text in it. --lift takes that back.

    Example: govledger exempt 22 reason --basis "Local Government Act 1972, Schedule 12A, para 1"
    --decided-by "Children and Families Committee" --meeting 2025-10-09 --minute 2
    """
    note = make_note(**given)
    with session.ledger() as ledger:
        _on_plan(ledger, position, plan)
        if lift:
            outcome = ledger.lift_exemption(position, field, note, dry_run=dry_run)
        else:
            outcome = ledger.exempt(position, field, _needed(basis), note, dry_run=dry_run)
        _print(session, ledger, outcome, position, field, "exempt", copies=False)


def _needed(basis: str | None) -> str:
    """Raises BadInput: needs-basis."""
    from domain.errors import BadInput

    if not said(basis):
        raise BadInput(
            "needs-basis",
            "What becomes of a text needs a basis.",
            "Give --basis TEXT: the law or the rule, such as 'Data Protection Act 2018'.",
        )
    return basis


def _on_plan(ledger: Ledger, position: int, plan: str | None) -> None:
    """Raises Refusal: not-on-this, where the entry is not of the plan that was named."""
    from domain.errors import Refusal
    from ledger.fates import plan_of

    if plan is None:
        return
    choose_plan(ledger, plan)
    with ledger.database.reading() as connection:
        of = plan_of(connection, position)
    if of != plan:
        raise Refusal(
            "not-on-this",
            f"Entry {position} is not on plan {plan}"
            + (f" but on {of}." if of else ": it belongs to the ledger as a whole."),
            f"Find the entry with: govledger log --plan {plan}",
        )


# --- asking -----------------------------------------------------------------------------


def _confirm(
    session: Session,
    ledger: Ledger,
    position: int,
    field: str,
    tried: Outcome,
    copies: bool,
    typed: str | None,
) -> None:
    """Show what will be gone for good, and have the number of the entry typed.

    Raises:
        BadInput: needs-confirm. Refusal: not-confirmed.
    """
    from domain.errors import BadInput, Refusal

    if typed is None:
        if session.json or not sys.stdin.isatty():
            raise BadInput(
                "needs-confirm",
                "To withhold asks for the entry number to be typed, and there is no terminal to "
                "ask on.",
                f"See what would be gone with --dry-run, then give --confirm {position}",
            )
        click.echo(f"This deletes the text '{field}' of entry {position} for good:")
        click.echo(f"\n{_text(ledger, position, field)}\n")
        for line in _elsewhere(tried, "withhold", copies):
            click.echo(line)
        ask = f"Type {position} to delete it, or press Enter to stop"
        typed = click.prompt(ask, default="", show_default=False)
    if typed.strip().removeprefix("#") != str(position):
        raise Refusal(
            "not-confirmed",
            f"{position} was not typed, so nothing was deleted and nothing recorded.",
            "Give the command again once you are sure.",
        )


def _text(ledger: Ledger, position: int, field: str) -> str:
    """The text, for the eyes of whoever is asked; it is written nowhere else."""
    with ledger.database.reading() as connection:
        stored = ledger.recorder.at_positions(connection, [position])[position]
    return stored.texts[field].text


# --- what is printed --------------------------------------------------------------------


def _elsewhere(outcome: Outcome, verb: str, taken: bool) -> list[str]:
    """Where else the words stand, and what to do about it."""
    lines = []
    if outcome.copies:
        many = len(outcome.copies)
        stand = "in 1 other text" if many == 1 else f"in {many} other texts"
        lines.append(f"The same words stand {stand}{', withheld too' if taken else ''}:")
        for one in outcome.copies[:MOST]:
            what = f"  entry {one.position}, {one.field}"
            how = "" if taken else f": govledger {verb} {one.position} {one.field} …"
            lines.append(f"{what}{how}")
        if many > MOST:
            lines.append(f"  … and {many - MOST} more: give --json to see them all.")
        if verb == "withhold" and not taken:
            lines.append("  All of them together with this one: --copies")
    if outcome.in_clear:
        named = ", ".join(str(n) for n in outcome.in_clear[:MOST])
        more = f" and {len(outcome.in_clear) - MOST} more" if len(outcome.in_clear) > MOST else ""
        lines.append(
            f"They stand outside the texts too, where nothing can be deleted: in entry {named}"
            f"{more}, as the name of a body or a document, a code or a word of the ledger's own."
        )
    return lines


def _print(
    session: Session,
    ledger: Ledger,
    outcome: Outcome,
    position: int,
    field: str,
    verb: str,
    copies: bool,
) -> None:
    """What was recorded, where else the words stand, and whether anything is left to do."""
    from projections.wording import describe

    recorded = [
        {
            "position": entry.position,
            "type": entry.event.tag,
            "what": describe(entry.event, None),
            "effective_on": entry.effective_on.isoformat(),
        }
        for entry in outcome.entries
    ]
    if session.json:
        data = {
            "recorded": recorded,
            "already_by": outcome.already_by,
            "copies": [
                {"position": one.position, "field": one.field, "whole": one.whole}
                for one in outcome.copies
            ],
            "in_clear": list(outcome.in_clear),
            "left_to_do": outcome.left,
            "dry_run": outcome.dry_run,
        }
        print_json(envelope(ledger, ledger.moment(), data))
        return
    if outcome.already_by is not None:
        cleaned = "" if outcome.dry_run or outcome.left else " The file was cleaned again."
        click.echo(
            f"The text '{field}' of entry {position} is already withheld by entry "
            f"{outcome.already_by}.{cleaned}"
        )
    done = "Would be recorded" if outcome.dry_run else "Recorded"
    for line in recorded[:MOST]:
        click.echo(f"{done} as entry {line['position']}: {line['what']}.")
    if len(recorded) > MOST:
        last = recorded[-1]["position"]
        click.echo(f"… and {len(recorded) - MOST} more, up to entry {last}.")
    for text in _elsewhere(outcome, verb, copies):
        click.echo(text)
    if outcome.left:
        click.echo(outcome.left, err=True)
    if outcome.dry_run:
        click.echo("Nothing was recorded and nothing deleted: this was a dry run.", err=True)
    elif verb == "withhold":
        click.echo(
            "Backups, exported copies and papers still hold it: see docs/withholding.md.", err=True
        )
        click.echo(f"Next: {in_full(session, 'govledger verify')}")
    else:
        click.echo(f"Next: {in_full(session, 'govledger log --type ledger')}")
