"""The example plan, loaded and shown with the commands that anyone would type."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import envelope, plain_only, print_json
from cli.session import DEFAULT_LEDGER, Session, pass_session

TOUR = (
    ("The rating overview that the committee saw (Appendix 1)", "overview --as-at 2025-09-30"),
    (
        "What was changed since the report of September, and why (Appendix 3)",
        "changes --since 2025-09-15 --as-at 2025-09-30",
    ),
    (
        "The same plan a year before, when nothing was rated yet",
        "overview --as-at 2024-08-01 --summary",
    ),
    (
        "One action as the plan stood when it was approved …",
        "show CLD9 --as-at 2024-08-01",
    ),
    ("… and the same action at the end of September 2025", "show CLD9 --as-at 2025-09-30"),
    ("What lies between two dates", "diff 2024-08-01 2025-02-28"),
    ("Who changed that timescale, on what authority, and why", "why CLD9 timescale"),
    ("Every entry on one action", "log S7"),
    ("Is the history whole?", "verify"),
)


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default="govledger-demo", type=click.Path(path_type=Path)
)
@pass_session
def demo(session: Session, folder: Path) -> None:
    """Load the example plan into a new ledger, and show it.

    The ledger is made in DIR. The example is a real improvement plan of 143 actions as published,
    with its dated history.

    Example: govledger demo
    """
    import examples
    from cli.main import run
    from domain.errors import Failed
    from projections.upkeep import create_ledger

    path = folder / DEFAULT_LEDGER
    if path.exists():
        raise Failed(
            "already-there",
            f"{path} exists already.",
            f"Look at it (govledger --ledger {path} overview), or name another folder.",
        )
    who = session.recorded_by
    folder.mkdir(parents=True, exist_ok=True)
    ledger = create_ledger(path, "Example", who)
    examples.load(ledger, who)
    moment = ledger.moment()
    size = moment.position
    if session.json:
        data = {"path": str(path), "entries": size, "tour": [words for _title, words in TOUR]}
        print_json(envelope(ledger, moment, data))
    ledger.close()
    if session.json:
        return
    before = ["--ledger", str(path)]
    click.echo(f"Loaded the example plan into {path}: {size} entries.\n")
    for title, words in TOUR:
        click.secho(title, bold=not plain_only())
        click.echo(f"$ govledger {words}\n")
        plain = ["--plain"] if session.plain else []
        code = run([*before, *plain, *words.split()])
        click.echo()
        if code:
            click.get_current_context().exit(code)
    click.echo("Ask your own questions of it:")
    click.echo(f"  export GOVLEDGER_LEDGER={path}")
    click.echo("  govledger --help")
