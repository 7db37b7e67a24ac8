"""The questions that a governance review asks, one command each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.audit import authority as on_authority
from cli.options import Day, known_at_option, moment_options, plan_option
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.session import Session, pass_session
from cli.views import signoff_words

if TYPE_CHECKING:
    from projections.record import Record

Known = date | datetime | int | None
MOST = 1_000_000


@click.group()
def review() -> None:
    """Ask the questions of a governance review.

    Each is answered as at a date and as known on a date: what was decided or recorded later does
    not show.
    """


@contextmanager
def _asked(
    session: Session, as_at: date | None, known_at: Known, plan: str | None
) -> Iterator[Record]:
    from projections.record import Record

    with session.question(as_at, known_at, plan) as asked:
        yield Record(asked.ledger, asked.connection, asked.code, asked.moment)


def _answer(session: Session, record: Record, data: Any, parts: Sequence[str]) -> None:
    if session.json:
        print_json(envelope(record.ledger, record.moment, data))
    else:
        show_text("\n\n".join([*parts, resolved(record.moment)]))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _listed(
    session: Session, title: str, headings: Sequence[str], rows: list[tuple[Any, ...]]
) -> str:
    """A table under its title, or the title and 'none'."""
    if not rows:
        return f"{title}: none"
    return table(session, headings, rows, title=f"{title} ({len(rows)})")


# --- one person, one meeting ------------------------------------------------------------


@review.command()
@click.argument("name", metavar="PERSON")
@moment_options
@pass_session
def person(
    session: Session, name: str, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show everything that one person did or decided.

    By code or by name; somebody who was never enrolled is found by the name under which they
    recorded.

    Example: govledger review person lead-member
    """
    from projections.review_person import person as about

    with _asked(session, as_at, known_at, plan) as record:
        data = about(record, name)
        code = f" ({data['person']}), {data['role']}" if data["person"] else ", not enrolled"
        first = f"{data['name']}{code}{'; administrator' if data['administrator'] else ''}"
        seats = [
            (
                seat["name"],
                seat["capacity"],
                day(seat["since"]),
                day(seat["until"]) if seat["until"] else "no end set",
            )
            for seat in data["seats"]
        ]
        keys = [
            (
                key["fingerprint"],
                day(key["since"]),
                f"{key['ended']} {day(key['ended_on'])}" if key["ended"] else "in force",
            )
            for key in data["keys"]
        ]
        meetings = [(m["name"], day(m["meeting"]), m["attendance"]) for m in data["meetings"]]
        interests = [(i["name"], day(i["meeting"]), i["item"]) for i in data["interests"]]
        parts = [
            first,
            _listed(session, "Seats", ("Body", "As", "From", "Until"), seats),
            _listed(session, "Keys", ("Fingerprint", "From", "Until"), keys),
            _listed(session, "Meetings", ("Body", "Meeting", ""), meetings),
            _listed(session, "Interests declared", ("Body", "Meeting", "In"), interests),
            _entries(session, "Decided, recommended or proposed", data["decisions"]),
            _entries(session, "Recorded besides", data["recorded"]),
        ]
        _answer(session, record, data, parts)


def _entries(session: Session, title: str, rows: list[dict[str, Any]]) -> str:
    shown = [
        (
            row["position"],
            row["effective_on"],
            row["ref"],
            row["what"] + (f" [voided by entry {row['voided_by']}]" if row["voided_by"] else ""),
            row["reason"],
            on_authority(row),
            row["recorded_at"][:10],
        )
        for row in rows
    ]
    headings = ("Entry", "Effective", "Ref", "What", "Reason", "Authority", "Recorded")
    return _listed(session, title, headings, shown)


