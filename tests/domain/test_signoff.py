"""The law of sign-offs: every step against every state, and the rating that moves with it."""

from dataclasses import replace

import pytest

from domain import action as a
from domain.action import Action, Milestone, objection
from domain.event import REGISTRY, Event
from domain.evidence import EvidenceLodged
from domain.scale import CLOSED, FIVE_STEPS, UNDER_REVIEW
from domain.signoff import (
    Ballot,
    held_by,
    is_granted,
)
from tests.domain.steps import (
    MET,
    OPEN,
    after,
    confirmed,
    declined,
    granted,
    lodged,
    recommended,
    revoked,
    voted,
)

VOTES = (voted(who="a"), voted(who="b"))
ONE = (recommended(), *VOTES, granted())
TWO = (recommended(2), voted(2, who="a"), voted(2, who="b"))
STATES: dict[str, Action] = {
    "open": OPEN,
    "recommended": after(recommended(text="then")),
    "approved": after(recommended(text="then"), *VOTES),
    "declined": after(recommended(), declined()),
    "phase 1": after(*ONE),
    "phase 1 revoked": after(*ONE, revoked()),
    "phase 2 waits": after(*ONE, *TWO),
    "phase 2 waits on nothing": after(*ONE, *TWO, revoked()),
    "phase 2": after(*ONE, *TWO, granted(2)),
    "phase 2 revoked": after(*ONE, *TWO, granted(2), revoked(2)),
    "taken over as Amber E": replace(OPEN, rating="amber_e"),
    "taken over as Green": replace(OPEN, rating="green"),
    "under review": replace(after(*ONE), standing=UNDER_REVIEW),
    "closed": replace(after(*ONE), standing=CLOSED),
}
WAITS = ("recommended", "approved")
GRANTED_1 = ("phase 1", "phase 2 waits", "phase 2", "phase 2 revoked")
HAS_1 = (*GRANTED_1, "taken over as Amber E", "taken over as Green")
HAS_2 = ("phase 2", "taken over as Green")
SHUT = {"under review": "under-review", "closed": "action-closed"}
FALLEN = "phase 2 waits on nothing"


def only(rule: str, *states: str) -> dict[str, str]:
    """That rule refuses it in these states."""
    return dict.fromkeys(states, rule)


def but(rule: str, *states: str) -> dict[str, str]:
    """That rule refuses it in all states but these."""
    return only(rule, *(name for name in STATES if name not in states))


LAW: dict[str, tuple[Event, dict[str, str]]] = {
    "recommend 1": (recommended(round_=2), only("already-granted", *HAS_1)),
    "recommend 1 in an old round": (
        recommended(round_=1, text="other"),
        only("already-granted", *HAS_1)
        | only("other-round", *WAITS, "declined", "phase 1 revoked", FALLEN),
    ),
    "recommend 2": (
        recommended(2, 2),
        but("phase-1-first", *HAS_1) | only("already-granted", *HAS_2),
    ),
    "vote 1": (voted(who="c"), but("not-recommended", *WAITS)),
    "vote 1 again": (
        voted(who="a"),
        but("not-recommended", *WAITS) | only("voted-already", "approved"),
    ),
    "vote in another round": (
        voted(who="c", round_=2),
        but("not-recommended", *WAITS) | only("other-round", *WAITS),
    ),
    "vote 2": (
        voted(2, who="c"),
        but("not-recommended", "phase 2 waits") | only("phase-1-first", FALLEN),
    ),
    "grant 1": (
        granted(),
        but("not-recommended", *WAITS) | only("quorum-not-reached", "recommended"),
    ),
    "grant 1 by a body that nobody voted for": (
        granted(body="cfc"),
        but("not-recommended", *WAITS) | only("quorum-not-reached", *WAITS),
    ),
    "grant 2": (
        granted(2),
        but("not-recommended", "phase 2 waits") | only("phase-1-first", FALLEN),
    ),
    "decline 1": (declined(), but("not-recommended", *WAITS)),
    "decline 2": (declined(2), but("not-recommended", "phase 2 waits", FALLEN)),
    "revoke 1": (revoked(), but("not-granted", *HAS_1) | only("phase-2-first", *HAS_2)),
    "revoke 2": (revoked(2), but("not-granted", *HAS_2)),
    "confirm 1": (
        confirmed(),
        but("not-granted", *HAS_1)
        | only("taken-over", "taken over as Amber E", "taken over as Green"),
    ),
    "confirm 2": (
        confirmed(2),
        but("not-granted", *HAS_2) | only("taken-over", "taken over as Green"),
    ),
    "confirm another grant": (
        confirmed(round_=2),
        but("not-granted", *HAS_1)
        | only("other-round", *GRANTED_1)
        | only("taken-over", "taken over as Amber E", "taken over as Green"),
    ),
    "grant 1 as Green": (
        granted().model_copy(update={"rating": "green"}),
        but("not-recommended", *WAITS) | only("other-rating", *WAITS),
    ),
    "revoke 1 to Green": (
        revoked().model_copy(update={"rating": "green"}),
        but("not-granted", *HAS_1) | only("other-rating", *HAS_1),
    ),
    "phase 3": (recommended(3), but("no-such-phase")),
    "phase 0": (granted(0), but("no-such-phase")),
}


