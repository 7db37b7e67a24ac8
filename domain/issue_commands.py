"""What can be asked about escalations and proposed amendments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.action import Action, TimescaleRevised, objection
from domain.administration import Recorded
from domain.amendment import AmendmentAgreed, AmendmentDeclined, proposed
from domain.commands import Add, Close, Command, ReviseTimescale
from domain.errors import BadInput, Refusal
from domain.escalation import (
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.scale import CLOSED
from domain.scene import Scene
from domain.signoff_commands import one_body
from domain.text import free_text

# --- escalations ------------------------------------------------------------------------


@dataclass(frozen=True)
class Raise:
    """Raise an issue on one or more actions from a body to one further up, or outside."""

    refs: tuple[str, ...]
    issue: str
    body: str
    to: str
    needed_by: date

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-body, not-up, needed-before; NotAuthorised; BadInput."""
        if not self.refs:
            raise BadInput(
                "needs-reference", "An escalation is about one or more actions.", "Name them."
            )
        refs = tuple(dict.fromkeys(scene.action(ref).ref for ref in self.refs))
        for ref in refs:
            if scene.action(ref).standing == CLOSED:
                raise Refusal(
                    "action-closed",
                    f"{ref} is closed on {scene.day}, so nothing about it is open to escalate.",
                    "Name an action that is open.",
                )
        raised_by, to = scene.body(self.body), scene.body(self.to)
        _in_time(scene, self.needed_by)
        number = f"E{len(scene.keys('escalation')) + 1}"
        event = EscalationRaised(
            escalation=number,
            issue=free_text(self.issue, "An issue"),
            refs=refs,
            raised_by=raised_by.code,
            at=to.code,
            rung=to.rung or raised_by.rung,
            needed_by=self.needed_by,
            person=scene.person(scene.who).person,
        )
        return [("escalation", number, event)]


def _in_time(scene: Scene, needed_by: date) -> None:
    if needed_by < scene.day:
        raise Refusal(
            "needed-before",
            f"An answer that is asked for on {scene.day} cannot be needed by {needed_by}.",
            "Give a later --needed-by.",
        )


@dataclass(frozen=True)
class Refer:
    """Pass an escalation on, up the ladder or to a body outside it."""

    escalation: str
    to: str
    needed_by: date

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-escalation, not-up, needed-before; NotAuthorised."""
        found, to = scene.escalation(self.escalation), scene.body(self.to)
        _in_time(scene, self.needed_by)
        event = EscalationReferred(
            referred_by=found.referred_by or found.raised_by
            if scene.body(found.at).outside
            else found.at,
            at=to.code,
            rung=to.rung or found.rung,
            needed_by=self.needed_by,
            person=scene.person(scene.who).person,
        )
        return [("escalation", found.escalation, event)]


@dataclass(frozen=True)
class Respond:
    """Answer an escalation; it stays open."""

    escalation: str
    text: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-escalation; NotAuthorised."""
        found = scene.escalation(self.escalation)
        response = free_text(self.text, "A response")
        event = EscalationResponded(response=response, person=scene.person(scene.who).person)
        return [("escalation", found.escalation, event)]


@dataclass(frozen=True)
class Resolve:
    """Settle an escalation."""

    escalation: str
    text: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-escalation; NotAuthorised."""
        found = scene.escalation(self.escalation)
        outcome = free_text(self.text, "An outcome")
        event = EscalationResolved(outcome=outcome, person=scene.person(scene.who).person)
        return [("escalation", found.escalation, event)]


@dataclass(frozen=True)
class Withdraw:
    """Withdraw an escalation: the body that raised it needs no answer any more."""

    escalation: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-escalation; NotAuthorised."""
        found = scene.escalation(self.escalation)
        event = EscalationWithdrawn(person=scene.person(scene.who).person)
        return [("escalation", found.escalation, event)]


# --- amendments -------------------------------------------------------------------------


