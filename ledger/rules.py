"""What the commands make sure of, asked again of an entry that is recorded already."""

from collections.abc import Collection
from typing import Any

from domain.action import (
    ActionAdded,
    ActionRated,
    ActionResumed,
    MarkedDelayed,
)
from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentProposed
from domain.body import BodyEstablished
from domain.content import alike, claims_in, claims_of, is_gone, shown, statement
from domain.errors import Refusal
from domain.escalation import EscalationRaised
from domain.event import EntryVoided, Event
from domain.person import PersonEnrolled
from domain.plan import PlanCreated
from domain.scale import Scale
from domain.scene import Scene
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
)
from domain.text import WITHOUT_TEXT, is_held

RATING = (ActionRated, ActionResumed, MarkedDelayed)
"""The events, other than those of a sign-off, that can carry a rating."""
DECISIONS = (
    SignOffGranted,
    SignOffDeclined,
    SignOffRevoked,
    SignOffConfirmed,
    AmendmentAgreed,
    AmendmentDeclined,
)
"""The decisions of a body, under a minute of its meeting."""
FOUNDATION = ("plan", "person", "body")
"""The kinds of stream that say who may decide."""
_NAMED_BY: dict[type[Event], str] = {
    PlanCreated: "code",
    ActionAdded: "ref",
    BodyEstablished: "code",
    PersonEnrolled: "person",
    EscalationRaised: "escalation",
    AmendmentProposed: "amendment",
}
_ACTOR = ("recommended_by", "recorder", "confirmed_by", "person")
_HOME = {"signoff": "action", "evidence": "action", "event": "", "withholding": "ledger"}


def at_home(event: Event, kind: str) -> bool:
    """Whether an event belongs on streams of that kind."""
    module = type(event).__module__.rpartition(".")[2]
    return isinstance(event, EntryVoided) or _HOME.get(module, module) == kind


def subject(event: Event) -> str | None:
    """The subject that an event names, where it names one: it begins its stream."""
    name = _NAMED_BY.get(type(event))
    return getattr(event, name) if name else None


def actor_of(event: Event) -> str:
    """The code of the person in whose name a decision is recorded."""
    return next(str(getattr(event, name)) for name in _ACTOR if hasattr(event, name))


def due_statement(scene: Scene, event: Any, before: Any, key: str) -> dict[str, str]:
    """Every line that the statement of a vote or a confirmation has to have, in their order.

    Args:
        before: the action as it was just before.
        key: its reference, by the stream on which the entry stands.
    """
    content = getattr(event, "shown", None)
    if content is None:
        present = before.signoffs.get(event.phase) if before else None
        content = present.shown if present else ""
    claims = claims_of(scene.ledger_id, scene.code, key, event, content)
    if is_gone(content):
        claims["Content SHA-256"] = WITHOUT_TEXT
    person = scene.look("person", event.person, scene.day)
    body = scene.look("body", event.body, scene.day)
    if person is not None:
        claims |= {"Name": person.name, "Role": person.role}
    if person is not None and body is not None:
        seat = body.seat(event.person, scene.day) or "none"
        claims["Seat"] = f"{seat} of {body.name}"
    return claims


def mismatches(written: str, due: dict[str, str]) -> list[str]:
    """What a statement says otherwise than it has to, each in a phrase."""
    said = claims_in(written)
    wrong = [
        f"its {name} is {repr(said[name]) if name in said else 'not named'}, here it is {words!r}"
        for name, words in due.items()
        if is_held(words) and said.get(name) != words
    ]
    if not wrong and is_held(*due.values()) and written != statement(due):
        wrong.append("it has other lines, or has them in another order")
    return wrong


def sign_off_kept(event: Any, before: Any, scale: Scale) -> None:
    """A step of a sign-off is bound to what the action says as it is recorded.

    Raises:
        Refusal: changed-since.
    """
    if isinstance(event, SignOffDeclined | SignOffRevoked):
        pinned = None
    elif isinstance(event, SignOffRecommended | SignOffConfirmed):
        pinned = event.shown
    else:
        present = before.signoffs.get(event.phase)
        pinned = present.shown if present else None
    now = shown(before, event.phase, scale)
    if pinned is not None and not alike(pinned, now):
        raise Refusal("changed-since", "what it is bound to is not what the action said then")


def agreed_by_nobody(scene: Scene) -> None:
    """Refuse a change to the plan where a body has the power to agree it.

    Raises:
        Refusal: needs-agreement.
    """
    able = scene.empowered("amend")
    if able:
        raise Refusal(
            "needs-agreement",
            f"no agreed amendment stands beside it, and {' or '.join(map(str, able))} agrees the "
            f"changes to this plan on {scene.day}",
        )


def says_otherwise(due: Event, event: Event, but: Collection[str] = ()) -> bool:
    """Whether an event says other than it has to, as far as its texts are held.

    Args:
        but: fields that cannot be compared.
    """
    ours, theirs = _said_by(due), _said_by(event)
    return ours.keys() != theirs.keys() or any(
        ours[name] != theirs[name] and is_held(theirs[name]) for name in ours.keys() - set(but)
    )


def _said_by(event: Event) -> dict[str, Any]:
    """What an event says, with a timescale as it was written."""
    said = {**event.model_dump(exclude_none=True), "tag": event.tag}
    if isinstance(said.get("timescale"), dict):
        said["timescale"] = said["timescale"].get("written")
    return said
