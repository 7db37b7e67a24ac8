"""A strategy for every type of event, by type; `test_laws` proves that none is left out."""

import importlib
import pkgutil
from datetime import UTC, date, datetime
from typing import get_args

from hypothesis import strategies as st

import domain
from domain.action import (
    ActionAdded,
    ActionClosed,
    ActionRated,
    ActionResumed,
    ActionReworded,
    MarkedDelayed,
    MilestoneSet,
    OwnersChanged,
    PlacedUnderReview,
    ProgressNoted,
    TimescaleRevised,
)
from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentKind, AmendmentProposed
from domain.body import (
    POWERS,
    BodyEstablished,
    Capacity,
    InterestDeclared,
    MeetingRecorded,
    MemberAppointed,
    MemberStoodDown,
    TermsChanged,
)
from domain.escalation import (
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.event import REGISTRY, EntryVoided, Event, LedgerOpened
from domain.evidence import KINDS, EvidenceLodged
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    KeyWithdrawn,
    PersonEnrolled,
    RoleChanged,
)
from domain.plan import ImpactRated, PlanCreated, ReportIssued, SectionAdded, TermsSet
from domain.scale import FIVE_STEPS, IMPACT_STEPS, Meaning, Scale, Step
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)
from domain.timescale import Timescale
from domain.withholding import ExemptionLifted, TextExempted, TextWithheld
from ledger.entry import Decision, Entry, Note

for _module in pkgutil.iter_modules(domain.__path__, "domain."):
    importlib.import_module(_module.name)

REGISTERED = tuple(kind for kind in REGISTRY.values() if kind.__module__.startswith("domain."))
"""Every type that the ledger knows, and none that another test has made up."""

MARK = "Zq7Kx"
"""Begins every text that the vault must hide, so that it is found wherever it leaks."""

texts = st.text(max_size=30).map(lambda text: MARK + text)
words = st.text(min_size=1, max_size=12)
keys = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,11}", fullmatch=True)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))
numbers = st.integers(1, 2**53 - 1)
phases = st.sampled_from((1, 2))
codes = st.lists(keys, max_size=3).map(tuple)
powers = st.sets(st.sampled_from(tuple(POWERS))).map(tuple)
capacities = st.sampled_from(get_args(Capacity))
timescales = st.builds(
    Timescale,
    written=texts,
    kind=st.sampled_from(("day", "month", "range", "recurring", "tbc", "prose")),
    due=st.none() | days,
)