def replaceable(scene: Scene, command: Command) -> None:
    """What takes an action's place must be there to do it.

    Raises:
        Refusal: not-there-yet, replacement-closed.
    """
    other = command.replaced_by if isinstance(command, Close) else None
    if other and scene.action(other).standing == CLOSED:
        raise Refusal(
            "replacement-closed",
            f"{other} is closed itself on {scene.day}, so it replaces nothing.",
            "Name an action that is open, or close without a replacement.",
        )


def within_cap(scene: Scene, command: Command) -> None:
    """Beyond the plan's cap on revisions of one timescale an open escalation is needed.

    Raises:
        Refusal: revisions-capped.
    """
    most = scene.plan.most_revisions
    if most is None or not isinstance(command, ReviseTimescale):
        return
    revised = [
        event
        for event in scene.events("action", command.ref)
        if isinstance(event, TimescaleRevised) and event.milestone == command.milestone
    ]
    if len(revised) < most:
        return
    if not any(e.status == "open" and command.ref in e.refs for e in scene.escalations()):
        raise Refusal(
            "revisions-capped",
            f"The timescale of {command.ref} has been revised {len(revised)} "
            f"time{'' if len(revised) == 1 else 's'}, and the plan allows {most} without an open "
            "escalation.",
            f"Raise one first: govledger escalate raise {command.ref} --body CODE --to CODE "
            "--needed-by DATE --issue TEXT",
        )


@dataclass(frozen=True)
class Propose:
    """Propose an amendment; it changes nothing until a body agrees it."""

    command: Command

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises whatever the command itself would refuse as things stand."""
        _kind, _ref, change = decided(scene, self.command)
        number = f"A{len(scene.keys('amendment')) + 1}"
        person = scene.person(scene.who).person
        return [("amendment", number, proposed(number, self.command, change, person))]


def decided(scene: Scene, command: Command) -> Recorded:
    """What the command has recorded on its action, as things stand in the scene.

    Raises:
        Refusal: what the command or the law of the action refuses; not-there-yet, already-there,
            revisions-capped.
    """
    if isinstance(command, Add):
        for known in scene.keys("action"):
            if known != command.ref and known.casefold() == command.ref.casefold():
                raise Refusal(
                    "already-there",
                    f"{command.ref} differs from {known} only in its capitals.",
                    "Give the new action another reference.",
                )
        state: Action | None = scene.look("action", command.ref, scene.day)
    else:
        state = scene.action(command.ref)
    replaceable(scene, command)
    event = command.decide(state, scene.plan, taken_over=False)
    # Asked again when it is recorded; asked here, because a proposal records nothing on the action.
    against = objection(state, event, scene.plan.scale)
    if against:
        rule, sentence = against
        raise Refusal(
            rule,
            f"{command.ref} on {scene.day}: {sentence}.",
            f"Look at its history: govledger log {command.ref}",
        )
    within_cap(scene, command)
    return "action", command.ref, event


@dataclass(frozen=True)
class Agree:
    """Record that a body agreed an amendment: the plan changes with it."""

    amendment: str
    meeting: date
    minute: str
    body: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-amendment, decided-already, not-quorate, …; NotAuthorised."""
        found = scene.amendment(self.amendment)
        event = AmendmentAgreed(
            body=one_body(scene, self.body, "amend").code,
            meeting=self.meeting,
            recorder=scene.person(scene.who).person,
        )
        recorded: list[Recorded] = [("amendment", found.amendment, event)]
        if found.status == "proposed":  # else the law of its stream refuses it by itself
            recorded.append(decided(scene, found.command()))
        return recorded


@dataclass(frozen=True)
class Decline:
    """Record that a body declined an amendment: the plan stays as it is."""

    amendment: str
    meeting: date
    minute: str
    body: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises Refusal: unknown-amendment, decided-already, not-quorate; NotAuthorised."""
        found = scene.amendment(self.amendment)
        event = AmendmentDeclined(
            body=one_body(scene, self.body, "amend").code,
            meeting=self.meeting,
            recorder=scene.person(scene.who).person,
        )
        return [("amendment", found.amendment, event)]
