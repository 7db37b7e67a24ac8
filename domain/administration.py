"""What only administrators do: say who may decide, and take history over past the bodies."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from domain.body import (
    BodyEstablished,
    InterestDeclared,
    MeetingRecorded,
    MemberAppointed,
    MemberStoodDown,
    TermsChanged,
)
from domain.errors import NotAuthorised
from domain.event import Event
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    KeyWithdrawn,
    PersonEnrolled,
    RoleChanged,
)
from domain.plan import TermsSet
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


def may_take_over(scene: Scene) -> None:
    """Once a plan has its bodies, only an administrator takes history over from a document.

    Else whoever names a document could give any rating, and change the plan, past the bodies.

    Raises:
        NotAuthorised: not-administrator.
    """
    if scene.bodies():
        administrators_only(scene, "take history over from a document")
