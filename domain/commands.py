"""What a person can ask to happen to an action; commands are imperative, events past tense.

A command decides: given the action and the plan as at its effective date it returns the event,
or refuses. The law of the stream (`domain.action.objection`) is checked besides, by whoever
records the event.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from domain.action import (
    Action,
    ActionAdded,
    ActionClosed,
    ActionRated,
    ActionResumed,
    ActionReworded,
    MarkedDelayed,
    OwnersChanged,
    PlacedUnderReview,
    ProgressNoted,
    TimescaleRevised,
    activity_done,
    is_delayed,
    shown_rating,
)
from domain.errors import BadInput, Refusal
from domain.event import Event
from domain.plan import Plan, check_code
from domain.scale import CLOSED, OPEN, STANDING_ALSO, UNDER_REVIEW, folded
from domain.text import free_text
from domain.timescale import Timescale


class Command(Protocol):
    """A command on one action.

    Attributes:
        is_decision: it amends the plan, so a body must have decided it.
        asks_for: what it does in words, for messages: 'close an action'.
    """

    is_decision: ClassVar[bool]
    asks_for: ClassVar[str]

    @property
    def ref(self) -> str:
        """Reference of the action."""

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """The event.

        Args:
            state: the action as at the effective date, None before it joined the plan.
            plan: as at the same date.
            taken_over: it is history from a published document.
        """


def read_timescale(written: str) -> Timescale:
    """A timescale as typed.

    Raises:
        BadInput: empty-timescale.
    """
    if not written.strip():
        raise BadInput("empty-timescale", "A timescale cannot be empty.", "Write TBC if unknown.")
    return Timescale.parse(free_text(written, "A timescale"))


def read_owners(written: str) -> str:
    """The roles that own an action, `; ` between, as typed.

    Raises:
        BadInput: empty-text.
    """
    if not written.replace(";", "").strip():
        raise BadInput("empty-text", "An owner cannot be empty.", "Name the role.")
    return free_text(written, "An owner")


def no_change(message: str) -> Refusal:
    """The refusal of a command that asks for what is so already."""
    return Refusal("no-change", message, "Nothing was recorded; nothing needs to be.")


@dataclass(frozen=True)
class Add:
    """Put an action into the plan, in the section with that key or name."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "add an action"
    ref: str
    title: str
    section: str
    owners: str | None = None
    timescale: str | None = None

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: unknown-section; BadInput: bad-reference, empty-text, empty-timescale."""
        del state, taken_over
        return ActionAdded(
            ref=check_code(self.ref, "the reference of an action"),
            title=free_text(self.title, "The wording of an action"),
            section=plan.section_named(self.section).key,
            owners=None if self.owners is None else read_owners(self.owners),
            timescale=None if self.timescale is None else read_timescale(self.timescale),
        )


@dataclass(frozen=True)
class Rate:
    """Give the action, or a milestone of it, a rating by any of the scale's labels."""

    is_decision: ClassVar = False
    asks_for: ClassVar = "rate an action"
    ref: str
    label: str
    milestone: int | None = None

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: unknown-rating, not-a-rating, needs-sign-off."""
        del state
        standing = STANDING_ALSO.get(folded(self.label))
        if standing is not None:
            verb = "close" if standing == CLOSED else "review"
            raise Refusal(
                "not-a-rating",
                f"'{self.label}' is not a rating but a decision of a body.",
                f"Use: govledger amend {verb} {self.ref} --decided-by BODY --meeting DATE "
                "--minute REF --reason TEXT",
            )
        step = plan.scale.find(self.label, of="actions")
        phase = {"activity_complete": 1, "complete": 2}.get(step.meaning)
        if phase and not taken_over:
            shown = step.label if step.label == step.colour else f"{step.label} ({step.colour})"
            raise Refusal(
                "needs-sign-off",
                f"The rating {shown} is given by a granted sign-off of phase {phase}, "
                "never directly.",
                f"The lead body begins it: govledger signoff recommend {self.ref} --phase {phase} "
                "--reason TEXT. If the rating is history taken from a published document, name "
                "that document with --source.",
            )
        return ActionRated(milestone=self.milestone, rating=step.key)


@dataclass(frozen=True)
class NoteProgress:
    """Note what has been done."""

    is_decision: ClassVar = False
    asks_for: ClassVar = "note progress"
    ref: str
    text: str

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises BadInput: empty-text."""
        del state, plan, taken_over
        return ProgressNoted(progress=free_text(self.text, "A progress note"))


