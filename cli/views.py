"""The plan as committees read it: overview, plan, and what was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Any

import click

from cli.options import Day, moment_options
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.session import Question, Session, pass_session

Known = date | datetime | int | None


@click.command()
@click.option("--summary", "brief", is_flag=True, help="The counts only, not the actions.")
@moment_options
@pass_session
def overview(
    session: Session, brief: bool, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show the rating overview (Appendix 1).

    Example: govledger overview --as-at 2025-09-30
    """
    from domain.scale import NOT_RATED
    from projections.overview import overview as make_overview
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        data = make_overview(state, asked.moment.as_at)
        if brief:
            del data["actions"]
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        summary = data["summary"]
        counts = [(label, n) for label, n in summary["by_rating"].items() if n]
        percent = summary["percent_complete"]
        text = [
            f"{data['title']} ({data['plan']}): {summary['total']} actions"
            + (f", {percent}% complete" if percent is not None else ""),
            "",
            table(session, ("Rating", "Actions"), counts),
            "",
        ]
        if not brief:
            headings = ("Ref", "Action", "Timescale", "Rating", "")
            text += [table(session, headings, _by_section(data)), ""]
        rated = [
            (section["key"], section["name"], section["impact"])
            for section in data["sections"]
            if section["impact"] != NOT_RATED
        ]
        if rated:
            title = "Impact against what inspectors found (a key of its own)"
            text += [table(session, ("Section", "Name", "Impact"), rows=rated, title=title), ""]
        text.append(resolved(asked.moment))
        show_text("\n".join(text))


MARKS = {"overdue": "overdue", "stale": "stale", "in_doubt": "sign-off in doubt"}
"""What is said beside an action in one line."""


