"""Who may decide what: the law over several streams.

`check` is asked of an entry when it is recorded, and asked again when a membership, a key, a
meeting or a body is changed with an earlier date or voided, and by `verify`. It looks at bodies
and people as at the entry's effective date; at the key as it was when the ledger took the entry.
"""

from datetime import date
from typing import Any

from domain.action import Action
from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentProposed
from domain.body import (
    POWERS,
    RECORDING,
    VOTING,
    Body,
    InterestDeclared,
    MeetingRecorded,
    Power,
)
from domain.content import evidence_for
from domain.dates import london_day
from domain.errors import NotAuthorised, Refusal
from domain.escalation import (
    Escalation,
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.event import Event
from domain.evidence import INNER_KINDS, KINDS
from domain.person import Person
from domain.scene import Scene
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)
from domain.text import is_held
from domain.timeline import PENDING

GOVERNED = (
    SignOffRecommended,
    SignOffVoted,
    SignOffGranted,
    SignOffDeclined,
    SignOffRevoked,
    SignOffConfirmed,
    AmendmentProposed,
    AmendmentAgreed,
    AmendmentDeclined,
    EscalationRaised,
    EscalationReferred,
    EscalationResponded,
    EscalationResolved,
    EscalationWithdrawn,
)
"""The events that rest on the authority of a person or a body."""

AT_A_MEETING = (
    SignOffVoted,
    SignOffGranted,
    SignOffDeclined,
    SignOffRevoked,
    SignOffConfirmed,
    AmendmentAgreed,
    AmendmentDeclined,
    MeetingRecorded,
    InterestDeclared,
)
"""The events that happen at a meeting, and are effective on its day."""

Taken = tuple[date, int]
"""When the ledger took an entry: the day in London, and its position."""


def check(scene: Scene, before: Any, event: Event, taken: Taken) -> None:
    """Hold an event to the rules of who may decide what.

    Args:
        scene: as at the event's effective date.
        before: the state of its own stream just before it.
        taken: when the ledger took it.

    Raises:
        NotAuthorised: unknown-person, no-power, not-a-member, no-key.
        Refusal: not-present, interest-declared, own-action, own-recommendation,
            too-little-evidence, not-quorate, quorum-not-reached, not-up, not-that-day.
    """
    if isinstance(event, AT_A_MEETING) and event.meeting != scene.day:
        # Or somebody could choose the day on which they are looked at.
        raise Refusal(
            "not-that-day",
            f"What happened at the meeting of {event.meeting} is effective on that day, and not "
            f"on {scene.day}.",
            f"Give --effective-on {event.meeting}, or the date of the meeting that is meant.",
        )
    match event:
        case SignOffRecommended():
            body = empowered(scene, event.lead, "recommend")
            seated(scene, body, event.recommended_by, VOTING)
            enough_evidence(scene, before, event.phase)
        case SignOffVoted():
            body = empowered(scene, event.body, phase_power(event.phase))
            _impartial(scene, body, before, event, taken)
        case SignOffConfirmed():
            body = empowered(scene, event.body, phase_power(event.phase))
            quorate(scene, body, event.meeting)
            _impartial(scene, body, before, event, taken)
            enough_evidence(scene, before, event.phase)
        case SignOffGranted():
            body = empowered(scene, event.body, phase_power(event.phase))
            _recorded_for(scene, body, event.person, event.meeting)
            approved = _approvers(before, event)
            here = [person for person in approved if body.seat(person, scene.day) in VOTING]
            if len(approved) >= event.quorum > len(here):
                raise Refusal(
                    "quorum-not-reached",
                    f"Of those who approved, {len(here)} still sit on {body} on {scene.day}; "
                    f"the quorum is {event.quorum}.",
                    "Another member has to approve.",
                )
            if event.quorum < body.quorum:
                raise Refusal(
                    "quorum-not-reached",
                    f"It was granted on a quorum of {event.quorum}; that of {body} is "
                    f"{body.quorum}.",
                )
        case SignOffDeclined() | SignOffRevoked():
            body = empowered(scene, event.body, phase_power(event.phase))
            _recorded_for(scene, body, event.person, event.meeting)
        case AmendmentProposed():
            scene.person(event.person)
        case AmendmentAgreed() | AmendmentDeclined():
            body = empowered(scene, event.body, "amend")
            quorate(scene, body, event.meeting, before.ref)
            _recorded_for(scene, body, event.recorder, event.meeting)
            if isinstance(event, AmendmentAgreed) and event.recorder == before.person:
                raise Refusal(
                    "own-proposal",
                    f"{event.recorder} proposed {before.amendment}, and nobody records the "
                    "agreement to what they proposed.",
                    f"The other of the {' or '.join(RECORDING)} of {body} has to record it.",
                )
        case EscalationRaised():
            seated(scene, scene.body(event.raised_by), event.person, None)
            _upward(scene, scene.body(event.raised_by).rung, event.at, event.rung)
        case EscalationReferred():
            _holder(scene, before, event.person)
            _upward(scene, before.rung, event.at, event.rung)
        case EscalationResponded() | EscalationResolved():
            _holder(scene, before, event.person)
        case EscalationWithdrawn():
            raised_by = scene.body(before.raised_by)
            seated(scene, raised_by, event.person, None)


