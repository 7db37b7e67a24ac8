"""The law of a plan's stream, and the codes and reports of a plan."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.action import ActionClosed
from domain.errors import BadInput, GovledgerError
from domain.event import REGISTRY, EntryVoided, Event
from domain.plan import (
    ImpactRated,
    Plan,
    PlanCreated,
    Report,
    ReportIssued,
    Section,
    SectionAdded,
    TermsSet,
    check_code,
    closed_until,
    decide_report,
    evolve,
    objection,
)
from domain.scale import FIVE_STEPS, IMPACT_STEPS

BEGAN, TODAY = date(2025, 1, 1), date(2025, 6, 30)
SHOWN: Any = {"known_at": 9, "root": "cd"}
EMPTY = Plan("P", "Plan", BEGAN, FIVE_STEPS, IMPACT_STEPS)
FULL = Plan(
    *("P", "Plan", BEGAN, FIVE_STEPS, IMPACT_STEPS),
    sections={"1": Section("1", "Homes"), "1.1": Section("1.1", "Visits", "1")},
    reports={"R1": Report("R1", "Committee", date(2025, 4, 10), date(2025, 3, 31), 7, "ab")},
)
STATES: dict[str, Plan | None] = {"absent": None, "empty": EMPTY, "full": FULL}
THERE, ABSENT = "already-there", "not-there-yet"
LAW: list[tuple[Event, tuple[str | None, str | None, str | None]]] = [
    (PlanCreated(code="P", title="Plan", begins_on=BEGAN), (None, THERE, THERE)),
    (SectionAdded(section="1", name="Homes"), (ABSENT, None, THERE)),
    (SectionAdded(section="1.2", name="Staff", parent="1"), (ABSENT, ABSENT, None)),
    (ImpactRated(section="1.1", impact="impact_red"), (ABSENT, ABSENT, None)),
    (
        ReportIssued(report="R1", committee="C", meeting=TODAY, as_at=TODAY, **SHOWN),
        (ABSENT, None, THERE),
    ),
    (TermsSet(most_revisions=2), (ABSENT, None, None)),
    (EntryVoided(voids=1), (None, None, None)),
]


@pytest.mark.parametrize("case", range(len(LAW)), ids=lambda n: f"{LAW[n][0].tag} {n}")
def test_the_law_of_the_stream(case: int) -> None:
    """Each event is accepted in the states in which it makes sense, and refused in the others."""
    event, rules = LAW[case]
    found = [objection(state, event, FIVE_STEPS) for state in STATES.values()]
    assert [said[0] if said else None for said in found] == list(rules)
    for state in STATES.values():
        begins = isinstance(event, PlanCreated)
        assert (evolve(state, event) is None) == (state is None and not begins)


def test_the_table_holds_every_event_of_a_plan() -> None:
    """The table above leaves out no event type of a plan, and strangers are refused."""
    tags = {event.tag for event, _rules in LAW}
    assert {tag for tag in REGISTRY if tag.startswith("plan.")} | {"entry.voided/1"} == tags
    with pytest.raises(TypeError, match="action"):
        evolve(FULL, ActionClosed())


@pytest.mark.parametrize("code", ["A1", "SL2a", "P-1.2_b", "7", "x" * 32])
def test_a_reference_that_can_be_one(code: str) -> None:
    """Letters, digits, dots, hyphens and underscores, 32 at most, make a reference."""
    assert check_code(code, "a reference") == code


@pytest.mark.parametrize(
    "code", ["", " A1", "A1 ", "A 1", "A/1", "A1\n", "-A", ".A", "Ä1", "x" * 33, "../A", "%"]
)
def test_a_reference_that_cannot_be_one(code: str) -> None:
    """What could be taken for a path, an option or two words is refused."""
    with pytest.raises(BadInput) as refused:
        check_code(code, "a reference")
    assert refused.value.rule == "bad-reference"


REPORTS = {
    "of the future": (date(2025, 7, 1), date(2025, 7, 2), "future-date"),
    "before the plan": (date(2024, 12, 31), date(2025, 6, 1), "before-plan"),
    "of a closed period": (date(2025, 3, 31), date(2025, 6, 1), "period-closed"),
    "to a meeting before": (date(2025, 6, 30), date(2025, 6, 29), "meeting-before-as-at"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_cannot_be_issued(name: str) -> None:
    """A report is as at a day that is over, not yet closed, and not after its meeting."""
    as_at, meeting, rule = REPORTS[name]
    with pytest.raises(GovledgerError) as refused:
        decide_report(
            FULL,
            "R2",
            "Committee",
            meeting,
            as_at,
            issued_on=max(TODAY, as_at),
            today=TODAY,
            **SHOWN,
        )
    assert refused.value.rule == rule


def test_a_report_issued_before_its_period_was_over() -> None:
    """A paper cannot be out before the day that it is as at."""
    early = TODAY - timedelta(days=1)
    with pytest.raises(GovledgerError) as refused:
        decide_report(FULL, "R2", "Committee", TODAY, TODAY, issued_on=early, today=TODAY, **SHOWN)
    assert refused.value.rule == "issued-before-as-at"


def test_a_report_for_a_meeting_to_come() -> None:
    """A paper goes out before the meeting that receives it; the period is closed by its date."""
    meeting = date(2025, 7, 14)
    event = decide_report(
        FULL, "R2 ", "Committee", meeting, TODAY, issued_on=TODAY, today=TODAY, **SHOWN
    )
    assert event.report == "R2"
    assert closed_until(FULL) == date(2025, 3, 31)
    assert closed_until(evolve(FULL, event)) == TODAY
    assert closed_until(EMPTY) is None


def test_a_section_is_found_by_key_or_name() -> None:
    """A section goes by its key, or by its name in any case while only one has it."""
    assert FULL.section_named("1.1") is FULL.section_named("visits")
    twice = evolve(FULL, SectionAdded(section="2", name="VISITS"))
    assert twice is not None
    with pytest.raises(GovledgerError) as refused:
        twice.section_named("Visits")
    assert refused.value.rule == "ambiguous-section"
    assert refused.value.hint == "Use a key: 1.1, 2."


def test_terms_that_are_not_named_stay() -> None:
    """Either term of decisions is set by itself; a plan asks for two sources unless it says so."""
    assert (EMPTY.impact_kinds, EMPTY.most_revisions) == (2, None)
    once = evolve(EMPTY, TermsSet(most_revisions=1))
    assert once is not None
    assert (once.impact_kinds, once.most_revisions) == (2, 1)
    twice = evolve(once, TermsSet(impact_kinds=3))
    assert twice is not None
    assert (twice.impact_kinds, twice.most_revisions) == (3, 1)