@review.command()
@click.argument("body")
@click.argument("held_on", metavar="DATE", type=Day())
@moment_options
@pass_session
def meeting(
    session: Session,
    body: str,
    held_on: date,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show everything decided at one meeting, as text for its minutes.

    Example: govledger review meeting iib 2025-10-16
    """
    from documents.minutes import minutes
    from projections.review_meeting import meeting as decided_at

    with _asked(session, as_at, known_at, plan) as record:
        data = decided_at(record, body, held_on)
        _answer(session, record, data, minutes(data))


# --- the whole plan ---------------------------------------------------------------------


@review.command()
@click.option(
    "--months",
    type=click.IntRange(0, 1200),
    default=6,
    show_default=True,
    help="Longer than so many months.",
)
@moment_options
@pass_session
def embedding(
    session: Session, months: int, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show the actions that have been at Amber E for long.

    Their activity is complete; that it made a difference has not been evidenced since.

    Example: govledger review embedding --months 9
    """
    from projections.review import embedding as waiting

    with _asked(session, as_at, known_at, plan) as record:
        found = waiting(record, months)
        rows = [
            (
                row["ref"],
                row["title"],
                row["owners"] or "not recorded",
                day(row["since"]),
                row["months"],
                _rated_by(row),
            )
            for row in found
        ]
        headings = ("Ref", "Action", "Owner", "Since", "Months", "Rated by")
        title = f"At Amber E for longer than {_count(months, 'month', 'months')}"
        data = {"months": months, "actions": found}
        _answer(session, record, data, [_listed(session, title, headings, rows)])


def _rated_by(row: dict[str, Any]) -> str:
    if row["taken_over_from"]:
        return f"taken over from {row['taken_over_from']}"
    doubt = ", in doubt" if row["in_doubt"] else ""
    return "sign-off, stale" if row["stale"] else f"sign-off{doubt}"


@review.command()
@click.option(
    "--days",
    type=click.IntRange(0, MOST),
    default=7,
    show_default=True,
    help="More than so many days after.",
)
@moment_options
@pass_session
def late(
    session: Session, days: int, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show decisions that were recorded long after they were taken.

    Votes, recommendations, proposals and escalations are among them. History taken over from a
    published document is not.

    Example: govledger review late --days 14
    """
    from projections.review import late as recorded_late

    with _asked(session, as_at, known_at, plan) as record:
        found = recorded_late(record, days)
        rows = [
            (
                row["position"],
                row["ref"],
                row["what"],
                day(row["decided_on"]),
                day(row["recorded_on"]),
                row["days"],
                row["by"],
            )
            for row in found
        ]
        headings = ("Entry", "Ref", "What", "Taken", "Recorded", "Days", "By")
        title = f"Decisions recorded more than {_count(days, 'day', 'days')} after they were taken"
        data = {"days": days, "decisions": found}
        _answer(session, record, data, [_listed(session, title, headings, rows)])


@review.command()
@click.option(
    "--kinds",
    type=click.IntRange(0, 4),
    default=3,
    show_default=True,
    help="A phase 2 on fewer of the four inner sources is thin.",
)
@click.option(
    "--items",
    type=click.IntRange(0, MOST),
    default=2,
    show_default=True,
    help="A phase 1 on fewer items of evidence is thin.",
)
@moment_options
@pass_session
def evidence(
    session: Session,
    kinds: int,
    items: int,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show sign-offs that rest on thin evidence.

    A phase 2 that has no more than the plan asks for is always listed.

    Example: govledger review evidence --kinds 3
    """
    from projections.review import thin

    with _asked(session, as_at, known_at, plan) as record:
        data = thin(record, kinds, items)
        rows = [
            (
                row["ref"],
                row["title"],
                f"phase {row['phase']}",
                f"{row['body']}, {day(row['meeting'])}",
                row["thin"],
                "; ".join(row["kinds"]) or "none of the four",
            )
            for row in data["signoffs"]
        ]
        headings = ("Ref", "Action", "Sign-off", "Decided by", "What is thin", "Sources")
        parts = [_listed(session, "Sign-offs on thin evidence", headings, rows)]
        if data["taken_over"]:
            counted = _count(data["taken_over"], "rating", "ratings")
            verb = "was" if data["taken_over"] == 1 else "were"
            parts.append(
                f"{counted} of complete activity or evidenced impact {verb} taken over from a "
                "document: no evidence for that stands in this ledger."
            )
        _answer(session, record, data, parts)


@review.command()
@click.option(
    "--on",
    "--as-at",
    "--as-of",
    "on",
    metavar="DATE",
    type=Day(),
    help="On this day. Default: today.",
)
@known_at_option
@plan_option
@pass_session
def authority(session: Session, on: date | None, known_at: Known, plan: str | None) -> None:
    """Show who had authority for what on a date.

    Example: govledger review authority --on 2025-10-16
    """
    from projections.review import authority as empowered

    def named(people: list[dict[str, Any]], *, votes: bool = False) -> str:
        return "; ".join(
            f"{p['printed']} ({p['seat']}{', NO KEY' if votes and not p['key'] else ''})"
            for p in people
        )

    with _asked(session, on, known_at, plan) as record:
        data = empowered(record)
        parts = [f"Authority on {day(data['on'])}"]
        for row in data["powers"]:
            lines = [f"To {row['words']}: {row['name'] or 'no body of the plan'}"]
            voting = named(row["may_vote"], votes=True) or "nobody"
            if row["name"] and row["quorum"] is None:
                lines.append(f"  Any one of them: {voting}")
            elif row["name"]:
                lines.append(f"  May vote (quorum {row['quorum']}): {voting}")
                lines.append(f"  May record: {named(row['may_record']) or 'nobody'}")
                if not row["can_be_quorate"]:
                    lines.append("  It has fewer voting members than its quorum.")
            parts.append("\n".join(lines))
        ladder = [
            (row["rung"] or "outside", row["name"], named(row["seats"]) or "nobody")
            for row in data["ladder"]
        ]
        headings = ("Rung", "Body", "May raise and answer")
        parts.append(_listed(session, "Escalations go up this ladder", headings, ladder))
        parts.append(f"Administrators: {', '.join(data['administrators']) or 'nobody'}")
        _answer(session, record, data, parts)


@review.command()
@moment_options
@pass_session
def reopened(session: Session, as_at: date | None, known_at: Known, plan: str | None) -> None:
    """Show decisions that are open again as their support fell away.

    A membership that was wrong, a key that was withdrawn earlier: what rested on it was voided
    with it.

    Example: govledger review reopened
    """
    from projections.review_reopened import reopened as open_again

    with _asked(session, as_at, known_at, plan) as record:
        found = open_again(record)
        rows = [
            (
                row["position"],
                row["ref"],
                row["what"],
                row["effective_on"],
                f"entry {row['void']['position']}: {row['void']['reason'] or 'no reason recorded'}",
                f"{row['cause']['by']}, {row['cause']['recorded_at'][:10]}: {row['cause']['what']}",
                row["now"],
            )
            for row in found
        ]
        headings = ("Entry", "Ref", "What", "Effective", "Voided", "After", "Now")
        data = {"decisions": found}
        _answer(session, record, data, [_listed(session, "Decisions re-opened", headings, rows)])


@review.command()
@moment_options
@pass_session
def stale(session: Session, as_at: date | None, known_at: Known, plan: str | None) -> None:
    """Show sign-offs given for what has changed since.

    Example: govledger review stale
    """
    from projections.review import stale as outdated

    with _asked(session, as_at, known_at, plan) as record:
        found = outdated(record)
        parts = [f"Stale sign-offs ({len(found)})" if found else "Stale sign-offs: none"]
        parts += [
            "\n".join([f"{row['ref']}  {row['title']}: {row['rating']}", *signoff_words(row)])
            for row in found
        ]
        _answer(session, record, {"signoffs": found}, parts)
