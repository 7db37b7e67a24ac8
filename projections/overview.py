"""Appendix 1: the rating overview."""

from datetime import date
from typing import Any

from domain.action import Action, activity_done, is_done, shown_rating
from domain.content import in_doubt, is_stale
from domain.plan import Plan
from domain.scale import NOT_RATED, STANDING_LABELS, UNDER_REVIEW, Scale
from domain.signoff import MEANINGS
from projections.state import PlanState
from projections.wording import rating_words


def is_overdue(action: Action, plan: Plan, as_at: date) -> bool:
    """Timescale passed and the activity not complete; one under review has no due date.

    An action whose dates stand on its milestones only is overdue when one of those is.
    """
    if action.standing == UNDER_REVIEW or activity_done(action, plan.scale):
        return False
    if action.timescale is not None:
        return action.timescale.overdue(as_at)
    return any(
        milestone.timescale is not None
        and milestone.timescale.overdue(as_at)
        and not is_done(milestone.rating, plan.scale)
        for milestone in action.milestones.values()
    )


def summary(state: PlanState) -> dict[str, Any]:
    """Counts by rating, and the percentage complete: complete over all, closed included.

    The percentage is None while no action is rated, and rounds half up.
    """
    scale = state.plan.scale
    labels = [step.label for step in reversed(scale.steps)]
    counts = dict.fromkeys((*labels, *STANDING_LABELS.values(), NOT_RATED), 0)
    complete = 0
    for action in state.actions.values():
        counts[shown_rating(action, scale)] += 1
        step = scale.step(action.rating)
        if action.standing not in STANDING_LABELS and step and step.meaning == "complete":
            complete += 1
    total = len(state.actions)
    known = total > counts[NOT_RATED]
    return {
        "total": total,
        "by_rating": counts,
        "percent_complete": (200 * complete + total) // (2 * total) if known else None,
    }


def overview(state: PlanState, as_at: date) -> dict[str, Any]:
    """Appendix 1: the plan's summary and a line for every action."""
    return {
        "plan": state.plan.code,
        "title": state.plan.title,
        "summary": summary(state),
        "actions": [action_line(action, state.plan, as_at) for action in in_plan_order(state)],
        "sections": [
            {
                "key": section.key,
                "name": section.name,
                "parent": section.parent,
                "impact": rating_words(section.impact, state.plan),
            }
            for section in state.plan.sections.values()
        ],
    }


def in_plan_order(state: PlanState) -> list[Action]:
    """The actions section by section, in the order of joining within each."""
    order = {key: number for number, key in enumerate(sorted(state.plan.sections, key=_by_parts))}
    return sorted(state.actions.values(), key=lambda action: order.get(action.section, len(order)))


def _by_parts(key: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in key.split(".")]


def action_line(action: Action, plan: Plan, as_at: date) -> dict[str, Any]:
    """An action in one line, as Appendix 1 has it."""
    section = plan.sections.get(action.section)
    chapter = plan.chapter_of(action.section)
    return {
        "ref": action.ref,
        "chapter": chapter.name if chapter else None,
        "section": section.name if section else action.section,
        "title": action.title,
        "timescale": action.timescale.written if action.timescale else None,
        "rating": shown_rating(action, plan.scale),
        "overdue": is_overdue(action, plan, as_at),
        "signed_off": is_signed_off(action, plan.scale),
        "stale": any(is_stale(action, phase, plan.scale) for phase in action.signoffs),
        "in_doubt": any(in_doubt(action, phase, plan.scale) for phase in action.signoffs),
    }


def is_signed_off(action: Action, scale: Scale) -> bool:
    """Whether the rating shown was given by a sign-off in this ledger, not taken over."""
    step = scale.step(action.rating)
    if step is None or action.standing in STANDING_LABELS:
        return False
    return any(
        MEANINGS.get(phase) == step.meaning and found.status == "granted"
        for phase, found in action.signoffs.items()
    )