def _approvers(before: Action, event: SignOffGranted) -> list[str]:
    found = before.signoffs.get(event.phase)
    return found.votes("approve", event.body) if found else []


def empowered(scene: Scene, word: str, power: Power) -> Body:
    """The body, which must have the power.

    Raises:
        NotAuthorised: no-power.
    """
    body = scene.body(word)
    if power not in body.powers:
        able = ", ".join(str(other) for other in scene.empowered(power)) or "no body of the plan"
        raise NotAuthorised(
            "no-power",
            f"{body} may not {POWERS[power]} on {scene.day}.",
            f"That power has: {able}.",
        )
    return body


def seated(scene: Scene, body: Body, who: str, capacities: tuple[str, ...] | None) -> Person:
    """The person, who must sit on the body on that day.

    Args:
        capacities: in which of these; None for any.

    Raises:
        NotAuthorised: unknown-person, not-a-member, no-vote, not-chair-or-secretary.
    """
    person = scene.person(who)
    seat = body.seat(person.person, scene.day)
    if seat is None:
        membership = body.members.get(person.person)
        ended = ""
        if membership and membership.capacity != "none" and scene.day > membership.until:
            ended = f" The membership ended on {membership.until}."
        raise NotAuthorised(
            "not-a-member",
            f"{person} was not a member of {body} on {scene.day}.{ended}",
            f"Members: {', '.join(_sitting(body, scene.day)) or 'nobody'}. Membership counts as "
            "at the decision.",
        )
    if capacities is not None and seat not in capacities:
        rule = "no-vote" if capacities == VOTING else "not-chair-or-secretary"
        raise NotAuthorised(
            rule,
            f"{person} sits on {body} as {seat}; this is for its {' or '.join(capacities)}.",
            f"Members: {', '.join(_sitting(body, scene.day))}.",
        )
    return person


def _sitting(body: Body, day: date) -> list[str]:
    return [f"{code} ({body.seat(code, day)})" for code in body.members if body.seat(code, day)]


def quorate(scene: Scene, body: Body, meeting: date, item: str = "") -> None:
    """The meeting must be recorded, with as many voting members as the quorum asks.

    Args:
        item: the action that is decided on; who declared an interest in it does not count.

    Raises:
        Refusal: no-such-meeting, not-quorate.
    """
    if meeting not in body.meetings:
        known = ", ".join(str(day) for day in sorted(body.meetings)[-5:]) or "none yet"
        raise Refusal(
            "no-such-meeting",
            f"No meeting of {body} on {meeting} is recorded.",
            f"Meetings: {known}. Record it with: govledger meeting record {body.code} {meeting} "
            "--present CODES",
        )
    # A person whose enrolment was voided is nobody, whatever seat the code has.
    there = [code for code in body.present(meeting) if scene.known_person(code)]
    present = len([code for code in there if (meeting, code, item) not in body.interests])
    if present < body.quorum:
        of = f" for {item}, in which an interest was declared" if present < len(there) else ""
        raise Refusal(
            "not-quorate",
            f"The meeting of {body} on {meeting} was not quorate{of}: {present} of {body.quorum}.",
            "It can decide nothing. Correct the attendance if it is wrong: govledger meeting "
            f"record {body.code} {meeting} --present CODES",
        )


def enough_evidence(scene: Scene, action: Action, phase: int) -> None:
    """There must be evidence; for impact, from several of the four inner sources.

    Raises:
        Refusal: too-little-evidence.
    """
    found = evidence_for(action, phase)
    lodge = f"Lodge more with: govledger evidence lodge {action.ref} --kind KIND --title TITLE …"
    if not found:
        raise Refusal(
            "too-little-evidence",
            f"No evidence is lodged on {action.ref} for phase {phase}.",
            lodge,
        )
    if phase == 2:
        needed = scene.plan.impact_kinds
        there = {item.kind for item in found if item.kind in INNER_KINDS}
        if len(there) < needed:
            lacking = "; ".join(f"{k} ({KINDS[k]})" for k in INNER_KINDS if k not in there)
            raise Refusal(
                "too-little-evidence",
                f"{action.ref} has evidence from {_number(len(there))} of the four inner sources; "
                f"phase 2 needs {needed}.",
                f"Lacking: {lacking}. {lodge}",
            )


