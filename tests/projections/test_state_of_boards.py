"""People, bodies, sign-offs, escalations and amendments as read: the fold, at every moment."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.administration import BoardCommand
from domain.board_commands import (
    Appoint,
    ChangeTerms,
    DeclareInterest,
    RecordMeeting,
    SetTerms,
    StandDown,
)
from domain.commands import Add, Close, Command, NoteProgress, Rate, ReviseTimescale, Reword
from domain.event import REGISTRY
from domain.evidence_commands import Lodge
from domain.issue_commands import (
    Agree,
    Decline,
    Propose,
    Raise,
    Refer,
    Resolve,
    Respond,
    Withdraw,
)
from domain.person_commands import Administrate, ChangeRole, Enrol, ReplaceKey
from domain.signing_commands import Confirm
from domain.signoff_commands import Return, Revoke
from domain.timeline import EVOLVE, fold, stream_of
from ledger.entry import Entry, Note
from ledger.service import Ledger
from ledger.writing import Receipt
from projections.state import PlanState, read_state
from projections.upkeep import check_read_models, open_ledger, rebuild
from tests.boards import ADMIN, BEGAN, CODE, MEETING, SET_UP, Boards, public_key
from tests.conftest import Clock

TODAY = date(2025, 11, 12)
LATER = date(2025, 10, 30)
"""The next meeting of the board."""
WHY = "Because."


def play(boards: Boards) -> None:
    """Have everything happen that can, with earlier dates, voids and what they re-open."""
    lead, due = "workstream-lead", date(2025, 12, 1)

    def by(who: str, command: BoardCommand, on: date = SET_UP, reason: str = WHY) -> Receipt:
        return boards.by(who, command, on, reason)

    there = ("iib-chair", "dcs", "lead-member", "clerk")
    boards.signed_off("C1")
    boards.ready("C2")
    boards.vote("iib-chair", "C2", vote="decline")
    by("clerk", Return("C2", 1, MEETING, "7.2"), MEETING)
    by("clerk", RecordMeeting("iib", LATER, there, (), "IIB/10"), LATER)
    by("lead-member", DeclareInterest("iib", LATER, "lead-member", "C2"), LATER)
    boards.ready("C2", on=LATER)
    by(ADMIN, SetTerms(most_revisions=1), SET_UP)
    by(ADMIN, ChangeTerms("cfc", powers=("amend",)), SET_UP)
    commands: tuple[Command, ...] = (
        Reword("C1", "Offer at the edge of care"),
        Add("C9", "New", "Edge of care", "Head of Care", "May 2026"),
        ReviseTimescale("C3", "June 2026"),
        Close("C3", "C2"),
    )
    for number, command in enumerate(commands, 1):
        by(lead, Propose(command), MEETING)
        if number < 4:
            by("clerk", Agree(f"A{number}", MEETING, f"8.{number}", "iib"), MEETING)
    by("clerk", Decline("A4", MEETING, "8.4", "iib"), MEETING)
    for who in ("lead-member", "iib-chair"):
        boards.sign(who, Confirm("C1", 1, MEETING, "7.3", boards.ledger.recorder.clock()))
    boards.signed_off("C1", 2)
    by("clerk", Revoke("C1", 2, LATER, "7.4"), LATER, "The figures were wrong.")
    by(lead, Raise(("C1", "C3"), "No budget.", "pog", "iib", due), MEETING)
    by("clerk", Refer("E1", "cfc", due), MEETING)
    by(lead, Raise(("C2",), "No staff.", "pog", "ofsted", due), MEETING)
    by(lead, Respond("E2", "Next year."), LATER)
    by(lead, Raise(("C2",), "No room.", "pog", "iib", due), LATER)
    by("iib-chair", Resolve("E3", "Found one."), LATER)
    by(lead, Withdraw("E2"), LATER)
    by(ADMIN, Enrol("other", "Another", "Observer", public_key("other")), LATER)
    by(ADMIN, ChangeRole("other", "Inspector"), LATER)
    by(ADMIN, ReplaceKey("other", None), TODAY)
    by(ADMIN, ReplaceKey("clerk", "ssh-ed25519 AAAA"), TODAY)
    by(ADMIN, Administrate("other"), LATER)
    by("other", Administrate("dcs"), LATER)
    by(ADMIN, Administrate("other", False), TODAY)
    by(ADMIN, Appoint("iib", "head-edge", "member", date(2026, 3, 31)), LATER)
    rated = boards.ledger.act(CODE, Rate("C3", "Delayed"), Note(LATER, lead, reason=WHY))
    boards.ledger.act(CODE, NoteProgress("C3", "Begun."), Note(LATER, lead))
    boards.ledger.void(rated.entries[0].position, Note(TODAY, lead, reason="Another action."))
    by(lead, Lodge("C1", "qualitative", "Audit", BEGAN, None, "a.pdf", "ab" * 32, 7, 1), LATER)
    by("clerk", RecordMeeting("iib", LATER, there[:1] + there[2:]), LATER)
    boards.ledger.issue_report(
        CODE, "CF/1", "Committee", TODAY, date(2025, 9, 30), Note(LATER, ADMIN)
    )
    note = Note(date(2025, 9, 20), ADMIN, reason="She had left by then.", correction=True)
    boards.ledger.govern(CODE, StandDown("iib", "lead-member"), note)
    appointed = by(ADMIN, Appoint("ws", "clerk", "secretary"), LATER).entries[0]
    chair, note = Appoint("ws", "clerk", "chair"), Note(LATER, ADMIN, reason="As chair.")
    boards.ledger.govern(CODE, chair, note, replaces=appointed.position)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger in which all of it happened."""
    path = tmp_path_factory.mktemp("boards") / "boards.sqlite"
    boards = Boards(path, Clock())
    play(boards)
    boards.ledger.close()
    return path


