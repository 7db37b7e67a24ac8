"""The law of a body's stream, and who sits where on a day."""

from datetime import date, timedelta

import pytest

from domain.body import (
    NO_END,
    Body,
    BodyEstablished,
    InterestDeclared,
    Meeting,
    MeetingRecorded,
    MemberAppointed,
    Membership,
    MemberStoodDown,
    TermsChanged,
    evolve,
    objection,
)
from domain.event import REGISTRY, EntryVoided, Event
from domain.scale import FIVE_STEPS

MET, DAY = date(2025, 10, 9), timedelta(days=1)
ESTABLISHED = BodyEstablished(code="iib", name="Board", rung=3, quorum=2)
EMPTY = Body("iib", "Board", 3, 2)
FULL = Body(
    *("iib", "Board", 3, 2),
    members={
        "chair": Membership("chair"),
        "lead": Membership("member", MET),
        "clerk": Membership("secretary"),
        "gone": Membership("none"),
    },
    meetings={MET: Meeting(MET, ("chair", "lead", "clerk", "guest"), ("gone",))},
)
STATES: dict[str, Body | None] = {"absent": None, "empty": EMPTY, "full": FULL}
THERE, ABSENT, NONE = "already-there", "not-there-yet", "no-such-meeting"
LAW: list[tuple[Event, tuple[str | None, str | None, str | None]]] = [
    (ESTABLISHED, (None, THERE, THERE)),
    (TermsChanged(quorum=3), (ABSENT, None, None)),
    (MemberAppointed(person="lead", capacity="member"), (ABSENT, None, None)),
    (MemberStoodDown(person="lead"), (ABSENT, "not-a-member", None)),
    (MemberStoodDown(person="gone"), (ABSENT, "not-a-member", "not-a-member")),
    (MeetingRecorded(meeting=MET, present=("chair",)), (ABSENT, None, None)),
    (InterestDeclared(meeting=MET, person="lead", item="A1"), (ABSENT, NONE, None)),
    (InterestDeclared(meeting=MET, person="gone", item="A1"), (ABSENT, NONE, "not-present")),
    (InterestDeclared(meeting=MET + DAY, person="lead", item="A1"), (ABSENT, NONE, NONE)),
    (EntryVoided(voids=1), (None, None, None)),
]


@pytest.mark.parametrize("case", range(len(LAW)), ids=lambda n: f"{LAW[n][0].tag} {n}")
def test_the_law_of_the_stream(case: int) -> None:
    """Each event is accepted in the states in which it makes sense, and refused in the others."""
    event, rules = LAW[case]
    found = [objection(state, event, FIVE_STEPS) for state in STATES.values()]
    assert [said[0] if said else None for said in found] == list(rules)
    for state in STATES.values():
        assert (evolve(state, event) is None) == (state is None and event is not ESTABLISHED)


def test_the_table_holds_every_event_of_a_body() -> None:
    """The table above leaves out no event type of a body."""
    tags = {event.tag for event, _rules in LAW}
    assert {tag for tag in REGISTRY if tag.startswith("body.")} | {"entry.voided/1"} == tags


@pytest.mark.parametrize(
    ("person", "day", "seat"),
    [
        ("lead", MET - DAY, "member"),
        ("lead", MET, "member"),
        ("lead", MET + DAY, None),
        ("chair", NO_END, "chair"),
        ("clerk", MET, "secretary"),
        ("gone", MET, None),
        ("guest", MET, None),
    ],
)
def test_a_seat_lasts_to_its_last_day_and_that_day_too(
    person: str, day: date, seat: str | None
) -> None:
    """A membership holds on its last day, and not on the next."""
    assert FULL.seat(person, day) == seat


def test_who_counts_as_present() -> None:
    """Of those who were there only members and the chair count, each once, while they sit."""
    assert FULL.present(MET) == ["chair", "lead"]
    assert FULL.present(MET + DAY) == []
    assert FULL.voting(MET) == ["chair", "lead"]
    assert FULL.voting(MET + DAY) == ["chair"]


def test_a_member_who_stood_down_can_come_back() -> None:
    """An appointment after standing down is a seat again, with its own last day."""
    gone = evolve(FULL, MemberStoodDown(person="chair"))
    assert gone is not None
    assert gone.seat("chair", MET) is None
    back = evolve(gone, MemberAppointed(person="chair", capacity="member", until=MET))
    assert back is not None
    assert back.members["chair"] == Membership("member", MET)


def test_a_meeting_recorded_again_keeps_its_minutes_and_interests() -> None:
    """Attendance is replaced; the minutes stay until others are named, and interests always."""
    first = MeetingRecorded(meeting=MET, present=("chair", "lead"), minutes="M1")
    state = evolve(evolve(EMPTY, first), InterestDeclared(meeting=MET, person="lead", item="A1"))
    again = evolve(state, MeetingRecorded(meeting=MET, present=("chair",)))
    assert again is not None
    assert again.meetings[MET] == Meeting(MET, ("chair",), (), "M1")
    assert again.interests == {(MET, "lead", "A1")}
    last = evolve(again, MeetingRecorded(meeting=MET, present=("chair",), minutes="M2"))
    assert last is not None
    assert last.meetings[MET].minutes == "M2"


def test_terms_that_are_not_named_stay() -> None:
    """A body keeps its powers when only its quorum changes, and the other way round."""
    body = Body("iib", "Board", 3, 2, ("amend",))
    assert evolve(body, TermsChanged(quorum=4)) == Body("iib", "Board", 3, 4, ("amend",))
    assert evolve(body, TermsChanged(powers=())) == Body("iib", "Board", 3, 2)
