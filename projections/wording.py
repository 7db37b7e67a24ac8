"""Entries and fields in words, for people who do not read event types."""

from collections.abc import Mapping, Sequence

from domain import action as a
from domain import amendment as m
from domain import body as b
from domain import escalation as e
from domain import person as n
from domain import plan as p
from domain import signoff as s
from domain.action import Action, shown_rating
from domain.event import EntryVoided, Event, LedgerOpened
from domain.evidence import EvidenceLodged
from domain.plan import Plan
from domain.scale import NOT_RATED, STANDING_LABELS
from domain.withholding import ExemptionLifted, TextExempted, TextWithheld
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
    said = _of_boards(event, plan)
    if said is not None:
        return said
    match event:
        case LedgerOpened():
            return f"ledger '{event.name}' opened"
        case TextWithheld():
            return f"text '{event.field}' of entry {event.position} withheld: {event.basis}"
        case TextExempted():
            return f"text '{event.field}' of entry {event.position} exempt: {event.basis}"
        case ExemptionLifted():
            return f"text '{event.field}' of entry {event.position} exempt no more"
        case EntryVoided():
            said = f": {describe(voided, plan)}" if voided else ""
            return f"entry {event.voids} voided{said}"
        case p.PlanCreated():
            return f"plan '{event.title}' began"
        case p.SectionAdded():
            return f"section {event.section} '{event.name}' added"
        case p.ImpactRated():
            return f"impact of section {event.section} rated {rating_words(event.impact, plan)}"
        case p.TermsSet():
            terms = []
            if event.impact_kinds is not None:
                terms.append(f"phase 2 needs {event.impact_kinds} of the four inner sources")
            if event.most_revisions is not None:
                most = event.most_revisions
                times = "once" if most == 1 else f"{most} times"
                terms.append(f"a timescale is revised at most {times}")
            return f"terms set: {', '.join(terms)}"
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


def _of_boards(event: Event, plan: Plan | None) -> str | None:
    """What an entry on people, bodies, sign-offs, escalations or amendments says."""
    match event:
        case n.PersonEnrolled():
            return f"{event.name} enrolled as {event.role}"
        case n.RoleChanged():
            return f"role changed to {event.role}"
        case n.KeyReplaced():
            return "key replaced"
        case n.KeyWithdrawn():
            return "key withdrawn"
        case n.AdministratorAppointed():
            return "appointed administrator"
        case n.AdministratorStoodDown():
            return "stood down as administrator"
        case b.BodyEstablished():
            place = (
                f"on rung {event.rung} of the ladder, quorum {event.quorum}"
                if event.rung
                else "outside the ladder"
            )
            return f"{event.name} established {place}{_may(event.powers)}"
        case b.TermsChanged():
            quorum = f" quorum {event.quorum}" if event.quorum is not None else ""
            powers = _may(event.powers) if event.powers is not None else ""
            return f"terms changed:{quorum}{powers}"
        case b.MemberAppointed():
            until = f" until {event.until}" if event.until != b.NO_END else ""
            return f"{event.person} appointed {event.capacity}{until}"
        case b.MemberStoodDown():
            return f"{event.person} stood down"
        case b.MeetingRecorded():
            away = f"; apologies: {', '.join(event.apologies)}" if event.apologies else ""
            minutes = f"; minutes {event.minutes}" if event.minutes else ""
            there = ", ".join(event.present) or "nobody"
            return f"met on {event.meeting}; present: {there}{away}{minutes}"
        case b.InterestDeclared():
            return f"{event.person} declared an interest in {event.item} on {event.meeting}"
        case EvidenceLodged():
            return f"evidence {event.evidence} for phase {event.phase} lodged: {event.called}"
        case s.SignOffRecommended():
            return f"phase {event.phase} recommended by {event.lead} ({event.recommended_by})"
        case s.SignOffVoted():
            vote = "approved" if event.vote == "approve" else "voted against"
            return f"phase {event.phase} {vote} by {event.person} for {event.body}, signed"
        case s.SignOffGranted():
            rated = rating_words(event.rating, plan)
            return f"phase {event.phase} granted by {event.body}; rated {rated}"
        case s.SignOffDeclined():
            return f"phase {event.phase} declined by {event.body}"
        case s.SignOffRevoked():
            rated = rating_words(event.rating, plan)
            return f"phase {event.phase} revoked by {event.body}; rated {rated}"
        case s.SignOffConfirmed():
            return f"phase {event.phase} confirmed by {event.person} for {event.body}, signed"
        case e.EscalationRaised():
            return (
                f"raised by {event.raised_by} to {event.at} on {', '.join(event.refs)}, "
                f"needed by {event.needed_by}: {event.issue}"
            )
        case e.EscalationReferred():
            return f"referred by {event.referred_by} to {event.at}, needed by {event.needed_by}"
        case e.EscalationResponded():
            return f"response: {event.response}"
        case e.EscalationResolved():
            return f"resolved: {event.outcome}"
        case e.EscalationWithdrawn():
            return "withdrawn"
        case m.AmendmentProposed():
            return f"proposed by {event.person}: {proposal(event)}"
        case m.AmendmentAgreed():
            return f"agreed by {event.body}"
        case m.AmendmentDeclined():
            return f"declined by {event.body}"
    return None


def _may(powers: Sequence[str]) -> str:
    return f"; may {' and '.join(b.POWERS[power] for power in powers)}" if powers else ""


def proposal(wanted: m.AmendmentProposed | m.Amendment) -> str:
    """What a proposed amendment would do, in words."""
    of = f" milestone {wanted.milestone}" if wanted.milestone else ""
    words = {
        "timescale": f"revise the timescale of {wanted.ref}{of} to {wanted.timescale}",
        "delay": f"mark {wanted.ref} delayed",
        "review": f"place {wanted.ref} under review",
        "resume": f"resume {wanted.ref}",
        "close": f"close {wanted.ref}"
        + (f", replaced by {wanted.replaced_by}" if wanted.replaced_by else ""),
        "add": f"add {wanted.ref}: {wanted.title}",
        "reword": f"reword {wanted.ref}: {wanted.title}",
        "owner": f"give {wanted.ref} to {wanted.owners}",
    }
    return words[wanted.kind]


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
