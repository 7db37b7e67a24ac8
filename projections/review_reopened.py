"""The decisions that are open again because what they rested on fell away."""

from typing import Any

from domain.event import EntryVoided
from projections.assertions import voids
from projections.record import Kept, Record
from projections.wording import fields


def reopened(record: Record) -> list[dict[str, Any]]:
    """The decisions that are open again because what they rested on fell away."""
    kept = record.kept(where=voids.c.voided_by.is_not(None), voided=True)
    by_void = {one.voided_by: one for one in kept if one.voided_by}
    rows = []
    for void in record.at(by_void):
        event = void.event
        if isinstance(event, EntryVoided) and event.cause_before:
            target = by_void[void.position]
            (cause,) = record.at([void.position - event.cause_before])
            rows.append(
                {
                    **record.row(target),
                    "void": record.row(Kept(void)),
                    "cause": record.row(Kept(cause)),
                    "now": _now(record, target),
                }
            )
    return rows


def _now(record: Record, target: Kept) -> str:
    """How the matter of a re-opened decision stands at the moment."""
    state, key = record.state, target.key
    if key in state.actions and target.entry.stream_id.startswith("action/"):
        action = state.actions[key]
        rated = f"rated {fields(action, state.plan)['rating']}"
        phase = getattr(target.event, "phase", None)
        if phase is None:
            return rated
        signoff = action.signoffs.get(phase)
        return f"{rated}; phase {phase} {signoff.status if signoff else 'not recommended'}"
    found: Any = state.escalations.get(key) or state.amendments.get(key)
    return found.status if found else "as if it had not been recorded"
