"""Entries and fields in words, for people who do not read event types."""

from collections.abc import Mapping

from domain import action as a
from domain import plan as p
from domain.action import Action, shown_rating
from domain.event import EntryVoided, Event, LedgerOpened
from domain.plan import Plan
from domain.scale import NOT_RATED, STANDING_LABELS
from ledger.entry import Decision


def rating_words(key: str | None, plan: Plan | None) -> str:
    """The label of a stored rating key, on either of the plan's scales."""
    if key is None:
        return NOT_RATED
    for scale in (plan.scale, plan.impact_scale) if plan else ():
        step = scale.step(key)
        if step:
            return step.label
    return key


def describe(event: Event, plan: Plan | None, voided: Event | None = None) -> str:
    """What the entry says, in a few words.

    Args:
        voided: what the entry that it voids said, where it voids one.

    Raises:
        TypeError: an event type without words; the tests hold this to the registry.
    """
    where = ""
    if isinstance(event, a.ActionRated | a.TimescaleRevised | a.MilestoneSet) and event.milestone:
        where = f"milestone {event.milestone} "
    match event:
        case LedgerOpened():
            return f"ledger '{event.name}' opened"
        case EntryVoided():
            said = f": {describe(voided, plan)}" if voided else ""
            return f"entry {event.voids} voided{said}"
        case p.PlanCreated():
            return f"plan '{event.title}' began"
        case p.SectionAdded():
            return f"section {event.section} '{event.name}' added"
        case p.ImpactRated():
            return f"impact of section {event.section} rated {rating_words(event.impact, plan)}"
        case p.ReportIssued():
            return (
                f"report {event.report} issued to {event.committee} for {event.meeting}, "
                f"as at {event.as_at}; the period up to then closed"
            )
        case a.ActionAdded():
            due = f", timescale {event.timescale.written}" if event.timescale else ""
            return f"added: {event.title}{due}"
        case a.MilestoneSet():
            due = f": {event.timescale.written}" if event.timescale else ""
            return f"{where}set{due}"
        case a.ActionRated():
            return f"{where}rated {rating_words(event.rating, plan)}"
        case a.ProgressNoted():
            return f"progress: {event.progress}"
        case a.TimescaleRevised():
            return f"{where}timescale revised to {event.timescale.written}"
        case a.MarkedDelayed():
            return "marked delayed"
        case a.PlacedUnderReview():
            return "placed under review"
        case a.ActionResumed():
            rated = f", rated {rating_words(event.rating, plan)}" if event.rating else ""
            return f"resumed{rated}"
        case a.ActionClosed():
            return f"closed, replaced by {event.replaced_by}" if event.replaced_by else "closed"
        case a.ActionReworded():
            return f"reworded: {event.title}"
        case a.OwnersChanged():
            return f"owner changed to {event.owners}"
    raise TypeError(f"{event.tag} has no words")


def voided_event(event: Event, said: Mapping[int, Event]) -> Event | None:
    """What the entry that this event voids said, out of those given by position."""
    return said.get(event.voids) if isinstance(event, EntryVoided) else None


def fields(action: Action, plan: Plan) -> dict[str, str | None]:
    """The fields of an action as people read them; None where nothing was recorded."""
    section = plan.sections.get(action.section)
    found: dict[str, str | None] = {
        "title": action.title,
        "section": section.name if section else action.section,
        "owners": action.owners,
        "timescale": action.timescale.written if action.timescale else None,
        "rating": shown_rating(action, plan.scale),
        "progress": action.progress,
        "replaced_by": action.replaced_by,
    }
    for number, milestone in action.milestones.items():
        due = milestone.timescale
        found[f"milestone {number} timescale"] = due.written if due else None
        if milestone.rating:
            found[f"milestone {number} rating"] = rating_words(milestone.rating, plan)
    return found


def set_by(name: str, action: Action, set_positions: Mapping[tuple[str, str], int]) -> int:
    """The position of the entry that set a field (by its name in `fields`); 0 where none did."""
    if name.startswith("milestone "):
        _word, number, attribute = name.split()
        return set_positions.get((f"milestone/{number}", attribute), 0)
    if name == "rating" and action.standing in STANDING_LABELS:
        return set_positions.get(("", "standing"), 0)
    return set_positions.get(("", name), 0)


def decision_data(decision: Decision | None) -> dict[str, str] | None:
    """A decision as answered in JSON."""
    if decision is None:
        return None
    return {
        "body": decision.body,
        "meeting": decision.meeting.isoformat(),
        "minute": decision.minute,
    }
