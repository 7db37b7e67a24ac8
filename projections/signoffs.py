"""Sign-offs: what stands, what waits for whose vote, and the whole story of each.

Answers are data, the same for words and for JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from domain.action import SIGN_OFF, Action, ActionRated, shown_rating
from domain.action import objection as objection_to
from domain.authority import check
from domain.body import Body, Meeting
from domain.content import changed_since, claims_in, evidence_for, in_doubt, is_stale, shown
from domain.dates import end_of_day, write_instant
from domain.errors import OBJECTIONS
from domain.event import EntryVoided, Event
from domain.scale import CLOSED, UNDER_REVIEW
from domain.scene import Scene
from domain.signoff import (
    MEANINGS,
    PHASES,
    SignOff,
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffVoted,
    is_granted,
)
from domain.timeline import PENDING, action_stream
from ledger.entry import Entry
from projections.boards import evidence_lines
from projections.overview import in_plan_order
from projections.record import Kept, Record
from projections.state import PlanState

TAKEN_OVER = "taken over"
"""The status of a phase on which the rating rests although nobody signed it off here."""


# --- what stands ------------------------------------------------------------------------


def lines(record: Record) -> list[dict[str, Any]]:
    """A line for each phase of each action that was recommended, or whose rating says it is met."""
    state = record.state
    wanted = [
        (action, phase, *_status(state, action, phase))
        for action in in_plan_order(state)
        for phase in PHASES
    ]
    set_by = record.at(position for *_rest, position in wanted if position)
    entries = {entry.position: entry for entry in set_by}
    return [
        _line(record, action, phase, status, entries.get(position))
        for action, phase, status, position in wanted
        if status
    ]


def _status(state: PlanState, action: Action, phase: int) -> tuple[str, int]:
    """How a phase stands, and the entry that made it so."""
    found = action.signoffs.get(phase, SignOff(phase))
    if found.status not in ("recommended", "granted") and is_granted(
        action, phase, state.plan.scale
    ):
        return TAKEN_OVER, state.setter(action.ref, "rating")
    return found.status, state.setter(action.ref, "status", f"phase/{phase}")


def _line(
    record: Record, action: Action, phase: int, status: str, entry: Entry | None
) -> dict[str, Any]:
    found = action.signoffs.get(phase, SignOff(phase))
    able = deciding(record.state, phase)
    code = found.body if status in ("granted", "declined", "revoked") else None
    if code is None and able and status != TAKEN_OVER:
        code = max(able, key=lambda body: len(found.votes("approve", body.code))).code
    body = record.state.bodies.get(code or "")
    quorum = body.quorum if body else None
    if entry is not None and isinstance(entry.event, SignOffGranted):
        quorum = entry.event.quorum
    changed = (
        changed_since(action, phase, record.state.plan.scale)
        if status == "recommended" or is_stale(action, phase, record.state.plan.scale)
        else []
    )
    decision = entry.note.decided_by if entry else None
    return {
        "ref": action.ref,
        "title": action.title,
        "rating": shown_rating(action, record.state.plan.scale),
        "phase": phase,
        "means": PHASES[phase],
        "status": status or None,
        "since": entry.effective_on.isoformat() if entry else None,
        "entry": entry.position if entry else None,
        "reason": entry.note.reason if entry and status != TAKEN_OVER else None,
        "taken_over_from": _document(record, action) if status == TAKEN_OVER else None,
        "body": code,
        "body_name": record.body(code) or None,
        "meeting": decision.meeting.isoformat() if decision else None,
        "minute": decision.minute if decision else None,
        "lead": found.lead,
        "recommended_by": found.recommended_by,
        "approvals": found.votes("approve", code or ""),
        "against": found.votes("decline", code or ""),
        "quorum": quorum,
        "stale": is_stale(action, phase, record.state.plan.scale),
        "in_doubt": in_doubt(action, phase, record.state.plan.scale),
        "confirmed_by": found.confirming(shown(action, phase, record.state.plan.scale)),
        "changed": [{"what": what, "then": then, "now": now} for what, then, now in changed],
    }


def _document(record: Record, action: Action) -> str | None:
    """The document that the action's rating was taken over from last."""
    stream = action_stream(record.code, action.ref)
    sources = [kept.entry.note.source for kept in record.kept(ActionRated, stream=stream)]
    return next((source for source in reversed(sources) if source), None)


