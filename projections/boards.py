"""Who decides, and on what: people with their keys, bodies with their members, meetings, evidence.

Answers are data, the same for a table and for JSON. Dates are days, as the ledger keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from domain.action import Action
from domain.body import NO_END, Body, MemberAppointed, MemberStoodDown
from domain.content import evidence_for
from domain.errors import BadInput, Refusal
from domain.evidence import INNER_KINDS, KINDS
from domain.person import KeyReplaced, KeyWithdrawn, Person, PersonEnrolled
from domain.scale import folded
from domain.timeline import Timeline, action_stream, stream_of
from ledger.keys import fingerprint
from ledger.service import Ledger
from ledger.store import Moment
from projections.state import PlanState

# --- finding ----------------------------------------------------------------------------


def body_named(state: PlanState, word: str) -> Body | None:
    """The body with that code or name, in any case; None where there is none."""
    if word in state.bodies:
        return state.bodies[word]
    same = (b for b in state.bodies.values() if folded(word) in (folded(b.code), folded(b.name)))
    return next(same, None)


def find_body(state: PlanState, word: str, moment: Moment) -> Body:
    """The same, where it has to be there.

    Raises:
        Refusal: unknown-body.
    """
    found = body_named(state, word)
    if found is not None:
        return found
    known = ", ".join(str(body) for body in state.bodies.values())
    raise Refusal(
        "unknown-body",
        f"The plan has no body '{word}' on {moment.as_at}, as known after entry {moment.position}.",
        f"Bodies then: {known}. For another day use --as-at."
        if known
        else "For another day use --as-at. Establish one with: govledger body establish CODE "
        "--name NAME --rung N --quorum N",
    )


def person_named(state: PlanState, word: str) -> Person | None:
    """The person with that code or name, in any case; None where there is none."""
    if word in state.people:
        return state.people[word]
    same = (p for p in state.people.values() if folded(word) in (folded(p.person), folded(p.name)))
    return next(same, None)


def find_person(state: PlanState, word: str, moment: Moment) -> Person:
    """The same, where the person has to be enrolled.

    Raises:
        Refusal: unknown-person.
    """
    found = person_named(state, word)
    if found is not None:
        return found
    known = ", ".join(str(person) for person in state.people.values())
    raise Refusal(
        "unknown-person",
        f"'{word}' is not enrolled on the plan on {moment.as_at}, as known after entry "
        f"{moment.position}.",
        f"Enrolled then: {known}. For another day use --as-at."
        if known
        else "For another day use --as-at. Enrol a person with: govledger person enrol CODE "
        "--name NAME --role ROLE --key FILE.pub",
    )


def known_line(ledger: Ledger, plan: str, kind: str, key: str, moment: Moment) -> Timeline[Any]:
    """The live events of a body or a person as known at the moment, whatever their date."""
    stream = stream_of(kind, plan, key)
    entries: Any = ledger.events.get(stream)
    return Timeline(stream, (entry for entry in entries if entry.position <= moment.position))


def _key_words(key: str) -> str | None:
    """The fingerprint of a key; None where there is none."""
    if not key:
        return None
    try:
        return fingerprint(key)
    except BadInput:
        return f"unreadable: {key[:60]}"


# --- people -----------------------------------------------------------------------------


def person_line(state: PlanState, person: Person, as_at: date, opened_by: str) -> dict[str, Any]:
    """A person in one line.

    Args:
        opened_by: who began the ledger, an administrator until something else is said.
    """
    administrator = person.administrator
    if administrator is None:
        administrator = folded(opened_by) in (folded(person.person), folded(person.name))
    seats = {body.code: body.seat(person.person, as_at) for body in state.bodies.values()}
    return {
        "person": person.person,
        "name": person.name,
        "role": person.role,
        "administrator": administrator,
        "key": _key_words(person.key),
        "seats": [{"body": body, "capacity": seat} for body, seat in seats.items() if seat],
    }


def person_sheet(
    ledger: Ledger, state: PlanState, person: Person, moment: Moment
) -> dict[str, Any]:
    """A person with every seat and every key, those of before included."""
    code, as_at = state.plan.code, moment.as_at
    opened_by = ledger.opened().note.recorded_by
    line = known_line(ledger, code, "person", person.person, moment)
    seats = []
    for body in state.bodies.values():
        if person.person in body.members:
            served = known_line(ledger, code, "body", body.code, moment)
            for term in terms_served(served, as_at)[person.person]:
                seats.append({"body": body.code, "name": body.name, **term.data(as_at)})
    sheet = person_line(state, person, as_at, opened_by)
    return {**sheet, "seats": seats, "keys": _keys(line, as_at)}


def _keys(line: Timeline[Person], as_at: date) -> list[dict[str, Any]]:
    """Every key in order: since when, and from when no longer and why."""
    keys: list[dict[str, Any]] = []
    for item in line.items():
        event = item.event
        if item.effective_on > as_at or not isinstance(
            event, PersonEnrolled | KeyReplaced | KeyWithdrawn
        ):
            continue
        if keys and keys[-1]["ended_on"] is None:
            keys[-1]["ended_on"] = item.effective_on.isoformat()
            keys[-1]["ended"] = "withdrawn" if isinstance(event, KeyWithdrawn) else "replaced"
        if event.key:
            keys.append(
                {
                    "fingerprint": _key_words(event.key),
                    "key": event.key,
                    "since": item.effective_on.isoformat(),
                    "entry": item.position,
                    "ended_on": None,
                    "ended": None,
                }
            )
    return keys


# --- bodies -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """An unbroken time in which a person sat on a body in one capacity; both days included."""

    capacity: str
    since: date
    until: date

    def data(self, as_at: date) -> dict[str, Any]:
        """As answered; `until` is None where no end is set."""
        return {
            "capacity": self.capacity,
            "since": self.since.isoformat(),
            "until": None if self.until == NO_END else self.until.isoformat(),
            "sitting": self.since <= as_at <= self.until,
        }


def terms_served(line: Timeline[Body], as_at: date) -> dict[str, list[Term]]:
    """For each person the terms on a body that have begun by the day, in order."""
    found: dict[str, list[Term]] = {}
    for item in line.items():
        event, day = item.event, item.effective_on
        if day > as_at or not isinstance(event, MemberAppointed | MemberStoodDown):
            continue
        terms = found.setdefault(event.person, [])
        before, eve = (terms[-1] if terms else None), day - timedelta(days=1)
        if before and before.until >= eve:
            if isinstance(event, MemberAppointed) and event.capacity == before.capacity:
                terms[-1] = replace(before, until=event.until)  # a renewal goes on
                continue
            terms[-1] = replace(before, until=min(before.until, eve))
            if terms[-1].until < before.since:
                terms.pop()
        if isinstance(event, MemberAppointed):
            terms.append(Term(event.capacity, day, event.until))
    return found


def body_line(body: Body, as_at: date) -> dict[str, Any]:
    """A body in one line: its place on the ladder, its terms, how many may vote."""
    voting = body.voting(as_at)
    return {
        "code": body.code,
        "name": body.name,
        "rung": body.rung or None,
        "outside": body.outside,
        "quorum": body.quorum,
        "powers": list(body.powers),
        "voting_members": len(voting),
        "can_be_quorate": len(voting) >= body.quorum,
    }


def ladder(state: PlanState, as_at: date) -> list[dict[str, Any]]:
    """Every body from the top of the ladder down, those outside it last."""
    bodies = sorted(state.bodies.values(), key=lambda body: (-body.rung, body.code))
    return [body_line(body, as_at) for body in bodies]


def body_sheet(ledger: Ledger, state: PlanState, body: Body, moment: Moment) -> dict[str, Any]:
    """A body with its members, those of before included, and its meetings."""
    as_at = moment.as_at
    line: Timeline[Body] = known_line(ledger, state.plan.code, "body", body.code, moment)
    members = [
        {"person": person, "name": _name(state, person), **term.data(as_at)}
        for person, terms in terms_served(line, as_at).items()
        for term in terms
    ]
    meetings = []
    for day in sorted(body.meetings):
        then = line.state_at(day) or body
        meetings.append({**_attendance(then, day), "minutes": body.meetings[day].minutes})
    return {**body_line(body, as_at), "members": members, "meetings": meetings}


def _name(state: PlanState, person: str) -> str | None:
    found = state.people.get(person)
    return found.name if found else None


def _attendance(body: Body, day: date) -> dict[str, Any]:
    """A meeting's numbers, on a body as it was on that day: as decisions there count them."""
    voting = len(body.present(day))
    return {
        "meeting": day.isoformat(),
        "voting_present": voting,
        "quorum": body.quorum,
        "quorate": voting >= body.quorum,
    }


