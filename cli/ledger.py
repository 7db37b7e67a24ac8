"""The ledger as a whole: begin it, look at it, mend its read models, void an entry."""

from __future__ import annotations

from typing import Any

import click

from cli.options import note_options
from cli.output import (
    ENVELOPE,
    day,
    envelope,
    in_full,
    instant,
    print_json,
    print_receipt,
    progress_bar,
    show_text,
)
from cli.session import Session, choose_plan, pass_session


@click.command()
@click.option("--name", help="What people call it. Default: the name of the file or database.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@pass_session
def init(session: Session, name: str | None, dry_run: bool) -> None:
    """Begin a new ledger.

    Whoever begins it is its first administrator, who enrols people and establishes bodies. Say
    who you are with --as NAME.

    Example: govledger --ledger plan.sqlite init --name "Improvement plan"
    """
    from domain.text import one_line
    from ledger.address import check_free, default_name
    from projections.upkeep import create_ledger

    called = one_line(name or default_name(session.path), "The name of a ledger")
    administrator = session.recorded_by
    data = {
        "name": called,
        "path": session.location,
        "administrator": administrator,
        "dry_run": dry_run,
    }
    if dry_run:
        check_free(session.path)
        if session.json:
            print_json(dict.fromkeys(ENVELOPE) | {"data": data})
        else:
            click.echo(
                f"Would begin the ledger '{called}' in {session.location}, with {administrator} as "
                "its first administrator. Nothing was done."
            )
        return
    ledger = create_ledger(session.path, called, administrator)
    moment = ledger.moment()
    if session.json:
        print_json(envelope(ledger, moment, data))
    else:
        click.echo(
            f"Began the ledger '{called}' in {session.location}, with entry 1. {administrator} is "
            "its first administrator."
        )
        following = "govledger plan import FILE --plan CODE --as-at DATE --source REF"
        click.echo(f"Next: {in_full(session, following)}")
    ledger.close()


@click.command()
@pass_session
def status(session: Session) -> None:
    """Show the ledger's size, root and last report.

    Example: govledger status
    """
    from ledger.fates import fates
    from projections.assertions import VERSION, PlanProjector
    from projections.state import read_state

    with session.ledger(any_models=True) as ledger:
        moment = ledger.moment()
        plans: list[dict[str, Any]] = []
        with ledger.database.reading() as connection:
            model = PlanProjector().position(connection)
            in_step = model == (VERSION, moment.position)
            for code in ledger.plan_codes() if in_step else ():
                state = read_state(connection, code, moment)
                last = max(state.plan.reports.values(), key=lambda r: r.as_at, default=None)
                plans.append(
                    {
                        "code": code,
                        "title": state.plan.title,
                        "actions": len(state.actions),
                        "last_report": last.ref if last else None,
                        "closed_until": last.as_at.isoformat() if last else None,
                    }
                )
            said = fates(connection)
        opened: Any = ledger.opened().event
        data = {
            "name": opened.name,
            "size": moment.position,
            "last_recorded_at": instant(moment.known_at),
            "plans": plans,
            "texts": {"withheld": len(said.withheld), "exempt": len(said.exempt)},
            "read_models": {
                "in_step": in_step,
                "version": model[0] if model else None,
                "position": model[1] if model else None,
            },
        }
        if session.json:
            print_json(envelope(ledger, moment, data))
            return
        lines = [
            f"Ledger      {opened.name} ({session.location})",
            f"Identity    {opened.ledger_id}",
            f"Entries     {moment.position}, the last recorded {instant(moment.known_at)}",
            f"Root        {moment.root}",
            f"Read models {'in step' if in_step else 'NOT in step: run govledger rebuild'}",
        ]
        if said.withheld or said.exempt:
            lines.append(f"Texts       {len(said.withheld)} withheld, {len(said.exempt)} exempt")
        for plan in plans:
            lines.append(f"Plan        {plan['code']}: {plan['title']}, {plan['actions']} actions")
            report = (
                f"{plan['last_report']}, period closed up to {day(plan['closed_until'])}"
                if plan["last_report"]
                else "none yet"
            )
            lines.append(f"Last report {report}")
        show_text("\n".join(lines))


@click.command()
@pass_session
def rebuild(session: Session) -> None:
    """Make the read models anew from the entries.

    The entries are not touched, and what you read afterwards is what you read before.

    Example: govledger rebuild
    """
    from projections.upkeep import rebuild as rebuild_models

    with session.ledger(any_models=True) as ledger:
        with progress_bar("Rebuilding", ledger.size()) as tick:
            done = rebuild_models(ledger, tick)
        if session.json:
            print_json(envelope(ledger, ledger.moment(), {"entries": done}))
        else:
            click.echo(f"Rebuilt the read models from {done} entries. Next: govledger verify")


@click.command()
@click.argument("position", metavar="N", type=click.IntRange(1, 1_000_000_000_000))
@note_options(decision=True, effective=False, replaces=False, source=False)
@pass_session
def void(session: Session, position: int, note: Any, plan: str | None, dry_run: bool) -> None:
    """Say that an entry was a mistake.

    The entry stays in the ledger, and whoever asks what was known before still sees it. To put
    the right entry in its place in the same step, record that with --replaces N instead.

    Example: govledger void 331 --reason "Entered for the wrong action"
    """
    from domain.errors import Refusal

    with session.ledger() as ledger:
        if plan is not None:
            choose_plan(ledger, plan)
            of = ledger.void(position, note, dry_run=True).plan.code
            if of != plan:
                raise Refusal(
                    "not-on-this",
                    f"Entry {position} is not on plan {plan} but on {of}.",
                    f"Find the entry to void with: govledger log --plan {plan}",
                )
        receipt = ledger.void(position, note, dry_run=dry_run)
        ref = receipt.entries[0].stream_id.partition("/")[2].partition("/")[2]
        print_receipt(session, ledger, receipt, f"govledger log {ref}".rstrip())
