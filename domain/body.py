"""A body that decides: its place on the plan's escalation ladder, its terms, members, meetings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from domain.event import EntryVoided, Event
from domain.scale import Scale

Power = Literal["recommend", "phase_1", "phase_2", "amend"]
POWERS: dict[str, str] = {
    "recommend": "recommend sign-offs",
    "phase_1": "decide sign-offs of phase 1",
    "phase_2": "decide sign-offs of phase 2",
    "amend": "agree amendments",
}
"""What a body can be given the power to decide, in words. Escalations go by the ladder."""

Capacity = Literal["chair", "member", "secretary"]
VOTING = ("chair", "member")
"""Who may recommend and vote; a secretary records what the body decided, and has no vote."""
RECORDING = ("chair", "secretary")
"""Who may record what the body decided."""
NO_END = date(9999, 12, 31)
"""Stands for a membership without an end."""

# --- events -----------------------------------------------------------------------------


class BodyEstablished(Event):
    """The body exists from now on.

    Fields: code, name, rung (place on the escalation ladder, 1 the lowest; 0 for a body outside
    it, such as an adviser or an inspectorate), quorum (members needed to decide), powers.
    """

    tag = "body.established/1"
    code: str
    name: str
    rung: int
    quorum: int
    powers: tuple[Power, ...] = ()


class TermsChanged(Event):
    """The body has other terms from now on."""

    tag = "body.terms_changed/1"
    quorum: int | None = None
    powers: tuple[Power, ...] | None = None


class MemberAppointed(Event):
    """The person sits on the body from now on, up to a last day."""

    tag = "body.member_appointed/1"
    part = ("person",)
    person: str
    capacity: Capacity
    until: date = NO_END


class MemberStoodDown(Event):
    """The person sits on the body no more."""

    tag = "body.member_stood_down/1"
    part = ("person",)
    person: str
    capacity: Literal["none"] = "none"


class MeetingRecorded(Event):
    """The body met: who was there, who sent apologies (codes of persons), where its minutes are.

    Recorded again it replaces what was recorded before, as when the minutes come later.
    """

    tag = "body.meeting_recorded/1"
    part = ("meeting",)
    meeting: date
    present: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    minutes: str | None = None


class InterestDeclared(Event):
    """A member declared an interest in an item (the reference of an action) at a meeting."""

    tag = "body.interest_declared/1"
    part = ("meeting", "person", "item")
    meeting: date
    person: str
    item: str


# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Membership:
    """A person's seat; capacity `none` for one who has stood down."""

    capacity: str
    until: date = NO_END

    def on(self, day: date) -> str | None:
        """The capacity in which the person sits on that day, or None."""
        return None if self.capacity == "none" or day > self.until else self.capacity


@dataclass(frozen=True)
class Meeting:
    """A meeting, and the (person, item) of each interest declared there."""

    meeting: date
    present: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    minutes: str | None = None


@dataclass(frozen=True)
class Body:
    """A body as at one date."""

    code: str
    name: str
    rung: int
    quorum: int
    powers: tuple[str, ...] = ()
    members: Mapping[str, Membership] = field(default_factory=dict)
    meetings: Mapping[date, Meeting] = field(default_factory=dict)
    interests: frozenset[tuple[date, str, str]] = frozenset()

    @property
    def outside(self) -> bool:
        """Whether it stands outside the plan's ladder."""
        return self.rung == 0

    def seat(self, person: str, day: date) -> str | None:
        """The capacity in which the person sits on that day, or None."""
        membership = self.members.get(person)
        return membership.on(day) if membership else None

    def voting(self, day: date) -> list[str]:
        """The codes of those who have a vote on that day."""
        return [person for person in self.members if self.seat(person, day) in VOTING]

    def present(self, day: date) -> list[str]:
        """Who was at the meeting of that day with a vote."""
        meeting = self.meetings.get(day)
        there = meeting.present if meeting else ()
        return [person for person in there if self.seat(person, day) in VOTING]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


def evolve(state: Body | None, event: Event) -> Body | None:
    """The state after the event. Total over the events of this stream.

    Raises:
        TypeError: the event is of another stream.
    """
    if isinstance(event, BodyEstablished):
        return Body(event.code, event.name, event.rung, event.quorum, event.powers)
    if isinstance(event, EntryVoided) or state is None:
        return state
    match event:
        case TermsChanged():
            return replace(state, **event.asserted())
        case MemberAppointed():
            seat = Membership(event.capacity, event.until)
            return replace(state, members={**state.members, event.person: seat})
        case MemberStoodDown():
            seat = state.members.get(event.person, Membership("none"))
            seat = replace(seat, capacity=event.capacity)
            return replace(state, members={**state.members, event.person: seat})
        case MeetingRecorded():
            meeting = Meeting(event.meeting, event.present, event.apologies, event.minutes)
            kept = state.meetings.get(event.meeting)
            if kept is not None and event.minutes is None:
                meeting = replace(meeting, minutes=kept.minutes)
            return replace(state, meetings={**state.meetings, event.meeting: meeting})
        case InterestDeclared():
            declared = (event.meeting, event.person, event.item)
            return replace(state, interests=state.interests | {declared})
    raise TypeError(f"{event.tag} is not an event of a body")


def objection(state: Body | None, event: Event, _scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense for the body in this state; see `domain.action.objection`."""
    if isinstance(event, EntryVoided):
        return None
    if isinstance(event, BodyEstablished):
        return ("already-there", "the body is established already") if state else None
    if state is None:
        return "not-there-yet", "the body is not established on that date"
    if isinstance(event, MemberStoodDown):
        membership = state.members.get(event.person)
        if membership is None or membership.capacity == "none":
            return "not-a-member", f"{event.person} is not a member of it on that date"
    if isinstance(event, InterestDeclared) and event.meeting not in state.meetings:
        return "no-such-meeting", f"no meeting of it on {event.meeting} is recorded"
    if (
        isinstance(event, InterestDeclared)
        and event.person not in state.meetings[event.meeting].present
    ):
        return "not-present", f"{event.person} was not at its meeting on {event.meeting}"
    return None
