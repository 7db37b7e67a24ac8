"""The ladder: where an escalation may go, and who may take which step; by the front door."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest

from domain.administration import BoardCommand
from domain.board_commands import Appoint, StandDown
from domain.errors import GovledgerError, NotAuthorised
from domain.escalation import Escalation
from domain.event import EntryVoided
from domain.issue_commands import Raise, Refer, Resolve, Respond, Withdraw
from ledger.entry import Note
from projections.state import read_state
from tests.boards import ADMIN, BODIES, CODE, PEOPLE, Boards

RAISED = date(2025, 10, 1)
DAY = date(2025, 10, 6)
NEEDED = date(2025, 10, 20)
RUNGS = {body.code: body.rung for body in BODIES}
MEMBER = {"ws": "head-edge", "pog": "workstream-lead", "iib": "dcs", "cfc": "clerk"}
"""Somebody who sits on each rung."""


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Boards]:
    made = Boards(tmp_path / "ledger.sqlite")
    made.by(ADMIN, Appoint("ws", "head-edge", "member"))
    made.by(ADMIN, Appoint("cfc", "clerk", "secretary"))
    made.by(ADMIN, Appoint("ofsted", "iib-chair", "member"))
    yield made
    made.ledger.close()


def raise_(boards: Boards, body: str = "pog", to: str = "iib") -> None:
    boards.by(MEMBER[body], Raise(("C1",), "An issue.", body, to, NEEDED), RAISED)


def rule_of(boards: Boards, who: str, command: BoardCommand, on: date = DAY) -> str | None:
    """The rule that refuses the command; None where it would be recorded."""
    size = boards.ledger.size()
    try:
        boards.by(who, command, on, "Because.", dry_run=True)
    except GovledgerError as error:
        return error.rule
    finally:
        assert boards.ledger.size() == size
    return None


def escalation(boards: Boards, number: str = "E1", on: date | None = None) -> Escalation:
    with boards.ledger.database.reading() as connection:
        return read_state(connection, CODE, boards.ledger.moment(on)).escalations[number]


@pytest.mark.parametrize(("body", "to"), list(product(MEMBER, RUNGS)))
def test_it_is_raised_up_or_outside(boards: Boards, body: str, to: str) -> None:
    """From every rung to each that is higher, or out of the ladder; never down or across."""
    command = Raise(("C1",), "An issue.", body, to, NEEDED)
    upward = RUNGS[to] == 0 or RUNGS[to] > RUNGS[body]
    assert rule_of(boards, MEMBER[body], command) == (None if upward else "not-up")


def test_a_body_outside_asks_up_the_ladder_but_not_itself(boards: Boards) -> None:
    """An adviser or an inspectorate may raise an issue too, with any body but its own."""
    for to in RUNGS:
        command = Raise(("C1",), "An issue.", "ofsted", to, NEEDED)
        assert rule_of(boards, "iib-chair", command) == ("not-up" if to == "ofsted" else None)


@pytest.mark.parametrize("to", RUNGS)
@pytest.mark.parametrize("outside", [False, True], ids=["on the ladder", "by way of Ofsted"])
def test_it_is_referred_further_up_only(boards: Boards, outside: bool, to: str) -> None:
    """The rung that it has reached counts, also after a body outside the ladder had it."""
    raise_(boards)
    if outside:
        boards.by("dcs", Refer("E1", "ofsted", NEEDED), DAY)
    allowed = to == "cfc" or (to == "ofsted" and not outside)
    assert rule_of(boards, "dcs", Refer("E1", to, NEEDED)) == (None if allowed else "not-up")


STEPS: dict[str, BoardCommand] = {
    "refer": Refer("E1", "cfc", NEEDED),
    "respond": Respond("E1", "An answer."),
    "resolve": Resolve("E1", "Settled."),
    "withdraw": Withdraw("E1"),
}


@pytest.mark.parametrize("who", [*PEOPLE, "nobody"])
@pytest.mark.parametrize("held_by", ["iib", "ofsted"])
def test_who_takes_which_step(boards: Boards, held_by: str, who: str) -> None:
    """Members of the body that has it answer, settle and refer it; of one outside, those of the
    body that passed it on. Who raised it withdraws it."""
    raise_(boards)
    if held_by == "ofsted":
        boards.by("dcs", Refer("E1", "ofsted", NEEDED), DAY)
    of_board = {"iib-chair", "dcs", "lead-member", "head-edge", "clerk"}
    of_group = {"workstream-lead", "head-edge"}
    for name, command in STEPS.items():
        allowed = of_group if name == "withdraw" else of_board
        expected = (
            "unknown-person" if who == "nobody" else None if who in allowed else "not-a-member"
        )
        assert rule_of(boards, who, command) == expected, name


def test_raised_outside_it_is_answered_by_who_raised_it(boards: Boards) -> None:
    """Where it went outside at once, the body that raised it records the answer and goes on."""
    raise_(boards, to="ofsted")
    assert rule_of(boards, "dcs", Respond("E1", "Soon.")) == "not-a-member"
    boards.by("workstream-lead", Respond("E1", "Soon."), DAY)
    boards.by("workstream-lead", Refer("E1", "iib", NEEDED), DAY)
    assert (escalation(boards).at, escalation(boards).referred_by) == ("iib", "pog")


@pytest.mark.parametrize("last", [Resolve("E1", "Settled."), Withdraw("E1")])
def test_a_closed_one_takes_no_step(boards: Boards, last: BoardCommand) -> None:
    """After it is resolved or withdrawn every step is refused, also another end."""
    raise_(boards)
    boards.by("head-edge", last, DAY, "Done.")
    assert {rule_of(boards, "head-edge", step) for step in STEPS.values()} == {"not-open"}


def test_overdue_is_after_the_day_and_while_open(boards: Boards) -> None:
    """On the last day it is not overdue, on the next it is; once settled it is not any more."""
    raise_(boards)
    next_day = NEEDED + timedelta(days=1)
    assert not escalation(boards, on=NEEDED).overdue(NEEDED)
    assert escalation(boards, on=next_day).overdue(next_day)
    boards.by("dcs", Refer("E1", "cfc", next_day), DAY)
    assert not escalation(boards, on=next_day).overdue(next_day)
    boards.by("clerk", Resolve("E1", "Settled."), NEEDED)
    assert not escalation(boards).overdue(date(2026, 1, 1))


def test_an_answer_is_not_needed_before_it_is_asked_for(boards: Boards) -> None:
    """The day itself is the earliest by which an answer can be needed."""
    raise_(boards)
    for needed, rule in ((DAY, None), (DAY - timedelta(days=1), "needed-before")):
        assert rule_of(boards, "dcs", Refer("E1", "cfc", needed)) == rule
        command = Raise(("C1",), "An issue.", "pog", "iib", needed)
        assert rule_of(boards, "workstream-lead", command) == rule


def test_what_a_step_rested_on_is_taken_back_with_it(boards: Boards) -> None:
    """Without the membership of who raised it, an escalation and its whole path are void."""
    raise_(boards)
    boards.by("dcs", Respond("E1", "Soon."), DAY)
    receipt = boards.by(ADMIN, StandDown("pog", "workstream-lead"), date(2025, 9, 20), "Left.")
    voids = [entry for entry in receipt.entries if isinstance(entry.event, EntryVoided)]
    assert len(voids) == 2
    with pytest.raises(KeyError):
        escalation(boards)


def test_an_earlier_step_does_not_undo_a_later_one(boards: Boards) -> None:
    """Withdrawn as from before the board settled it: that is for an administrator to allow."""
    raise_(boards)
    boards.by("dcs", Resolve("E1", "Settled."), DAY)
    early = date(2025, 10, 3)
    with pytest.raises(NotAuthorised):
        boards.by("workstream-lead", Withdraw("E1"), early, "Never mind.")
    assert escalation(boards).status == "resolved"


def test_a_voided_step_is_taken_back_by_an_administrator_only(boards: Boards) -> None:
    """Whoever recorded an answer cannot void it; once voided the answer before it counts."""
    raise_(boards)
    boards.by("dcs", Respond("E1", "In June."), DAY)
    wrong = boards.by("dcs", Respond("E1", "In July."), DAY).entries[0].position
    with pytest.raises(NotAuthorised):
        boards.ledger.void(wrong, Note(DAY, "dcs", reason="A slip."))
    boards.ledger.void(wrong, Note(DAY, ADMIN, reason="A slip."))
    assert escalation(boards).response == "In June."