@pytest.mark.parametrize("name", LAW)
def test_the_law_of_a_sign_off(name: str) -> None:
    """Each step is accepted where it makes sense, and refused elsewhere by the rule that says why.

    Where two rules speak against a step, the action's own standing speaks first.
    """
    event, rules = LAW[name]
    expected = {state: rules.get(state) for state in STATES}
    expected |= SHUT | ({"under review": "no-such-phase"} if name.startswith("phase ") else {})
    found = {state: objection(STATES[state], event, FIVE_STEPS) for state in STATES}
    assert {state: said[0] if said else None for state, said in found.items()} == expected
    assert objection(None, event, FIVE_STEPS) is not None


def test_the_table_holds_every_event_of_a_sign_off() -> None:
    """The table above leaves out no event type of a sign-off; evidence has its own below."""
    tags = {event.tag for event, _rules in LAW.values()}
    assert {tag for tag in REGISTRY if tag.startswith("signoff.")} == tags
    assert [tag for tag in REGISTRY if tag.startswith("evidence.")] == [EvidenceLodged.tag]


def test_evidence_is_lodged_once_under_a_number_on_an_action_that_is_open() -> None:
    """An item never takes another's place, and nothing is lodged on a closed action."""
    item = lodged(1)
    assert objection(OPEN, item, FIVE_STEPS) is None
    for state, rule in (
        (None, "not-there-yet"),
        (after(item), "already-there"),
        (STATES["closed"], "action-closed"),
    ):
        said = objection(state, item, FIVE_STEPS)
        assert said is not None
        assert said[0] == rule


def test_the_rating_moves_with_the_decision() -> None:
    """Phase 1 gives Amber E, phase 2 Green, and a revocation takes back just one of them."""
    ratings = {name: state.rating for name, state in STATES.items()}
    assert ratings["approved"] == ratings["declined"] == ratings["phase 1 revoked"] == "amber"
    assert ratings["phase 1"] == ratings["phase 2 revoked"] == "amber_e"
    assert ratings["phase 2"] == "green"


def test_a_member_confirms_a_text_once() -> None:
    """The same text is confirmed once by each member, and another text whenever it is shown."""
    once = after(confirmed(), of=STATES["phase 1"])
    said = objection(once, confirmed(), FIVE_STEPS)
    assert said is not None
    assert said[0] == "voted-already"
    assert objection(once, confirmed(text="later"), FIVE_STEPS) is None
    assert objection(once, confirmed(who="y"), FIVE_STEPS) is None


def test_a_vote_counts_in_its_own_round_and_for_its_own_body() -> None:
    """What was approved in an earlier round, or for another body, approves nothing now."""
    state = after(*ONE[:3], declined(), recommended(round_=2, text="later"), voted(round_=2))
    found = state.signoffs[1]
    assert found.votes("approve", "iib") == ["x"]
    assert found.votes("approve", "cfc") == found.votes("decline", "iib") == []
    assert set(found.ballots) == {"a", "b", "x"}


@pytest.mark.parametrize("phase", [1, 2])
@pytest.mark.parametrize("rating", [step.key for step in FIVE_STEPS.steps])
def test_a_granted_sign_off_holds_the_rating(phase: int, rating: str) -> None:
    """While a phase is granted nothing but its revocation takes the rating below it."""
    state = STATES[f"phase {phase}"]
    allowed = {1: ("amber_e", "green"), 2: ("green",)}[phase]
    assert held_by(state, rating, FIVE_STEPS) == (0 if rating in allowed else phase)
    for event in (a.ActionRated(rating=rating), a.MarkedDelayed(rating=rating)):
        said = objection(state, event, FIVE_STEPS)
        assert (said[0] if said else None) == (None if rating in allowed else "signed-off")
    rated = a.ActionRated(rating=rating, milestone=1)
    milestone = replace(state, milestones={1: Milestone()})
    assert objection(milestone, rated, FIVE_STEPS) is None


@pytest.mark.parametrize("name", STATES)
def test_a_rating_is_held_by_a_granted_phase_alone(name: str) -> None:
    """What waits, was declined, revoked or taken over from a document holds no rating."""
    state = STATES[name]
    phases = [phase for phase, found in state.signoffs.items() if found.status == "granted"]
    assert held_by(state, "red", FIVE_STEPS) == max(phases, default=0)
    assert is_granted(state, 1, FIVE_STEPS) == (state.rating in ("amber_e", "green"))
    assert is_granted(state, 2, FIVE_STEPS) == (state.rating == "green")


def test_a_ballot_is_kept_by_person() -> None:
    """A member has one ballot, that of the round in which they voted last."""
    state = after(recommended(), voted(), declined(), recommended(round_=2), voted(round_=2))
    assert state.signoffs[1].ballots == {"x": Ballot("x", 2, "iib", MET, "approve")}
