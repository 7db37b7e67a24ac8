"""What members sign: a vote on a recommendation, and the confirmation of what has changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast, get_args

from domain.administration import Recorded
from domain.authority import phase_power
from domain.body import Body
from domain.content import claims_of, shown, staleness, statement
from domain.errors import BadInput, Refusal
from domain.person import Person
from domain.scene import Scene
from domain.signoff import (
    SignOff,
    SignOffConfirmed,
    SignOffVoted,
    Vote,
)
from domain.signoff_commands import one_body, to_read, unchanged


@dataclass(frozen=True)
class ToSign:
    """A statement ready to be signed, and what it is about.

    Attributes:
        text: the statement, to be signed as it is.
        content: what is shown: wording, owners, timescale, milestones, evidence.
        signer: the person.
        key: the public key that has to sign.
        signoff: as it stands, with its recommendation and votes.
    """

    text: str
    content: str
    signer: Person
    key: str
    body: Body
    signoff: SignOff


@dataclass(frozen=True)
class CastVote:
    """A member's signed vote on a recommendation."""

    ref: str
    phase: int
    vote: str
    meeting: date
    signed_at: datetime
    body: str | None = None
    signature: str = ""

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: not-recommended, changed-since, voted-already, …; NotAuthorised."""
        return [("action", self.ref, self._event(scene))]

    def to_sign(self, scene: Scene) -> ToSign:
        """The statement that the signature has to be over."""
        return _to_sign(scene, self.ref, self._event(scene))

    def _event(self, scene: Scene) -> SignOffVoted:
        if self.vote not in get_args(Vote):
            raise BadInput(
                "unknown-vote", f"'{self.vote}' is no vote.", f"Votes: {', '.join(get_args(Vote))}."
            )
        found = unchanged(scene, self.ref, self.phase)
        person = scene.person(scene.who)
        event = SignOffVoted(
            phase=self.phase,
            person=person.person,
            round=found.round,
            body=one_body(scene, self.body, phase_power(self.phase)).code,
            meeting=self.meeting,
            vote=cast(Vote, self.vote),
            signed_at=self.signed_at,
            statement="",
            signature=self.signature,
        )
        return event.model_copy(update={"statement": _statement(scene, self.ref, event)})


@dataclass(frozen=True)
class Confirm:
    """A member's signed confirmation of a stale sign-off, for what the action says now."""

    ref: str
    phase: int
    meeting: date
    minute: str
    signed_at: datetime
    body: str | None = None
    signature: str = ""

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: not-granted, not-stale, …; NotAuthorised."""
        return [("action", self.ref, self._event(scene))]

    def to_sign(self, scene: Scene) -> ToSign:
        """The statement that the signature has to be over."""
        return _to_sign(scene, self.ref, self._event(scene))

    def _event(self, scene: Scene) -> SignOffConfirmed:
        action = scene.action(self.ref)
        now = to_read(scene, self.ref, self.phase)
        kept = action.signoffs.get(self.phase, SignOff(self.phase))
        stale = staleness(action, self.phase, scene.plan.scale)
        if kept.status == "granted" and stale is False:
            raise Refusal(
                "not-stale",
                f"The sign-off of phase {self.phase} of {self.ref} is not stale.",
                "Nothing was recorded; nothing needs to be.",
            )
        numbers = [
            event.confirmation
            for event in scene.ever("action", self.ref)
            if isinstance(event, SignOffConfirmed) and event.phase == self.phase
        ]
        event = SignOffConfirmed(
            phase=self.phase,
            round=kept.round,
            body=one_body(scene, self.body or kept.body, phase_power(self.phase)).code,
            confirmation=max(numbers, default=0) + 1,
            confirmed_by=scene.person(scene.who).person,
            meeting=self.meeting,
            shown=now,
            signed_at=self.signed_at,
            statement="",
            signature=self.signature,
        )
        return event.model_copy(update={"statement": _statement(scene, self.ref, event)})


def _statement(scene: Scene, ref: str, event: SignOffVoted | SignOffConfirmed) -> str:
    action, person, body = scene.action(ref), scene.person(event.person), scene.body(event.body)
    content = shown(action, event.phase, scene.plan.scale)
    claims = claims_of(scene.ledger_id, scene.code, ref, event, content)
    printed: Mapping[str, str] = {
        "Name": person.name,
        "Role": person.role,
        "Seat": f"{body.seat(person.person, scene.day) or 'none'} of {body.name}",
    }
    return statement({**claims, **printed})


def _to_sign(scene: Scene, ref: str, event: SignOffVoted | SignOffConfirmed) -> ToSign:
    action, person = scene.action(ref), scene.person(event.person)
    return ToSign(
        text=event.statement,
        content=shown(action, event.phase, scene.plan.scale),
        signer=person,
        key=person.key,
        body=scene.body(event.body),
        signoff=action.signoffs.get(event.phase, SignOff(event.phase)),
    )
