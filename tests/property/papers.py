"""What the papers must say, worked out slowly from the entries and the folded states."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from domain.action import Action, ActionAdded, TimescaleRevised, is_delayed, shown_rating
from domain.plan import Plan
from domain.scale import CLOSED, OPEN, UNDER_REVIEW
from domain.timeline import action_stream
from ledger.entry import Entry
from projections.wording import fields
from tests.property import oracle

Actions = Mapping[str, Action]


def counts(plan: Plan, actions: Actions) -> dict[str, int]:
    """How many actions show each rating."""
    return Counter(shown_rating(action, plan.scale) for action in actions.values())


def standing_lists(plan: Plan, actions: Actions) -> dict[str, set[str]]:
    """Who is delayed and who is under review."""
    open_ones = {ref: a for ref, a in actions.items() if a.standing == OPEN}
    return {
        "delayed": {ref for ref, a in open_ones.items() if is_delayed(a, plan.scale)},
        "under_review": {ref for ref, a in actions.items() if a.standing == UNDER_REVIEW},
    }


def differences(before: tuple[Plan, Actions], after: tuple[Plan, Actions]) -> dict[str, set[Any]]:
    """What differs between two states, field by field."""
    (old_plan, old), (new_plan, new) = before, after
    changed = set()
    for ref in old.keys() & new.keys():
        was, now = fields(old[ref], old_plan), fields(new[ref], new_plan)
        for name in was.keys() | now.keys():
            if was.get(name) != now.get(name):
                changed.add((ref, name, was.get(name), now.get(name)))
    return {
        "changed": changed,
        "added": {(ref,) for ref in new.keys() - old.keys()},
        "removed": {(ref,) for ref in old.keys() - new.keys()},
    }


def period(
    entries: Sequence[Entry], code: str, actions: Actions, since: date, as_at: date, known_at: int
) -> dict[str, Any]:
    """Which actions were added and closed in a period, and which timescales revised, and how."""
    live = [e for e in oracle.live(entries, known_at) if e.effective_on <= as_at]
    added, closed, revised = set(), set(), {}
    for ref, action in actions.items():
        own = [e for e in live if e.stream_id == action_stream(code, ref)]
        within = [e for e in own if since < e.effective_on]
        if any(isinstance(e.event, ActionAdded) for e in within):
            added.add(ref)
        if action.standing == CLOSED and any(
            getattr(e.event, "standing", None) == CLOSED for e in within
        ):
            closed.add(ref)
        for milestone in (None, *action.milestones):
            said = [
                e
                for e in own
                if getattr(e.event, "timescale", None) is not None
                and getattr(e.event, "milestone", None) == milestone
            ]
            changes = [e for e in said if isinstance(e.event, TimescaleRevised)]
            if any(since < e.effective_on for e in changes):
                first = [e for e in said if not isinstance(e.event, TimescaleRevised)]
                past = [e for e in said if e.effective_on <= since] or first
                revised[ref, milestone] = (
                    _written(past[-1]) if past else None,
                    _written(said[-1]),
                    _written(said[0]),
                    len(changes),
                )
    return {"added": added, "closed": closed, "timescales_revised": revised}


def _written(entry: Entry) -> str:
    timescale = getattr(entry.event, "timescale", None)
    assert timescale is not None
    return str(timescale.written)
