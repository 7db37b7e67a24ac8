"""The example plan, loaded and shown with the commands that anyone would type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import envelope, plain_only, print_json
from cli.session import DEFAULT_LEDGER, Session, pass_session

if TYPE_CHECKING:
    from ledger.service import Ledger

KEY = "checkpoint.key"
"""The file of the key that signs the example's checkpoints: for the demo only."""

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


GOVERNANCE_TOUR = (
    ("The board's evening, ready for its minutes", "review meeting iib 2025-10-16"),
    ("How an action reached Complete", "why SL2a rating"),
    ("A sign-off that was given for what the action no longer says", "signoff show SL5"),
    ("What waits for a member's vote", "signoff list --pending --for lead-member"),
    ("Issues on their way up the ladder", "escalate list --as-at 2025-11-30"),
    ("Amendments, proposed and decided", "amend list"),
    ("Where the plan stands", "overview --as-at 2025-11-30 --summary"),
    ("Who had authority for what on a date", "review authority --on 2025-11-20"),
    ("Is the history whole, and is every signature good?", "verify"),
)


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--governance", is_flag=True, help="What boards do on the plan: made up, to show the commands."
)
@pass_session
def demo(session: Session, folder: Path | None, governance: bool) -> None:
    """Load the example plan into a new ledger, and show it.

    The ledger is made in DIR. The example is a real improvement plan of 143 actions as published,
    with its dated history. With --governance boards, sign-offs, escalations and amendments come
    on top: those are illustrative, made of roles and not of people.

    Example: govledger demo
    """
    from domain.errors import Failed

    folder = folder or Path("govledger-governance" if governance else "govledger-demo")
    path = folder / DEFAULT_LEDGER
    if path.exists():
        raise Failed(
            "already-there",
            f"{path} exists already.",
            f"Look at it (govledger --ledger {path} overview), or name another folder.",
        )
    key = folder / ("keys" if governance else "") / KEY
    if key.exists():
        raise Failed("already-there", f"{key} exists already.", "Name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    tour = GOVERNANCE_TOUR if governance else TOUR
    try:
        ledger = _govern(folder, path) if governance else _load(path, session.recorded_by, key)
    except BaseException:
        # Half an example is no example, and would stand in the way of another try.
        for half in (*folder.glob(f"{DEFAULT_LEDGER}*"), *folder.glob(f"**/{KEY}*")):
            half.unlink()
        raise
    moment = ledger.moment()
    size = moment.position
    if session.json:
        words = [words for _title, words in tour]
        data = {"path": str(path), "entries": size, "tour": words, "checkpoint_key": str(key)}
        print_json(envelope(ledger, moment, data))
    ledger.close()
    if session.json:
        return
    if governance:
        click.echo(
            f"Loaded the example plan and illustrative governance into {path}: {size} entries.\n"
            "The plan is as published. The people (by role), meetings, votes, evidence and\n"
            "decisions are made up, to show the commands; they say nothing of a real council.\n"
        )
    else:
        click.echo(f"Loaded the example plan into {path}: {size} entries.\n")
    _show(session, path, tour)
    click.echo("Ask your own questions of it:")
    click.echo(f"  export GOVLEDGER_LEDGER={path}")
    click.echo(f"  export GOVLEDGER_CHECKPOINT_KEY={key}   # a key for the demo only")
    click.echo("  govledger --help")


def _show(session: Session, path: Path, tour: tuple[tuple[str, str], ...]) -> None:
    from cli.main import run

    for title, words in tour:
        click.secho(title, bold=not plain_only())
        click.echo(f"$ govledger {words}\n")
        plain = ["--plain"] if session.plain else []
        code = run(["--ledger", str(path), *plain, *words.split()])
        click.echo()
        if code:
            click.get_current_context().exit(code)


def _load(path: Path, who: str, key: Path) -> Ledger:
    import examples
    from ledger.log_key import make_key
    from projections.upkeep import create_ledger

    ledger = create_ledger(path, "Example", who)
    examples.load(ledger, who, signer=make_key(ledger, key))
    return ledger


def _govern(folder: Path, path: Path) -> Ledger:
    """The plan without its report, then each command of the example as its person gives it."""
    import contextlib
    import io

    import examples
    from cli.main import run
    from domain.errors import Failed
    from ledger.keys import make_key
    from projections.upkeep import create_ledger, open_ledger

    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    ledger = create_ledger(path, "Illustrative governance", examples.REGISTRAR)
    examples.load(ledger, examples.REGISTRAR, reports=False)
    ledger.close()
    for who, words in examples.governance():
        given = [str(folder / word) if word.startswith("keys/") else word for word in words]
        for word in given:
            if word.endswith(".pub") and not Path(word).exists():
                make_key(Path(word.removesuffix(".pub")))
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run(["--ledger", str(path), "--as", who, *given])
        if code:
            command = " ".join(words)
            raise Failed(
                "example-refused",
                f"The example stopped at a command of {who}: govledger {command}",
                f"It said: {said.getvalue().strip()}\nOnce that is put right, try again: no ledger "
                f"is left in {folder}.",
            )
    return open_ledger(path)