@st.composite
def _scales(draw: st.DrawFn) -> Scale:
    meanings: st.SearchStrategy[Meaning] = st.sampled_from(get_args(Meaning))
    steps = [
        Step(
            key=f"k{n}",
            label=f"Label {n}",
            colour=f"Colour {n}",
            also=tuple(f"Word {n}.{i}" for i in range(draw(st.integers(0, 2)))),
            meaning="complete" if n == 0 else draw(meanings),
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    return Scale(steps=tuple(draw(st.permutations(steps))))


scales = st.sampled_from((FIVE_STEPS, IMPACT_STEPS)) | _scales()

EVENTS: dict[type[Event], st.SearchStrategy[Event]] = {
    LedgerOpened: st.builds(LedgerOpened, ledger_id=words, name=texts, format=numbers),
    EntryVoided: st.builds(EntryVoided, voids=numbers),
    TextWithheld: st.builds(TextWithheld, position=numbers, field=keys, basis=words),
    TextExempted: st.builds(TextExempted, position=numbers, field=keys, basis=words),
    ExemptionLifted: st.builds(ExemptionLifted, position=numbers, field=keys),
    PlanCreated: st.builds(
        PlanCreated, code=keys, title=texts, begins_on=days, scale=scales, impact_scale=scales
    ),
    SectionAdded: st.builds(SectionAdded, section=keys, name=texts, parent=st.none() | keys),
    ImpactRated: st.builds(ImpactRated, section=keys, impact=keys),
    ReportIssued: st.builds(
        ReportIssued,
        report=words,
        committee=words,
        meeting=days,
        as_at=days,
        known_at=st.integers(0, 10**6),
        root=words,
        checkpoint=st.none() | words,
        checkpoint_key=st.none() | words,
    ),
    ActionAdded: st.builds(
        ActionAdded,
        ref=keys,
        title=texts,
        section=keys,
        owners=st.none() | texts,
        timescale=st.none() | timescales,
    ),
    MilestoneSet: st.builds(MilestoneSet, milestone=numbers, timescale=st.none() | timescales),
    ActionRated: st.builds(ActionRated, milestone=st.none() | numbers, rating=keys),
    ProgressNoted: st.builds(ProgressNoted, progress=texts),
    TimescaleRevised: st.builds(
        TimescaleRevised, milestone=st.none() | numbers, timescale=timescales
    ),
    MarkedDelayed: st.builds(MarkedDelayed, rating=keys),
    PlacedUnderReview: st.builds(PlacedUnderReview),
    ActionResumed: st.builds(ActionResumed, rating=st.none() | keys),
    ActionClosed: st.builds(ActionClosed, replaced_by=st.none() | keys),
    ActionReworded: st.builds(ActionReworded, title=texts),
    OwnersChanged: st.builds(OwnersChanged, owners=texts),
    TermsSet: st.builds(
        TermsSet, impact_kinds=st.none() | numbers, most_revisions=st.none() | numbers
    ),
    PersonEnrolled: st.builds(PersonEnrolled, person=keys, name=texts, role=texts, key=words),
    RoleChanged: st.builds(RoleChanged, role=texts),
    KeyReplaced: st.builds(KeyReplaced, key=words),
    KeyWithdrawn: st.builds(KeyWithdrawn),
    AdministratorAppointed: st.builds(AdministratorAppointed),
    AdministratorStoodDown: st.builds(AdministratorStoodDown),
    BodyEstablished: st.builds(
        BodyEstablished, code=keys, name=words, rung=numbers, quorum=numbers, powers=powers
    ),
    TermsChanged: st.builds(TermsChanged, quorum=st.none() | numbers, powers=st.none() | powers),
    MemberAppointed: st.builds(MemberAppointed, person=keys, capacity=capacities, until=days),
    MemberStoodDown: st.builds(MemberStoodDown, person=keys),
    MeetingRecorded: st.builds(
        MeetingRecorded,
        meeting=days,
        present=codes,
        apologies=codes,
        minutes=st.none() | words,
    ),
    InterestDeclared: st.builds(InterestDeclared, meeting=days, person=keys, item=keys),
    EvidenceLodged: st.builds(
        EvidenceLodged,
        evidence=numbers,
        phase=phases,
        kind=st.sampled_from(tuple(KINDS)),
        called=texts,
        dated=days,
        reference=st.none() | texts,
        file=st.none() | texts,
        sha256=st.none() | words,
        size=st.none() | numbers,
    ),
    SignOffRecommended: st.builds(
        SignOffRecommended,
        phase=phases,
        round=numbers,
        lead=keys,
        recommended_by=keys,
        shown=texts,
    ),
    SignOffVoted: st.builds(
        SignOffVoted,
        phase=phases,
        person=keys,
        round=numbers,
        body=keys,
        meeting=days,
        vote=st.sampled_from(("approve", "decline")),
        signed_at=instants,
        statement=texts,
        signature=words,
    ),
    SignOffGranted: st.builds(
        SignOffGranted,
        phase=phases,
        round=numbers,
        body=keys,
        person=keys,
        meeting=days,
        quorum=numbers,
        rating=keys,
    ),
    SignOffDeclined: st.builds(
        SignOffDeclined, phase=phases, round=numbers, body=keys, person=keys, meeting=days
    ),
    SignOffRevoked: st.builds(
        SignOffRevoked, phase=phases, body=keys, person=keys, meeting=days, rating=keys
    ),
    SignOffConfirmed: st.builds(
        SignOffConfirmed,
        phase=phases,
        confirmation=numbers,
        confirmed_by=keys,
        round=numbers,
        body=keys,
        meeting=days,
        shown=texts,
        signed_at=instants,
        statement=texts,
        signature=words,
    ),
    EscalationRaised: st.builds(
        EscalationRaised,
        escalation=keys,
        issue=texts,
        refs=codes,
        raised_by=keys,
        at=keys,
        rung=numbers,
        needed_by=days,
        person=keys,
    ),
    EscalationReferred: st.builds(
        EscalationReferred, referred_by=keys, at=keys, rung=numbers, needed_by=days, person=keys
    ),
    EscalationResponded: st.builds(EscalationResponded, response=texts, person=keys),
    EscalationResolved: st.builds(EscalationResolved, outcome=texts, person=keys),
    EscalationWithdrawn: st.builds(EscalationWithdrawn, person=keys),
    AmendmentProposed: st.builds(
        AmendmentProposed,
        amendment=keys,
        kind=st.sampled_from(get_args(AmendmentKind)),
        ref=keys,
        person=keys,
        milestone=st.none() | numbers,
        timescale=st.none() | texts,
        title=st.none() | texts,
        section=st.none() | keys,
        owners=st.none() | texts,
        replaced_by=st.none() | keys,
    ),
    AmendmentAgreed: st.builds(AmendmentAgreed, body=keys, meeting=days, recorder=keys),
    AmendmentDeclined: st.builds(AmendmentDeclined, body=keys, meeting=days, recorder=keys),
}

decisions = st.builds(Decision, body=words, meeting=days, minute=words)
notes = st.builds(
    Note,
    effective_on=days,
    recorded_by=texts,
    reason=st.none() | texts,
    decided_by=st.none() | decisions,
    source=st.none() | words,
    correction=st.booleans(),
)


def entries_of(kind: type[Event]) -> st.SearchStrategy[Entry]:
    """Entries not yet recorded that hold an event of that type."""
    return st.builds(Entry, stream_id=words, stream_version=numbers, event=EVENTS[kind], note=notes)
