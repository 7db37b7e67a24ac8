"""The law of an action's stream: every event against every state."""

from datetime import date

import pytest

from domain import action as a
from domain.action import Action, Milestone, evolve, objection, shown_rating
from domain.event import REGISTRY, EntryVoided, Event
from domain.plan import PlanCreated
from domain.scale import CLOSED, FIVE_STEPS, UNDER_REVIEW
from domain.timescale import Timescale

DUE = Timescale.parse("July 2026")
STATES: dict[str, Action | None] = {
    "absent": None,
    "not rated": Action("A1", "Open", "1"),
    "on track": Action("A1", "Open", "1", rating="amber", milestones={1: Milestone()}),
    "delayed": Action("A1", "Open", "1", rating="red", milestones={1: Milestone()}),
    "under review": Action("A1", "Open", "1", rating="amber", standing=UNDER_REVIEW),
    "closed": Action("A1", "Open", "1", rating="amber", standing=CLOSED),
}
THERE, ABSENT, SHUT, REVIEWED = "already-there", "not-there-yet", "action-closed", "under-review"
NONE, TWICE, IDLE = "no-such-milestone", "milestone-there", "not-delayed"
LAW: list[tuple[Event, tuple[str | None, ...]]] = [
    (a.ActionAdded(ref="A1", title="T", section="1"), (None, *(THERE,) * 5)),
    (a.MilestoneSet(milestone=1), (ABSENT, None, TWICE, TWICE, None, SHUT)),
    (a.ActionRated(rating="red"), (ABSENT, None, None, None, REVIEWED, SHUT)),
    (a.ActionRated(rating="red", milestone=1), (ABSENT, NONE, None, None, NONE, SHUT)),
    (a.ProgressNoted(progress="Done."), (ABSENT, None, None, None, None, SHUT)),
    (a.TimescaleRevised(timescale=DUE), (ABSENT, None, None, None, None, SHUT)),
    (a.TimescaleRevised(timescale=DUE, milestone=1), (ABSENT, NONE, None, None, NONE, SHUT)),
    (a.MarkedDelayed(rating="red"), (ABSENT, None, None, None, REVIEWED, SHUT)),
    (a.PlacedUnderReview(), (ABSENT, None, None, None, REVIEWED, SHUT)),
    (a.ActionResumed(rating="amber"), (ABSENT, IDLE, IDLE, None, None, SHUT)),
    (a.ActionClosed(), (ABSENT, None, None, None, None, SHUT)),
    (a.ActionReworded(title="T"), (ABSENT, None, None, None, None, SHUT)),
    (a.OwnersChanged(owners="Head"), (ABSENT, None, None, None, None, SHUT)),
    (EntryVoided(voids=1), (None,) * 6),
]


def _names(event: Event) -> str:
    return event.tag + (" of a milestone" if getattr(event, "milestone", None) else "")


@pytest.mark.parametrize(("event", "rules"), LAW, ids=[_names(event) for event, _rules in LAW])
def test_the_law_of_the_stream(event: Event, rules: tuple[str | None, ...]) -> None:
    """Each event is accepted in the states in which it makes sense, and refused in the others."""
    found = {name: objection(state, event, FIVE_STEPS) for name, state in STATES.items()}
    assert {name: said[0] if said else None for name, said in found.items()} == dict(
        zip(STATES, rules, strict=True)
    )


def test_the_table_holds_every_event_of_an_action() -> None:
    """The table above leaves out no event type of an action."""
    tags = {event.tag for event, _rules in LAW}
    assert {tag for tag in REGISTRY if tag.startswith("action.")} | {"entry.voided/1"} == tags


@pytest.mark.parametrize("state", STATES)
def test_every_event_has_its_effect_in_every_state(state: str) -> None:
    """`evolve` takes every event in every state, also where the law would refuse it."""
    for event, _rules in LAW:
        after = evolve(STATES[state], event)
        adds = isinstance(event, a.ActionAdded)
        assert (after is None) == (STATES[state] is None and not adds)


def test_an_event_of_another_stream_is_no_event_of_an_action() -> None:
    """`evolve` refuses an event that is none of an action's, and does not pass over it."""
    stray = PlanCreated(code="P", title="Plan", begins_on=date(2025, 1, 1))
    with pytest.raises(TypeError, match=r"plan\.created/1"):
        evolve(STATES["on track"], stray)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("not rated", "Not rated"),
        ("on track", "On track"),
        ("delayed", "Delayed"),
        ("under review", "Reviewing"),
        ("closed", "Closed"),
    ],
)
def test_what_is_shown_of_a_rating(state: str, shown: str) -> None:
    """An action that is not open is shown by its standing, in place of its rating."""
    found = STATES[state]
    assert found is not None
    assert shown_rating(found, FIVE_STEPS) == shown
