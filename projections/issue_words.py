"""Escalations and proposed amendments in words: made from what `projections.issues` answers."""

from collections.abc import Sequence
from datetime import date
from typing import Any

Sheet = dict[str, Any]
"""An escalation or an amendment, or a step of one, as `projections.issues` gives it."""

ESCALATION_HEADINGS = ("No", "Standing", "Actions", "Issue", "With", "Needed by")
STEP_HEADINGS = ("When", "What", "Body", "Recorded by", "Entry")
AMENDMENT_HEADINGS = ("No", "Standing", "What", "Proposed")


def _day(written: str) -> str:
    found = date.fromisoformat(written)
    return f"{found.day} {found:%B %Y}"


def _body(body: Sheet) -> str:
    outside = ", outside the ladder" if body["outside"] else ""
    return f"{body['name']} ({body['code']}){outside}"


def _person(step: Sheet) -> str:
    return f"{step['person']['name']} ({step['person']['code']})"


# --- escalations ------------------------------------------------------------------------


def escalation_standing(sheet: Sheet) -> str:
    """How an escalation stands: open, OVERDUE by so many days, or closed."""
    days = sheet["days_overdue"]
    if days:
        return f"OVERDUE by {days} day{'s' if days > 1 else ''}"
    closed = f" on {_day(sheet['closed_on'])}" if sheet["closed_on"] else ""
    return f"{sheet['status']}{closed}"


def escalation_row(sheet: Sheet) -> Sequence[Any]:
    """An escalation on a line of the list."""
    return (
        sheet["escalation"],
        escalation_standing(sheet),
        ", ".join(action["ref"] for action in sheet["actions"]),
        sheet["issue"],
        _body(sheet["with"]),
        _day(sheet["needed_by"]),
    )


def escalation_lines(sheet: Sheet) -> list[str]:
    """An escalation by itself, but for its path."""
    on = [f"{a['ref']}  {a['title'] or 'not in the plan'}" for a in sheet["actions"]]
    by = sheet["referred_by"]
    passed_on = f"; passed on by {_body(by)}" if by else ""
    last = "With       " if sheet["status"] == "open" else "Last with  "
    return [
        f"{sheet['escalation']}  {sheet['issue']}",
        f"  Standing   {escalation_standing(sheet)}",
        "  On         " + "\n             ".join(on),
        f"  Raised by  {_body(sheet['raised_by'])}",
        f"  {last}{_body(sheet['with'])}{passed_on}",
        f"  Needed by  {_day(sheet['needed_by'])}",
    ]


def escalation_step_row(step: Sheet) -> Sequence[Any]:
    """A step of an escalation's path."""
    to = f" to {_body(step['to'])}, needed by {_day(step['needed_by'])}" if step["to"] else ""
    text = f": {step['text']}" if step["text"] and step["step"] != "raised" else ""
    why = f" ({step['reason']})" if step["reason"] else ""
    through = step["through"]
    body = _body(step["body"]) if step["body"] else ""
    if through:
        body = f"by {through['name']}, for {step['body']['name']}"
    return (
        _day(step["effective_on"]),
        f"{step['step']}{to}{text}{why}",
        body,
        _person(step),
        step["position"],
    )


# --- amendments -------------------------------------------------------------------------


def amendment_standing(sheet: Sheet) -> str:
    """How an amendment stands: waiting, or decided by whom and where."""
    if sheet["decided"] is None:
        return "waits for a decision"
    by = sheet["decided"]["decided_by"]
    return f"{sheet['status']} by {by['body']}, {_day(by['meeting'])}, minute {by['minute']}"


def amendment_row(sheet: Sheet) -> Sequence[Any]:
    """An amendment on a line of the list."""
    proposed = _step(sheet["proposed"])
    return sheet["amendment"], amendment_standing(sheet), sheet["what"], proposed


def amendment_lines(sheet: Sheet) -> list[str]:
    """An amendment by itself: what, by whom, why, and what was decided of it."""
    proposed, decided = sheet["proposed"], sheet["decided"]
    lines = [
        f"{sheet['amendment']}  {sheet['what']}",
        f"  Action     {sheet['ref']}  {sheet['title'] or 'not in the plan'}",
        *([f"  At present {sheet['present']}"] if sheet["present"] else []),
        f"  Proposed   {_step(proposed)}",
        f"  Reason     {proposed['reason']}",
        f"  Standing   {amendment_standing(sheet)}",
    ]
    if decided:
        lines.append(f"  Recorded   {_step(decided)}")
        if decided["reason"]:
            lines.append(f"  Because    {decided['reason']}")
        if decided["change"]:
            change = decided["change"]
            lines.append(f"  Change     {change['what']} (entry {change['position']})")
    return lines


def _step(step: Sheet) -> str:
    return f"{_day(step['effective_on'])} by {_person(step)}, entry {step['position']}"
