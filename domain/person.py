"""A person who acts on a plan: enrolled with a name, a role, and the key that signs for them.

In commands and payloads a person is a short code (`chair-iib`), never a name: the name stands in
the text vault, from which it can be withheld.
"""

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from domain.event import EntryVoided, Event
from domain.scale import Scale, folded
from domain.text import Text, is_held

# --- events -----------------------------------------------------------------------------


class PersonEnrolled(Event):
    """The person may be appointed, and signs with this key from now on.

    Fields: person (code), name and role as printed under what they sign, key (OpenSSH public
    key, type and base64, without its comment).
    """

    tag = "person.enrolled/1"
    person: str
    name: Text
    role: Text
    key: str


class RoleChanged(Event):
    """The person has another role from now on; who owns an action goes by roles."""

    tag = "person.role_changed/1"
    role: Text


class KeyReplaced(Event):
    """The person signs with another key from now on; what the old one signed stays signed."""

    tag = "person.key_replaced/1"
    key: str


class KeyWithdrawn(Event):
    """The person's key signs nothing from now on."""

    tag = "person.key_withdrawn/1"
    key: Literal[""] = ""


class AdministratorAppointed(Event):
    """The person may enrol, appoint and establish."""

    tag = "person.administrator_appointed/1"
    administrator: Literal[True] = True


class AdministratorStoodDown(Event):
    """The person is no administrator any more."""

    tag = "person.administrator_stood_down/1"
    administrator: Literal[False] = False


# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A person as at one date.

    Attributes:
        key: empty where none is in force.
        administrator: None where nothing was ever said of it.
    """

    person: str
    name: str
    role: str
    key: str = ""
    administrator: bool | None = None

    def has_role_in(self, owners: str | None) -> str | None:
        """The first of the owner roles (`; ` between) that is this person's, or None."""
        if not is_held(self.role, owners):
            return None  # nobody can say any more; that is no reason to undo a vote
        mine = {_plain(role) for role in self.role.split(";") if role.strip()}
        roles = [role.strip() for role in (owners or "").split(";")]
        return next((role for role in roles if _plain(role) in mine), None)

    def __str__(self) -> str:
        return f"{self.name} ({self.person})"


_AS_TYPED = str.maketrans("\u2018\u2019\u02bc\u2010\u2011\u2013\u2014", "'''----")
"""Quotation marks and dashes of a word processor, as a keyboard has them."""


def _plain(role: str) -> str:
    """A role as compared: one document has Children's in another way than the next."""
    return folded(unicodedata.normalize("NFKC", role).translate(_AS_TYPED))


def evolve(state: Person | None, event: Event) -> Person | None:
    """The state after the event. Total over the events of this stream.

    Raises:
        TypeError: the event is of another stream.
    """
    if isinstance(event, PersonEnrolled):
        return Person(event.person, event.name, event.role, event.key)
    if isinstance(event, EntryVoided) or state is None:
        return state
    match event:
        case (
            RoleChanged()
            | KeyReplaced()
            | KeyWithdrawn()
            | AdministratorAppointed()
            | AdministratorStoodDown()
        ):
            return replace(state, **event.asserted())
    raise TypeError(f"{event.tag} is not an event of a person")


def objection(state: Person | None, event: Event, _scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense for the person in this state; see `domain.action.objection`."""
    if isinstance(event, EntryVoided):
        return None
    if isinstance(event, PersonEnrolled):
        return ("already-there", "this person is enrolled already") if state else None
    if state is None:
        return "not-there-yet", "this person is not enrolled on that date"
    if isinstance(event, KeyWithdrawn) and not state.key:
        return "no-key", "no key is in force on that date"
    if isinstance(event, AdministratorAppointed) and state.administrator:
        return "already-there", "this person is an administrator already"
    return None
