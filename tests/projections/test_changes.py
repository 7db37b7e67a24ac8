"""Appendix 3: what counts as changed between two reports, at its boundaries."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.commands import (
    Add,
    ChangeOwners,
    Close,
    Command,
    Delay,
    NoteProgress,
    PlaceUnderReview,
    Rate,
    Resume,
    ReviseTimescale,
    Reword,
)
from domain.importing import PlannedAction, PlannedMilestone
from ledger.entry import Decision, Note
from projections.changes import changes
from projections.upkeep import create_ledger
from tests.conftest import Clock

CODE = "P"
BOARD = Decision(body="Board", meeting=date(2025, 3, 1), minute="4.1")
Log = dict[str, Any]


def on(day: str, *, correction: bool = False) -> Note:
    return Note(
        date.fromisoformat(day), "A. Clerk", f"On {day}.", BOARD, None, correction=correction
    )


class Changing:
    """A plan of three actions begun on 1 January 2025, one with two milestones."""

    def __init__(self, path: Path) -> None:
        self.ledger = create_ledger(path, "Test", "A. Clerk", Clock())
        rows = [
            PlannedAction("A1", 2, None, "Homes", "Open", "Head", "March 2025", "Amber"),
            PlannedAction("A2", 3, None, "Homes", "Train", "Head", "TBC", "Amber"),
            PlannedAction(
                *("A3", 4, None, "Homes", "Visit", "Head", "TBC", "Amber"),
                milestones=(
                    PlannedMilestone(1, 5, "March 2025"),
                    PlannedMilestone(2, 6, "May 2025"),
                ),
            ),
        ]
        note = Note(date(2025, 1, 1), "A. Clerk", source="Paper")
        self.ledger.import_plan(CODE, rows, note)

    def act(self, command: Command, day: str, **more: Any) -> int:
        """Carry out a command as of that day; its position."""
        replaces = more.pop("replaces", None)
        receipt = self.ledger.act(CODE, command, on(day, **more), replaces=replaces)
        return receipt.entries[-1].position

    def void(self, position: int, **more: Any) -> int:
        return self.ledger.void(position, on("2025-11-12", **more)).entries[0].position

    def report(self, as_at: str, ref: str) -> int:
        day = date.fromisoformat(as_at)
        receipt = self.ledger.issue_report(CODE, ref, "Committee", day, day, on(as_at))
        return receipt.entries[0].position

    def log(self, until: str, since: str | None = None, known_at: int | None = None) -> Log:
        moment = self.ledger.moment(date.fromisoformat(until), known_at)
        after = date.fromisoformat(since) if since else None
        with self.ledger.database.reading() as connection:
            return changes(self.ledger, connection, CODE, moment, after)


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Changing]:
    found = Changing(tmp_path / "plan.sqlite")
    yield found
    found.ledger.close()


def revised(log: Log) -> list[tuple[Any, ...]]:
    keys = ("ref", "milestone", "original", "revised", "first_agreed", "times_revised")
    return [tuple(row[key] for key in keys) for row in log["timescales_revised"]]


def refs(rows: list[dict[str, Any]]) -> list[str]:
    return [row["ref"] for row in rows]


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2025-03-09", "2025-03-10", True),
        ("2025-03-10", "2025-03-11", False),
        ("2025-03-01", "2025-03-09", False),
        ("2025-01-01", "2025-12-31", True),
        ("2025-03-10", "2025-03-10", False),
    ],
)
def test_since_is_left_out_and_until_is_in(
    plan: Changing, since: str, until: str, found: bool
) -> None:
    """A change counts when it is effective after `since` and up to `until`, that day included."""
    plan.act(ReviseTimescale("A1", "May 2025"), "2025-03-10")
    plan.act(Reword("A1", "Open two"), "2025-03-10")
    plan.act(ChangeOwners("A1", "Lead"), "2025-03-10")
    plan.act(Close("A2"), "2025-03-10")
    plan.act(Add("A4", "New", "Homes"), "2025-03-10")
    log = plan.log(until, since)
    assert refs(log["timescales_revised"]) == (["A1"] if found else [])
    for key, ref in (
        ("reworded", "A1"),
        ("owner_changed", "A1"),
        ("closed", "A2"),
        ("added", "A4"),
    ):
        assert refs(log[key]) == ([ref] if found else []), key


def test_the_plan_as_it_began_is_no_change(plan: Changing) -> None:
    """The actions with which the plan began, and its ratings, are not listed as changes."""
    log = plan.log("2025-01-01")
    assert (log["since"], log["until"]) == ("2025-01-01", "2025-01-01")
    lists = {key: rows for key, rows in log.items() if isinstance(rows, list)}
    assert set(map(len, lists.values())) == {0}


def test_a_timescale_revised_twice(plan: Changing) -> None:
    """Original is what held at `since`, first agreed what held first, and every time counts."""
    plan.act(ReviseTimescale("A1", "May 2025"), "2025-03-10")
    plan.act(ReviseTimescale("A1", "July 2025"), "2025-04-10")
    assert revised(plan.log("2025-12-31")) == [
        ("A1", None, "March 2025", "July 2025", "March 2025", 2)
    ]
    assert revised(plan.log("2025-12-31", "2025-03-31")) == [
        ("A1", None, "May 2025", "July 2025", "March 2025", 2)
    ]
    assert revised(plan.log("2025-04-09")) == [
        ("A1", None, "March 2025", "May 2025", "March 2025", 1)
    ]
    assert revised(plan.log("2025-12-31", "2025-04-10")) == []
    (row,) = plan.log("2025-12-31")["timescales_revised"]
    assert row["reason"] == "On 2025-04-10."
    assert row["decided_by"] == {"body": "Board", "meeting": "2025-03-01", "minute": "4.1"}


def test_a_milestone_revised_is_a_row_of_its_own(plan: Changing) -> None:
    """A milestone's revision is listed under its action with its number, beside the action's."""
    plan.act(ReviseTimescale("A3", "July 2025", 2), "2025-03-10")
    plan.act(ReviseTimescale("A3", "August 2025"), "2025-03-11")
    assert sorted(revised(plan.log("2025-12-31")), key=str) == [
        ("A3", 2, "May 2025", "July 2025", "May 2025", 1),
        ("A3", None, "TBC", "August 2025", "TBC", 1),
    ]


def test_a_voided_revision_does_not_count(plan: Changing) -> None:
    """A revision that was a mistake is neither listed nor counted, from its void on."""
    wrong = plan.act(ReviseTimescale("A1", "May 2025"), "2025-03-10")
    plan.void(wrong)
    assert revised(plan.log("2025-12-31")) == []
    assert refs(plan.log("2025-12-31", known_at=wrong)["timescales_revised"]) == ["A1"]
    again = plan.act(ReviseTimescale("A1", "June 2025"), "2025-03-10")
    plan.act(ReviseTimescale("A1", "July 2025"), "2025-03-10", replaces=again)
    assert revised(plan.log("2025-12-31")) == [
        ("A1", None, "March 2025", "July 2025", "March 2025", 1)
    ]


def test_delayed_and_under_review_are_all_that_are_so(plan: Changing) -> None:
    """Both lists hold all that are so as at the date, whenever they became so, with the reason."""
    plan.act(Delay("A1"), "2025-02-01")
    plan.act(PlaceUnderReview("A2"), "2025-02-01")
    plan.act(Rate("A3", "Red"), "2025-02-02")
    log = plan.log("2025-12-31", "2025-06-30")
    assert refs(log["delayed"]) == ["A1", "A3"]
    assert refs(log["under_review"]) == ["A2"]
    assert [row["reason"] for row in log["delayed"]] == ["On 2025-02-01.", "On 2025-02-02."]
    assert refs(plan.log("2025-02-01")["delayed"]) == ["A1"]
    plan.act(Resume("A1"), "2025-07-01")
    plan.act(Resume("A2"), "2025-07-01")
    after = plan.log("2025-07-01")
    assert (refs(after["delayed"]), after["under_review"]) == (["A3"], [])
    assert refs(plan.log("2025-06-30")["delayed"]) == ["A1", "A3"]


def test_one_that_is_delayed_and_then_placed_under_review(plan: Changing) -> None:
    """An action under review is not listed as delayed too; a closed one is in neither list."""
    plan.act(Delay("A1"), "2025-02-01")
    plan.act(PlaceUnderReview("A1"), "2025-02-02")
    log = plan.log("2025-03-01")
    assert (refs(log["delayed"]), refs(log["under_review"])) == ([], ["A1"])
    plan.act(Close("A1", "A2"), "2025-03-02")
    log = plan.log("2025-03-31")
    assert (refs(log["delayed"]), refs(log["under_review"]), refs(log["closed"])) == (
        [],
        [],
        ["A1"],
    )
    assert log["closed"][0]["replaced_by"] == "A2"


def test_what_was_written_before_and_after(plan: Changing) -> None:
    """Rewording and change of owner show what stood at `since` and what stands at the end."""
    plan.act(Reword("A1", "Open two"), "2025-03-10")
    plan.act(Reword("A1", "Open three"), "2025-03-11")
    plan.act(ChangeOwners("A2", "Lead"), "2025-03-11")
    log = plan.log("2025-12-31")
    assert [(r["before"], r["after"]) for r in log["reworded"]] == [("Open", "Open three")]
    assert [(r["before"], r["after"]) for r in log["owner_changed"]] == [("Head", "Lead")]
    assert plan.log("2025-12-31", "2025-03-10")["reworded"][0]["before"] == "Open two"


def test_the_last_report_is_the_default_since(plan: Changing) -> None:
    """Without `since` the log begins after the last report that is as at an earlier date."""
    plan.act(ReviseTimescale("A1", "May 2025"), "2025-03-10")
    plan.report("2025-03-31", "R1")
    plan.act(ReviseTimescale("A1", "July 2025"), "2025-04-10")
    plan.report("2025-06-30", "R2")
    assert plan.log("2025-03-31")["since"] == "2025-01-01"
    assert plan.log("2025-06-30")["since"] == plan.log("2025-04-01")["since"] == "2025-03-31"
    assert plan.log("2025-07-01")["since"] == "2025-06-30"
    assert revised(plan.log("2025-06-30")) == [
        ("A1", None, "May 2025", "July 2025", "March 2025", 2)
    ]


def test_a_correction_is_listed_once_in_the_period_it_was_made_in(plan: Changing) -> None:
    """It stands in the log of the report after it, and in no other; a void is one as well."""
    wrong = plan.act(Rate("A1", "Red"), "2025-02-01")
    plan.report("2025-03-31", "R1")
    plan.act(NoteProgress("A2", "Begun."), "2025-02-15", correction=True)
    plan.void(wrong, correction=True)
    plan.report("2025-06-30", "R2")
    plan.act(NoteProgress("A3", "Begun."), "2025-02-16", correction=True)
    listed = [refs(plan.log(day)["corrections"]) for day in ("2025-03-31", "2025-06-30")]
    assert listed == [[], ["A2", "A1"]]
    last = plan.log("2025-11-12")["corrections"]
    assert [(row["ref"], row["what"], row["reason"]) for row in last] == [
        ("A3", "progress: Begun.", "On 2025-02-16.")
    ]
    assert refs(plan.log("2025-11-12", "2025-03-31")["corrections"]) == ["A2", "A1", "A3"]


def test_a_correction_changes_the_past_of_its_own_log(plan: Changing) -> None:
    """The log of a closed period, asked anew, is as corrected; as known before, as reported."""
    plan.report("2025-03-31", "R1")
    reported = plan.ledger.size()
    plan.act(ReviseTimescale("A1", "May 2025"), "2025-03-10", correction=True)
    assert refs(plan.log("2025-03-31")["timescales_revised"]) == ["A1"]
    assert plan.log("2025-03-31", known_at=reported)["timescales_revised"] == []