def meeting_sheet(
    ledger: Ledger, state: PlanState, body: Body, day: date, moment: Moment
) -> dict[str, Any]:
    """A meeting: who was there in which seat, apologies, who was missing, interests, minutes.

    Raises:
        Refusal: no-such-meeting.
    """
    if day not in body.meetings:
        known = ", ".join(str(other) for other in sorted(body.meetings)[-5:]) or "none yet"
        raise Refusal(
            "no-such-meeting",
            f"No meeting of {body} on {day} is recorded, as at {moment.as_at} and known after "
            f"entry {moment.position}.",
            f"Meetings: {known}. Record it with: govledger meeting record {body.code} {day} "
            "--present CODES",
        )
    line: Timeline[Body] = known_line(ledger, state.plan.code, "body", body.code, moment)
    then = line.state_at(day) or body
    meeting = body.meetings[day]

    def seated(person: str) -> dict[str, Any]:
        return {"person": person, "name": _name(state, person), "seat": then.seat(person, day)}

    heard = {*meeting.present, *meeting.apologies}
    setters = state.set_by.get(line.stream_id, {})
    declared = sorted((person, item) for on, person, item in body.interests if on == day)
    entries = [
        setters.get((f"meeting/{day}/person/{person}/item/{item}", "item"), 0)
        for person, item in declared
    ]
    return {
        "body": body.code,
        "name": body.name,
        **_attendance(then, day),
        "present": [seated(person) for person in meeting.present],
        "apologies": [seated(person) for person in meeting.apologies],
        "not_heard_of": [
            seated(person)
            for person in then.members
            if then.seat(person, day) and person not in heard
        ],
        "interests": [
            {
                "person": person,
                "name": _name(state, person),
                "item": item,
                "reason": ledger.entry_at(entry).note.reason if entry else None,
                "entry": entry or None,
            }
            for (person, item), entry in zip(declared, entries, strict=True)
        ],
        "minutes": meeting.minutes,
    }


# --- evidence ---------------------------------------------------------------------------


def evidence_lines(state: PlanState, action: Action) -> list[dict[str, Any]]:
    """Every item of evidence of an action, with the entry that lodged it."""
    setters: Mapping[tuple[str, str], int] = state.set_by.get(
        action_stream(state.plan.code, action.ref), {}
    )
    return [
        {
            "ref": action.ref,
            "evidence": item.evidence,
            "phase": item.phase,
            "kind": item.kind,
            "kind_in_words": KINDS.get(item.kind, item.kind),
            "title": item.called,
            "dated": item.dated.isoformat(),
            "reference": item.reference,
            "file": item.file,
            "sha256": item.sha256,
            "size": item.size,
            "entry": setters.get((f"evidence/{item.evidence}", "kind")),
        }
        for item in action.evidence.values()
    ]


def sources(state: PlanState, action: Action) -> dict[str, Any]:
    """Which of the four inner sources an action has evidence from, and how many phase 2 needs."""
    there = {item.kind for item in evidence_for(action, 2)}
    return {
        "there": [kind for kind in INNER_KINDS if kind in there],
        "lacking": [kind for kind in INNER_KINDS if kind not in there],
        "needed": state.plan.impact_kinds,
    }
