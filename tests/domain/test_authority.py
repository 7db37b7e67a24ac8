"""Who may decide what: each rule, at the edge of the dates that it turns on."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.action import OwnersChanged
from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentProposed
from domain.authority import AT_A_MEETING, GOVERNED, check, in_force
from domain.body import (
    BodyEstablished,
    InterestDeclared,
    MeetingRecorded,
    MemberStoodDown,
    TermsChanged,
)
from domain.errors import GovledgerError, NotAuthorised
from domain.escalation import (
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.event import REGISTRY, EntryVoided, Event
from domain.evidence import EvidenceLodged
from domain.person import (
    KeyReplaced,
    KeyWithdrawn,
    RoleChanged,
)
from domain.plan import TermsSet
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)
from tests.domain.stage import MET, RECORDED, SET_UP, Stage

DAY = timedelta(days=1)
SIGNED: dict[str, Any] = {
    "body": "board",
    "meeting": MET,
    "signed_at": datetime(2025, 10, 9, 18, tzinfo=UTC),
    "statement": "",
    "signature": "",
}
RECORD: dict[str, Any] = {"body": "board", "meeting": MET}


def recommended(by: str = "lead", phase: int = 1, lead: str = "group") -> SignOffRecommended:
    return SignOffRecommended(phase=phase, round=1, lead=lead, recommended_by=by, shown="")


def voted(by: str = "member", phase: int = 1, **said: Any) -> SignOffVoted:
    signed = {"round": 1, "vote": "approve", **SIGNED, **said}
    return SignOffVoted(phase=phase, person=by, **signed)


def confirmed(by: str = "member", phase: int = 1, **said: Any) -> SignOffConfirmed:
    signed = {"round": 1, **SIGNED, **said}
    return SignOffConfirmed(phase=phase, confirmation=1, confirmed_by=by, shown="", **signed)


def granted(by: str = "clerk", quorum: int = 2, **said: Any) -> SignOffGranted:
    body = {**RECORD, "phase": 1, **said}
    return SignOffGranted(round=1, person=by, quorum=quorum, rating="amber_e", **body)


def declined(by: str = "clerk", **said: Any) -> SignOffDeclined:
    return SignOffDeclined(phase=1, round=1, person=by, **{**RECORD, **said})


def revoked(by: str = "clerk", **said: Any) -> SignOffRevoked:
    return SignOffRevoked(phase=1, person=by, rating="amber", **{**RECORD, **said})


def agreed(by: str = "clerk", **said: Any) -> AmendmentAgreed:
    return AmendmentAgreed(recorder=by, **{**RECORD, **said})


def refused(by: str = "clerk", **said: Any) -> AmendmentDeclined:
    return AmendmentDeclined(recorder=by, **{**RECORD, **said})


def proposed(by: str) -> AmendmentProposed:
    return AmendmentProposed(amendment="A1", kind="review", ref="A1", person=by)


def raised(to: str, rung: int, by: str = "lead", of: str = "group") -> EscalationRaised:
    return EscalationRaised(
        escalation="E1",
        issue="Staff",
        refs=("A1",),
        raised_by=of,
        at=to,
        rung=rung,
        needed_by=MET,
        person=by,
    )


def referred(to: str, rung: int, by: str = "member") -> EscalationReferred:
    return EscalationReferred(referred_by="board", at=to, rung=rung, needed_by=MET, person=by)


def rule_of(
    stage: Stage,
    event: Event,
    *,
    day: date = MET,
    ref: str = "A1",
    recorded: date = RECORDED,
    position: int = 0,
) -> str | None:
    """The rule that speaks against the event, recorded after all else or at that position."""
    module = type(event).__module__.removeprefix("domain.")
    before = {
        "escalation": lambda: stage.state("escalation", "E1", day),
        "amendment": lambda: stage.state("amendment", "A1", day),
    }.get(module, lambda: stage.state("action", ref, day))()
    try:
        check(stage.scene(day), before, event, (recorded, position or stage.position + 1))
    except GovledgerError as error:
        return error.rule
    return None


@pytest.fixture
def stage() -> Stage:
    """A1 is an amendment of the action A1, proposed by its lead."""
    stage = Stage()
    stage.add("amendment", "A1", proposed("lead"))
    return stage


RULES: list[tuple[Event, str | None]] = [
    (recommended(), None),
    (recommended("visitor"), "not-a-member"),
    (recommended("nobody"), "unknown-person"),
    (recommended("chair", lead="board"), "no-power"),
    (recommended(lead="none such"), "unknown-body"),
    (recommended(phase=2), None),
    (voted(), None),
    (voted("chair"), None),
    (voted(vote="decline"), None),
    (voted("clerk"), "no-vote"),
    (voted("visitor"), "not-a-member"),
    (voted("lead", body="group"), "no-power"),
    (voted("owner"), "own-action"),
    (voted(meeting=MET - DAY), "not-that-day"),
    (granted(), None),
    (granted("chair"), None),
    (granted("member"), "not-chair-or-secretary"),
    (granted("visitor"), "not-a-member"),
    (granted(quorum=3), None),
    (granted(quorum=1), "quorum-not-reached"),
    (granted("lead", body="group"), "no-power"),
    (granted(meeting=MET + DAY), "not-that-day"),
    (declined(), None),
    (declined("member"), "not-chair-or-secretary"),
    (declined(meeting=MET - DAY), "not-that-day"),
    (revoked(), None),
    (revoked("member"), "not-chair-or-secretary"),
    (revoked(body="committee"), "no-power"),
    (confirmed(), None),
    (confirmed("owner"), "own-action"),
    (confirmed("clerk"), "no-vote"),
    (confirmed(phase=2), None),
    (agreed(), None),
    (agreed("member"), "not-chair-or-secretary"),
    (agreed(body="group"), "no-power"),
    (refused(), None),
    (refused("visitor"), "not-a-member"),
    (proposed("visitor"), None),
    (proposed("nobody"), "unknown-person"),
    (raised("board", 3), None),
    (raised("committee", 4), None),
    (raised("outside", 2), None),
    (raised("outside", 3), "not-up"),
    (raised("committee", 3), "not-up"),
    (raised("group", 2), "not-up"),
    (raised("group", 2, "clerk", "board"), "not-up"),
    (raised("board", 3, "visitor"), "not-a-member"),
    (raised("board", 3, of="none such"), "unknown-body"),
]


@pytest.mark.parametrize("case", range(len(RULES)), ids=lambda n: f"{RULES[n][0].tag} {n}")
def test_each_rule(stage: Stage, case: int) -> None:
    """A person or a body without the authority is refused by the rule that says why."""
    event, rule = RULES[case]
    assert rule_of(stage, event) == rule


STEPS: list[tuple[Event, str | None]] = [
    (referred("committee", 4), None),
    (referred("outside", 3), None),
    (referred("group", 2), "not-up"),
    (referred("committee", 4, "lead"), "not-a-member"),
    (EscalationResponded(response="Soon", person="clerk"), None),
    (EscalationResponded(response="Soon", person="lead"), "not-a-member"),
    (EscalationResolved(outcome="Done", person="member"), None),
    (EscalationResolved(outcome="Done", person="visitor"), "not-a-member"),
    (EscalationWithdrawn(person="lead"), None),
    (EscalationWithdrawn(person="chair"), "not-a-member"),
]


@pytest.mark.parametrize("case", range(len(STEPS)), ids=lambda n: f"{STEPS[n][0].tag} {n}")
def test_each_rule_of_an_escalation(stage: Stage, case: int) -> None:
    """The body that has it answers it, and the body that raised it withdraws it."""
    stage.add("escalation", "E1", raised("board", 3))
    event, rule = STEPS[case]
    assert rule_of(stage, event) == rule


def test_who_answers_for_a_body_outside(stage: Stage) -> None:
    """What lies with an outside body is recorded by whoever passed it there, and goes on up."""
    stage.add("escalation", "E1", raised("board", 3))
    stage.add("escalation", "E1", referred("outside", 3))
    for who, rule in (("clerk", None), ("lead", "not-a-member")):
        assert rule_of(stage, EscalationResolved(outcome="Done", person=who)) == rule
    assert rule_of(stage, referred("committee", 4)) is None
    assert rule_of(stage, referred("board", 3)) == "not-up"


def test_the_tables_hold_every_event_that_rests_on_authority() -> None:
    """No event that rests on authority is left out of the tables above."""
    assert {type(event) for event, _rule in (*RULES, *STEPS)} == set(GOVERNED)
    with_meeting = {kind for kind in REGISTRY.values() if "meeting" in kind.model_fields}
    assert {kind for kind in with_meeting if kind.tag != "plan.report_issued/1"} == set(
        AT_A_MEETING
    )


# --- on which day -------------------------------------------------------------------------------

Change = Callable[[Stage], None]


def until(day: date) -> Change:
    return lambda stage: stage.seat("board", "member", until=day)


def on(day: date, kind: str, key: str, event: Event) -> Change:
    return lambda stage: stage.add(kind, key, event, day)


def both(first: Change, second: Change) -> Change:
    def change(stage: Stage) -> None:
        first(stage)
        second(stage)

    return change


GONE = MemberStoodDown(person="member")
NO_POWER = TermsChanged(powers=("amend",))
DATES: dict[str, tuple[Change, Event, str | None]] = {
    "appointed on the day": (
        lambda stage: stage.seat("board", "visitor", on=MET),
        voted("visitor"),
        "not-present",
    ),
    "appointed the day after": (
        lambda stage: stage.seat("board", "visitor", on=MET + DAY),
        voted("visitor"),
        "not-a-member",
    ),
    "last day is the day before": (until(MET - DAY), voted(), "not-a-member"),
    "last day is the day": (until(MET), voted(), None),
    "stood down the day before": (on(MET - DAY, "body", "board", GONE), voted(), "not-a-member"),
    "stood down on the day": (on(MET, "body", "board", GONE), voted(), "not-a-member"),
    "stood down the day after": (on(MET + DAY, "body", "board", GONE), voted(), None),
    "power taken on the day": (on(MET, "body", "board", NO_POWER), voted(), "no-power"),
    "power taken the day after": (on(MET + DAY, "body", "board", NO_POWER), voted(), None),
    "no more secretary on the day": (
        on(MET, "body", "board", MemberStoodDown(person="clerk")),
        granted(),
        "not-a-member",
    ),
    "quorum raised on the day": (
        on(MET, "body", "board", TermsChanged(quorum=3)),
        granted(),
        "quorum-not-reached",
    ),
    "quorum raised the day after": (
        on(MET + DAY, "body", "board", TermsChanged(quorum=3)),
        granted(),
        None,
    ),
    "quorum above those present": (
        on(MET, "body", "board", TermsChanged(quorum=4)),
        declined(),
        "not-quorate",
    ),
    "key withdrawn before it was recorded": (
        on(RECORDED - DAY, "person", "member", KeyWithdrawn()),
        voted(),
        "no-key",
    ),
    "key withdrawn on the day it was recorded, before": (
        on(RECORDED, "person", "member", KeyWithdrawn()),
        voted(),
        "no-key",
    ),
    "key withdrawn the day after it was recorded": (
        on(RECORDED + DAY, "person", "member", KeyWithdrawn()),
        voted(),
        None,
    ),
    "key withdrawn before the meeting, and replaced": (
        both(
            on(SET_UP + DAY, "person", "member", KeyWithdrawn()),
            on(RECORDED, "person", "member", KeyReplaced(key="another")),
        ),
        voted(),
        None,
    ),
    "owner from the day": (
        on(MET, "action", "A1", OwnersChanged(owners="The member's role")),
        voted(),
        "own-action",
    ),
    "owner from the day after": (
        on(MET + DAY, "action", "A1", OwnersChanged(owners="The member's role")),
        voted(),
        None,
    ),
    "owner no more from the day": (
        on(MET, "action", "A1", OwnersChanged(owners="Clerk")),
        voted("owner"),
        None,
    ),
    "owns by a role of that day": (
        on(MET, "person", "member", RoleChanged(role="Clerk; Lead")),
        voted(),
        "own-action",
    ),
    "interest declared": (
        on(MET, "body", "board", InterestDeclared(meeting=MET, person="member", item="A1")),
        voted(),
        "interest-declared",
    ),
    "interest declared, and a confirmation": (
        on(MET, "body", "board", InterestDeclared(meeting=MET, person="member", item="A1")),
        confirmed(),
        "interest-declared",
    ),
    "interest in another action": (
        on(MET, "body", "board", InterestDeclared(meeting=MET, person="member", item="A2")),
        voted(),
        None,
    ),
    "interest of another member": (
        on(MET, "body", "board", InterestDeclared(meeting=MET, person="owner", item="A1")),
        voted(),
        None,
    ),
    "recommended it": (on(SET_UP, "action", "A1", recommended("member")), voted(), None),
    "not there": (lambda stage: stage.met("chair", "owner", "clerk"), voted(), "not-present"),
    "nobody there but one member": (
        lambda stage: stage.met("chair", "clerk", "visitor"),
        declined(),
        "not-quorate",
    ),
    "more evidence asked for": (
        on(SET_UP, "plan", "", TermsSet(impact_kinds=3)),
        recommended(),
        None,
    ),
}
DATES["recommended it"] = (*DATES["recommended it"][:2], "own-recommendation")


@pytest.mark.parametrize("name", DATES)
def test_authority_is_judged_as_at_the_day_of_the_decision(stage: Stage, name: str) -> None:
    """What was so on that day counts; the day before and the day after do not."""
    change, event, rule = DATES[name]
    change(stage)
    assert rule_of(stage, event) == rule


def test_a_meeting_that_is_not_recorded_decides_nothing(stage: Stage) -> None:
    """A vote or a decision names a recorded meeting."""
    day = MET - DAY
    for event in (voted(meeting=day), declined(meeting=day), confirmed(meeting=day)):
        assert rule_of(stage, event, day=day) == "no-such-meeting"


def test_who_sat_there_later_does_not_make_an_earlier_meeting_quorate(stage: Stage) -> None:
    """A guest at the meeting who is appointed afterwards did not count towards its quorum."""
    stage.met("chair", "visitor", "clerk")
    stage.seat("board", "visitor", on=MET + DAY)
    assert rule_of(stage, declined()) == "not-quorate"


def test_a_person_whose_enrolment_was_voided_is_not_present(stage: Stage) -> None:
    """A seat whose holder is nobody counts towards no quorum."""
    stage.met("chair", "member", "clerk")
    assert rule_of(stage, declined()) is None
    line = stage.line("person/P/member")
    (enrolled,) = line.items()
    stage.add("person", "member", EntryVoided(voids=enrolled.position))
    assert rule_of(stage, declined()) == "not-quorate"


INNER = ("performance", "family_feedback", "qualitative", "staff_feedback")


@pytest.mark.parametrize(
    ("kinds", "needed", "rule"),
    [
        ((), 2, "too-little-evidence"),
        (("performance",), 2, "too-little-evidence"),
        (("performance", "performance"), 2, "too-little-evidence"),
        (("performance", "external_review"), 2, "too-little-evidence"),
        (("performance", "qualitative"), 2, None),
        (("performance", "qualitative"), 3, "too-little-evidence"),
        (INNER[:3], 3, None),
        (INNER[:3], 4, "too-little-evidence"),
        (INNER, 4, None),
    ],
)
def test_impact_needs_several_of_the_inner_sources(
    stage: Stage, kinds: tuple[Any, ...], needed: int, rule: str | None
) -> None:
    """Kinds count, not items, and an outside review counts beside them only."""
    stage.add("plan", "", TermsSet(impact_kinds=needed))
    for number, kind in enumerate(kinds, 1):
        item = EvidenceLodged(
            evidence=number, phase=2, kind=kind, called="Audit", dated=SET_UP, reference="7"
        )
        stage.add("action", "A2", item)
    assert rule_of(stage, recommended(phase=2), ref="A2") == rule
    # What is lodged for the second phase speaks for the second only.
    assert rule_of(stage, recommended(phase=1), ref="A2") == "too-little-evidence"


# --- keys and signatures ------------------------------------------------------------------------


def test_a_key_signs_up_to_the_moment_at_which_it_is_replaced_or_withdrawn(stage: Stage) -> None:
    """On one day each key holds for what was recorded before the next; later, the last."""
    first = stage.position
    stage.add("person", "member", KeyReplaced(key="second"), MET)
    stage.add("person", "member", KeyWithdrawn(), MET)
    stage.add("person", "member", KeyReplaced(key="third"), MET)
    found = {}
    for taken in (
        (MET - DAY, 99),
        *((MET, first + n) for n in range(4)),
        (MET + DAY, first),
    ):
        try:
            found[taken[0], taken[1] - first] = in_force(stage.scene(), "member", taken)
        except NotAuthorised as error:
            found[taken[0], taken[1] - first] = error.rule
    assert list(found.values()) == ["key of member"] * 2 + ["second", "no-key", "third", "third"]


def test_whoever_was_not_enrolled_has_no_key(stage: Stage) -> None:
    """Before the enrolment, and for a code that nobody has, no key is in force."""
    for who, day in (("member", SET_UP - DAY), ("nobody", MET)):
        with pytest.raises(NotAuthorised) as found:
            in_force(stage.scene(), who, (day, 99))
        assert found.value.rule == "no-key"


@pytest.mark.parametrize(
    ("signed_at", "rule"),
    [
        (datetime(2025, 10, 8, 22, 59, 59, tzinfo=UTC), "signed-another-day"),
        (datetime(2025, 10, 8, 23, tzinfo=UTC), None),
        (datetime(2025, 10, 20, 22, 59, 59, tzinfo=UTC), None),
        (datetime(2025, 10, 20, 23, tzinfo=UTC), "signed-another-day"),
        (datetime(2025, 10, 9, 18), "signed-another-day"),
        (datetime(1999, 1, 1, tzinfo=UTC), "signed-another-day"),
    ],
)
def test_a_vote_is_signed_between_the_meeting_and_its_recording(
    stage: Stage, signed_at: datetime, rule: str | None
) -> None:
    """By the days of London, both included; a time without its zone is none."""
    assert rule_of(stage, voted(signed_at=signed_at)) == rule
    assert rule_of(stage, confirmed(signed_at=signed_at)) == rule


# --- amendments ---------------------------------------------------------------------------------


def test_nobody_records_the_agreement_to_what_they_proposed(stage: Stage) -> None:
    """Whoever proposed it may record that it was declined, and another that it was agreed."""
    stage.add("amendment", "A2", proposed("clerk"))
    before = stage.state("amendment", "A2")
    for event, rule in (
        (agreed(), "own-proposal"),
        (agreed("chair"), None),
        (refused(), None),
    ):
        try:
            check(stage.scene(), before, event, (RECORDED, 99))
            found = None
        except GovledgerError as error:
            found = error.rule
        assert found == rule


def test_an_interest_counts_towards_no_quorum_on_that_item(stage: Stage) -> None:
    """An amendment of the action is decided by those without an interest in it."""
    for person in ("member", "owner"):
        assert rule_of(stage, agreed()) is None
        declared = InterestDeclared(meeting=MET, person=person, item="A1")
        stage.add("body", "board", declared, MET)
    assert rule_of(stage, agreed()) == "not-quorate"
    assert rule_of(stage, refused()) == "not-quorate"


def test_a_meeting_is_recorded_as_of_its_own_day(stage: Stage) -> None:
    """Attendance and interests of another day cannot be slipped in behind a decision."""
    body = stage.state("body", "board")
    for event in (
        MeetingRecorded(meeting=MET, present=("chair",)),
        InterestDeclared(meeting=MET, person="member", item="A1"),
    ):
        check(stage.scene(MET), body, event, (RECORDED, stage.position + 1))
        for day in (MET - DAY, MET + DAY):
            with pytest.raises(GovledgerError) as found:
                check(stage.scene(day), body, event, (RECORDED, stage.position + 1))
            assert found.value.rule == "not-that-day"


def test_an_event_that_rests_on_nobody_is_not_checked(stage: Stage) -> None:
    """What says who may decide is held to nothing here; its commands are for administrators."""
    event = BodyEstablished(code="x", name="X", rung=1, quorum=1)
    check(stage.scene(), None, event, (RECORDED, 99))
