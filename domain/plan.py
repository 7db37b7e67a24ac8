"""The plan itself: its sections, its scales, and the reports that close its periods."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from domain.errors import BadInput, Refusal
from domain.event import EntryVoided, Event
from domain.scale import FIVE_STEPS, IMPACT_STEPS, Scale, folded
from domain.text import Text, one_line

# --- events -----------------------------------------------------------------------------


class PlanCreated(Event):
    """The plan began.

    Fields: code (short name in commands), title, begins_on (no entry is effective before it),
    scale (the key for actions), impact_scale (the key for the impact of sections).
    """

    tag = "plan.created/1"
    code: str
    title: Text
    begins_on: date
    scale: Scale = FIVE_STEPS
    impact_scale: Scale = IMPACT_STEPS


class SectionAdded(Event):
    """The plan has a section (key such as `1.2`), perhaps inside another (parent, a key)."""

    tag = "plan.section_added/1"
    part = ("section",)
    section: str
    name: Text
    parent: str | None = None


class ImpactRated(Event):
    """A section was rated for its impact against what inspectors found."""

    tag = "plan.impact_rated/1"
    part = ("section",)
    section: str
    impact: str


class TermsSet(Event):
    """The plan has other terms for decisions from now on.

    Fields: impact_kinds (of the four inner sources of evidence, how many a sign-off of phase 2
    needs), most_revisions (of one timescale before an open escalation is needed).
    """

    tag = "plan.terms_set/1"
    impact_kinds: int | None = None
    most_revisions: int | None = None


class ReportIssued(Event):
    """A paper went to a committee; the period up to its as-at date is closed.

    Fields: report (the paper's reference), committee, meeting (its date), as_at, and what it was
    made from: known_at (the last entry known) and root (of the tree over those, hexadecimal);
    checkpoint (a signed note of those two, in C2SP's form) and checkpoint_key (the verifier key of
    whoever signed it), where the ledger's key was at hand.
    """

    tag = "plan.report_issued/1"
    part = ("report",)
    report: str
    committee: str
    meeting: date
    as_at: date
    known_at: int
    root: str
    checkpoint: str | None = None
    checkpoint_key: str | None = None


# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Section:
    """A chapter, area, priority or recommendation of the plan."""

    key: str
    name: str
    parent: str | None = None
    impact: str | None = None


@dataclass(frozen=True)
class Report:
    """An issued paper."""

    ref: str
    committee: str
    meeting: date
    as_at: date
    known_at: int
    root: str
    checkpoint: str | None = None
    checkpoint_key: str | None = None


@dataclass(frozen=True)
class Plan:
    """The plan as at one date."""

    code: str
    title: str
    begins_on: date
    scale: Scale
    impact_scale: Scale
    sections: Mapping[str, Section] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    impact_kinds: int = 2
    most_revisions: int | None = None

    def section_named(self, name: str) -> Section:
        """The section with that key or name, in any case.

        Raises:
            Refusal: unknown-section, or the name stands in more than one place.
        """
        if name in self.sections:
            return self.sections[name]
        found = [s for s in self.sections.values() if folded(s.name) == folded(name)]
        if len(found) == 1:
            return found[0]
        if found:
            keys = ", ".join(s.key for s in found)
            raise Refusal(
                "ambiguous-section", f"Several sections are called '{name}'.", f"Use a key: {keys}."
            )
        known = ", ".join(f"{s.key} {s.name}" for s in self.sections.values())
        raise Refusal(
            "unknown-section", f"The plan has no section '{name}'.", f"Sections: {known}."
        )

    def chapter_of(self, section: str) -> Section | None:
        """The outermost section that holds this one (itself, where it stands alone)."""
        found = self.sections.get(section)
        while found is not None and found.parent is not None:
            found = self.sections.get(found.parent)
        return found


def evolve(state: Plan | None, event: Event) -> Plan | None:
    """The state after the event. Total over the events of this stream.

    Raises:
        TypeError: the event is of another stream.
    """
    if isinstance(event, PlanCreated):
        return Plan(event.code, event.title, event.begins_on, event.scale, event.impact_scale)
    if isinstance(event, EntryVoided) or state is None:
        return state
    match event:
        case SectionAdded():
            section = Section(event.section, event.name, event.parent)
            return replace(state, sections={**state.sections, section.key: section})
        case ImpactRated():
            bare = Section(event.section, event.section)
            section = replace(state.sections.get(event.section, bare), impact=event.impact)
            return replace(state, sections={**state.sections, section.key: section})
        case TermsSet():
            return replace(state, **event.asserted())
        case ReportIssued():
            report = Report(
                event.report,
                event.committee,
                event.meeting,
                event.as_at,
                event.known_at,
                event.root,
                event.checkpoint,
                event.checkpoint_key,
            )
            return replace(state, reports={**state.reports, report.ref: report})
    raise TypeError(f"{event.tag} is not an event of a plan")


def objection(state: Plan | None, event: Event, _scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense for the plan in this state; see `domain.action.objection`."""
    if isinstance(event, EntryVoided):
        return None
    if isinstance(event, PlanCreated):
        return ("already-there", "the plan exists already") if state else None
    if state is None:
        return "not-there-yet", "the plan has not begun on that date"
    if isinstance(event, SectionAdded) and event.section in state.sections:
        return "already-there", f"it has a section {event.section} already"
    if isinstance(event, SectionAdded) and event.parent and event.parent not in state.sections:
        return "not-there-yet", f"it has no section {event.parent} on that date"
    if isinstance(event, ImpactRated) and event.section not in state.sections:
        return "not-there-yet", f"it has no section {event.section} on that date"
    if isinstance(event, ReportIssued) and event.report in state.reports:
        return "already-there", f"report {event.report} is issued already"
    return None


# --- decisions --------------------------------------------------------------------------

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


def check_code(word: str, what: str) -> str:
    """A plan code or action reference: letters, digits, dot, hyphen, underscore; 32 at most.

    Raises:
        BadInput: bad-reference.
    """
    if not CODE.fullmatch(word):
        raise BadInput(
            "bad-reference",
            f"'{word}' cannot be {what}.",
            "Use up to 32 letters, digits, dots, hyphens or underscores, such as SL2a.",
        )
    return word


def decide_plan(
    code: str, title: str, begins_on: date, scale: Scale, impact_scale: Scale
) -> PlanCreated:
    """The event that begins a plan.

    Raises:
        BadInput: bad-reference.
        Refusal: scales-mixed, where a label stands on both keys.
    """
    shared = scale.shares_a_label_with(impact_scale)
    if shared:
        raise Refusal(
            "scales-mixed",
            f"The label '{shared}' stands on the key for actions and on the key for impact.",
            "Give the two keys different labels, so that nobody takes one for the other.",
        )
    return PlanCreated(
        code=check_code(code, "the code of a plan"),
        title=one_line(title, "The title of a plan"),
        begins_on=begins_on,
        scale=scale,
        impact_scale=impact_scale,
    )


def decide_impact(plan: Plan, section: str, label: str) -> ImpactRated:
    """The event that rates a section for its impact, on the impact key only.

    Raises:
        Refusal: unknown-section, unknown-rating.
    """
    # A bare colour could be meant on either key, and the two are never mixed.
    of = "impact (it is not the key for actions, and a colour alone will not do)"
    step = plan.impact_scale.find(label, of=of, by_colour=False)
    return ImpactRated(section=plan.section_named(section).key, impact=step.key)


def closed_until(plan: Plan | None) -> date | None:
    """The last day of the last period that a report has closed."""
    return max((r.as_at for r in plan.reports.values()), default=None) if plan else None


def decide_report(
    plan: Plan,
    ref: str,
    committee: str,
    meeting: date,
    as_at: date,
    *,
    known_at: int,
    root: str,
    issued_on: date,
    today: date,
    checkpoint: str | None = None,
    checkpoint_key: str | None = None,
) -> ReportIssued:
    """The event for a paper issued to a committee.

    Args:
        known_at: the last entry known when the paper was made.
        root: of the tree over the entries known then.
        issued_on: the date from which the entry is effective.
        checkpoint: the signed checkpoint of what was known then.
        checkpoint_key: the verifier key of whoever signed it.

    Raises:
        Refusal: future-date, before-plan, period-closed, meeting-before-as-at,
            issued-before-as-at.
        BadInput: empty-text, text-too-long, control-character.
    """
    ref = one_line(ref, "The reference of a report")
    committee = one_line(committee, "A committee")
    if as_at > today:
        raise Refusal(
            "future-date", f"A report cannot be as at {as_at}: that day is not over.", "Use today."
        )
    if as_at < plan.begins_on:
        raise Refusal("before-plan", f"The plan began on {plan.begins_on}, after {as_at}.")
    closed = closed_until(plan)
    if closed is not None and as_at <= closed:
        raise Refusal(
            "period-closed",
            f"A report has already closed the period up to {closed}.",
            f"Issue the report as at a day after {closed}.",
        )
    if meeting < as_at:
        raise Refusal(
            "meeting-before-as-at",
            f"A meeting on {meeting} cannot receive a report as at {as_at}.",
            "Give the date of the meeting that receives the paper.",
        )
    if issued_on < as_at:
        raise Refusal(
            "issued-before-as-at",
            f"A report as at {as_at} cannot have been issued on {issued_on}.",
            "Give the day on which it was issued: that day or a later one.",
        )
    return ReportIssued(
        report=ref,
        committee=committee,
        meeting=meeting,
        as_at=as_at,
        known_at=known_at,
        root=root,
        checkpoint=checkpoint,
        checkpoint_key=checkpoint_key,
    )