@pytest.fixture
def ledger(path: Path, tmp_path: Path) -> Iterator[Ledger]:
    """A copy of it, open."""
    copy = shutil.copy(path, tmp_path / "boards.sqlite")
    ledger = open_ledger(copy, Clock(datetime(2025, 11, 12, 18, tzinfo=UTC)))
    yield ledger
    ledger.close()


def entries(ledger: Ledger) -> list[Entry]:
    return [ledger.entry_at(n) for n in range(1, ledger.size() + 1)]


def streams(state: PlanState) -> dict[str, Any]:
    """The states of a plan as the fold has them, by stream."""
    found: dict[str, Any] = {f"plan/{CODE}": state.plan}
    for kind, states in (
        ("action", state.actions),
        ("body", state.bodies),
        ("person", state.people),
        ("escalation", state.escalations),
        ("amendment", state.amendments),
    ):
        found |= {stream_of(kind, CODE, key): value for key, value in states.items()}
    return found


DAYS = (BEGAN, SET_UP, date(2025, 9, 20), MEETING, date(2025, 10, 10), LATER, TODAY)


def test_the_ledger_holds_every_type_of_entry(ledger: Ledger) -> None:
    """What is compared below is rich: of the types that the boards have none is missing."""
    tags = {entry.event.tag for entry in entries(ledger)}
    boards = ("person", "body", "signoff", "evidence", "escalation", "amendment", "entry")
    assert {tag for tag in REGISTRY if tag.startswith(boards)} <= tags
    assert {entry.stream_id.partition("/")[0] for entry in entries(ledger)} == {*EVOLVE, "ledger"}


def test_what_is_read_is_the_fold_at_every_moment(ledger: Ledger) -> None:
    """At every position, and as at every day on which something changed, the two are equal."""
    recorded = entries(ledger)
    with ledger.database.reading() as connection:
        for position in range(2, len(recorded) + 1):
            for day in DAYS:
                moment = ledger.moment(day, position)
                expected = fold(recorded, day, position)
                expected.pop("ledger", None)  # which is of no plan
                assert streams(read_state(connection, CODE, moment)) == expected, (day, position)


def test_each_value_names_the_entry_that_set_it(ledger: Ledger) -> None:
    """The setter of a value is a live entry on its stream that asserts just that value's name."""
    by_position = {entry.position: entry for entry in entries(ledger)}
    with ledger.database.reading() as connection:
        state = read_state(connection, CODE, ledger.moment())
    for stream, values in state.set_by.items():
        for (part, attribute), position in values.items():
            event = by_position[position].event
            assert by_position[position].stream_id == stream
            assert attribute in event.asserted()
            assert part == ("" if attribute in event.whole else event.part_name())


def test_made_anew_it_says_the_same(ledger: Ledger) -> None:
    """The read models rebuilt from the entries are, row by row, those kept up entry by entry."""
    with ledger.database.reading() as connection:
        before = read_state(connection, CODE, ledger.moment())
    assert check_read_models(ledger) == []
    assert rebuild(ledger) == ledger.size()
    with ledger.database.reading() as connection:
        assert read_state(connection, CODE, ledger.moment()) == before
    assert check_read_models(ledger) == []


def test_streams_are_listed_in_the_order_in_which_they_began(ledger: Ledger) -> None:
    """People and bodies come as they were entered, escalations and amendments by number."""
    with ledger.database.reading() as connection:
        state = read_state(connection, CODE, ledger.moment())
    begun = list(dict.fromkeys(entry.stream_id for entry in entries(ledger)))
    for kind in ("body", "person", "escalation", "amendment"):
        listed = [stream for stream in streams(state) if stream.startswith(f"{kind}/")]
        assert listed == [stream for stream in begun if stream in listed]
        assert len(listed) > 2


def test_a_plan_without_boards_has_none(ledger: Ledger) -> None:
    """Before anybody was enrolled there are no people and no bodies, and every action stands."""
    with ledger.database.reading() as connection:
        state = read_state(connection, CODE, ledger.moment(BEGAN))
    assert list(state.actions) == ["C1", "C2", "C3"]
    assert replace(state, actions={}, set_by={}) == PlanState(state.plan)
