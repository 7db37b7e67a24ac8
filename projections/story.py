"""The whole story of a rating, and of a change that a body agreed: who asked, voted, decided."""

from typing import Any

from domain.action import (
    SIGN_OFF,
    ActionClosed,
    ActionRated,
    ActionResumed,
    MarkedDelayed,
    PlacedUnderReview,
)
from domain.amendment import AmendmentProposed
from domain.event import EntryVoided
from domain.evidence import EvidenceLodged
from domain.timeline import action_stream, stream_of
from ledger.entry import Entry
from projections.record import Kept, Record

BEARING = (
    ActionRated,
    MarkedDelayed,
    PlacedUnderReview,
    ActionResumed,
    ActionClosed,
    EvidenceLodged,
    *SIGN_OFF,
)
"""The events that bear on what an action is rated."""


def story(record: Record, ref: str) -> list[dict[str, Any]]:
    """How an action came to its rating, step by step.

    Evidence, recommendations, votes, decisions and ratings, in the order in which they became
    true. What was voided by then is told too, and so is the entry that voided it.
    """
    kept = record.kept(*BEARING, stream=action_stream(record.code, ref), voided=True)
    kept = [one for one in kept if _bears(one)]
    steps = kept + [Kept(entry) for entry in record.at(one.voided_by or 0 for one in kept)]
    steps.sort(key=lambda one: (one.entry.effective_on, one.entry.position))
    return [step(record, one) for one in steps]


def _bears(kept: Kept) -> bool:
    return getattr(kept.event, "milestone", None) is None


def step(record: Record, kept: Kept) -> dict[str, Any]:
    """An entry as a step of a story."""
    row = record.row(kept)
    if isinstance(kept.event, EntryVoided):
        row["voids"] = kept.event.voids
    del row["stream"], row["ref"]
    return row


def proposal_of(record: Record, entry: Entry) -> dict[str, Any] | None:
    """The agreed amendment that an entry carries out: who proposed it, when, and why."""
    found = record.agreed_before(entry)
    if found is None:
        return None
    number, agreed = found
    stream = stream_of("amendment", record.code, number)
    proposed = record.kept(AmendmentProposed, stream=stream, voided=True)
    if not proposed:
        return None
    first = record.row(proposed[0])
    return {
        "amendment": number,
        "proposed_by": first["by"],
        "proposed_on": first["effective_on"],
        "reason": first["reason"],
        "position": first["position"],
        "agreed": agreed.position,
    }
