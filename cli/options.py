"""The options that commands of a kind share: the two clocks, and the words of a write."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.session import Session, said

if TYPE_CHECKING:
    from ledger.entry import Note

    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])


class Day(_ParamType):
    """A date as people type it."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Raises BadInput for a date that does not exist."""
        del param, ctx
        if isinstance(value, date):
            return value
        from domain.dates import parse_day

        return parse_day(value)


class KnownAt(_ParamType):
    """A date, an instant, or `#N` (or N, as a shell may eat the #) for 'after entry N'."""

    name = "date|instant|#n"

    def convert(self, value: Any, param: Any, ctx: Any) -> date | datetime | int:
        """Raises BadInput for what is none of the three."""
        del param, ctx
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        from domain.dates import LONDON, in_our_time, parse_day
        from domain.errors import BadInput

        if value.isascii() and value.isdigit() and len(value) < 20:
            return int(value)
        if value.startswith("#"):
            if not (value[1:].isascii() and value[1:].isdigit() and len(value) < 20):
                raise BadInput(
                    "no-such-entry", f"'{value}' names no entry.", "Write '#N', such as '#120'."
                )
            return int(value[1:])
        if len(value) > 10:
            try:
                instant = datetime.fromisoformat(value)
            except ValueError:
                raise BadInput(
                    "no-such-date",
                    f"'{value}' is not an instant that exists.",
                    "Write 2025-11-10T14:30 (London time), 2025-11-10T14:30:00Z, a date or '#N'.",
                ) from None
            in_our_time(instant, value)
            return instant if instant.tzinfo else instant.replace(tzinfo=LONDON)
        return parse_day(value)


def _stack(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


plan_option = click.option(
    "--plan", metavar="CODE", help="The plan, where the ledger holds more than one."
)

as_at_option = click.option(
    "--as-at", "--as-of", "as_at", type=Day(), help="As at the end of this day. Default: today."
)

known_at_option = click.option(
    "--known-at",
    type=KnownAt(),
    help="As known on this date, at this instant, or after entry #N. Default: now.",
)

moment_options = _stack(as_at_option, known_at_option, plan_option)
"""The two clocks and the plan: for every command that shows a plan."""

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be recorded, and record nothing."
)


def note_options(
    *, decision: bool, effective: bool = True, replaces: bool = True, source: bool = True
) -> Callable[[F], F]:
    """The options of a write; the command receives them as one `note`.

    Args:
        decision: it rests on a body's decision, so the body, meeting and minute can be given.
        effective: it takes an effective date.
        replaces: it can replace an entry on the same subject.
        source: it can be history taken over from a published document.
    """
    options = []
    default = "the date of --meeting, else today" if decision else "today"
    if effective:
        options.append(
            click.option(
                "--effective-on",
                type=Day(),
                help=f"True from this date on. Default: {default}.",
            )
        )
    options.append(click.option("--reason", metavar="TEXT", help="Why, in your own words."))
    if decision:
        options += [
            click.option(
                "--decided-by", metavar="BODY", help="The body that decided; never a person's name."
            ),
            click.option("--meeting", type=Day(), help="The date of its meeting."),
            click.option("--minute", metavar="REF", help="The minute that records the decision."),
        ]
    if source:
        options.append(
            click.option(
                "--source",
                metavar="REF",
                help="The published document this is taken over from; never a name of a person.",
            )
        )
    options.append(
        click.option(
            "--correction", is_flag=True, help="Correct a period that a report has closed."
        )
    )
    if replaces:
        options.append(
            click.option(
                "--replaces",
                type=int,
                metavar="N",
                help="Void entry N and put this in its place, together.",
            )
        )
    options += [plan_option, dry_run_option]

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def command(*args: Any, **kwargs: Any) -> Any:
            given = {
                name: kwargs.pop(name, None)
                for name in (
                    "effective_on",
                    "reason",
                    "decided_by",
                    "meeting",
                    "minute",
                    "source",
                    "correction",
                )
                if name in kwargs
            }
            return function(*args, note=make_note(**given), **kwargs)

        return _stack(*options)(command)  # type: ignore[return-value]

    return decorate


def make_note(
    effective_on: date | None = None,
    reason: str | None = None,
    decided_by: str | None = None,
    meeting: date | None = None,
    minute: str | None = None,
    source: str | None = None,
    correction: bool = False,
) -> Note:
    """The note of a write, from the words of the command.

    Raises:
        BadInput: half of a decision was given.
    """
    from domain.dates import london_day, now
    from domain.errors import BadInput
    from ledger.entry import Decision, Note

    decision = None
    if said(decided_by) or meeting or said(minute):
        if not (said(decided_by) and meeting and said(minute)):
            raise BadInput(
                "half-a-decision",
                "A decision is a body, a meeting and a minute.",
                "Give all three: --decided-by BODY --meeting DATE --minute REF.",
            )
        decision = Decision(body=decided_by, meeting=meeting, minute=minute)
    session: Session = click.get_current_context().obj
    return Note(
        # A decision is true from the meeting that took it, unless it says otherwise.
        effective_on=effective_on or (decision.meeting if decision else london_day(now())),
        recorded_by=session.recorded_by,
        reason=reason if said(reason) else None,
        decided_by=decision,
        source=source if said(source) else None,
        correction=correction,
    )