def deciding(state: PlanState, phase: int) -> list[Body]:
    """The bodies that may decide sign-offs of that phase."""
    return [body for body in state.bodies.values() if f"phase_{phase}" in body.powers]


# --- what waits for whom ----------------------------------------------------------------


def waiting(record: Record, line: dict[str, Any]) -> dict[str, Any]:
    """The line of a recommendation that waits, with the members who can vote and who cannot.

    `judged_at` is the meeting as of which that is said, see `obstacle`; None for one to come.
    """
    waits_for, barred, judged_at = [], [], None
    standing = record.state.actions[line["ref"]].standing
    undecidable = UNDECIDABLE.get(standing)
    for body in deciding(record.state, line["phase"]):
        if body.code != line["body"]:
            continue
        met = _met_since(record, line, body)
        judged_at = met.isoformat() if met else None
        for person in body.voting(record.moment.as_at):
            why = obstacle(record, line, person)
            who = {"person": person, "name": record.who(person)}
            if why is None:
                waits_for.append(who)
            elif person not in (*line["approvals"], *line["against"]):
                barred.append({**who, "rule": why[0], "because": why[1]})
    ready = line["quorum"] is not None and len(line["approvals"]) >= line["quorum"]
    return {
        **line,
        "ready": ready and not line["changed"] and not line["in_doubt"] and undecidable is None,
        "undecidable": undecidable,
        "waits_for": waits_for,
        "barred": barred,
        "judged_at": judged_at,
    }


UNDECIDABLE = {CLOSED: "the action is closed", UNDER_REVIEW: "the action is under review"}
"""Why nothing can be decided on an action, by how it stands."""


def _met_since(record: Record, line: dict[str, Any], body: Body) -> date | None:
    """The latest meeting of the body since it was recommended; None where there was none."""
    since, today = date.fromisoformat(line["since"]), record.moment.as_at
    return max((day for day in body.meetings if since <= day <= today), default=None)


def obstacle(record: Record, line: dict[str, Any], person: str) -> tuple[str, str] | None:
    """What keeps the person from voting on what waits: (rule, sentence); None where nothing.

    The law is asked as of the latest meeting since it was recommended, or of one today where there
    was none: first as if the person were there, so that what would keep them out of any meeting
    is what is said.
    """
    state, phase, today = record.state, line["phase"], record.moment.as_at
    able = deciding(state, phase)
    mine = [body for body in able if body.seat(person, today)]
    action = state.actions[line["ref"]]
    if not able:
        return "no-power", f"No body of the plan may decide sign-offs of phase {phase}"
    if line["changed"]:
        return "changed-since", "It has changed since it was recommended"
    if line["in_doubt"]:
        return "cannot-be-read", "A part of what is to be signed is not held any more"
    body = (mine or able)[0]
    met = _met_since(record, line, body)
    meeting = met or today
    there = {**body.meetings, meeting: Meeting(meeting, (person,))}
    vote = SignOffVoted(
        phase=phase,
        person=person,
        round=action.signoffs[phase].round,
        body=body.code,
        meeting=meeting,
        vote="approve",
        signed_at=end_of_day(meeting),
        statement="",
        signature="",
    )
    found = objection_to(action, vote, state.plan.scale)
    if found:
        return found
    for one in (replace(body, meetings=there), *([body] if met else [])):
        try:
            check(_StateScene(record, meeting, one), action, vote, (today, PENDING))
        except OBJECTIONS as error:
            return error.rule, error.message.rstrip(".")
    return None


class _StateScene(Scene):
    """A plan that was read, as a decision would look at it; its states are of one moment."""

    def __init__(self, record: Record, day: date, body: Body) -> None:
        state = record.state
        self.ledger_id = self.who = ""
        self.code, self.day, self.opened_by = record.code, day, record.opened_by
        self._states: Mapping[str, Mapping[str, Any]] = {
            "plan": {"": state.plan},
            "action": state.actions,
            "person": state.people,
            "body": {**state.bodies, body.code: body},
        }

    def look(self, kind: str, key: str, day: date) -> Any:
        """The state, whatever the day."""
        del day
        return self._states.get(kind, {}).get(key)

    def look_by(self, kind: str, key: str, day: date, position: int) -> Any:
        """The state, whatever the day and the position."""
        del position
        return self.look(kind, key, day)

    def keys(self, kind: str) -> Sequence[str]:
        """The keys of what had begun."""
        return list(self._states.get(kind, {}))

    def events(self, kind: str, key: str) -> Sequence[Event]:
        """None: only states were read."""
        del kind, key
        return ()

    def ever(self, kind: str, key: str) -> Sequence[Event]:
        """None: only states were read."""
        return self.events(kind, key)

    def on(self, day: date) -> "_StateScene":
        """The same: only one moment was read."""
        del day
        return self


