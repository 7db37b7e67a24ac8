"""An action of the plan: what can happen to it, and its state.

The structural law of the stream stands in `objection`: it is asked of a new event, and asked
again of every later one when an event is recorded with an earlier date or an entry is voided.
What a new command must obey beyond that stands in `domain.commands`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from domain import signoff
from domain.event import EntryVoided, Event
from domain.evidence import Evidence, EvidenceLodged
from domain.scale import CLOSED, NOT_RATED, OPEN, STANDING_LABELS, UNDER_REVIEW, Scale
from domain.signoff import SignOff
from domain.text import Text
from domain.timescale import Timescale

# --- events -----------------------------------------------------------------------------


class ActionAdded(Event):
    """The action joined the plan.

    Fields: ref, title, section (its key), owners (roles, `; ` between), timescale. A rating is an
    entry of its own.
    """

    tag = "action.added/1"
    ref: str
    title: Text
    section: str
    owners: Text | None = None
    timescale: Timescale | None = None


class MilestoneSet(Event):
    """The action has a milestone, from now on or from the beginning, with its own timescale."""

    tag = "action.milestone_set/1"
    part = ("milestone",)
    milestone: int
    timescale: Timescale | None = None


class ActionRated(Event):
    """The action, or one milestone of it, was given a rating (a key of the plan's scale)."""

    tag = "action.rated/1"
    part = ("milestone",)
    milestone: int | None = None
    rating: str


class ProgressNoted(Event):
    """A note of what has been done."""

    tag = "action.progress_noted/1"
    progress: Text


class TimescaleRevised(Event):
    """The due date of the action, or of one milestone, was changed."""

    tag = "action.timescale_revised/1"
    part = ("milestone",)
    milestone: int | None = None
    timescale: Timescale


class MarkedDelayed(Event):
    """It was agreed that the action is delayed; its rating becomes the scale's 'off track'."""

    tag = "action.marked_delayed/1"
    rating: str


class PlacedUnderReview(Event):
    """It was agreed to think again about the action; it is neither rated nor due meanwhile."""

    tag = "action.placed_under_review/1"
    standing: Literal["under_review"] = "under_review"


class ActionResumed(Event):
    """It was agreed to go on with an action that was delayed or under review."""

    tag = "action.resumed/1"
    standing: Literal["open"] = "open"
    rating: str | None = None


class ActionClosed(Event):
    """It was agreed to close the action, perhaps in favour of another (replaced_by, its ref)."""

    tag = "action.closed/1"
    standing: Literal["closed"] = "closed"
    replaced_by: str | None = None


class ActionReworded(Event):
    """The wording of the action was changed."""

    tag = "action.reworded/1"
    title: Text


class OwnersChanged(Event):
    """Other roles own the action from now on."""

    tag = "action.owners_changed/1"
    owners: Text


SIGN_OFF = (
    signoff.SignOffRecommended,
    signoff.SignOffVoted,
    signoff.SignOffGranted,
    signoff.SignOffDeclined,
    signoff.SignOffRevoked,
    signoff.SignOffConfirmed,
)
"""What can happen to the sign-off of an action; see `domain.signoff`."""


# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Milestone:
    """A step of an action with a due date and a rating of its own."""

    timescale: Timescale | None = None
    rating: str | None = None


@dataclass(frozen=True)
class Action:
    """An action as at one date: its attributes, each as last asserted."""

    ref: str
    title: str
    section: str
    owners: str | None = None
    timescale: Timescale | None = None
    rating: str | None = None
    standing: str = OPEN
    progress: str | None = None
    replaced_by: str | None = None
    milestones: Mapping[int, Milestone] = field(default_factory=dict)
    evidence: Mapping[int, Evidence] = field(default_factory=dict)
    signoffs: Mapping[int, SignOff] = field(default_factory=dict)


def shown_rating(action: Action, scale: Scale) -> str:
    """The rating in words, as the overview prints it."""
    if action.standing in STANDING_LABELS:
        return STANDING_LABELS[action.standing]
    step = scale.step(action.rating)
    return step.label if step else NOT_RATED


def activity_done(action: Action, scale: Scale) -> bool:
    """Whether nothing is left to be delivered: complete, complete in activity, or closed."""
    return action.standing == CLOSED or is_done(action.rating, scale)


def is_done(rating: str | None, scale: Scale) -> bool:
    """Whether a rating (a key of the scale) says that the activity is complete."""
    step = scale.step(rating)
    return step is not None and step.meaning in ("activity_complete", "complete")


def evolve(state: Action | None, event: Event) -> Action | None:
    """The state after the event. Total over the events of this stream.

    Raises:
        TypeError: the event is of another stream.
    """
    if isinstance(event, ActionAdded):
        return Action(
            ref=event.ref,
            title=event.title,
            section=event.section,
            owners=event.owners,
            timescale=event.timescale,
        )
    if isinstance(event, EntryVoided) or state is None:
        return state
    match event:
        case MilestoneSet():
            change = Milestone(timescale=event.timescale)
            return replace(state, milestones={**state.milestones, event.milestone: change})
        case ActionRated(milestone=int() as number):
            change = replace(state.milestones.get(number, Milestone()), rating=event.rating)
            return replace(state, milestones={**state.milestones, number: change})
        case TimescaleRevised(milestone=int() as number):
            change = replace(state.milestones.get(number, Milestone()), timescale=event.timescale)
            return replace(state, milestones={**state.milestones, number: change})
        case ActionRated() | MarkedDelayed():
            return replace(state, rating=event.rating)
        case TimescaleRevised():
            return replace(state, timescale=event.timescale)
        case ProgressNoted():
            return replace(state, progress=event.progress)
        case PlacedUnderReview():
            return replace(state, standing=event.standing)
        case ActionResumed():
            return replace(state, standing=event.standing, rating=event.rating or state.rating)
        case ActionClosed():
            return replace(
                state,
                standing=event.standing,
                replaced_by=event.replaced_by or state.replaced_by,
            )
        case ActionReworded():
            return replace(state, title=event.title)
        case OwnersChanged():
            return replace(state, owners=event.owners)
        case EvidenceLodged():
            item = Evidence(**event.asserted())
            return replace(state, evidence={**state.evidence, event.evidence: item})
    if isinstance(event, SIGN_OFF):
        before = state.signoffs.get(event.phase, SignOff(event.phase))
        after = {**state.signoffs, event.phase: signoff.evolve(before, event)}
        rating = getattr(event, "rating", state.rating)
        return replace(state, signoffs=after, rating=rating)
    raise TypeError(f"{event.tag} is not an event of an action")


# --- the law of the stream --------------------------------------------------------------


def objection(state: Action | None, event: Event, scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense for an action in this state: (rule, sentence); None if it does.

    Only what must hold for ever stands here, because it is also asked of entries that are
    already recorded.
    """
    if isinstance(event, EntryVoided):
        return None
    if isinstance(event, ActionAdded):
        return ("already-there", "it is in the plan already") if state else None
    if state is None:
        return "not-there-yet", "it is not in the plan on that date"
    if state.standing == CLOSED:
        return "action-closed", "it is closed on that date"
    number = getattr(event, "milestone", None)
    if isinstance(event, MilestoneSet):
        if number in state.milestones:
            return "milestone-there", f"it has a milestone {number} already"
    elif number is not None and number not in state.milestones:
        return "no-such-milestone", f"it has no milestone {number} on that date"
    if isinstance(event, SIGN_OFF):
        return signoff.objection(state, event, scale)
    if isinstance(event, EvidenceLodged) and event.evidence in state.evidence:
        return "already-there", f"it has an item of evidence {event.evidence} already"
    rating = None if number else getattr(event, "rating", None)
    phase = signoff.held_by(state, rating, scale) if rating else 0
    if phase:
        return (
            "signed-off",
            f"its sign-off of phase {phase} is granted, and only revoking that moves its rating",
        )
    reviewed = state.standing == UNDER_REVIEW
    if reviewed and isinstance(event, ActionRated | MarkedDelayed | PlacedUnderReview):
        return "under-review", "it is under review on that date"
    if isinstance(event, ActionResumed) and not reviewed and not is_delayed(state, scale):
        return "not-delayed", "it is neither delayed nor under review on that date"
    return None


def is_delayed(state: Action, scale: Scale) -> bool:
    """Whether the action's own rating says that it is off track."""
    step = scale.step(state.rating)
    return step is not None and step.meaning == "off_track"
