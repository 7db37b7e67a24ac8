"""What can be asked about evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from domain.administration import Recorded
from domain.errors import BadInput, Refusal
from domain.evidence import KINDS, EvidenceLodged, Kind
from domain.scene import Scene
from domain.signoff import PHASES, is_granted
from domain.text import free_text, one_line


@dataclass(frozen=True)
class Lodge:
    """Lodge an item of evidence on an action: a reference, or a file by its digest.

    Attributes:
        phase: of the sign-off that it is for; None for the next one that is not granted.
    """

    ref: str
    kind: str
    called: str
    dated: date
    reference: str | None = None
    file: str | None = None
    sha256: str | None = None
    size: int | None = None
    phase: int | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises BadInput: unknown-kind, no-such-phase, needs-reference; Refusal: not-there-yet,
        future-date."""
        if self.kind not in KINDS:
            raise BadInput(
                "unknown-kind",
                f"'{self.kind}' is no kind of evidence.",
                "Kinds: " + "; ".join(f"{kind} ({words})" for kind, words in KINDS.items()) + ".",
            )
        if self.phase not in (None, *PHASES):
            raise BadInput(
                "no-such-phase", f"A sign-off has no phase {self.phase}.", "Give 1 or 2."
            )
        if self.reference is None and self.sha256 is None:
            raise BadInput(
                "needs-reference",
                "Evidence is a file, or a reference to where it is kept.",
                "Give --file PATH or --reference TEXT.",
            )
        if self.dated > scene.day:
            raise Refusal(
                "future-date",
                f"Evidence of {self.dated} cannot be lodged on {scene.day}.",
                "Give the date of the evidence.",
            )
        # A stranger could make any sign-off stale.
        if scene.bodies() and not scene.is_administrator(scene.who):
            scene.person(scene.who)
        action = scene.action(self.ref)
        phase = self.phase or (2 if is_granted(action, 1, scene.plan.scale) else 1)
        event = EvidenceLodged(
            evidence=max((*action.evidence, *_lodged(scene, self.ref)), default=0) + 1,
            phase=phase,
            kind=cast(Kind, self.kind),
            called=free_text(self.called, "The title of evidence"),
            dated=self.dated,
            reference=None if self.reference is None else one_line(self.reference, "A reference"),
            file=None if self.file is None else one_line(self.file, "The name of a file"),
            sha256=self.sha256,
            size=self.size,
        )
        return [("action", self.ref, event)]


def _lodged(scene: Scene, ref: str) -> list[int]:
    """The numbers that evidence ever had on the action."""
    events = scene.ever("action", ref)
    return [event.evidence for event in events if isinstance(event, EvidenceLodged)]