# --- the story of one -------------------------------------------------------------------


def sheet(record: Record, action: Action, phase: int) -> dict[str, Any]:
    """One phase of an action's sign-off: how it stands, and everything that led there."""
    status, position = _status(record.state, action, phase)
    entry = record.at([position])[0] if position and status else None
    stream = action_stream(record.code, action.ref)
    kept = [k for k in record.kept(*SIGN_OFF, stream=stream, voided=True) if k.event.phase == phase]
    void = record.at(k.voided_by for k in kept if k.voided_by)
    why = {entry.position: entry.note.reason for entry in void}
    numbers = {item.evidence for item in evidence_for(action, phase)}
    live = [k for k in kept if not k.voided_by]
    begins = [i for i, k in enumerate(live) if isinstance(k.event, SignOffRecommended)]
    present = live[begins[-1] :] if begins else []  # what was said on the last recommendation
    decided = [k for k in kept if isinstance(k.event, SignOffGranted | SignOffDeclined)]
    last = max(decided, key=lambda k: k.entry.position, default=None)
    fell = next((e for e in void if last and e.position == last.voided_by), None)
    again = fell and present and present[0].entry.position > fell.position
    return {
        **_line(record, action, phase, status, entry),
        "reopened_by": _cause(fell) if fell and not again else None,
        "moves_to": _label(record, phase),
        "recommendation": _recommendation(record, present[0]) if present else None,
        "evidence": [e for e in evidence_lines(record.state, action) if e["evidence"] in numbers],
        "signed": [
            {
                **_signed(k),
                "counts": k in present,
                "voided_by": k.voided_by,
                "void_reason": why.get(k.voided_by or 0),
            }
            for k in kept
            if isinstance(k.event, SignOffVoted | SignOffConfirmed)
        ],
        "history": [
            {
                "entry": k.entry.position,
                "on": k.entry.effective_on.isoformat(),
                "what": record.what(k),
                "minute": k.entry.note.decided_by.minute if k.entry.note.decided_by else None,
                "reason": k.entry.note.reason,
                "voided_by": k.voided_by,
                "void_reason": why.get(k.voided_by or 0),
            }
            for k in kept
        ],
    }


def _cause(void: Entry) -> int | None:
    """The entry that took away the support of what was voided; None where somebody voided it."""
    event = void.event
    before = event.cause_before if isinstance(event, EntryVoided) else None
    return void.position - before if before else None


def _label(record: Record, phase: int) -> str | None:
    """The rating that the action has once the phase is granted."""
    step = record.state.plan.scale.with_meaning(MEANINGS[phase])
    return step.label if step else None


def _recommendation(record: Record, kept: Kept) -> dict[str, Any]:
    event = kept.event
    return {
        "entry": kept.entry.position,
        "on": kept.entry.effective_on.isoformat(),
        "round": event.round,
        "person": event.recommended_by,
        "name": record.printed(event.recommended_by),
        "lead": event.lead,
        "lead_name": record.body(event.lead),
        "reason": kept.entry.note.reason,
    }


def _signed(kept: Kept) -> dict[str, Any]:
    """A vote or a confirmation, with the person as printed in what they signed.

    `statement` is None, or what stands in its place where it is not held any more.
    """
    event = kept.event
    printed = claims_in(event.statement)
    gone = event.statement if "statement" in kept.entry.withheld else None
    return {
        "entry": kept.entry.position,
        "decision": event.vote if isinstance(event, SignOffVoted) else "confirm",
        "person": event.person,
        "name": printed.get("Name", event.person),
        "role": printed.get("Role"),
        "seat": printed.get("Seat"),
        "statement": gone,
        "body": event.body,
        "meeting": event.meeting.isoformat(),
        "signed_at": write_instant(event.signed_at),
        "reason": kept.entry.note.reason,
    }
