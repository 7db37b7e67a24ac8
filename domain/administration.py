"""What only administrators do: say who may decide, and take history over past the bodies."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from domain.action import (
    ActionAdded,
    ActionClosed,
    ActionResumed,
    ActionReworded,
    MarkedDelayed,
    MilestoneSet,
    OwnersChanged,
    PlacedUnderReview,
    TimescaleRevised,
)
from domain.authority import GOVERNED
from domain.body import (
    RECORDING,
    BodyEstablished,
    InterestDeclared,
    MeetingRecorded,
    MemberAppointed,
    MemberStoodDown,
    TermsChanged,
)
from domain.errors import NotAuthorised
from domain.event import Event
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
from domain.scene import Scene

STANDING = (
    PersonEnrolled,
    RoleChanged,
    KeyReplaced,
    KeyWithdrawn,
    AdministratorAppointed,
    AdministratorStoodDown,
    BodyEstablished,
    TermsChanged,
    MemberAppointed,
    MemberStoodDown,
    MeetingRecorded,
    InterestDeclared,
    TermsSet,
)
"""The events that say who may decide; only an administrator voids one."""


Recorded = tuple[str, str, Event]
"""What a command has recorded: (kind of stream, key of the stream, event)."""


class BoardCommand(Protocol):
    """A command that decides on a whole scene."""

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """What is to be recorded.

        Raises:
            Refusal, NotAuthorised, BadInput: with the rule.
        """


def administrators_only(scene: Scene, what: str) -> None:
    """Refuse whoever is no administrator.

    Args:
        what: they ask for: 'enrol a person'.

    Raises:
        NotAuthorised: not-administrator.
    """
    # One who was an administrator then and is none now gives no more grants, whatever their date.
    for when, then in (scene.day, scene), ("any more", scene.on(date.max)):
        if not then.is_administrator(scene.who):
            raise NotAuthorised(
                "not-administrator",
                f"To {what} is for an administrator, and {scene.who} is none "
                f"{when if isinstance(when, str) else f'on {when}'}.",
                f"Say who you are with --as. {scene.opened_by} began the ledger as its first "
                "administrator; another is appointed with: govledger person administrator CODE",
            )


def may_void(scene: Scene, event: Event, *, decided: bool, taken_over: bool) -> None:
    """What rests on authority is voided by an administrator only, and so is what it rested on.

    Args:
        scene: as at the day on which it is voided.
        event: what the entry says that is to be voided.
        decided: it is recorded as the decision of a body.
        taken_over: it is history from a document.

    Raises:
        NotAuthorised: not-administrator, unknown-person.
    """
    rests = isinstance(event, (*GOVERNED, *STANDING))
    if not rests and not scene.bodies():
        return
    if rests or decided or taken_over or isinstance(event, (ReportIssued, *CHANGES)):
        administrators_only(scene, "void what rests on authority")
    elif isinstance(event, EvidenceLodged) and not scene.is_administrator(scene.who):
        scene.person(scene.who)


CHANGES = (
    ActionAdded,
    MilestoneSet,
    TimescaleRevised,
    MarkedDelayed,
    PlacedUnderReview,
    ActionResumed,
    ActionClosed,
    ActionReworded,
    OwnersChanged,
)
"""The events that change the plan itself: history taken over, or the decision of a body."""


def may_close(scene: Scene) -> None:
    """A report closes its period to everybody, so not everybody issues one.

    Raises:
        NotAuthorised: unknown-person, not-chair-or-secretary.
    """
    bodies = scene.bodies()
    if not bodies or scene.is_administrator(scene.who):
        return
    person = scene.person(scene.who)
    if not any(body.seat(person.person, scene.day) in RECORDING for body in bodies):
        raise NotAuthorised(
            "not-chair-or-secretary",
            f"{person} is neither chair nor secretary of a body of the plan on {scene.day}, and "
            "no administrator: a report closes its period to everybody.",
            "Ask one of them to issue it.",
        )


def may_take_over(scene: Scene) -> None:
    """Once a plan has its bodies, only an administrator takes history over from a document.

    Else whoever names a document could give any rating, and change the plan, past the bodies.

    Raises:
        NotAuthorised: not-administrator.
    """
    if scene.bodies():
        administrators_only(scene, "take history over from a document")
