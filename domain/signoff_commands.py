"""What can be asked about evidence and sign-offs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast, get_args

from domain.authority import enough_evidence
from domain.board_commands import Recorded
from domain.body import Body, Power
from domain.errors import BadInput, Refusal
from domain.evidence import KINDS, EvidenceLodged, Kind
from domain.person import Person
from domain.scene import Scene
from domain.signoff import (
    MEANINGS,
    PHASES,
    SignOff,
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
    Vote,
    claims_of,
    is_granted,
    is_stale,
    shown,
    statement,
)
from domain.text import free_text, one_line


@dataclass(frozen=True)
class Lodge:
    """Lodge an item of evidence on an action: a reference, or a file by its digest.

    Attributes:
        phase: of the sign-off that it is for; None for the next one that is not granted.
    """

    ref: str
    kind: str
    called: str
    dated: date
    reference: str | None = None
    file: str | None = None
    sha256: str | None = None
    size: int | None = None
    phase: int | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises BadInput: unknown-kind, no-such-phase, needs-reference; Refusal: not-there-yet,
        future-date."""
        if self.kind not in KINDS:
            raise BadInput(
                "unknown-kind",
                f"'{self.kind}' is no kind of evidence.",
                "Kinds: " + "; ".join(f"{kind} ({words})" for kind, words in KINDS.items()) + ".",
            )
        if self.phase not in (None, *PHASES):
            raise BadInput(
                "no-such-phase", f"A sign-off has no phase {self.phase}.", "Give 1 or 2."
            )
        if self.reference is None and self.sha256 is None:
            raise BadInput(
                "needs-reference",
                "Evidence is a file, or a reference to where it is kept.",
                "Give --file PATH or --reference TEXT.",
            )
        if self.dated > scene.day:
            raise Refusal(
                "future-date",
                f"Evidence of {self.dated} cannot be lodged on {scene.day}.",
                "Give the date of the evidence.",
            )
        if self.phase not in (None, *PHASES):
            raise BadInput("no-such-phase", f"There is no phase {self.phase}.", "Give 1 or 2.")
        # A stranger could make any sign-off stale.
        if scene.bodies() and not scene.is_administrator(scene.who):
            scene.person(scene.who)
        action = scene.action(self.ref)
        phase = self.phase or (2 if is_granted(action, 1, scene.plan.scale) else 1)
        event = EvidenceLodged(
            evidence=max((*action.evidence, *_lodged(scene, self.ref)), default=0) + 1,
            phase=phase,
            kind=cast(Kind, self.kind),
            called=free_text(self.called, "The title of evidence"),
            dated=self.dated,
            reference=None if self.reference is None else one_line(self.reference, "A reference"),
            file=None if self.file is None else one_line(self.file, "The name of a file"),
            sha256=self.sha256,
            size=self.size,
        )
        return [("action", self.ref, event)]


def _lodged(scene: Scene, ref: str) -> list[int]:
    """The numbers that evidence has on the action, whatever its date."""
    events = scene.on(date.max).events("action", ref)
    return [event.evidence for event in events if isinstance(event, EvidenceLodged)]


def one_body(scene: Scene, named: str | None, power: Power) -> Body:
    """The body that is meant: the one named, or the only one that has the power.

    Raises:
        Refusal: unknown-body, which-body.
    """
    if named is not None:
        return scene.body(named)
    able = scene.empowered(power)
    if len(able) == 1:
        return able[0]
    names = ", ".join(body.code for body in able)
    raise Refusal(
        "which-body",
        f"On {scene.day} {'several bodies have' if able else 'no body of the plan has'} the power "
        f"'{power}'.",
        f"Name one with --body: {names}."
        if able
        else f"An administrator gives it with: govledger body terms CODE --power {power}",
    )


def _power(phase: int) -> Power:
    return "phase_2" if phase == 2 else "phase_1"


def _open(scene: Scene, ref: str, phase: int) -> SignOff:
    """The recommendation that waits for a decision.

    Raises:
        Refusal: not-recommended.
    """
    found = scene.action(ref).signoffs.get(phase)
    if found is None or found.status != "recommended":
        so_far = f" It is {found.status}." if found and found.status else ""
        raise Refusal(
            "not-recommended",
            f"No sign-off of phase {phase} of {ref} waits for a decision on {scene.day}.{so_far}",
            f"The lead body recommends it first: govledger signoff recommend {ref} --phase {phase}",
        )
    return found


def _unchanged(scene: Scene, ref: str, phase: int) -> SignOff:
    """The recommendation that waits, which must still show what the action says.

    Raises:
        Refusal: not-recommended, changed-since.
    """
    found = _open(scene, ref, phase)
    if found.shown != shown(scene.action(ref), phase, scene.plan.scale):
        raise Refusal(
            "changed-since",
            f"{ref} has changed since it was recommended, so what was recommended is not what "
            "would be signed off.",
            "The lead body recommends it again as it is now: govledger signoff recommend "
            f"{ref} --phase {phase}",
        )
    return found


