"""What can be asked about sign-offs, but for what members sign: see `domain.signing_commands`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.action import Action
from domain.administration import Recorded
from domain.authority import enough_evidence, phase_power
from domain.body import Body, Power
from domain.content import shown, staleness
from domain.errors import Refusal
from domain.scene import Scene
from domain.signoff import (
    BACK,
    MEANINGS,
    PHASES,
    SignOff,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
)
from domain.text import is_held


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


def to_read(scene: Scene, ref: str, phase: int) -> str:
    """What a sign-off would be bound to: nobody decides on what cannot be read.

    Raises:
        Refusal: cannot-be-read.
    """
    text = shown(scene.action(ref), phase, scene.plan.scale)
    if not is_held(text):
        raise Refusal(
            "cannot-be-read",
            f"A part of what {ref} says is withheld or not held any more, so nobody can read what "
            "they would sign.",
            f"See what it is with: govledger show {ref}. It is amended, or evidence lodged anew "
            "and the old voided, and then signed off as it reads.",
        )
    return text


def unchanged(scene: Scene, ref: str, phase: int) -> SignOff:
    """The recommendation that waits, which must still show what the action says.

    Raises:
        Refusal: not-recommended, cannot-be-read, changed-since.
    """
    found = _open(scene, ref, phase)
    to_read(scene, ref, phase)
    if not is_held(found.shown):
        raise Refusal(
            "cannot-be-read",
            f"What was recommended of {ref} is not held any more, so nobody can decide on it.",
            f"The lead body recommends it again: govledger signoff recommend {ref} --phase {phase}",
        )
    if found.shown != shown(scene.action(ref), phase, scene.plan.scale):
        raise Refusal(
            "changed-since",
            f"{ref} has changed since it was recommended, so what was recommended is not what "
            "would be signed off.",
            "The lead body recommends it again as it is now: govledger signoff recommend "
            f"{ref} --phase {phase}",
        )
    return found


def _phase_1_is_fresh(scene: Scene, action: Action, phase: int) -> None:
    """Phase 2 rests on phase 1, which must not be stale.

    Raises:
        Refusal: phase-1-stale.
    """
    stale = staleness(action, 1, scene.plan.scale)
    if phase == 2 and stale is not False:
        changed = "was given for what has changed since"
        raise Refusal(
            "phase-1-stale",
            f"The sign-off of phase 1 of {action.ref} "
            f"{changed if stale else 'cannot be compared with what the action says now'}.",
            f"It is confirmed first: govledger signoff confirm {action.ref} --phase 1",
        )


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
            for event in scene.ever("action", self.ref)
            if isinstance(event, SignOffRecommended) and event.phase == self.phase
        ]
        enough_evidence(scene, action, self.phase)
        _phase_1_is_fresh(scene, action, self.phase)
        content = to_read(scene, self.ref, self.phase)
        found = action.signoffs.get(self.phase)
        if found and (found.status, found.shown) == ("recommended", content):
            raise Refusal(
                "already-recommended",
                f"Phase {self.phase} of {self.ref} is recommended already, as it is now.",
                "It waits for the votes of the deciding body: govledger signoff list --pending",
            )
        event = SignOffRecommended(
            phase=self.phase,
            round=max(rounds, default=0) + 1,
            lead=lead.code,
            recommended_by=person.person,
            shown=content,
        )
        return [("action", self.ref, event)]


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
        found = unchanged(scene, self.ref, self.phase)
        _phase_1_is_fresh(scene, scene.action(self.ref), self.phase)
        body = one_body(scene, self.body, phase_power(self.phase))
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
        """Raises Refusal: not-recommended, quorum-approved, not-quorate; NotAuthorised."""
        found = _open(scene, self.ref, self.phase)
        body = one_body(scene, self.body, phase_power(self.phase))
        approved = found.votes("approve", body.code)
        if len(approved) >= body.quorum:
            raise Refusal(
                "quorum-approved",
                f"{len(approved)} of the {body.quorum} members that {body} needs have approved "
                f"phase {self.phase} of {self.ref}, and signed it: it cannot be declined.",
                f"Grant it: govledger signoff grant {self.ref} --phase {self.phase} --meeting "
                f"{self.meeting} --minute REF",
            )
        event = SignOffDeclined(
            phase=self.phase,
            round=found.round,
            body=body.code,
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
        back = scale.with_meaning(BACK[self.phase])
        if back is None:
            raise Refusal("no-such-step", "The plan's scale has no rating to move back to.")
        event = SignOffRevoked(
            phase=self.phase,
            body=one_body(scene, self.body, phase_power(self.phase)).code,
            person=scene.person(scene.who).person,
            meeting=self.meeting,
            rating=back.key,
        )
        return [("action", self.ref, event)]
