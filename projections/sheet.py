"""Appendix 2: everything that the plan says of an action."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_

from domain.action import Action
from domain.content import changed_since, in_doubt, is_stale
from domain.evidence import KINDS
from domain.scale import CLOSED, NOT_RATED, STANDING_LABELS
from domain.text import WITHOUT_TEXT, withheld_as
from domain.timeline import action_stream
from ledger.reading import bases
from ledger.store import Moment
from ledger.tables import texts
from projections.assertions import assertions, slots
from projections.changes import FIRST_SAID, asserted
from projections.overview import action_line
from projections.record import in_words
from projections.state import PlanState
from projections.wording import fields, proposal


@dataclass(frozen=True)
class Agreed:
    """How a timescale came to be what it is: its wordings, and how often it was revised."""

    first: str
    previous: str | None
    times: int

    def data(self) -> dict[str, Any]:
        """As answered."""
        return {
            "first_agreed": self.first,
            "previous_timescale": self.previous,
            "times_revised": self.times,
        }


NEVER_AGREED = {"first_agreed": None, "previous_timescale": None, "times_revised": 0}
"""Answered where there is no timescale."""


def agreed_timescales(
    connection: Connection, code: str, moment: Moment, ref: str | None = None
) -> dict[tuple[str, int | None], Agreed]:
    """For each timescale, of an action or of a milestone (its number), how it came about.

    Args:
        ref: of one action; None for all.
    """
    query = asserted(code, moment, "timescale").add_columns(texts.c.text)
    query = query.outerjoin(
        texts, and_(texts.c.position == assertions.c.position, texts.c.field == "timescale")
    )
    if ref is not None:
        query = query.where(slots.c.stream_id == action_stream(code, ref))
    found = {}
    rows = connection.execute(query)
    for (stream, part), group in groupby(rows, key=lambda row: (row.stream_id, row.part)):
        history = list(group)
        written = [_written(connection, row) for row in history]
        milestone = int(part.partition("/")[2]) if part else None
        found[stream.split("/")[2], milestone] = Agreed(
            written[0],
            written[-2] if len(written) > 1 else None,
            sum(row.type not in FIRST_SAID for row in history),
        )
    return found


def _written(connection: Connection, row: Any) -> str:
    """A timescale as it was written, or what stands in its place."""
    if row.text is not None:
        return str(row.text)
    basis = bases(connection, [row.position]).get(row.position, {}).get("timescale")
    return WITHOUT_TEXT if basis is None else withheld_as(basis)


def action_sheet(
    state: PlanState,
    action: Action,
    as_at: date,
    timescales: Mapping[tuple[str, int | None], Agreed],
    taken_over_from: str | None = None,
) -> dict[str, Any]:
    """Appendix 2 for one action: everything that the plan says of it.

    Args:
        timescales: how those of the plan, or of this action, came about.
        taken_over_from: the document that its rating was taken over from, where it was.
    """
    plan = state.plan
    step = plan.scale.step(action.rating)
    due = action.timescale.due if action.timescale else None
    shown = fields(action, plan)
    colour = step.colour if step else None
    if action.standing in STANDING_LABELS:
        colour = "Grey" if action.standing == CLOSED else None

    def agreed(milestone: int | None) -> dict[str, Any]:
        found = timescales.get((action.ref, milestone))
        return found.data() if found else NEVER_AGREED

    return {
        **action_line(action, plan, as_at),
        "colour": colour,
        "taken_over_from": taken_over_from,
        "standing": action.standing,
        "due": due.isoformat() if due else None,
        **agreed(None),
        "owners": [role.strip() for role in (action.owners or "").split(";") if role.strip()],
        "progress": action.progress,
        "replaced_by": action.replaced_by,
        "replaces": [a.ref for a in state.actions.values() if a.replaced_by == action.ref],
        "milestones": [
            {
                "milestone": number,
                "timescale": shown[f"milestone {number} timescale"],
                "rating": shown.get(f"milestone {number} rating", NOT_RATED),
                **agreed(number),
            }
            for number in action.milestones
        ],
        "signoffs": [signoff_row(state, action, phase) for phase in sorted(action.signoffs)],
        "evidence": [
            {
                "evidence": item.evidence,
                "phase": item.phase,
                "kind": KINDS.get(item.kind, item.kind),
                "title": item.called,
                "dated": item.dated.isoformat(),
            }
            for item in action.evidence.values()
        ],
        "escalations": [
            {
                "escalation": found.escalation,
                "issue": found.issue,
                "raised_by": _name(state, found.raised_by),
                "at": _name(state, found.at),
                "needed_by": found.needed_by.isoformat(),
                "overdue": found.overdue(as_at),
            }
            for found in state.escalations.values()
            if found.status == "open" and action.ref in found.refs
        ],
        "amendments": [
            {
                "amendment": found.amendment,
                "what": proposal(found),
                "proposed_by": str(state.people.get(found.person, found.person)),
            }
            for found in state.amendments.values()
            if found.status == "proposed" and found.ref == action.ref
        ],
    }


def _name(state: PlanState, body: str | None) -> str:
    found = state.bodies.get(body or "")
    return found.name if found else body or ""


def signoff_row(state: PlanState, action: Action, phase: int) -> dict[str, Any]:
    """One phase of an action's sign-off as it stands: in words, and what has changed since."""
    found, scale = action.signoffs[phase], state.plan.scale
    words = found.status
    if found.status == "recommended":
        words += f" by {_name(state, found.lead)}, waits for a decision"
        for vote, verb in (("approve", "approved"), ("decline", "voted against")):
            ballots = [
                b for b in found.ballots.values() if (b.round, b.vote) == (found.round, vote)
            ]
            by = ", ".join(_printed(state, ballot.person) for ballot in ballots)
            words += f"; {verb} by {by}" if by else ""
    elif found.meeting:
        words += f" by {_name(state, found.body)}, {in_words(found.meeting)}"
        renewed = found.status == "granted" and found.in_effect() != found.shown
        words += ", and confirmed since" if renewed else ""
    return {
        "phase": phase,
        "status": found.status,
        "words": words,
        "body": found.body,
        "meeting": found.meeting.isoformat() if found.meeting else None,
        "stale": is_stale(action, phase, scale),
        "in_doubt": in_doubt(action, phase, scale),
        "changed": changed_rows(state, action, phase),
    }


def _printed(state: PlanState, person: str) -> str:
    found = state.people.get(person)
    return found.name if found else person


SET_BY = {"Wording": "title", "Owners": "owners", "Timescale": "timescale"}


def changed_rows(state: PlanState, action: Action, phase: int) -> list[dict[str, Any]]:
    """What of a stale sign-off reads otherwise now, and the entry that changed it last."""
    if not is_stale(action, phase, state.plan.scale):
        return []
    rows = []
    for what, then, now in changed_since(action, phase, state.plan.scale):
        word, _, number = what.partition(" ")
        if word in ("Milestone", "Evidence"):
            part = f"{word.lower()}/{number}"
            names: tuple[str, ...] = ("timescale", "rating", word.lower())
        else:
            part, names = "", (SET_BY.get(word, word.lower()),)
        position = max(state.setter(action.ref, name, part) for name in names)
        rows.append({"what": what, "then": then, "now": now, "position": position or None})
    return rows
