"""Escalations and proposed amendments as people read them: in lists, and each with its path."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from domain import escalation as e
from domain.action import Action, shown_rating
from domain.amendment import Amendment, AmendmentProposed
from domain.body import Body
from domain.dates import write_instant
from domain.errors import Refusal
from domain.escalation import Escalation
from domain.event import EntryVoided
from domain.scale import folded
from domain.timeline import action_stream, stream_of
from ledger.entry import Entry
from ledger.reading import begins_with
from ledger.service import Ledger
from ledger.store import Moment
from ledger.tables import entries
from projections.assertions import voids
from projections.state import PlanState
from projections.wording import decision_data, describe, proposal

STEPS: dict[type, str] = {
    e.EscalationRaised: "raised",
    e.EscalationReferred: "referred",
    e.EscalationResponded: "responded",
    e.EscalationResolved: "resolved",
    e.EscalationWithdrawn: "withdrawn",
}


def escalations(
    ledger: Ledger, connection: Connection, state: PlanState, moment: Moment
) -> list[dict[str, Any]]:
    """Every escalation with its path: the most overdue first, then by the day it is needed by.

    What is closed comes last, the latest first.
    """
    paths = _paths(ledger, connection, state, "escalation", moment)
    sheets = [
        _escalation(found, paths[number], state, moment.as_at)
        for number, found in state.escalations.items()
    ]
    sheets.reverse()
    return sorted(sheets, key=lambda s: (s["status"] != "open", _needed(s)))


def closed_escalations(
    ledger: Ledger, connection: Connection, state: PlanState, moment: Moment, ref: str
) -> list[dict[str, Any]]:
    """The resolved and withdrawn escalations on an action, in the order of their numbers."""
    on = {n: e for n, e in state.escalations.items() if e.status != "open" and ref in e.refs}
    paths = _paths(ledger, connection, state, "escalation", moment) if on else {}
    sheets = [_escalation(found, paths[n], state, moment.as_at) for n, found in on.items()]
    return [
        {
            **{name: sheet[name] for name in ("escalation", "issue", "status", "closed_on")},
            "raised_by": sheet["raised_by"]["name"],
            "at": sheet["with"]["name"],
            "outcome": sheet["outcome"],
            "reason": sheet["path"][-1]["reason"],
        }
        for sheet in sheets
    ]


def _needed(sheet: dict[str, Any]) -> str:
    return str(sheet["needed_by"]) if sheet["status"] == "open" else ""


def _escalation(found: Escalation, path: list[Entry], state: PlanState, at: date) -> dict[str, Any]:
    overdue = found.overdue(at)
    steps = _escalation_steps(path, state)
    return {
        "escalation": found.escalation,
        "issue": found.issue,
        "actions": [
            {"ref": ref, "title": state.actions[ref].title if ref in state.actions else None}
            for ref in found.refs
        ],
        "status": found.status,
        "overdue": overdue,
        "days_overdue": (at - found.needed_by).days if overdue else 0,
        "needed_by": found.needed_by.isoformat(),
        "raised_by": _body(state, found.raised_by),
        "raised_on": steps[0]["effective_on"],
        "with": _body(state, found.at),
        "referred_by": _body(state, found.referred_by) if found.referred_by else None,
        "response": found.response,
        "outcome": found.outcome,
        "closed_on": steps[-1]["effective_on"] if found.status != "open" else None,
        "path": steps,
    }


def _escalation_steps(path: list[Entry], state: PlanState) -> list[dict[str, Any]]:
    """What happened to it in order: each step with the body that took it, and the person.

    What a body outside the ladder answers is recorded `through` the body that passed it on.
    """
    steps = []
    before: Escalation | None = None
    for entry in path:
        event: Any = entry.event
        body = getattr(event, "raised_by", None) or getattr(event, "referred_by", None)
        through = None
        if body is None and before is not None:
            withdrawn = isinstance(event, e.EscalationWithdrawn)
            body = before.raised_by if withdrawn else before.at
            if not withdrawn and _body(state, body)["outside"]:
                through = before.referred_by or before.raised_by
        to, needed_by = getattr(event, "at", None), getattr(event, "needed_by", None)
        texts = (getattr(event, name, None) for name in ("issue", "response", "outcome"))
        steps.append(
            {
                "step": STEPS[type(event)],
                "body": _body(state, body) if body else None,
                "through": _body(state, through) if through else None,
                "to": _body(state, to) if to else None,
                "needed_by": needed_by.isoformat() if needed_by else None,
                "text": next((text for text in texts if text is not None), None),
                **_provenance(entry, event.person, state),
            }
        )
        before = e.evolve(before, event)
    return steps


def amendments(
    ledger: Ledger, connection: Connection, state: PlanState, moment: Moment
) -> list[dict[str, Any]]:
    """Every proposed amendment: those that wait for a decision first, then the latest first."""
    paths = _paths(ledger, connection, state, "amendment", moment)
    sheets = [
        _amendment(ledger, connection, found, paths[number], state)
        for number, found in state.amendments.items()
    ]
    waiting = [sheet for sheet in sheets if sheet["status"] == "proposed"]
    return [*waiting, *reversed([sheet for sheet in sheets if sheet not in waiting])]


def _amendment(
    ledger: Ledger, connection: Connection, found: Amendment, path: list[Entry], state: PlanState
) -> dict[str, Any]:
    action = state.actions.get(found.ref)
    decided = None
    for entry in path:
        event: Any = entry.event
        if isinstance(event, AmendmentProposed):
            proposed = _provenance(entry, event.person, state)
        else:
            decided = {
                "body": _body(state, event.body),
                **_provenance(entry, event.recorder, state),
                "change": _change(ledger, connection, entry, state),
            }
    return {
        "amendment": found.amendment,
        "kind": found.kind,
        "ref": found.ref,
        "title": action.title if action else None,
        "what": proposal(found),
        # Once it is decided, how things stand says nothing of what it changed.
        "present": _present(found, action, state) if action and decided is None else None,
        "milestone": found.milestone,
        "timescale": found.timescale,
        "wording": found.title,
        "section": found.section,
        "owners": found.owners,
        "replaced_by": found.replaced_by,
        "status": found.status,
        "proposed": proposed,
        "decided": decided,
    }


def _present(found: Amendment, action: Action, state: PlanState) -> str | None:
    """How what it would change stands now."""
    if found.kind == "timescale":
        milestone = action.milestones.get(found.milestone) if found.milestone else None
        due = milestone.timescale if milestone else action.timescale
        return due.written if due else None
    if found.kind == "reword":
        return action.title
    if found.kind == "owner":
        return action.owners
    return shown_rating(action, state.plan.scale)


def _change(
    ledger: Ledger, connection: Connection, agreed: Entry, state: PlanState
) -> dict[str, Any] | None:
    """What an agreement changed: the entry beside it; None where it declined."""
    beside = agreed.position + 1
    stored = ledger.recorder.at_positions(connection, [beside]).get(beside)
    if getattr(agreed.event, "status", "") != "agreed" or stored is None:
        return None
    change = ledger.mapper.to_domain_event(stored)
    if not change.stream_id.startswith(action_stream(state.plan.code, "")):
        return None
    return {
        "position": beside,
        "what": describe(change.event, state.plan),
        "reason": change.note.reason,
    }


# --- what both share --------------------------------------------------------------------


def find(sheets: list[dict[str, Any]], kind: str, word: str, moment: Moment) -> dict[str, Any]:
    """The sheet with that number, in any case.

    Args:
        kind: 'escalation' or 'amendment'.

    Raises:
        Refusal: unknown-escalation, unknown-amendment.
    """
    for sheet in sheets:
        if sheet[kind] == word.strip().upper():
            return sheet
    noun = "escalate" if kind == "escalation" else "amend"
    raise Refusal(
        f"unknown-{kind}",
        f"The plan has no {kind} '{word}' on {moment.as_at}, as known after entry "
        f"{moment.position}.",
        f"See them with: govledger {noun} list",
    )


def body_named(state: PlanState, word: str) -> Body:
    """The body with that code or name, in any case.

    Raises:
        Refusal: unknown-body.
    """
    for body in state.bodies.values():
        if folded(word) in (folded(body.code), folded(body.name)):
            return body
    known = ", ".join(str(body) for body in state.bodies.values()) or "none yet"
    raise Refusal("unknown-body", f"The plan has no body '{word}'.", f"Bodies: {known}.")


def _paths(
    ledger: Ledger, connection: Connection, state: PlanState, kind: str, moment: Moment
) -> Mapping[str, list[Entry]]:
    """The entries of each stream of a kind that count at the moment, in order of the fold."""
    prefix = stream_of(kind, state.plan.code, "")
    voided = select(voids.c.position).where(voids.c.voided_by <= moment.position)
    query = select(entries.c.position).where(
        begins_with(entries.c.stream_id, prefix),
        entries.c.position <= moment.position,
        entries.c.effective_on <= moment.as_at.isoformat(),
        entries.c.type != EntryVoided.tag,
        entries.c.position.not_in(voided),
    )
    found = ledger.recorder.at_positions(connection, connection.execute(query).scalars())
    paths: dict[str, list[Entry]] = {}
    for entry in sorted(
        (ledger.mapper.to_domain_event(stored) for stored in found.values()),
        key=lambda entry: (entry.effective_on, entry.position),
    ):
        paths.setdefault(entry.stream_id.removeprefix(prefix), []).append(entry)
    return paths


def _body(state: PlanState, code: str) -> dict[str, Any]:
    body = state.bodies.get(code)
    if body is None:  # its establishment was voided since
        return {"code": code, "name": code, "rung": None, "outside": False}
    return {"code": code, "name": body.name, "rung": body.rung, "outside": body.outside}


def _provenance(entry: Entry, code: str, state: PlanState) -> dict[str, Any]:
    person = state.people.get(code)
    return {
        "position": entry.position,
        "effective_on": entry.effective_on.isoformat(),
        "recorded_at": write_instant(entry.recorded_at) if entry.recorded_at else None,
        "recorded_by": entry.note.recorded_by,
        "person": {
            "code": code,
            "name": person.name if person else code,
            "role": person.role if person else None,
        },
        "reason": entry.note.reason,
        "decided_by": decision_data(entry.note.decided_by),
    }
