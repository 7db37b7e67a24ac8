"""The laws of escalations and of amendments: every event against every kind of state."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from domain import action as a
from domain import amendment, escalation
from domain.amendment import (
    Amendment,
    AmendmentAgreed,
    AmendmentDeclined,
    AmendmentKind,
    AmendmentProposed,
    proposed,
)
from domain.commands import (
    Add,
    ChangeOwners,
    Close,
    Command,
    Delay,
    NoteProgress,
    PlaceUnderReview,
    Resume,
    ReviseTimescale,
    Reword,
)
from domain.escalation import (
    Escalation,
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.event import REGISTRY, EntryVoided, Event
from domain.scale import FIVE_STEPS
from domain.timescale import Timescale

MET = date(2025, 10, 9)
RAISED = EscalationRaised(
    escalation="E1",
    issue="Staff",
    refs=("A1",),
    raised_by="ws",
    at="iib",
    rung=3,
    needed_by=MET,
    person="lead",
)
OPEN = Escalation("E1", "Staff", ("A1",), "ws", "iib", 3, MET, "lead")
PROPOSED = AmendmentProposed(amendment="A1", kind="reword", ref="S1", person="lead", title="T")
WAITING = Amendment("A1", "reword", "S1", "lead", title="T")
STATES: dict[str, tuple[Any, ...]] = {
    "escalation": (
        None,
        OPEN,
        replace(OPEN, status="resolved"),
        replace(OPEN, status="withdrawn"),
    ),
    "amendment": (
        None,
        WAITING,
        replace(WAITING, status="agreed"),
        replace(WAITING, status="declined"),
    ),
}
OBJECTION: dict[str, Any] = {
    "escalation": escalation.objection,
    "amendment": amendment.objection,
}
EVOLVE: dict[str, Any] = {"escalation": escalation.evolve, "amendment": amendment.evolve}


def referred(to: str, rung: int) -> EscalationReferred:
    return EscalationReferred(referred_by="iib", at=to, rung=rung, needed_by=MET, person="lead")


DECIDED: dict[str, Any] = {"body": "iib", "meeting": MET, "recorder": "clerk"}
THERE, ABSENT, SHUT, DONE = "already-there", "not-there-yet", "not-open", "decided-already"
LAW: list[tuple[str, Event, tuple[str | None, ...]]] = [
    ("escalation", RAISED, (None, THERE, THERE, THERE)),
    ("escalation", referred("cfc", 4), (ABSENT, None, SHUT, SHUT)),
    ("escalation", referred("ofsted", 3), (ABSENT, None, SHUT, SHUT)),
    ("escalation", referred("pog", 2), (ABSENT, "not-up", SHUT, SHUT)),
    ("escalation", referred("iib", 3), (ABSENT, "not-up", SHUT, SHUT)),
    (
        "escalation",
        EscalationResponded(response="Soon", person="clerk"),
        (ABSENT, None, SHUT, SHUT),
    ),
    (
        "escalation",
        EscalationResolved(outcome="Done", person="clerk"),
        (ABSENT, None, SHUT, SHUT),
    ),
    ("escalation", EscalationWithdrawn(person="lead"), (ABSENT, None, SHUT, SHUT)),
    ("escalation", EntryVoided(voids=1), (None,) * 4),
    ("amendment", PROPOSED, (None, THERE, THERE, THERE)),
    ("amendment", AmendmentAgreed(**DECIDED), (ABSENT, None, DONE, DONE)),
    ("amendment", AmendmentDeclined(**DECIDED), (ABSENT, None, DONE, DONE)),
    ("amendment", EntryVoided(voids=1), (None,) * 4),
]


@pytest.mark.parametrize("case", range(len(LAW)), ids=lambda n: f"{LAW[n][1].tag} {n}")
def test_the_law_of_the_stream(case: int) -> None:
    """Each event is accepted in the states in which it makes sense, and refused in the others."""
    kind, event, rules = LAW[case]
    found = [OBJECTION[kind](state, event, FIVE_STEPS) for state in STATES[kind]]
    assert [said[0] if said else None for said in found] == list(rules)
    for state in STATES[kind]:
        begins = event in (RAISED, PROPOSED)
        assert (EVOLVE[kind](state, event) is None) == (state is None and not begins)


@pytest.mark.parametrize("kind", STATES)
def test_the_table_holds_every_event(kind: str) -> None:
    """The table above leaves out no event type of an escalation or an amendment."""
    tags = {event.tag for of, event, _rules in LAW if of == kind}
    assert {tag for tag in REGISTRY if tag.startswith(f"{kind}.")} | {"entry.voided/1"} == tags


def test_an_escalation_is_overdue_the_day_after_its_answer_was_needed() -> None:
    """It is not overdue on the day itself, and never once it is settled."""
    assert not OPEN.overdue(MET)
    assert OPEN.overdue(MET + timedelta(days=1))
    for settled in STATES["escalation"][2:]:
        assert not settled.overdue(date.max)


MAY = Timescale.parse("May 2026")
COMMANDS: dict[str, tuple[Command, Event]] = {
    "timescale": (
        ReviseTimescale("S1", "May 2026", 2),
        a.TimescaleRevised(milestone=2, timescale=MAY),
    ),
    "delay": (Delay("S1"), a.MarkedDelayed(rating="red")),
    "review": (PlaceUnderReview("S1"), a.PlacedUnderReview()),
    "resume": (Resume("S1"), a.ActionResumed(rating="amber")),
    "close": (Close("S1", "S2"), a.ActionClosed(replaced_by="S2")),
    "add": (
        Add("S9", "New", "1.2", "Head", "May 2026"),
        a.ActionAdded(ref="S9", title="New", section="1.2", owners="Head", timescale=MAY),
    ),
    "reword": (Reword("S1", "Words"), a.ActionReworded(title="Words")),
    "owner": (ChangeOwners("S1", "Head"), a.OwnersChanged(owners="Head")),
}
"""A command of each kind, and what it records."""


@pytest.mark.parametrize("kind", get_args(AmendmentKind))
def test_a_proposal_carries_out_what_was_proposed(kind: str) -> None:
    """The command that an agreed amendment carries out is the very one that was proposed."""
    command, change = COMMANDS[kind]
    event = proposed("A1", command, change, "lead")
    assert event.kind == kind
    state = amendment.evolve(None, event)
    assert state is not None
    assert state.command() == command


def test_what_is_no_amendment_cannot_be_proposed() -> None:
    """A note of progress is nobody's to agree."""
    with pytest.raises(TypeError, match="NoteProgress"):
        proposed("A1", NoteProgress("S1", "Done."), a.ProgressNoted(progress="Done."), "lead")
