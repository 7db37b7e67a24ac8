"""Slow and obvious answers about authority, to which the boards' ledger is held.

Everything here is worked out from the list of entries, the days on which they were recorded, and
the fold; it asks neither `domain.authority`, nor the law of a stream, nor what voids what.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from domain.action import Action, ActionRated, MarkedDelayed
from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentProposed
from domain.body import (
    BodyEstablished,
    InterestDeclared,
    MeetingRecorded,
    MemberAppointed,
    MemberStoodDown,
    TermsChanged,
)
from domain.escalation import (
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationWithdrawn,
)
from domain.event import EntryVoided, Event
from domain.evidence import EvidenceLodged
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    KeyWithdrawn,
    PersonEnrolled,
    RoleChanged,
)
from domain.plan import ReportIssued, TermsSet
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)
from domain.timeline import fold
from ledger import signatures
from ledger.entry import Entry
from tests.property import oracle

VOTE = ("chair", "member")
OUTCOMES = (SignOffRecommended, SignOffGranted, SignOffDeclined, SignOffRevoked)
DEMONSTRATED = {"performance", "family_feedback", "qualitative", "staff_feedback"}
DECIDED_PHASE = {1: "phase_1", 2: "phase_2"}
ACTORS = ("recommended_by", "recorder", "confirmed_by", "person")
NUMBERED = {
    SignOffRecommended: ("phase", "round"),
    SignOffConfirmed: ("phase", "confirmation"),
    EvidenceLodged: ("evidence",),
}
"""What has numbers, and the fields that tell one from another on the same action."""
AMENDS = {
    "timescale": "action.timescale_revised/1",
    "delay": "action.marked_delayed/1",
    "review": "action.placed_under_review/1",
    "resume": "action.resumed/1",
    "close": "action.closed/1",
    "add": "action.added/1",
    "reword": "action.reworded/1",
    "owner": "action.owners_changed/1",
}

verified = functools.cache(signatures.check)
"""What stock ssh-keygen says of (statement, signature, person, key): None where it is good."""


def roles(written: str) -> set[str]:
    return {" ".join(role.split()).casefold() for role in written.split(";") if role.strip()}


class Known:
    """What is known of one plan after an entry and not voided, in order of the fold."""

    def __init__(self, entries: Sequence[Entry], code: str, known_at: int) -> None:
        self.all, self.code, self.known_at = entries, code, known_at
        self.live = oracle.live(entries, known_at)

    def left_without(self, voids: set[int]) -> set[int]:
        """What would have no support, and what rests on that, had these entries voided nothing."""
        there = [e for e in self.all if e.position not in voids]
        known = Known(there, self.code, self.known_at)
        lost: set[int] = set()
        while found := next((e for e in known.live if any(known.faults_of(e))), None):
            gone = {found.position}
            if isinstance(found.event, AmendmentAgreed):
                gone.add(found.position + 1)  # the change that it made
            lost |= gone
            known.live = [e for e in known.live if e.position not in gone]
        return lost

    def said(self, stream: str, kinds: Any, until: Entry | date, **fields: object) -> list[Entry]:
        """The entries of a stream that say such a thing: by a day's end, or before an entry."""
        if isinstance(until, Entry):
            before = [e for e in self.live if _order(e) < _order(until)]
        else:
            before = [e for e in self.live if e.effective_on <= until]
        return [
            e
            for e in before
            if e.stream_id == stream
            and isinstance(e.event, kinds)
            and all(getattr(e.event, name, None) == value for name, value in fields.items())
        ]

    def last(self, stream: str, kinds: Any, until: Entry | date, **fields: object) -> Any:
        found = self.said(stream, kinds, until, **fields)
        return found[-1].event if found else None

    # --- bodies and people ---------------------------------------------------------------------

    def seat(self, body: str, person: str, day: date, on: date | None = None) -> str | None:
        """In which capacity somebody sits there, as said by a day, on that day or another."""
        kinds = (MemberAppointed, MemberStoodDown)
        found = self.last(f"body/{self.code}/{body}", kinds, day, person=person)
        if not isinstance(found, MemberAppointed) or (on or day) > found.until:
            return None
        if not self.role(person, day):
            return None  # not enrolled
        return found.capacity

    def terms(self, body: str, day: date) -> tuple[int, tuple[str, ...], int]:
        """(quorum, powers, rung) of a body on a day; a quorum of 0 where it is not there."""
        quorum, powers, rung = 0, (), 0
        for entry in self.said(f"body/{self.code}/{body}", (BodyEstablished, TermsChanged), day):
            event: Any = entry.event
            quorum = quorum if event.quorum is None else event.quorum
            powers = powers if event.powers is None else event.powers
            rung = getattr(event, "rung", rung)
        return quorum, powers, rung

    def there(self, body: str, meeting: date, day: date) -> tuple[str, ...] | None:
        """Who was at a meeting; None where it is not recorded."""
        found = self.last(f"body/{self.code}/{body}", MeetingRecorded, day, meeting=meeting)
        return found.present if found else None

    def interested(self, event: Any, person: str, item: str, day: date) -> bool:
        """Whether somebody declared an interest at the meeting that an event is of."""
        about = {"meeting": event.meeting, "person": person, "item": item}
        return bool(self.said(f"body/{self.code}/{event.body}", InterestDeclared, day, **about))

    def key_events(self, person: str, until: date) -> list[Entry]:
        kinds = (PersonEnrolled, KeyReplaced, KeyWithdrawn)
        return self.said(f"person/{self.code}/{person}", kinds, until)

    def key(self, person: str, taken: Entry) -> str:
        """The key in force when an entry was recorded: what came later that day does not count."""
        assert taken.recorded_at is not None
        day = oracle.day_in_london(taken.recorded_at)
        events = [
            e
            for e in self.key_events(person, day)
            if e.effective_on < day or e.position < taken.position
        ]
        return events[-1].event.key if events else ""  # type: ignore[attr-defined]

    def role(self, person: str, day: date) -> set[str]:
        kinds = (PersonEnrolled, RoleChanged)
        found = self.last(f"person/{self.code}/{person}", kinds, day)
        return roles(found.role) if found else set()

    # --- what is wrong with a live decision ----------------------------------------------------

    def faults(self) -> Iterator[str]:
        """Every live decision that has not what it needs, as known now."""
        for entry in self.live:
            for fault in self.faults_of(entry):
                yield f"entry {entry.position} ({entry.event.tag}): {fault}"
        yield from self._shared_keys()
        yield from self._shared_signatures()

    def faults_of(self, entry: Entry) -> Iterator[str]:
        if entry.event.tag.startswith("signoff.") and self._standing(entry) != "open":
            yield "the action is under review, or closed"
        if entry.event.tag.split(".")[0] in ("signoff", "amendment", "escalation"):
            who = next(w for name in ACTORS if (w := getattr(entry.event, name, None)))
            if not self.role(who, entry.effective_on):
                yield f"{who} is not enrolled"
        match entry.event:
            case SignOffRecommended() as event:
                yield from self._of_recommendation(entry, event)
            case SignOffVoted() as event:
                yield from self._of_vote(entry, event)
                yield from self._of_signature(entry, event)
            case SignOffConfirmed() as event:
                yield from self._of_vote(entry, event)
                yield from self._of_signature(entry, event)
                found = self.last(entry.stream_id, OUTCOMES, entry, phase=event.phase)
                meant = (SignOffGranted, event.round, event.body)
                if (type(found), *(getattr(found, n, None) for n in ("round", "body"))) != meant:
                    yield "confirms what is not granted"
                if not self._enough(entry, event.phase):
                    yield "too little evidence"
            case SignOffGranted() as event:
                yield from self._of_meeting(entry, DECIDED_PHASE.get(event.phase, "none"))
                yield from self._of_grant(entry, event)
            case SignOffDeclined() as event:
                yield from self._of_meeting(entry, DECIDED_PHASE.get(event.phase, "none"))
                if not self._awaited(entry, event.phase, event.round):
                    yield "declines what is not recommended"
            case SignOffRevoked() as event:
                yield from self._of_meeting(entry, DECIDED_PHASE.get(event.phase, "none"))
                if event.phase not in self.basis(entry.stream_id, entry):
                    yield "revokes what is not granted"
                if event.phase == 1 and 2 in self.basis(entry.stream_id, entry):
                    yield "revokes phase 1 under phase 2"
            case AmendmentAgreed() | AmendmentDeclined():
                yield from self._of_meeting(entry, "amend")
                kinds = (AmendmentAgreed, AmendmentDeclined)
                if not self.said(entry.stream_id, AmendmentProposed, entry):
                    yield "decides what is not proposed"
                if self.said(entry.stream_id, kinds, entry):
                    yield "decided twice"
            case _ if entry.stream_id.startswith("escalation/"):
                yield from self._of_escalation(entry)
        meeting = getattr(entry.event, "meeting", entry.effective_on)
        if meeting != entry.effective_on and not isinstance(entry.event, ReportIssued):
            yield "it is not of the day of its meeting"

    def _of_meeting(self, entry: Entry, power: str) -> Iterator[str]:
        event: Any = entry.event
        day = entry.effective_on
        quorum, powers, _rung = self.terms(event.body, day)
        if power not in powers:
            yield f"{event.body} has no power '{power}'"
        there = self.there(event.body, event.meeting, day)
        voting = [p for p in there or () if self.seat(event.body, p, day, event.meeting) in VOTE]
        if power == "amend":
            proposed = self.last(entry.stream_id, AmendmentProposed, entry)
            item = proposed.ref if proposed else ""
            voting = [p for p in voting if not self.interested(event, p, item, day)]
            agrees = isinstance(event, AmendmentAgreed) and proposed is not None
            if agrees and proposed.person == event.recorder:
                yield "recorded by who proposed it"
        if there is None or len(voting) < quorum or quorum < 1:
            yield "no quorate meeting"
        who = getattr(event, "recorder", None) or event.person
        if self.seat(event.body, who, day) not in ("chair", "secretary"):
            yield f"{who} may not record for it"

    def _of_recommendation(self, entry: Entry, event: SignOffRecommended) -> Iterator[str]:
        day = entry.effective_on
        if "recommend" not in self.terms(event.lead, day)[1]:
            yield "its lead body may not recommend"
        if self.seat(event.lead, event.recommended_by, day) not in VOTE:
            yield "recommended by no member"
        if event.phase not in DECIDED_PHASE:
            yield "there is no such phase"
        if not self._enough(entry, event.phase):
            yield "too little evidence"
        if event.phase == 2 and 1 not in self.basis(entry.stream_id, entry):
            yield "phase 1 is not granted"
        earlier = self.last(entry.stream_id, SignOffRecommended, entry, phase=event.phase)
        if earlier and earlier.round >= event.round:
            yield "there was a later recommendation"
        done = event.phase in self.basis(entry.stream_id, entry)
        if done or self.granted(entry, event.phase):
            yield "granted already"

    def _standing(self, entry: Entry) -> str:
        """Of an action just before an entry."""
        said = self.said(entry.stream_id, Event, entry)
        found = [getattr(e.event, "standing", None) for e in said]
        return str(next((standing for standing in reversed(found) if standing), "open"))

    def _enough(self, entry: Entry, phase: int) -> bool:
        lodged = self.said(entry.stream_id, EvidenceLodged, entry)
        kinds = {e.event.kind for e in lodged if e.event.phase <= phase}  # type: ignore[attr-defined]
        terms = self.said(f"plan/{self.code}", TermsSet, entry.effective_on)
        set_to = [e.event.impact_kinds for e in terms if e.event.impact_kinds]  # type: ignore[attr-defined]
        needed = (set_to or [2])[-1]
        return bool(kinds) and (phase == 1 or len(kinds & DEMONSTRATED) >= needed)

    def _awaited(self, entry: Entry, phase: int, number: int) -> SignOffRecommended | None:
        """The recommendation that waits for a decision just before an entry."""
        found = self.last(entry.stream_id, OUTCOMES, entry, phase=phase)
        fits = isinstance(found, SignOffRecommended) and found.round == number
        return found if fits else None

    def granted(self, entry: Entry, phase: int) -> bool:
        """Whether a sign-off is granted just before an entry."""
        found = self.last(entry.stream_id, OUTCOMES, entry, phase=phase)
        return isinstance(found, SignOffGranted)

    def _of_vote(self, entry: Entry, event: SignOffVoted | SignOffConfirmed) -> Iterator[str]:
        """A voting member who was there, without interest, no owner, not who recommended it."""
        day, person, ref = entry.effective_on, event.person, entry.stream_id.split("/")[2]
        if DECIDED_PHASE.get(event.phase) not in self.terms(event.body, day)[1]:
            yield f"{event.body} has no power over phase {event.phase}"
        if self.seat(event.body, person, day) not in VOTE:
            yield f"{person} has no vote"
        if person not in (self.there(event.body, event.meeting, day) or ()):
            yield f"{person} was not there"
        if self.interested(event, person, ref, day):
            yield f"{person} has an interest"
        owned = [
            roles(e.event.owners)  # type: ignore[attr-defined]
            for e in self.said(entry.stream_id, Event, entry)
            if getattr(e.event, "owners", None)
        ]
        if owned and owned[-1] & self.role(person, day):
            yield f"{person} owns it"
        asked = self.last(entry.stream_id, SignOffRecommended, entry, phase=event.phase)
        if asked and asked.recommended_by == person:
            yield f"{person} recommended it"
        if isinstance(event, SignOffVoted):
            if not self._awaited(entry, event.phase, event.round):
                yield "votes on what is not recommended"
            same = {"phase": event.phase, "round": event.round, "person": person}
            if self.said(entry.stream_id, SignOffVoted, entry, **same):
                yield f"{person} votes twice"

    def _of_signature(self, entry: Entry, event: SignOffVoted | SignOffConfirmed) -> Iterator[str]:
        """Signed by a key in force when it was recorded, over what was shown."""
        assert entry.recorded_at is not None
        key = self.key(event.person, entry)
        if not key or verified(event.statement, event.signature, event.person, key):
            yield "not signed with the key in force when it was recorded"
        signed_on, recorded_on = map(oracle.day_in_london, (event.signed_at, entry.recorded_at))
        if not event.meeting <= signed_on <= recorded_on:
            yield "signed before the meeting, or after it was recorded"
        claims = dict(line.partition(": ")[::2] for line in event.statement.splitlines())
        shown = getattr(event, "shown", None)
        decision = "confirm"
        if isinstance(event, SignOffVoted):
            asked = self._awaited(entry, event.phase, event.round)
            shown, decision = (asked.shown if asked else ""), event.vote
        if claims["Round"] != str(event.round):
            yield "signed for another round"
        digest = hashlib.sha256((shown or "").encode()).hexdigest()
        said = [claims[n] for n in ("Action", "Phase", "Decision", "Body", "Meeting", "Person")]
        meant = [entry.stream_id.split("/")[2], f"{event.phase}", decision, event.body]
        if (
            said != [*meant, f"{event.meeting}", event.person]
            or digest != claims["Content SHA-256"]
        ):
            yield "signed for something else"

    def _of_grant(self, entry: Entry, event: SignOffGranted) -> Iterator[str]:
        asked = self._awaited(entry, event.phase, event.round)
        if asked is None:
            yield "grants what is not recommended"
        if event.phase in self.basis(entry.stream_id, entry):
            yield "grants what it is rated as already"
        if event.phase == 2 and 1 not in self.basis(entry.stream_id, entry):
            yield "phase 2 without phase 1"
        votes = self.said(
            entry.stream_id,
            SignOffVoted,
            entry,
            phase=event.phase,
            round=event.round,
            body=event.body,
            vote="approve",
        )
        members = [e.event.person for e in votes]  # type: ignore[attr-defined]
        if len(members) != len(set(members)):
            yield "a member counts twice"
        day = entry.effective_on
        seated = {person for person in members if self.seat(event.body, person, day) in VOTE}
        quorum = max(self.terms(event.body, day)[0], event.quorum, 1)
        if len(seated) < quorum:
            yield f"{len(seated)} approvals of {quorum}"

    def _of_escalation(self, entry: Entry) -> Iterator[str]:
        """It goes up, from who has it, while it is open."""
        event: Any = entry.event
        day = entry.effective_on
        kinds = (EscalationRaised, EscalationReferred)
        steps = [e.event for e in self.said(entry.stream_id, kinds, entry)]
        bodies = [step.at for step in steps]  # type: ignore[attr-defined]
        reached = max((self.terms(body, day)[2] for body in bodies), default=0)
        if isinstance(event, EscalationRaised):
            holder = event.raised_by
            reached = self.terms(holder, day)[2]
            if steps:
                yield "raised twice"
        else:
            if not steps:
                yield "not raised"
                return
            reached = max(reached, self.terms(steps[0].raised_by, day)[2])  # type: ignore[attr-defined]
            inside = [body for body in bodies if self.terms(body, day)[2]]
            raised_by = steps[0].raised_by  # type: ignore[attr-defined]
            # One that is outside answers through the body that passed it on.
            holder = inside[-1] if inside else raised_by
            if isinstance(event, EscalationWithdrawn):
                holder = raised_by
            if self.said(entry.stream_id, (EscalationResolved, EscalationWithdrawn), entry):
                yield "it was not open any more"
        if isinstance(event, kinds):
            if not self.said(f"body/{self.code}/{event.at}", BodyEstablished, day):
                yield f"there is no {event.at}"
            rung = self.terms(event.at, day)[2]
            if rung and rung <= reached:
                yield f"went from rung {reached} to {rung}"
        if self.seat(holder, event.person, day) is None:
            yield f"{event.person} does not sit on {holder}"

    def _shared_keys(self) -> Iterator[str]:
        """No key was ever two people's."""
        owners: dict[str, str] = {}
        for entry in self.live:
            key = getattr(entry.event, "key", None)
            if key and owners.setdefault(key, entry.stream_id) != entry.stream_id:
                yield f"entry {entry.position} gives {entry.stream_id} a key of {owners[key]}"

    def _shared_signatures(self) -> Iterator[str]:
        """No signature counts for two entries."""
        seen: dict[str, int] = {}
        for entry in self.live:
            signature = getattr(entry.event, "signature", None)
            if signature and seen.setdefault(signature, entry.position) != entry.position:
                yield f"entries {seen[signature]} and {entry.position} have one signature"

    # --- who records, and who takes back -------------------------------------------------------

    def administers(self, who: str, day: date) -> bool:
        """Whether somebody is an administrator as at a day, and with all that is known to come."""
        return all(self._administers(who, when) for when in (day, date.max))

    def _administers(self, who: str, day: date) -> bool:
        kinds = (AdministratorAppointed, AdministratorStoodDown)
        found = self.last(f"person/{self.code}/{who}", kinds, day)
        if found is not None:
            return isinstance(found, AdministratorAppointed)
        return who == self.all[0].note.recorded_by

    def is_led(self, day: date) -> bool:
        """Whether anybody is left who may say who decides."""
        people = {e.stream_id.split("/")[2] for e in self.live if e.stream_id.startswith("person/")}
        first = self.all[0].note.recorded_by
        return all(
            any(self._administers(who, when) for who in (first, *people))
            for when in (day, date.max)
        )

    def rights_faults(self, entry: Entry, day: date) -> Iterator[str]:
        """What whoever recorded an entry on a day had no right to, as known before it.

        It is asked of the day on which it was recorded, whatever day it is about.
        """
        who, event = entry.note.recorded_by, entry.event
        administers = self.administers(who, day)
        if isinstance(event, EntryVoided):
            yield from self._of_void(entry, event, day)
        history = isinstance(event, (*oracle.DECISIONS, ActionRated)) and entry.note.source
        if history and not administers:
            yield f"{who} takes history over"
        whole = isinstance(event, ActionRated) and event.milestone is None
        if whole and self.basis(entry.stream_id, entry) and not administers:
            yield f"{who} rates what was taken over as done"

    def _of_void(self, entry: Entry, event: EntryVoided, day: date) -> Iterator[str]:
        who = entry.note.recorded_by
        if self.administers(who, day):
            return
        voided = self.all[event.voids - 1]
        if event.cause_before is None:
            free = ("evidence.", "action.rated", "action.progress", "action.impact", "plan.impact")
            if not voided.event.tag.startswith(free) or voided.note.source:
                yield f"{who} voids entry {event.voids}"
            if isinstance(voided.event, EvidenceLodged) and not self.role(who, day):
                yield f"{who} is not enrolled, and voids evidence"
            return
        cause = self.all[entry.position - event.cause_before - 1]
        if isinstance(cause.event, InterestDeclared):
            body = cause.stream_id.split("/")[2]
            if self.seat(body, who, day) not in ("chair", "secretary"):
                yield f"{who} undoes entry {event.voids} by an interest"
        elif not cause.stream_id.startswith(("body/", "person/", "plan/")):
            yield f"{who} undoes entry {event.voids}"
        elif isinstance(cause.event, EntryVoided):
            yield f"{who} undoes entry {event.voids} by a void"

    def numbers_given_twice(self) -> Iterator[str]:
        """Numbers that two entries have, be one of them void or not."""
        seen: dict[object, int] = {}
        for entry in self.all:
            names = NUMBERED.get(type(entry.event))
            if names:
                number = tuple(getattr(entry.event, name) for name in names)
                key = entry.stream_id, entry.event.tag, number
                if seen.setdefault(key, entry.position) != entry.position:
                    yield f"entries {seen[key]} and {entry.position} are both {number}"

    # --- ratings -------------------------------------------------------------------------------

    def basis(self, stream: str, until: Entry | date) -> set[int]:
        """The phases on which the rating rests: granted by a sign-off or taken over."""
        phases: set[int] = set()
        for entry in self.said(stream, Event, until):
            match entry.event:
                case SignOffGranted(phase=1):
                    phases = {1}
                case SignOffGranted(phase=2) if 1 in phases:
                    phases = {1, 2}
                case SignOffRevoked(phase=1):
                    phases = set()
                case SignOffRevoked(phase=2):
                    phases -= {2}
                case ActionRated(milestone=None) as event:
                    taken_over = {"amber_e": {1}, "green": {1, 2}} if entry.note.source else {}
                    phases = taken_over.get(event.rating, set())
                case MarkedDelayed():
                    phases = set()
        return phases

    # --- staleness -----------------------------------------------------------------------------

    def stale(self, stream: str, phase: int, day: date) -> bool:
        """Whether what was signed off reads otherwise now than when it was shown."""
        outcome = self.last(stream, OUTCOMES, day, phase=phase)
        if not isinstance(outcome, SignOffGranted) or not self.unlike(stream, phase, day):
            return False
        now = _content(fold(self.all, day, self.known_at)[stream], phase)
        said = self.said(
            stream, SignOffConfirmed, day, phase=phase, round=outcome.round, body=outcome.body
        )
        renewed = {
            e.event.person  # type: ignore[attr-defined]
            for e in said
            if self._when_shown(e, phase) == now
        }
        return len(renewed) < outcome.quorum

    def unlike(self, stream: str, phase: int, day: date) -> bool:
        """Whether the action reads otherwise than when it was last recommended."""
        asked = self.said(stream, SignOffRecommended, day, phase=phase)[-1]
        now = _content(fold(self.all, day, self.known_at)[stream], phase)
        return self._when_shown(asked, phase) != now

    def _when_shown(self, entry: Entry, phase: int) -> object:
        """What the action said when that entry was about to be recorded, as it was known then."""
        then = fold(self.all, entry.effective_on, entry.position - 1)
        return _content(then[entry.stream_id], phase)

    # --- amendments ----------------------------------------------------------------------------

    def amendment_faults(self) -> Iterator[str]:
        """Each agreed one changed the plan just once; nothing else did but what was taken over."""
        there = {entry.position: entry for entry in self.live}
        for entry in self.live:
            if isinstance(entry.event, AmendmentAgreed):
                change = there.get(entry.position + 1)
                asked = self.last(entry.stream_id, AmendmentProposed, entry)
                if asked is None or change is None or not _carries_out(asked, change, entry):
                    yield f"agreed by entry {entry.position}, it changed nothing"
            elif isinstance(entry.event, oracle.DECISIONS) and not entry.note.source:
                before = there.get(entry.position - 1)
                if before is None or not isinstance(before.event, AmendmentAgreed):
                    yield f"entry {entry.position} changed the plan, and nobody agreed it"


def _carries_out(asked: AmendmentProposed, change: Entry, agreed: Entry) -> bool:
    ref = change.stream_id.split("/")[2]
    same_note = change.note == agreed.note and change.effective_on == agreed.effective_on
    return same_note and (ref, change.event.tag) == (asked.ref, AMENDS[asked.kind])


def _order(entry: Entry) -> tuple[date, int]:
    return entry.effective_on, entry.position


def _content(action: Action, phase: int) -> object:
    return (
        action.title,
        action.owners,
        action.timescale and action.timescale.written,
        {n: (m.timescale and m.timescale.written, m.rating) for n, m in action.milestones.items()},
        {n: item for n, item in action.evidence.items() if item.phase <= phase},
    )


def reopened(entries: Sequence[Entry]) -> dict[int, int]:
    """What these entries void because it has lost its support, by the voiding entry."""
    return {
        e.position: e.event.voids
        for e in entries
        if isinstance(e.event, EntryVoided) and "No longer supported" in (e.note.reason or "")
    }