@dataclass(frozen=True)
class Recommend:
    """Recommend a sign-off, on the action and its evidence as they are."""

    ref: str
    phase: int
    body: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: already-recommended, phase-1-first, too-little-evidence, which-body, …;
        NotAuthorised: no-power, not-a-member."""
        action, person = scene.action(self.ref), scene.person(scene.who)
        recommending = scene.empowered("recommend")
        mine = [body for body in recommending if body.seat(person.person, scene.day)]
        lead = mine[0] if self.body is None and len(mine) == 1 else None
        lead = lead or one_body(scene, self.body, "recommend")
        rounds = [
            event.round
            for event in scene.on(date.max).events("action", self.ref)
            if isinstance(event, SignOffRecommended) and event.phase == self.phase
        ]
        enough_evidence(scene, action, self.phase)
        event = SignOffRecommended(
            phase=self.phase,
            round=max(rounds, default=0) + 1,
            lead=lead.code,
            recommended_by=person.person,
            shown=shown(action, self.phase, scene.plan.scale),
        )
        return [("action", self.ref, event)]


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
        found = _unchanged(scene, self.ref, self.phase)
        person = scene.person(scene.who)
        event = SignOffVoted(
            phase=self.phase,
            person=person.person,
            round=found.round,
            body=one_body(scene, self.body, _power(self.phase)).code,
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
        now = shown(action, self.phase, scene.plan.scale)
        kept = action.signoffs.get(self.phase, SignOff(self.phase))
        stale = is_stale(action, self.phase, scene.plan.scale)
        if kept.status == "granted" and not stale:
            raise Refusal(
                "not-stale",
                f"The sign-off of phase {self.phase} of {self.ref} is not stale.",
                "Nothing was recorded; nothing needs to be.",
            )
        event = SignOffConfirmed(
            phase=self.phase,
            round=kept.round,
            body=one_body(scene, self.body or kept.body, _power(self.phase)).code,
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


@dataclass(frozen=True)
class Grant:
    """Record that the body's quorum has approved; the rating moves with it."""

    ref: str
    phase: int
    meeting: date
    minute: str
    body: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: not-recommended, changed-since, quorum-not-reached, no-such-step,
        not-quorate; NotAuthorised."""
        found = _unchanged(scene, self.ref, self.phase)
        body = one_body(scene, self.body, _power(self.phase))
        approved = found.votes("approve", body.code)
        if len(approved) < body.quorum:
            raise Refusal(
                "quorum-not-reached",
                f"The quorum of {body} is not reached for phase {self.phase} of {self.ref}: "
                f"{len(approved)} of {body.quorum} have approved.",
                f"Members approve with: govledger signoff approve {self.ref} --phase {self.phase}",
            )
        step = scene.plan.scale.with_meaning(MEANINGS[self.phase])
        if step is None:
            raise Refusal(
                "no-such-step",
                f"The plan's scale has no rating that means that {PHASES[self.phase]}.",
            )
        event = SignOffGranted(
            phase=self.phase,
            round=found.round,
            body=body.code,
            person=scene.person(scene.who).person,
            meeting=self.meeting,
            quorum=body.quorum,
            rating=step.key,
        )
        return [("action", self.ref, event)]


@dataclass(frozen=True)
class Return:
    """Record that the body declined the recommendation; it goes back to the lead body."""

    ref: str
    phase: int
    meeting: date
    minute: str
    body: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: not-recommended, not-quorate; NotAuthorised."""
        event = SignOffDeclined(
            phase=self.phase,
            round=_open(scene, self.ref, self.phase).round,
            body=one_body(scene, self.body, _power(self.phase)).code,
            person=scene.person(scene.who).person,
            meeting=self.meeting,
        )
        return [("action", self.ref, event)]


@dataclass(frozen=True)
class Revoke:
    """Record that the body takes a granted sign-off back; the rating moves back with it."""

    ref: str
    phase: int
    meeting: date
    minute: str
    body: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: not-granted, phase-2-first, no-such-step, not-quorate; NotAuthorised."""
        scale = scene.plan.scale
        back = scale.with_meaning("activity_complete" if self.phase == 2 else "on_track")
        if back is None:
            raise Refusal("no-such-step", "The plan's scale has no rating to move back to.")
        event = SignOffRevoked(
            phase=self.phase,
            body=one_body(scene, self.body, _power(self.phase)).code,
            person=scene.person(scene.who).person,
            meeting=self.meeting,
            rating=back.key,
        )
        return [("action", self.ref, event)]
