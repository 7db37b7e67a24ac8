"""Rating scales: the plan's key for actions, and the other key for impact.

The two keys are never mixed: a plan refuses a pair of scales that share a label.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from domain.errors import Refusal
from domain.text import odd_character

Meaning = Literal["not_started", "off_track", "on_track", "activity_complete", "complete"]

OPEN, UNDER_REVIEW, CLOSED = "open", "under_review", "closed"
STANDING_LABELS = {UNDER_REVIEW: "Reviewing", CLOSED: "Closed"}
"""How an action that is not open is shown, in place of its rating."""
STANDING_ALSO = {"under review": UNDER_REVIEW, "reviewing": UNDER_REVIEW, "closed": CLOSED}
NOT_RATED = "Not rated"
"""Shown where no rating has been recorded; no step of any scale."""


def folded(label: str) -> str:
    """A label as compared: case and runs of white space do not count."""
    return " ".join(label.split()).casefold()


class Step(BaseModel):
    """One value of a scale.

    Fields:
        key: stored in entries, stable for ever.
        label: as shown.
        colour: the word for the colour; a label is always shown with it, never colour alone.
        also: other labels that people use for it.
        meaning: what the step means to the rules (what is complete, what is delayed).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: str
    label: str
    colour: str
    also: tuple[str, ...] = ()
    meaning: Meaning

    def words(self) -> tuple[str, ...]:
        """Every word that names the step."""
        return self.key, self.label, self.colour, *self.also

    def labels(self) -> set[str]:
        """Every word that names the step, folded."""
        return {folded(word) for word in self.words()}


class Scale(BaseModel):
    """An ordered list of steps, from the worst to the best."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _unambiguous(self) -> "Scale":
        seen: dict[str, str] = {}
        for step in self.steps:
            if not all(step.labels()) or any(odd_character(word) for word in step.words()):
                raise ValueError(f"step {step.key!r} has a label that is empty or unprintable")
            for label in step.labels():
                if label in STANDING_ALSO or label == folded(NOT_RATED):
                    raise ValueError(f"the label {label!r} is kept for the ledger itself")
                if label in seen:
                    raise ValueError(f"two steps share the label {label!r}")
                seen[label] = step.key
        if "complete" not in {step.meaning for step in self.steps}:
            raise ValueError("a scale needs a step whose meaning is 'complete'")
        return self

    def find(self, label: str, *, of: str, by_colour: bool = True) -> Step:
        """The step that any of its labels names, in any case.

        Args:
            label: as a person wrote it.
            of: what is rated, for the message.
            by_colour: its colour alone names a step too.

        Raises:
            Refusal: no step has that label.
        """
        for step in self.steps:
            words = step.labels() if by_colour else step.labels() - {folded(step.colour)}
            if folded(label) in words:
                return step
        known = ", ".join(f"{step.label} ({step.colour})" for step in self.steps)
        raise Refusal(
            "unknown-rating",
            f"'{label}' is not on the scale for {of}.",
            f"The scale is: {known}.",
        )

    def step(self, key: str | None) -> Step | None:
        """The step with that stored key, or None for an action that is not rated."""
        return next((step for step in self.steps if step.key == key), None)

    def with_meaning(self, meaning: Meaning) -> Step | None:
        """The first step that has this meaning."""
        return next((step for step in self.steps if step.meaning == meaning), None)

    def shares_a_label_with(self, other: "Scale") -> str | None:
        """A label that stands on both scales, or None."""
        mine = {folded(word) for step in self.steps for word in (step.label, *step.also)}
        both = mine & {folded(word) for step in other.steps for word in (step.label, *step.also)}
        return min(both) if both else None


FIVE_STEPS = Scale(
    steps=(
        Step(key="grey", label="Not started", colour="Grey", meaning="not_started"),
        Step(key="red", label="Delayed", colour="Red", also=("Not on track",), meaning="off_track"),
        Step(key="amber", label="On track", colour="Amber", meaning="on_track"),
        Step(
            key="amber_e",
            label="Amber E",
            colour="Amber E",
            also=("Complete but need to evidence impact", "AmberE", "Amber-E"),
            meaning="activity_complete",
        ),
        Step(
            key="green", label="Complete", colour="Green", also=("Completed",), meaning="complete"
        ),
    )
)
"""The published five-step key for actions."""

IMPACT_STEPS = Scale(
    steps=(
        Step(key="impact_red", label="No impact seen", colour="Red", meaning="off_track"),
        Step(key="impact_amber", label="Some impact seen", colour="Amber", meaning="on_track"),
        Step(key="impact_green", label="Impact sustained", colour="Green", meaning="complete"),
    )
)
"""The key for the impact of a section against what inspectors found."""
