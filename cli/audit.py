"""Questions of a review: who changed what, when, on whose authority, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import click

from cli.options import Day, KnownAt, known_at_option, moment_options, plan_option
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.session import Session, choose_plan, pass_session
from cli.views import signoff_words

Known = date | datetime | int | None


def authority(row: dict[str, Any]) -> str:
    """On whose authority: a body's decision, or the document that it was taken over from."""
    by = row.get("decided_by")
    if by:
        return f"{by['body']}, {day(by['meeting'])}, minute {by['minute']}"
    return f"taken over from {row['source']}" if row.get("source") else ""


@click.command()
@click.argument("word", metavar="[REF]", required=False)
@click.option("--by", metavar="NAME", help="Recorded by this person.")
@click.option("--since", type=Day(), help="On this day or later.")
@click.option("--until", type=Day(), help="On this day or earlier.")
@click.option(
    "--clock",
    type=click.Choice(["recorded", "effective"]),
    default="recorded",
    help="Which clock --since and --until mean: when it was recorded, or when it became true.",
)
@click.option(
    "--type",
    "kind",
    metavar="TYPE",
    help="Of this type, such as action.rated, or of a family of types, such as signoff.",
)
@click.option("--limit", type=click.IntRange(1, 1_000_000_000), help="The latest so many.")
@known_at_option
@plan_option
@pass_session
def log(
    session: Session,
    word: str | None,
    by: str | None,
    since: date | None,
    until: date | None,
    clock: Any,
    kind: str | None,
    limit: int | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show every entry, of the plan or of one subject of it.

    REF is an action, a body or a person by code, or the number of an escalation or an amendment.
    Where two share a name the action is meant; body/iib means that body and no other.

    Example: govledger log CLD9
    """
    from domain.dates import london_day
    from projections.audit import Asked, find_stream
    from projections.audit import log as read_log

    with session.ledger() as ledger, ledger.database.reading() as connection:
        moment = ledger.moment(None, known_at)
        if moment.known_at is not None:
            # No date is asked about, so the answer must not depend on the day of asking.
            moment = replace(moment, as_at=london_day(moment.known_at))
        code = stream = None
        also: list[str] = []
        if word is not None or plan is not None:
            code = choose_plan(ledger, plan, moment.position)
        if word is not None and code is not None:
            stream, also = find_stream(connection, code, moment, word)
        asked = Asked(stream, by, since, until, clock, kind, limit)
        found = read_log(ledger, connection, code, moment, asked)
        if session.json:
            print_json(envelope(ledger, moment, {"subject": _subject(stream), "entries": found}))
            return
        rows = [
            (
                row["position"],
                row["effective_on"],
                row["subject"],
                row["what"]
                + (" [correction]" if row["correction"] else "")
                + (f" [voided by entry {row['voided_by']}]" if row["voided_by"] else ""),
                row["reason"],
                authority(row),
                f"{row['recorded_by']}, {row['recorded_at'][:16].replace('T', ' ')}",
            )
            for row in found
        ]
        headings = ("Entry", "Effective", "Ref", "What", "Reason", "Authority", "Recorded (UTC)")
        counted = "1 entry" if len(rows) == 1 else f"{len(rows)} entries"
        title = ""
        if stream is not None:
            about = _subject(stream)
            title = f"Entries on {about['kind']} {about['key']}"
            others = [_subject(other) for other in also]
            title += "".join(
                f"; for {o['kind']} {o['key']}: govledger log {o['kind']}/{o['key']}"
                for o in others
            )
            title += "\n\n"
        show_text(f"{title}{table(session, headings, rows)}\n\n{counted}. {resolved(moment)}")


def _subject(stream: str | None) -> Any:
    """The kind and the key of a stream, as answered."""
    if stream is None:
        return None
    kind, _code, key = stream.split("/")
    return {"kind": kind, "key": key}


@click.command()
@click.argument("ref")
@click.argument("field", required=False)
@moment_options
@pass_session
def why(
    session: Session,
    ref: str,
    field: str | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show which entry set each field of an action, and why.

    `why REF rating` tells the whole story of the rating: evidence, recommendation, every vote,
    the decision and its minute.

    Example: govledger why CLD9 timescale
    """
    from projections.audit import why as read_why
    from projections.record import Record
    from projections.sheet import signoff_row
    from projections.story import story

    field = field.casefold() if field else field
    with session.question(as_at, known_at, plan) as asked:
        record = Record(asked.ledger, asked.connection, asked.code, asked.moment)
        action = asked.action(record.state, ref)
        data: dict[str, Any] = {"ref": ref, "fields": read_why(record, ref, field)}
        if field == "rating":
            phases = sorted(action.signoffs)
            data["story"] = story(record, ref)
            data["signoffs"] = [signoff_row(record.state, action, phase) for phase in phases]
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        lines = [f"{ref}  {action.title}"]
        for row in data["fields"]:
            lines += ["", f"{row['field']}: {row['value'] or 'not recorded'}"]
            if row["position"]:
                lines += [
                    f"  by entry {row['position']}, effective {day(row['effective_on'])}: "
                    f"{row['what']}",
                    f"  reason: {row['reason'] or 'none recorded'}",
                    f"  authority: {authority(row) or 'none: not a decision of a body'}",
                    f"  recorded by {row['recorded_by']} at {row['recorded_at'][:16]}Z",
                ]
            if row["amendment"]:
                lines.append(_proposed(row["amendment"]))
        if field == "rating":
            lines += ["", "How it came about", *_story(data["story"])]
            for signoff in data["signoffs"]:
                lines += ["", *signoff_words(signoff)]
        show_text("\n".join(lines) + f"\n\n{resolved(asked.moment)}")


def _proposed(amendment: dict[str, Any]) -> str:
    because = f": {amendment['reason']}" if amendment["reason"] else ""
    return (
        f"  proposed by {amendment['proposed_by']} as {amendment['amendment']} (entry "
        f"{amendment['position']}) on {day(amendment['proposed_on'])}{because}"
    )


def _story(steps: list[dict[str, Any]]) -> list[str]:
    """A step on a line, its reason and authority under it."""
    lines = []
    for step in steps:
        voided = f" [voided by entry {step['voided_by']}]" if step["voided_by"] else ""
        lines.append(
            f"  {day(step['effective_on'])}, entry {step['position']}: {step['what']}{voided}"
        )
        lines.append(f"    by {step['by']}, recorded {step['recorded_at'][:16]}Z")
        if step["reason"]:
            lines.append(f"    reason: {step['reason']}")
        if step["decided_by"] or step["source"]:
            lines.append(f"    authority: {authority(step)}")
    return lines or ["  Nothing is recorded on it."]


@click.command()
@click.argument("first", metavar="D1", type=Day())
@click.argument("second", metavar="D2", type=Day())
@known_at_option
@click.option(
    "--first-known-at",
    type=KnownAt(),
    help="As D1 was known on this date, at this instant, or after entry #N. Default: --known-at.",
)
@click.option("--exit-code", is_flag=True, help="End with exit code 1 where there is a difference.")
@plan_option
@pass_session
def diff(
    session: Session,
    first: date,
    second: date,
    known_at: Known,
    first_known_at: Known,
    exit_code: bool,
    plan: str | None,
) -> None:
    """Compare the plan at two dates.

    Or one date as known at two times: give it twice, with --first-known-at.

    Example: govledger diff 2025-09-15 2025-09-30
    """
    from projections.audit import difference

    with session.question(second, known_at, plan) as asked:
        if first_known_at is None:
            first_known_at = asked.moment.position
        begin = asked.ledger.moment(first, first_known_at)
        data = difference(asked.connection, asked.code, begin, asked.moment)
        any_found = any(data.values())
        if session.json:
            both = {"first": {"as_at": first.isoformat(), "position": begin.position}, **data}
            print_json(envelope(asked.ledger, asked.moment, both))
        else:
            begun = f"First: as at {day(first)}, known at entry #{begin.position}."
            text = _difference(session, data, first, second)
            show_text(f"{text}\n\n{begun}\n{resolved(asked.moment)}")
    if exit_code and any_found:
        click.get_current_context().exit(1)


def _difference(session: Session, data: dict[str, Any], first: date, second: date) -> str:
    parts = []
    if data["changed"]:
        rows = [
            (
                row["ref"],
                row["field"],
                row["before"] or "not recorded",
                row["after"] or "not recorded",
                ", ".join(f"#{position}" for position in row["positions"]),
            )
            for row in data["changed"]
        ]
        headings = ("Ref", "Field", day(first), day(second), "Entries")
        parts.append(table(session, headings, rows, title=f"Changed ({len(rows)})"))
    for key, title in (("added", "Added"), ("removed", "Removed")):
        if data[key]:
            named = [(row["ref"], row["title"]) for row in data[key]]
            parts.append(table(session, ("Ref", "Action"), named, f"{title} ({len(named)})"))
    return "\n\n".join(parts) or "No difference."