@dataclass(frozen=True)
class ReviseTimescale:
    """Give the action, or a milestone of it, another due date."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "revise a timescale"
    ref: str
    written: str
    milestone: int | None = None

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: no-change; BadInput: empty-timescale."""
        del plan, taken_over
        revised = read_timescale(self.written)
        holder = state
        if state is not None and self.milestone is not None:
            holder = state.milestones.get(self.milestone)  # type: ignore[assignment]
        present = holder.timescale if holder else None
        if present is not None and present.written == revised.written:
            raise no_change(f"The timescale of {self.ref} is '{present.written}' already.")
        return TimescaleRevised(milestone=self.milestone, timescale=revised)


@dataclass(frozen=True)
class Delay:
    """Mark the action delayed."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "mark an action delayed"
    ref: str

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: no-change, already-complete, no-such-step."""
        del taken_over
        step = plan.scale.with_meaning("off_track")
        if step is None:
            raise Refusal("no-such-step", "The plan's scale has no rating that means 'delayed'.")
        if state is not None and state.standing == OPEN:
            if is_delayed(state, plan.scale):
                raise no_change(f"{self.ref} is {step.label} already.")
            if activity_done(state, plan.scale):
                raise Refusal(
                    "already-complete",
                    f"{self.ref} is rated {shown_rating(state, plan.scale)}, so it cannot be late.",
                    "If that rating is wrong, void the entry that gave it: govledger why "
                    f"{self.ref} rating",
                )
        return MarkedDelayed(rating=step.key)


@dataclass(frozen=True)
class PlaceUnderReview:
    """Think again about the action; meanwhile it is neither rated nor due."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "place an action under review"
    ref: str

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Refuses nothing beyond the law of the stream."""
        del state, plan, taken_over
        return PlacedUnderReview()


@dataclass(frozen=True)
class Resume:
    """Go on with a delayed or reviewed action.

    From under review it returns to the rating that it had; from delayed it is on track.
    """

    is_decision: ClassVar = True
    asks_for: ClassVar = "resume an action"
    ref: str

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Refuses nothing beyond the law of the stream."""
        del taken_over
        if state is not None and state.standing == UNDER_REVIEW and state.rating:
            # The rating it had is not asserted again: it stands on the entry that gave it.
            return ActionResumed()
        on_track = plan.scale.with_meaning("on_track")
        return ActionResumed(rating=on_track.key if on_track else None)


@dataclass(frozen=True)
class Close:
    """Close the action, perhaps in favour of another."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "close an action"
    ref: str
    replaced_by: str | None = None

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: replaced-by-itself; BadInput: bad-reference."""
        del state, plan, taken_over
        if self.replaced_by is not None:
            check_code(self.replaced_by, "the reference of an action")
        if self.replaced_by == self.ref:
            raise Refusal(
                "replaced-by-itself",
                f"{self.ref} cannot be replaced by itself.",
                "Name the action that takes its place.",
            )
        return ActionClosed(replaced_by=self.replaced_by)


@dataclass(frozen=True)
class Reword:
    """Change the wording."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "reword an action"
    ref: str
    title: str

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: no-change; BadInput: empty-text."""
        del plan, taken_over
        title = free_text(self.title, "The wording of an action")
        if state is not None and state.title == title:
            raise no_change(f"That is the wording of {self.ref} already.")
        return ActionReworded(title=title)


@dataclass(frozen=True)
class ChangeOwners:
    """Give the action to other roles (`; ` between several)."""

    is_decision: ClassVar = True
    asks_for: ClassVar = "change the owner of an action"
    ref: str
    owners: str

    def decide(self, state: Action | None, plan: Plan, *, taken_over: bool) -> Event:
        """Raises Refusal: no-change; BadInput: empty-text."""
        del plan, taken_over
        owners = read_owners(self.owners)
        if state is not None and state.owners == owners:
            raise no_change(f"{self.ref} is owned by '{state.owners}' already.")
        return OwnersChanged(owners=owners)