def _number(count: int) -> str:
    return {0: "none", 1: "only one", 2: "only two", 3: "only three"}.get(count, str(count))


def phase_power(phase: int) -> Power:
    """The power that decides sign-offs of that phase."""
    return "phase_2" if phase == 2 else "phase_1"


def _recorded_for(scene: Scene, body: Body, who: str, meeting: date) -> None:
    quorate(scene, body, meeting)
    seated(scene, body, who, RECORDING)


def _impartial(
    scene: Scene,
    body: Body,
    action: Action,
    event: SignOffVoted | SignOffConfirmed,
    taken: Taken,
) -> None:
    """A voting member who was there, has no interest in the action, and a key in force."""
    person = seated(scene, body, event.person, VOTING)
    meeting = body.meetings.get(event.meeting)
    if meeting is None:
        quorate(scene, body, event.meeting)
    elif person.person not in meeting.present:
        raise Refusal(
            "not-present",
            f"{person} was not at the meeting of {body} on {event.meeting}.",
            "Correct the attendance if it is wrong: govledger meeting record "
            f"{body.code} {event.meeting} --present CODES",
        )
    ref = action.ref
    if (event.meeting, person.person, ref) in body.interests:
        raise Refusal(
            "interest-declared",
            f"{person} declared an interest in {ref} on {event.meeting}, so has no part in it.",
            "Another member has to decide.",
        )
    if taken[1] >= PENDING and not is_held(person.role, action.owners):
        # Of what was decided before the text went, that it went is nothing to say against it.
        raise Refusal(
            "cannot-be-read",
            f"Whether {person.person} owns {ref} nobody can tell: the role of the one or the "
            "owners of the other are not held any more.",
            f"Record them anew: govledger person role {person.person} ROLE, or an amendment "
            f"of the owner of {ref}.",
        )
    role = person.has_role_in(action.owners)
    if role is not None:
        raise Refusal(
            "own-action",
            f"{person} owns {ref} as {role}, and nobody signs off their own action.",
            "Another member has to decide.",
        )
    signoff = action.signoffs.get(event.phase)
    if signoff and signoff.recommended_by == person.person:
        raise Refusal(
            "own-recommendation",
            f"{person} recommended {ref}, and nobody approves what they recommended.",
            "Another member has to decide.",
        )
    signed_on = london_day(event.signed_at) if event.signed_at.tzinfo else None
    if signed_on is None or not event.meeting <= signed_on <= taken[0]:
        raise Refusal(
            "signed-another-day",
            f"The signature says that it was made at {event.signed_at}; a vote of {event.meeting} "
            f"that is recorded on {taken[0]} was signed between the two.",
            "Sign it again; check the clock of this computer.",
        )
    in_force(scene, person.person, taken)


def in_force(scene: Scene, code: str, taken: Taken) -> str:
    """The person's key in force when the ledger took a vote.

    A key that is replaced or withdrawn later on the same day has still signed what came before;
    one that is withdrawn as from an earlier day has not.

    Raises:
        NotAuthorised: no-key.
    """
    found: Person | None = scene.look_by("person", code, *taken)
    if found is None or not found.key:
        raise NotAuthorised(
            "no-key",
            f"The key of {found or code} is withdrawn: none is in force on {taken[0]}.",
            f"An administrator enters a new one with: govledger person key {code} --key FILE.pub",
        )
    return found.key


def _holder(scene: Scene, escalation: Escalation, who: str) -> None:
    """Somebody of the body that has the escalation; for one outside, of whoever passed it on."""
    body = scene.body(escalation.at)
    if body.outside:
        body = scene.body(escalation.referred_by or escalation.raised_by)
    seated(scene, body, who, None)


def _upward(scene: Scene, reached: int, to: str, rung: int) -> None:
    body = scene.body(to)
    if body.outside:
        if rung != reached:
            raise Refusal("not-up", f"{body} stands outside the ladder, and has no rung.")
        return
    if body.rung <= reached or rung != body.rung:
        above = [str(b) for b in scene.bodies() if b.rung > reached or b.outside]
        raise Refusal(
            "not-up",
            f"{body} is on rung {body.rung}; an escalation that has reached rung {reached} goes "
            "up the ladder, never down.",
            f"It can go to: {', '.join(above) or 'no body of the plan'}.",
        )
