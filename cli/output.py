"""Answers on paper and screen: one JSON envelope, or words and tables.

On a terminal tables are drawn and may be coloured; elsewhere, or with --plain, they are columns
of text. A rating is always its word.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click

from cli.session import Session

if TYPE_CHECKING:
    from ledger.service import Ledger
    from ledger.store import Moment, Store
    from ledger.writing import Receipt


def day(value: date | str | None) -> str:
    """A date as people write it: 30 September 2025."""
    if value is None:
        return "no date"
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.day} {found:%B %Y}"


def instant(value: datetime | str | None) -> str:
    """An instant as people read it, in UTC."""
    if value is None:
        return "before the first entry"
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{day(found.date())} {found:%H:%M:%S} UTC"


ENVELOPE = ("ledger", "as_at", "known_at", "position", "root", "data")
"""The keys of every answer in JSON."""


def envelope(store: Store, moment: Moment, data: Any) -> dict[str, Any]:
    """The one form of every answer in JSON; asked again with `#position` it is the same bytes."""
    from domain.dates import write_instant

    opened: Any = store.opened().event
    return {
        "ledger": opened.ledger_id,
        "as_at": moment.as_at.isoformat(),
        "known_at": write_instant(moment.known_at) if moment.known_at else None,
        "position": moment.position,
        "root": moment.root,
        "data": data,
    }


def print_json(value: Any) -> None:
    """One JSON document on standard output; escaped where that cannot take every character."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    click.echo(json.dumps(value, ensure_ascii=not unicode, indent=2))


def resolved(moment: Moment) -> str:
    """The question as resolved, to put under an answer."""
    return (
        f"As at {day(moment.as_at)}, known at {instant(moment.known_at)} "
        f"(entry #{moment.position}).\nRoot {moment.root}"
    )


def print_receipt(
    session: Session, ledger: Ledger, receipt: Receipt, next_command: str, extra: Any = None
) -> None:
    """What a write recorded, where it stands, and the next likely command."""
    from projections.wording import describe, voided_event

    moment = ledger.moment()
    recorded: list[dict[str, Any]] = [
        {
            "position": entry.position,
            "ref": entry.stream_id.partition("/")[2].partition("/")[2] or None,
            "type": entry.event.tag,
            "what": describe(entry.event, receipt.plan, voided_event(entry.event, receipt.voided)),
            "effective_on": entry.effective_on.isoformat(),
            "correction": entry.note.correction,
        }
        for entry in receipt.entries
    ]
    if session.json:
        data = {"recorded": recorded, "dry_run": receipt.dry_run, **(extra or {})}
        print_json(envelope(ledger, moment, data))
        return
    verb = "Would be recorded" if receipt.dry_run else "Recorded"
    for line in recorded[:20]:
        about = f"{line['ref']} " if line["ref"] else ""
        mark = " (correction of a closed period)" if line["correction"] else ""
        click.echo(
            f"{verb} as entry {line['position']}: {about}{_brief(line['what'])}, "
            f"effective {day(line['effective_on'])}{mark}."
        )
    if len(recorded) > 20:
        click.echo(f"… and {len(recorded) - 20} more, up to entry {recorded[-1]['position']}.")
    if not recorded:
        click.echo("Nothing was recorded: the ledger says the same already.")
    _warn_of_dates(receipt)
    if receipt.dry_run:
        click.echo("Nothing was recorded: this was a dry run.", err=True)
    elif next_command:
        several = len(ledger.plan_codes()) > 1
        plan = f" --plan {receipt.plan.code}" if several else ""
        click.echo(f"Next: {in_full(session, next_command)}{plan}")


def _warn_of_dates(receipt: Receipt) -> None:
    """Say which timescales could not be read as a date: a slip of the pen goes unseen else."""
    for entry in receipt.entries:
        due = getattr(entry.event, "timescale", None)
        if isinstance(due, str):
            continue  # only proposed; said again when it is agreed
        if due is not None and due.kind == "prose" and due.due is None:
            click.echo(
                f"Note: no due date could be read from '{_brief(due.written)}', so it will never "
                "show as overdue. If that is a slip, record it again with --replaces "
                f"{entry.position}.",
                err=True,
            )


def _brief(what: str) -> str:
    """On one line, however long the text that was recorded."""
    return textwrap.shorten(what, 200, placeholder=" …")


def in_full(session: Session, command: str) -> str:
    """The command with the ledger, where it would not find that by itself."""
    named = (
        f"govledger --ledger {shlex.quote(session.location)} " if session.named else "govledger "
    )
    return command.replace("govledger ", named, 1)


WIDEST = 42
"""Characters in a column of plain text before it wraps, so that a row fits a page."""


def plain_only() -> bool:
    """Whether the person asked for no colour and the like, see no-color.org."""
    return bool(os.environ.get("NO_COLOR"))


def drawn(session: Session) -> bool:
    """Whether tables are drawn: on a terminal, unless plain text was asked for."""
    return not session.plain and sys.stdout.isatty()


def table(
    session: Session, headings: Sequence[str], rows: Iterable[Sequence[Any]], title: str = ""
) -> str:
    """A table as text, ready to print."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if drawn(session):
        return _rich(headings, cells, title)
    wrapped = [
        [
            textwrap.wrap(" ".join(cell.split()), WIDEST, break_on_hyphens=False) or [""]
            for cell in row
        ]
        for row in cells
    ]
    widths = [
        max(len(line) for line in [heading, *(line for row in wrapped for line in row[column])])
        for column, heading in enumerate(headings)
    ]
    lines = [title] if title else []
    for block in ([[h] for h in headings], [["-" * width] for width in widths], *wrapped):
        for parts in zip_longest(*block, fillvalue=""):
            pairs = zip(parts, widths, strict=True)
            lines.append("  ".join(part.ljust(width) for part, width in pairs).rstrip())
    return "\n".join(lines)


COLOURS = {
    "Complete": "green",
    "Amber E": "yellow",
    "On track": "yellow",
    "Delayed": "red",
    "overdue": "red",
}
"""Colours beside the words of the published scale; the words are always there."""


def _rich(headings: Sequence[str], rows: list[list[str]], title: str) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(color_system=None if plain_only() else "auto")
    grid = Table(title=title or None, title_justify="left", show_lines=False)
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    with console.capture() as captured:
        console.print(grid)
    return captured.get().rstrip()


def show_text(text: str) -> None:
    """Print an answer; one longer than the screen goes through a pager, on a terminal only."""
    if sys.stdout.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
        click.echo_via_pager(text + "\n")
    else:
        click.echo(text)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, drawn on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