def _by_section(data: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for every action, with a row of its own for each section before its actions."""
    for (chapter, section), lines in groupby(
        data["actions"], key=lambda line: (line["chapter"], line["section"])
    ):
        yield "", f"[{section}]" if section == chapter else f"[{chapter}: {section}]", "", "", ""
        for line in lines:
            marks = ", ".join(MARKS[mark] for mark in MARKS if line[mark])
            yield line["ref"], line["title"], line["timescale"], line["rating"], marks


@click.command()
@click.argument("ref", required=False)
@moment_options
@pass_session
def show(
    session: Session, ref: str | None, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show the plan, or one action of it (Appendix 2).

    Example: govledger show CLD9 --as-at 2025-09-15
    """
    from projections.issues import closed_escalations
    from projections.overview import in_plan_order
    from projections.sheet import action_sheet, agreed_timescales
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        at = asked.moment.as_at
        agreed = agreed_timescales(asked.connection, asked.code, asked.moment, ref)
        if ref is not None:
            action = asked.action(state, ref)
            source = _source_of_rating(asked, state, ref)
            data: Any = action_sheet(state, action, at, agreed, source)
            data["closed_escalations"] = closed_escalations(
                asked.ledger, asked.connection, state, asked.moment, action.ref
            )
            text = _sheet(session, data)
        else:
            sheets = [action_sheet(state, action, at, agreed) for action in in_plan_order(state)]
            data = {"plan": state.plan.code, "title": state.plan.title, "actions": sheets}
            rows = [
                (
                    s["ref"],
                    s["title"],
                    "; ".join(s["owners"]),
                    s["timescale"],
                    ", ".join([s["rating"], *(MARKS[m] for m in ("stale", "in_doubt") if s[m])]),
                )
                for s in sheets
            ]
            text = table(session, ("Ref", "Action", "Owner", "Timescale", "Rating"), rows)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
        else:
            show_text(f"{text}\n\n{resolved(asked.moment)}")


def _source_of_rating(asked: Question, state: Any, ref: str) -> str | None:
    """The document that the rating was taken over from; a board has not signed that one off."""
    from domain.timeline import action_stream
    from projections.wording import set_by

    stream = state.set_by[action_stream(asked.code, ref)]
    position = set_by("rating", state.actions[ref], stream)
    found = asked.ledger.recorder.at_positions(asked.connection, [position])
    return found[position].envelope["source"] if position else None


def _sheet(session: Session, data: dict[str, Any]) -> str:
    due = f" (due by {day(data['due'])})" if data["due"] else ""
    late = ", OVERDUE" if data["overdue"] else ""
    colour = f" ({data['colour']})" if data["colour"] else ""
    source = data["taken_over_from"]
    taken_over = f", taken over from {source}" if source else ""
    nested = data["chapter"] not in (None, data["section"])
    place = f"{data['chapter']}: {data['section']}" if nested else data["section"]
    lines = [
        f"{data['ref']}  {data['title']}",
        f"  Section    {place}",
        f"  Owner      {'; '.join(data['owners']) or 'not recorded'}",
        f"  Timescale  {data['timescale'] or 'not recorded'}{due}{late}{_revised(data)}",
        f"  Rating     {data['rating']}{colour}{taken_over}",
        # A note may have several lines; they stay in its column.
        "  Progress   " + "\n             ".join((data["progress"] or "none noted").splitlines()),
    ]
    if data["replaced_by"]:
        lines.append(f"  Replaced by {data['replaced_by']}")
    if data["replaces"]:
        lines.append(f"  Replaces   {', '.join(data['replaces'])}")
    rows: list[tuple[Any, ...]]
    if data["milestones"]:
        rows = [
            (m["milestone"], f"{m['timescale'] or ''}{_revised(m)}", m["rating"])
            for m in data["milestones"]
        ]
        lines += ["", table(session, ("Milestone", "Timescale", "Rating"), rows)]
    for signoff in data["signoffs"]:
        lines += ["", *signoff_words(signoff)]
    if data["evidence"]:
        rows = [
            (e["evidence"], f"phase {e['phase']}", e["kind"], e["title"], day(e["dated"]))
            for e in data["evidence"]
        ]
        lines += ["", table(session, ("Evidence", "For", "Kind", "Title", "Dated"), rows)]
    if data["escalations"]:
        rows = [
            (
                e["escalation"],
                e["issue"],
                f"{e['raised_by']} to {e['at']}",
                day(e["needed_by"]) + (", OVERDUE" if e["overdue"] else ""),
            )
            for e in data["escalations"]
        ]
        lines += ["", table(session, ("Escalated", "Issue", "From and to", "Needed by"), rows)]
    if data["closed_escalations"]:
        closed = [
            f"{e['escalation']} {e['status']} on {day(e['closed_on'])}: "
            f"{e['outcome'] or e['reason'] or 'no reason recorded'}"
            for e in data["closed_escalations"]
        ]
        lines += ["", *closed]
    if data["amendments"]:
        rows = [(a["amendment"], a["what"], a["proposed_by"]) for a in data["amendments"]]
        lines += ["", table(session, ("Proposed", "What", "By"), rows)]
    return "\n".join(lines)


def _revised(data: dict[str, Any]) -> str:
    """What a timescale was before, where it was revised."""
    times = data["times_revised"]
    if not times or data["first_agreed"] is None:
        return ""
    count = {1: "once", 2: "twice"}.get(times, f"{times} times")
    before = data["previous_timescale"]
    last = f", last from {before}" if before not in (None, data["first_agreed"]) else ""
    return f"; first agreed {data['first_agreed']}, revised {count}{last}"


IN_DOUBT = "IN DOUBT: a part of it is not held any more, so it cannot be compared"
"""Said of a sign-off of which nobody can tell whether it is stale."""


def signoff_words(signoff: dict[str, Any]) -> list[str]:
    """One phase of a sign-off as it stands, and what has changed since where it is stale."""
    stale = " STALE: it was given for what has changed since." if signoff["stale"] else ""
    if signoff["in_doubt"]:
        stale = f" {IN_DOUBT}."
    lines = [f"Sign-off, phase {signoff['phase']}: {signoff['words']}.{stale}"]
    for row in signoff["changed"]:
        entry = f" (entry {row['position']})" if row["position"] else ""
        lines.append(f"  {row['what']} was: {row['then']}; is now: {row['now']}{entry}")
    return lines


@click.command()
@click.option("--since", type=Day(), help="After this day. Default: the last report's as-at date.")
@moment_options
@pass_session
def changes(
    session: Session,
    since: date | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Show what was changed and why (Appendix 3).

    Example: govledger changes --since 2025-09-15 --as-at 2025-09-30
    """
    from domain.errors import BadInput
    from projections.changes import changes as make_changes

    with session.question(as_at, known_at, plan) as asked:
        if since is not None and since > asked.moment.as_at:
            raise BadInput(
                "since-after-as-at",
                f"Nothing lies after {since} and up to {asked.moment.as_at}.",
                "Give a --since that is before --as-at.",
            )
        data = make_changes(asked.ledger, asked.connection, asked.code, asked.moment, since)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        title = f"Changes after {day(data['since'])}, up to {day(data['until'])}"
        parts = [title, *_change_tables(session, data), resolved(asked.moment)]
        show_text("\n\n".join(parts))


def _change_tables(session: Session, data: dict[str, Any]) -> list[str]:
    def decided(row: dict[str, Any]) -> str:
        by, source = row["decided_by"], row.get("source")
        said = [f"{by['body']}, {day(by['meeting'])}, {by['minute']}"] if by else []
        return "; ".join([*said, *([f"taken over from {source}"] if source else [])])

    def because(row: dict[str, Any]) -> tuple[str, str]:
        return row["reason"] or "no reason recorded", decided(row)

    def name(row: dict[str, Any]) -> str:
        return f"{row['ref']} m{row['milestone']}" if row.get("milestone") else row["ref"]

    why = ("Reason", "Decided by")
    plain = ("Ref", "Action", "Timescale", *why)
    made: list[tuple[str, Any, tuple[str, ...], Callable[[dict[str, Any]], tuple[Any, ...]]]] = [
        (
            "Timescales revised",
            data["timescales_revised"],
            ("Ref", "Action", "Original", "Revised", "First agreed", "Times", *why),
            lambda r: (
                name(r),
                r["title"],
                r["original"],
                r["revised"],
                r["first_agreed"],
                r["times_revised"],
                *because(r),
            ),
        ),
    ]
    for title, key in (
        ("Delayed", "delayed"),
        ("Under review", "under_review"),
        ("Added", "added"),
        ("Closed", "closed"),
    ):
        made.append(
            (
                title,
                data[key],
                plain,
                lambda r: (r["ref"], r["title"], r["timescale"], *because(r)),
            )
        )
    for title, key in (("Reworded", "reworded"), ("Owner changed", "owner_changed")):
        made.append(
            (
                title,
                data[key],
                ("Ref", "Before", "After", *why),
                lambda r: (r["ref"], r["before"], r["after"], *because(r)),
            )
        )
    made.append(
        (
            "Corrections of periods already reported",
            data["corrections"],
            ("Entry", "Ref", "What", "Effective", *why),
            lambda r: (r["position"], r["ref"], r["what"], r["effective_on"], *because(r)),
        )
    )
    return [
        table(session, headings, [row(r) for r in rows], title=f"{title} ({len(rows)})")
        if rows
        else f"{title}: none"
        for title, rows, headings, row in made
    ]
