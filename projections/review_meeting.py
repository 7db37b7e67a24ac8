"""Everything decided at one meeting, for its minutes."""

from dataclasses import replace
from datetime import date
from typing import Any

from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentProposed
from domain.authority import GOVERNED
from domain.body import Body
from domain.errors import Refusal
from domain.escalation import (
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.scale import folded
from domain.signoff import (
    PHASES,
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)
from domain.timeline import stream_of
from ledger.tables import entries
from projections.boards import find_body, meeting_sheet
from projections.record import Kept, Record, carried_out
from projections.wording import proposal, rating_words

DECIDED: dict[type, str] = {
    SignOffGranted: "granted",
    SignOffDeclined: "declined",
    SignOffRevoked: "revoked",
}
ESCALATED = (
    EscalationRaised,
    EscalationReferred,
    EscalationResponded,
    EscalationResolved,
    EscalationWithdrawn,
)


def meeting(record: Record, word: str, day: date) -> dict[str, Any]:
    """Everything decided at one meeting of a body.

    Args:
        word: code or name of the body; or the name that decisions of before were recorded under.

    Raises:
        Refusal: unknown-body, no-such-meeting.
    """
    opened: Any = record.ledger.opened().event
    return {"ledger": opened.name, **_told(record, word, day)}


def _told(record: Record, word: str, day: date) -> dict[str, Any]:
    try:
        body = find_body(record.state, word, record.moment)
    except Refusal:
        return _by_name(record, word, day)
    if day in body.meetings:
        return _Meeting(record, body, day).answer()
    return _by_name(record, body.name, day, body)


def _by_name(record: Record, name: str, day: date, body: Body | None = None) -> dict[str, Any]:
    """The decisions that name a body which is not established, or a meeting not recorded.

    Raises:
        Refusal: unknown-body, no-such-meeting, where there are none.
    """
    other = _other_decisions(record, (name, body.code if body else name), day)
    if not other:
        found = body or find_body(record.state, name, record.moment)
        meeting_sheet(record.ledger, record.state, found, day, record.moment)
    return {
        "body": body.code if body else None,
        "name": body.name if body else name,
        "meeting": day.isoformat(),
        "attendance": None,
        **{part: [] for part in ("recommended", "signoffs", "amendments", "escalations")},
        "voided": [],
        "other": other,
    }


def _other_decisions(record: Record, names: tuple[str, ...], day: date) -> list[dict[str, Any]]:
    """The decisions recorded directly, on the word of a body at that meeting."""
    stated = record.kept(where=entries.c.decided_by.is_not(None))
    changes = carried_out(stated)
    called = {folded(name) for name in names}
    return [
        record.row(one)
        for one in stated
        if one.entry.note.decided_by is not None
        and not isinstance(one.event, GOVERNED)
        and one.entry.position not in changes
        and one.entry.note.decided_by.meeting == day
        and folded(one.entry.note.decided_by.body) in called
    ]


class _Meeting:
    """One meeting of a body in the making of its minutes."""

    def __init__(self, record: Record, body: Body, day: date) -> None:
        self.record, self.body, self.day = record, body, day
        # People are printed with the role that they had then.
        as_at = min(day, record.moment.as_at)
        moment = replace(record.moment, as_at=as_at)
        self.then = Record(record.ledger, record.connection, record.code, moment)

    def answer(self) -> dict[str, Any]:
        record, body = self.record, self.body
        sheet = meeting_sheet(record.ledger, record.state, body, self.day, record.moment)
        for row in (*sheet["present"], *sheet["apologies"], *sheet["not_heard_of"]):
            row["printed"] = self._printed(row["person"])
        for row in sheet["interests"]:
            row["printed"] = self._printed(row["person"])
        kept = record.kept(*GOVERNED, voided=True)
        live = [one for one in kept if not one.voided_by]
        names = ("quorum", "voting_present", "quorate", "present", "apologies", "not_heard_of")
        return {
            "body": body.code,
            "name": body.name,
            "meeting": self.day.isoformat(),
            "attendance": {name: sheet[name] for name in (*names, "interests", "minutes")},
            "recommended": [
                record.row(one)
                for one in live
                if isinstance(one.event, SignOffRecommended)
                and (one.event.lead, one.entry.effective_on) == (body.code, self.day)
            ],
            "signoffs": self._signoffs(live),
            "amendments": self._amendments(live),
            "escalations": self._escalations(live),
            "other": _other_decisions(record, (body.name, body.code), self.day),
            "voided": [self._voided(one) for one in kept if one.voided_by and self._decided(one)],
        }

    def _printed(self, person: str) -> str:
        known = person in self.then.state.people
        return (self.then if known else self.record).printed(person)

    def _decided(self, kept: Kept) -> bool:
        """Whether it is a vote or a decision of this meeting."""
        event = kept.event
        here = (getattr(event, "body", None), getattr(event, "meeting", None))
        return here == (self.body.code, self.day)

    # --- sign-offs -----------------------------------------------------------------------

    def _signoffs(self, live: list[Kept]) -> list[dict[str, Any]]:
        """A row for each sign-off decided or confirmed here, and for each left open."""
        items = []
        asked: set[tuple[str, int, int]] = set()
        decisions = [one for one in live if type(one.event) in DECIDED]
        for one in decisions:
            if self._decided(one):
                turn = getattr(one.event, "round", 0)
                asked.add((one.key, one.event.phase, turn))
                items.append(self._item(live, one.key, one.event.phase, turn, one))
        for one in live:
            if isinstance(one.event, SignOffConfirmed) and self._decided(one):
                items.append(self._confirmed(live, one))
            if isinstance(one.event, SignOffVoted) and self._decided(one):
                key = (one.key, one.event.phase, one.event.round)
                if key not in asked:
                    asked.add(key)
                    items.append(self._item(live, *key, None))
        return items

    def _item(
        self, live: list[Kept], ref: str, phase: int, turn: int, decision: Kept | None
    ) -> dict[str, Any]:
        about = [one for one in live if one.key == ref and getattr(one.event, "phase", 0) == phase]
        this = [one for one in about if turn and getattr(one.event, "round", 0) == turn]
        votes = [
            one
            for one in this
            if isinstance(one.event, SignOffVoted) and one.event.body == self.body.code
        ]
        asked = next((one for one in this if isinstance(one.event, SignOffRecommended)), None)
        elsewhere = next((one for one in this if type(one.event) in DECIDED), None)
        note = decision.entry.note if decision else None
        rating = getattr(decision.event, "rating", None) if decision else None
        return {
            **self._about(ref, phase),
            "decision": DECIDED[type(decision.event)] if decision else None,
            "decided_elsewhere": None
            if decision or elsewhere is None
            else elsewhere.decided_on.isoformat(),
            "rating": rating_words(rating, self.record.state.plan) if rating else None,
            "minute": note.decided_by.minute if note and note.decided_by else None,
            "reason": note.reason if note else None,
            "recommended": self.record.row(asked) if asked else None,
            "lead": self.record.body(asked.event.lead) if asked else None,
            "for": [self._vote(one) for one in votes if one.event.vote == "approve"],
            "against": [self._vote(one) for one in votes if one.event.vote == "decline"],
            "confirmation": None,
            "position": decision.entry.position if decision else None,
        }

    def _about(self, ref: str, phase: int) -> dict[str, Any]:
        state = self.then.state if ref in self.then.state.actions else self.record.state
        return {
            "ref": ref,
            "title": state.actions[ref].title if ref in state.actions else None,
            "phase": phase,
            "phase_words": PHASES[phase],
            "interests": [
                self._printed(person)
                for day, person, item in sorted(self.body.interests)
                if (day, item) == (self.day, ref)
            ],
        }

    def _confirmed(self, live: list[Kept], said: Kept) -> dict[str, Any]:
        """What one member confirmed: the body's decision only once a quorum confirmed that text.

        The votes on the grant are no part of it: they were given on another text.
        """
        event, note = said.event, said.entry.note
        about = (event.phase, event.round, event.body)
        same = [
            one
            for one in live
            if one.key == said.key
            and isinstance(one.event, SignOffConfirmed)
            and (one.event.phase, one.event.round, one.event.body) == about
            and one.event.shown == event.shown
            and one.entry.position <= said.entry.position
        ]
        needed = next(
            (
                one.event.quorum
                for one in live
                if one.key == said.key
                and isinstance(one.event, SignOffGranted)
                and (one.event.phase, one.event.round, one.event.body) == about
            ),
            1,
        )
        renewed = len(same) >= needed
        return {
            **self._about(said.key, event.phase),
            "decision": "confirmed" if renewed else None,
            "decided_elsewhere": None,
            "rating": None,
            "minute": note.decided_by.minute if note.decided_by else None,
            "reason": note.reason,
            "recommended": None,
            "lead": None,
            "for": [],
            "against": [],
            "confirmation": {
                "by": self._printed(event.person),
                "confirmed": len(same),
                "needed": needed,
                "renewed": renewed,
            },
            "position": said.entry.position,
        }

    def _vote(self, vote: Kept) -> dict[str, Any]:
        meeting = vote.event.meeting
        return {
            "person": vote.event.person,
            "printed": self._printed(vote.event.person),
            "reason": vote.entry.note.reason,
            "meeting": meeting.isoformat(),
            "position": vote.entry.position,
        }

    # --- amendments and escalations ------------------------------------------------------

    def _amendments(self, live: list[Kept]) -> list[dict[str, Any]]:
        rows = []
        for one in live:
            decided = isinstance(one.event, AmendmentAgreed | AmendmentDeclined)
            if not decided or not self._decided(one):
                continue
            found = self.record.state.amendments[one.key]
            stream = stream_of("amendment", self.record.code, one.key)
            proposed = [
                other
                for other in live
                if other.entry.stream_id == stream and isinstance(other.event, AmendmentProposed)
            ]
            rows.append(
                {
                    **self.record.row(one),
                    "amendment": one.key,
                    "decision": one.event.status,
                    "change": proposal(found),
                    "proposed": self.record.row(proposed[0]) if proposed else None,
                }
            )
        return rows

    def _escalations(self, live: list[Kept]) -> list[dict[str, Any]]:
        """What was done that day on the escalations that this body raised, passed on or has."""
        concerned: dict[str, set[str]] = {}
        rows = []
        for one in live:
            if not isinstance(one.event, ESCALATED):
                continue
            bodies = concerned.setdefault(one.key, set())
            names = ("raised_by", "at", "referred_by")
            bodies |= {getattr(one.event, name) for name in names if hasattr(one.event, name)}
            if one.entry.effective_on == self.day and self.body.code in bodies:
                found = self.record.state.escalations.get(one.key)
                refs = list(found.refs) if found else []
                rows.append({**self.record.row(one), "escalation": one.key, "refs": refs})
        return rows

    def _voided(self, kept: Kept) -> dict[str, Any]:
        (void,) = self.record.at([kept.voided_by or 0])
        return {**self.record.row(kept), "void_reason": void.note.reason}
