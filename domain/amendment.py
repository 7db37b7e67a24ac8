"""A proposed amendment: what is to change in the plan, and what a body decided of it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from domain.commands import (
    Add,
    ChangeOwners,
    Close,
    Command,
    Delay,
    PlaceUnderReview,
    Resume,
    ReviseTimescale,
    Reword,
)
from domain.event import EntryVoided, Event
from domain.scale import Scale
from domain.text import Text

AmendmentKind = Literal["timescale", "delay", "review", "resume", "close", "add", "reword", "owner"]

# --- events -----------------------------------------------------------------------------


class AmendmentProposed(Event):
    """A change to the plan is proposed; it changes nothing until a body agrees it.

    Fields: amendment (its number, such as A1), kind, ref (of the action), person (code of who
    proposes), and what the kind needs: milestone, timescale (as written), title, section, owners,
    replaced_by.
    """

    tag = "amendment.proposed/1"
    amendment: str
    kind: AmendmentKind
    ref: str
    person: str
    milestone: int | None = None
    timescale: Text | None = None
    title: Text | None = None
    section: str | None = None
    owners: Text | None = None
    replaced_by: str | None = None
    status: Literal["proposed"] = "proposed"


class AmendmentAgreed(Event):
    """A body agreed it; the change to the plan stands beside this entry."""

    tag = "amendment.agreed/1"
    body: str
    meeting: date
    recorder: str
    status: Literal["agreed"] = "agreed"


class AmendmentDeclined(Event):
    """A body declined it; the plan stays as it is."""

    tag = "amendment.declined/1"
    body: str
    meeting: date
    recorder: str
    status: Literal["declined"] = "declined"


# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Amendment:
    """A proposed amendment as at one date."""

    amendment: str
    kind: str
    ref: str
    person: str
    milestone: int | None = None
    timescale: str | None = None
    title: str | None = None
    section: str | None = None
    owners: str | None = None
    replaced_by: str | None = None
    status: str = "proposed"
    body: str | None = None
    meeting: date | None = None
    recorder: str | None = None

    def command(self) -> Command:
        """The command that carries it out."""
        match self.kind:
            case "timescale":
                return ReviseTimescale(self.ref, self.timescale or "", self.milestone)
            case "delay":
                return Delay(self.ref)
            case "review":
                return PlaceUnderReview(self.ref)
            case "resume":
                return Resume(self.ref)
            case "close":
                return Close(self.ref, self.replaced_by)
            case "reword":
                return Reword(self.ref, self.title or "")
            case "owner":
                return ChangeOwners(self.ref, self.owners or "")
        return Add(self.ref, self.title or "", self.section or "", self.owners, self.timescale)


def proposed(amendment: str, command: Command, change: Event, person: str) -> AmendmentProposed:
    """The event that proposes what a command would do.

    Args:
        change: what it would have recorded on its action, its words checked and its section by key.

    Raises:
        TypeError: the command amends nothing.
    """
    kinds: dict[type, AmendmentKind] = {
        ReviseTimescale: "timescale",
        Delay: "delay",
        PlaceUnderReview: "review",
        Resume: "resume",
        Close: "close",
        Add: "add",
        Reword: "reword",
        ChangeOwners: "owner",
    }
    if type(command) not in kinds:
        raise TypeError(f"{type(command).__name__} is no amendment")
    said = {k: v for k, v in change.asserted().items() if k in AmendmentProposed.model_fields}
    if "timescale" in said:
        said["timescale"] = said["timescale"].written
    about = {"amendment": amendment, "kind": kinds[type(command)], "ref": command.ref}
    return AmendmentProposed(**{**said, **about, "person": person})


def evolve(state: Amendment | None, event: Event) -> Amendment | None:
    """The state after the event. Total over the events of this stream.

    Raises:
        TypeError: the event is of another stream.
    """
    if isinstance(event, AmendmentProposed):
        return Amendment(**event.asserted())
    if isinstance(event, EntryVoided) or state is None:
        return state
    match event:
        case AmendmentAgreed() | AmendmentDeclined():
            return replace(state, **event.asserted())
    raise TypeError(f"{event.tag} is not an event of an amendment")


def objection(state: Amendment | None, event: Event, _scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense in this state; see `domain.action.objection`."""
    if isinstance(event, EntryVoided):
        return None
    if isinstance(event, AmendmentProposed):
        return ("already-there", "it is proposed already") if state else None
    if state is None:
        return "not-there-yet", "it is not proposed on that date"
    if state.status != "proposed":
        return "decided-already", f"it is {state.status} already"
    return None
