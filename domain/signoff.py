"""Sign-off of an action in two phases: recommended, voted on, granted or declined, revoked.

A sign-off is bound to content: the recommendation keeps the very text that was shown, each vote
is signed over its digest, and when the action no longer reads so the sign-off is stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from domain.event import Event
from domain.scale import UNDER_REVIEW, Meaning, Scale
from domain.text import Text, is_held

if TYPE_CHECKING:
    from domain.action import Action

Vote = Literal["approve", "decline"]
MEANINGS: dict[int, Meaning] = {1: "activity_complete", 2: "complete"}
"""What the rating says once a phase is granted."""
BACK: dict[int, Meaning] = {1: "on_track", 2: "activity_complete"}
"""What the rating says once a phase is revoked."""
PHASES = {1: "the activity is complete", 2: "its impact is evidenced"}

# --- events -----------------------------------------------------------------------------


class SignOffRecommended(Event):
    """The lead body recommends the sign-off, on what is shown.

    Fields: phase, round (1 for the first recommendation of the phase, 2 after one was declined,
    …), lead (code of the recommending body), recommended_by (code of the person), shown (the
    text on which the decision is asked; see `shown`).
    """

    tag = "signoff.recommended/1"
    part = ("phase",)
    phase: int
    round: int
    lead: str
    recommended_by: str
    shown: Text
    status: Literal["recommended"] = "recommended"


class SignOffVoted(Event):
    """A member approved or declined, with a signature.

    Fields: phase, person, round (the recommendation voted on), body, meeting, vote, signed_at,
    statement (the text that was signed), signature (OpenSSH, armoured).
    """

    tag = "signoff.voted/1"
    part = ("phase", "person")
    phase: int
    person: str
    round: int
    body: str
    meeting: date
    vote: Vote
    signed_at: datetime
    statement: Text
    signature: str


class SignOffGranted(Event):
    """The body's quorum approved; the rating moves with it.

    Fields: phase, round, body, person (who recorded it), meeting, quorum (approvals needed then),
    rating (key of the plan's scale).
    """

    tag = "signoff.granted/1"
    part = ("phase",)
    whole = ("rating",)
    phase: int
    round: int
    body: str
    person: str
    meeting: date
    quorum: int
    rating: str
    status: Literal["granted"] = "granted"


class SignOffDeclined(Event):
    """The body declined the recommendation."""

    tag = "signoff.declined/1"
    part = ("phase",)
    phase: int
    round: int
    body: str
    person: str
    meeting: date
    status: Literal["declined"] = "declined"


class SignOffRevoked(Event):
    """The body took the sign-off back; the rating moves back with it."""

    tag = "signoff.revoked/1"
    part = ("phase",)
    whole = ("rating",)
    phase: int
    body: str
    person: str
    meeting: date
    rating: str
    status: Literal["revoked"] = "revoked"


class SignOffConfirmed(Event):
    """After a change a member confirmed the sign-off for what is shown now, with a signature.

    It is renewed once as many have confirmed the same text as the grant needed approvals.

    Fields: phase, confirmation (its number, 1 for the first of the phase), confirmed_by (code of
    the person), round (of the recommendation that was granted), body, meeting, shown (the text as
    it is now), signed_at, statement, signature.
    """

    tag = "signoff.confirmed/1"
    part = ("phase", "confirmation")
    phase: int
    confirmation: int
    confirmed_by: str
    round: int
    body: str
    meeting: date
    shown: Text
    signed_at: datetime
    statement: Text
    signature: str

    @property
    def person(self) -> str:
        """Who signed, as a vote says it."""
        return self.confirmed_by


# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ballot:
    """How one member voted, on which recommendation."""

    person: str
    round: int
    body: str
    meeting: date
    vote: str


@dataclass(frozen=True)
class Confirmation:
    """That a member confirmed a granted sign-off, and for which text."""

    confirmation: int
    confirmed_by: str
    round: int
    body: str
    meeting: date
    shown: str


@dataclass(frozen=True)
class SignOff:
    """One phase of an action's sign-off, as at one date.

    Attributes:
        status: recommended, granted, declined or revoked.
        shown: the text that was recommended.
        quorum: approvals that the grant needed, and a confirmation needs.
        body, meeting: of the decision last taken on it.
        ballots: how each member voted last; those of an earlier round do not count.
        confirmations: by number, in the order in which they were given.
    """

    phase: int
    status: str = ""
    round: int = 0
    lead: str | None = None
    recommended_by: str | None = None
    shown: str = ""
    body: str | None = None
    meeting: date | None = None
    quorum: int = 0
    ballots: Mapping[str, Ballot] = field(default_factory=dict)
    confirmations: Mapping[int, Confirmation] = field(default_factory=dict)

    def confirming(self, text: str) -> list[str]:
        """Who has confirmed it for that text, since it was granted."""
        return [c.confirmed_by for c in self._confirmed() if c.shown == text]

    def _confirmed(self) -> list[Confirmation]:
        return [
            said
            for _number, said in sorted(self.confirmations.items())
            if (said.round, said.body) == (self.round, self.body)
        ]

    def confirmations_held(self) -> bool:
        """Whether every text that was confirmed since it was granted is held."""
        return is_held(*(said.shown for said in self._confirmed()))

    def stands_for(self, text: str) -> bool:
        """Whether that text was granted, or confirmed since by a quorum."""
        return text == self.shown or len(self.confirming(text)) >= max(self.quorum, 1)

    def in_effect(self) -> str:
        """The text that it stands for: that whose quorum confirmed it last, else as granted."""
        text, seen = self.shown, dict[str, int]()
        for said in self._confirmed():
            seen[said.shown] = seen.get(said.shown, 0) + 1
            if seen[said.shown] == self.quorum:
                text = said.shown
        return text

    def votes(self, vote: Vote, body: str) -> list[str]:
        """Who voted so for a body on the present recommendation."""
        wanted = (self.round, vote, body)
        return [b.person for b in self.ballots.values() if (b.round, b.vote, b.body) == wanted]


def evolve(state: SignOff, event: Event) -> SignOff:
    """The sign-off after one of this module's events.

    Raises:
        TypeError: the event is of another stream.
    """
    match event:
        case SignOffRecommended():
            return replace(state, **event.asserted())
        case SignOffVoted():
            ballot = Ballot(event.person, event.round, event.body, event.meeting, event.vote)
            return replace(state, ballots={**state.ballots, event.person: ballot})
        case SignOffGranted() | SignOffDeclined() | SignOffRevoked():
            number = state.round if isinstance(event, SignOffRevoked) else event.round
            quorum = event.quorum if isinstance(event, SignOffGranted) else state.quorum
            return replace(
                state,
                status=event.status,
                round=number,
                body=event.body,
                meeting=event.meeting,
                quorum=quorum,
            )
        case SignOffConfirmed():
            said = Confirmation(
                event.confirmation,
                event.confirmed_by,
                event.round,
                event.body,
                event.meeting,
                event.shown,
            )
            after = {**state.confirmations, event.confirmation: said}
            return replace(state, confirmations=after)
    raise TypeError(f"{event.tag} is not an event of a sign-off")


def objection(state: "Action", event: Event, scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense for an action in this state; see `domain.action.objection`."""
    phase = getattr(event, "phase", 0)
    if phase not in PHASES:
        return "no-such-phase", f"there is no phase {phase}: a sign-off has phase 1 and phase 2"
    present = state.signoffs.get(phase, SignOff(phase))
    if state.standing == UNDER_REVIEW:
        return "under-review", "it is under review on that date"
    if isinstance(event, SignOffRecommended):
        return _not_to_recommend(state, event, present, scale)
    if isinstance(event, SignOffConfirmed | SignOffRevoked):
        if not is_granted(state, phase, scale):
            return "not-granted", f"its sign-off of phase {phase} is not granted on that date"
        if isinstance(event, SignOffConfirmed) and present.status != "granted":
            return "taken-over", "its rating was taken over from a document, not signed off"
        if isinstance(event, SignOffConfirmed):
            return _not_to_confirm(event, present)
        if event.rating != _key(scale, BACK[phase]):
            return "other-rating", "revoking that phase does not give that rating"
        if phase == 1 and is_granted(state, 2, scale):
            return "phase-2-first", "its sign-off of phase 2 rests on this one and is granted"
        return None
    if present.status != "recommended":
        stands = f" but {present.status}" if present.status else ""
        return (
            "not-recommended",
            f"its sign-off of phase {phase} is not recommended on that date{stands}",
        )
    if getattr(event, "round", present.round) != present.round:
        return "other-round", "it is not about the recommendation that stands on that date"
    if phase == 2 and not isinstance(event, SignOffDeclined) and not is_granted(state, 1, scale):
        return "phase-1-first", "its sign-off of phase 1 is not granted on that date"
    if isinstance(event, SignOffVoted):
        ballot = present.ballots.get(event.person)
        if ballot is not None and ballot.round == present.round:
            return "voted-already", f"{event.person} has voted on this recommendation already"
    if isinstance(event, SignOffGranted):
        if is_granted(state, phase, scale):
            return "already-granted", f"it is rated as phase {phase} would have it, or better"
        if event.rating != _key(scale, MEANINGS[phase]):
            return "other-rating", f"granting phase {phase} does not give that rating"
        approved = len(present.votes("approve", event.body))
        if approved < event.quorum:
            return "quorum-not-reached", f"the quorum is not reached: {approved} of {event.quorum}"
    return None


def _key(scale: Scale, meaning: Meaning) -> str | None:
    step = scale.with_meaning(meaning)
    return step.key if step else None


def _not_to_confirm(event: SignOffConfirmed, present: SignOff) -> tuple[str, str] | None:
    if (event.round, event.body) != (present.round, present.body):
        return "other-round", "it is not about the grant that stands on that date"
    if event.confirmation in present.confirmations:
        return "already-there", f"there is a confirmation {event.confirmation} already"
    if event.confirmed_by in present.confirming(event.shown):
        return "voted-already", f"{event.confirmed_by} has confirmed this text already"
    return None


def _not_to_recommend(
    state: "Action", event: SignOffRecommended, present: SignOff, scale: Scale
) -> tuple[str, str] | None:
    # One that waits may be recommended anew, as when what is shown has changed; whether there is
    # need of it is asked only of the command, so that no later round rests on an earlier one.
    if is_granted(state, event.phase, scale):
        return "already-granted", f"it is signed off, or rated so, in phase {event.phase} already"
    if event.phase == 2 and not is_granted(state, 1, scale):
        return "phase-1-first", "its sign-off of phase 1 is not granted on that date"
    if event.round <= present.round:
        return "other-round", "there was a later recommendation already"
    return None


def held_by(state: "Action", rating: str, scale: Scale) -> int:
    """The granted phase that keeps the action from being rated so; 0 where none does."""
    step = scale.step(rating)
    for phase in sorted(state.signoffs, reverse=True):
        if state.signoffs[phase].status == "granted":
            allowed = [MEANINGS[later] for later in MEANINGS if later >= phase]
            return 0 if step and step.meaning in allowed else phase
    return 0


def is_granted(state: "Action", phase: int, scale: Scale) -> bool:
    """Whether the action's rating rests on this phase: signed off, or taken over as such."""
    step = scale.step(state.rating)
    meaning = step.meaning if step else None
    return meaning in [MEANINGS[later] for later in MEANINGS if later >= phase]


# --- content ----------------------------------------------------------------------------


# --- the statement that is signed -------------------------------------------------------
