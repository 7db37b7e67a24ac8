"""Taking a plan in from CSV: the first file makes the plan, a later one records what changed."""

import json
from pathlib import Path

import pytest

from tests.cli.driving import BOARD, PUBLISHED, WHY, Answer, Cli

HEAD = "ref,chapter,section,title,owners,milestone,timescale,rating\n"
FIRST = (
    HEAD
    + """\
A1,One,Homes,Open a home,Head; Lead,,January 2025,On track
A2,One,Homes,Train carers,Head,,TBC,On track
A3,One,Visits,Visit weekly,Lead,,March 2025,
A4,Two,Visits,Review forms,Lead,,April 2025,Delayed
A5,Two,Staff,Recruit,Head,,June 2025,Reviewing
A6,Two,Staff,Train,Head,1,June 2025,On track
A6,Two,Staff,Train,Head,2,July 2025,
"""
)
FIRST_DAY, LATER_DAY = "2025-01-31", "2025-02-28"


def take_in(cli: Cli, text: str | bytes, *words: str, day: str = LATER_DAY) -> Answer:
    Path("plan.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return cli(*words, "plan", "import", "plan.csv", "--plan", "P", "--as-at", day, *SOURCE)


SOURCE = ("--source", "Paper")


@pytest.fixture
def plan(empty: Cli) -> Cli:
    """A small plan of six actions, taken in as at 31 January 2025."""
    answer = take_in(empty, FIRST, day=FIRST_DAY)
    assert answer.code == 0, answer
    return empty


def recorded(answer: Answer) -> list[tuple[str, str]]:
    assert answer.code == 0, answer
    return [(row["ref"], row["type"].partition("/")[0]) for row in answer.data["recorded"]]


def later(plan: Cli, *changes: tuple[str, str], text: str = FIRST) -> list[tuple[str, str]]:
    """What is recorded when a later file differs from the first in these words."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return recorded(take_in(plan, text, "--json"))


def test_the_first_file_makes_the_plan(plan: Cli) -> None:
    """Sections, actions, owners, timescales, milestones and ratings stand as in the file."""
    shown = {row["ref"]: row for row in plan.data("show")["actions"]}
    assert list(shown) == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert [row["rating"] for row in shown.values()] == [
        "On track",
        "On track",
        "Not rated",
        "Delayed",
        "Reviewing",
        "Not rated",
    ]
    assert shown["A1"]["owners"] == ["Head", "Lead"]
    assert (shown["A4"]["chapter"], shown["A4"]["section"]) == ("Two", "Visits")
    keys = ("milestone", "timescale", "rating")
    assert [{key: row[key] for key in keys} for row in shown["A6"]["milestones"]] == [
        {"milestone": 1, "timescale": "June 2025", "rating": "On track"},
        {"milestone": 2, "timescale": "July 2025", "rating": "Not rated"},
    ]
    assert {row["source"] for row in plan.data("log")["entries"][1:]} == {"Paper"}


DIFFERENCES: list[tuple[str, str, str, list[str]]] = [
    ("rated", "TBC,On track", "TBC,Delayed", ["A2 action.rated"]),
    ("done", "TBC,On track", "TBC,Amber E", ["A2 action.rated"]),
    ("revised", "April 2025", "May 2025", ["A4 action.timescale_revised"]),
    ("timed", "Lead,,March 2025", "Lead,,Monthly", ["A3 action.timescale_revised"]),
    ("reworded", "Visit weekly", "Visit daily", ["A3 action.reworded"]),
    ("owner", "Head; Lead", "Head; Other", ["A1 action.owners_changed"]),
    ("closed", "TBC,On track", "TBC,Closed", ["A2 action.closed"]),
    ("reviewed", "TBC,On track", "TBC,Reviewing", ["A2 action.placed_under_review"]),
    ("resumed", "June 2025,Reviewing", "June 2025,On track", ["A5 action.resumed"]),
    ("milestone rated", "1,June 2025,On track", "1,June 2025,Red", ["A6 action.rated"]),
    ("milestone first rated", "2,July 2025,", "2,July 2025,Amber", ["A6 action.rated"]),
    ("milestone revised", "2,July 2025", "2,TBC", ["A6 action.timescale_revised"]),
    (
        "milestone added",
        "A6,Two,Staff,Train,Head,1",
        "A6,Two,Staff,Train,Head,3,May 2025,Red\nA6,Two,Staff,Train,Head,1",
        ["A6 action.milestone_set", "A6 action.rated"],
    ),
    (
        "action added",
        "A1,One",
        "A7,One,Homes,New,Head,,TBC,Red\nA1,One",
        ["A7 action.added", "A7 action.rated"],
    ),
    (
        "section added",
        "A1,One",
        "A7,Three,Homes,New,Head,,TBC,\nA1,One",
        ["None plan.section_added", "None plan.section_added", "A7 action.added"],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [d[1:] for d in DIFFERENCES], ids=[d[0] for d in DIFFERENCES]
)
def test_a_difference_is_the_entry_that_it_is(
    plan: Cli, old: str, new: str, expected: list[str]
) -> None:
    """A later file records what changed, each change as its own type, and nothing else."""
    assert [" ".join(map(str, row)) for row in later(plan, (old, new))] == expected
    assert later(plan, (old, new)) == [], "the same file again records nothing"


NO_DIFFERENCE = [
    ("month", "January 2025", "Jan 25"),
    ("day of the month", "January 2025", "31 January 2025"),
    ("spacing of roles", "Head; Lead", "Head ;  Lead"),
    ("spacing of words", "Open a home", "Open  a   home"),
    ("case of a rating", "TBC,On track", "TBC,AMBER"),
    ("case of TBC", "TBC,On track", "tbc,On track"),
    ("case of a section", "A1,One,Homes", "A1,ONE,homes"),
    ("not rated", "March 2025,", "March 2025,Not rated"),
    ("a milestone not rated", "2,July 2025,", "2,July 2025,Not rated"),
    ("an empty rating", "TBC,On track", "TBC,"),
    ("an empty timescale", "Lead,,April 2025", "Lead,,"),
    ("an empty owner", "Visit weekly,Lead", "Visit weekly,"),
]


@pytest.mark.parametrize(
    ("old", "new"), [d[1:] for d in NO_DIFFERENCE], ids=[d[0] for d in NO_DIFFERENCE]
)
def test_what_means_the_same_is_no_difference(plan: Cli, old: str, new: str) -> None:
    """Another spelling of the same fact, or an empty cell, records nothing."""
    with plan.unchanged():
        assert later(plan, (old, new)) == []


def test_the_same_file_twice(plan: Cli) -> None:
    """Importing a file again records nothing, and says so."""
    with plan.unchanged():
        answer = take_in(plan, FIRST)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Nothing was recorded: the ledger says the same already.")


def test_the_published_files_again(cli: Cli) -> None:
    """The example's own files, imported anew, are no difference, closed period or not."""
    for name in ("2024-07-17-approved", "2024-11-07-added", "2025-02-04-added"):
        file = PUBLISHED / f"{name}.csv"
        words = ("plan", "import", str(file), "--as-at", name[:10], *SOURCE, "--partial")
        with cli.unchanged():
            assert cli.data(*words)["recorded"] == []


def test_a_missing_action_is_reported_and_left(plan: Cli) -> None:
    """What a later file leaves out is named, stays open, and is closed by `amend close` only."""
    text = "".join(line for line in FIRST.splitlines(True) if not line.startswith(("A2", "A6")))
    with plan.unchanged():
        answer = take_in(plan, text)
        assert take_in(plan, text, "--json").data["missing"] == ["A2", "A6"]
    assert "2 action(s) of the plan are not in the file" in answer.err
    assert "A2, A6" in answer.err
    assert "govledger amend close" in answer.err
    assert "--partial" in answer.err
    plan.done("amend", "close", "A2", "--effective-on", LATER_DAY, *BOARD, *WHY)
    assert take_in(plan, text, "--json", day="2025-03-01").data["missing"] == ["A6"]
    partial = ("plan", "import", "plan.csv", "--as-at", LATER_DAY, *SOURCE, "--partial")
    assert plan.data(*partial)["missing"] == []


def test_a_moved_action_is_remarked_on(plan: Cli) -> None:
    """Another section in the file is told and not recorded; so is a milestone 'Closed'."""
    with plan.unchanged():
        answer = take_in(plan, FIRST.replace("A1,One,Homes", "A1,Two,Staff"))
        assert "Line 2: A1 stands in another section (Staff)" in answer.err
        answer = take_in(plan, FIRST.replace("2,July 2025,", "2,July 2025,Closed"))
        assert "Line 8: milestone 2 of A6 is 'Closed' in the file" in answer.err


def test_a_closed_action_is_not_changed_by_a_file(plan: Cli) -> None:
    """A file that rates or rewords a closed action is refused, with how to undo the closing."""
    later(plan, ("TBC,On track", "TBC,Closed"))
    for old, new in (("TBC,On track", "TBC,On track"), ("Train carers", "Train all")):
        answer = plan_refuses(plan, FIRST.replace(old, new), day="2025-03-01")
        assert answer.error["rule"] == "action-closed"
        assert answer.error["message"].startswith("Line 3: A2 is closed")
        assert "govledger why A2 rating" in answer.error["hint"]
    plan.done("why", "A2", "rating")


def plan_refuses(cli: Cli, text: str | bytes, *words: str, day: str = LATER_DAY) -> Answer:
    Path("plan.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    given = ("plan", "import", "plan.csv", "--plan", "P", "--as-at", day, *SOURCE, *words)
    return cli.refused(*given)


def test_all_or_nothing(plan: Cli) -> None:
    """One bad line at the end of a file, and none of it is recorded."""
    text = FIRST.replace("April 2025", "May 2025") + "A9,One,Homes,New,Head,,TBC,Purple\n"
    answer = plan_refuses(plan, text)
    assert (answer.code, answer.error["rule"]) == (2, "unknown-rating")
    assert "Line 9 (A9)" in answer.error["message"]
    assert plan.data("show", "A4")["timescale"] == "April 2025"


def test_a_dry_run_of_an_import(plan: Cli) -> None:
    """--dry-run tells every difference and records none."""
    text = FIRST.replace("April 2025", "May 2025")
    with plan.unchanged():
        words = ("plan", "import", _file(text), "--as-at", LATER_DAY, *SOURCE, "--dry-run")
        answer = plan.done(*words)
    assert "Would be recorded as entry" in answer.out
    assert "A4 timescale revised to May 2025" in answer.out


def _file(text: str) -> str:
    Path("later.csv").write_text(text, encoding="utf-8")
    return "later.csv"


def test_a_dry_run_of_the_first_import(empty: Cli) -> None:
    """The first import can be tried too: the plan is not made by it."""
    words = ("plan", "import", _file(FIRST), "--plan", "P", "--as-at", FIRST_DAY, *SOURCE)
    with empty.unchanged():
        answer = empty.done(*words, "--dry-run")
    assert answer.out.startswith("Would be recorded as entry 2: plan 'P' began")
    assert empty.data("status")["plans"] == []


FORMS = {
    "byte-order mark": b"\xef\xbb\xbf" + FIRST.encode(),
    "Windows line ends": FIRST.replace("\n", "\r\n").encode(),
    "old Mac line ends": FIRST.replace("\n", "\r").encode(),
    "no last line end": FIRST.strip().encode(),
    "blank lines": FIRST.replace("A3,", "\n,,,,,,,\nA3,").encode(),
    "other headings": FIRST.replace("ref,", "Action Ref,").replace("rating", "RAG_Rating").encode(),
    "unknown columns": FIRST.replace("ref,", "id,ref,").replace("\nA", "\n9,A").encode(),
    "all quoted": "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in FIRST.splitlines()
    ).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_same_file(plan: Cli, form: str) -> None:
    """The marks, line ends and headings that spreadsheets write make no difference."""
    with plan.unchanged():
        assert recorded(take_in(plan, FORMS[form], "--json")) == []


def test_line_numbers_with_new_lines_in_cells(plan: Cli) -> None:
    """A message names the line on which a row begins, also after cells with new lines."""
    text = FIRST.replace("Visit weekly", '"Visit\nevery\r\nweek"') + "A1,,,,,,,\n"
    answer = plan_refuses(plan, text)
    assert answer.error["message"] == "Line 11 of plan.csv: A1 stands on line 2 already."
    assert later(plan, ("Visit weekly", '"Visit\nevery\r\nweek"')) == [("A3", "action.reworded")]
    assert "Visit every week" in plan.done("overview", "--as-at", LATER_DAY).out


OWN_STEPS = [
    {"key": "late", "label": "Behind", "colour": "Rouge", "meaning": "off_track"},
    {"key": "fine", "label": "Fine", "colour": "Jaune", "meaning": "on_track", "also": ["OK"]},
    {"key": "done", "label": "Finished", "colour": "Vert", "meaning": "complete"},
]


def test_a_plan_with_its_own_scale(empty: Cli) -> None:
    """--scale gives the plan its own labels in their own order, which then are the only ones."""
    Path("scale.json").write_text(json.dumps(OWN_STEPS), encoding="utf-8")
    text = HEAD + "A1,One,Homes,Open,Head,,TBC,ok\nA2,One,Homes,Train,Head,,TBC,Finished\n"
    words = ("plan", "import", _file(text), "--as-at", FIRST_DAY, *SOURCE, "--scale", "scale.json")
    empty.done(*words, "--plan", "P", "--title", "Our plan")
    summary = empty.data("overview")["summary"]
    assert list(summary["by_rating"])[:3] == ["Finished", "Fine", "Behind"]
    assert (summary["by_rating"]["Fine"], summary["percent_complete"]) == (1, 50)
    assert empty.data("overview")["title"] == "Our plan"
    assert empty.refused("rate", "A1", "Green", *WHY).error["rule"] == "unknown-rating"
    assert empty.refused("rate", "A1", "Finished", *WHY).error["rule"] == "needs-sign-off"
    empty.done("amend", "delay", "A1", *BOARD, *WHY)
    assert empty.data("show", "A1")["rating"] == "Behind"
    again = empty.refused(*words)
    assert (again.code, again.error["rule"]) == (2, "plan-is-made")


def test_which_plan_a_file_is_for(empty: Cli) -> None:
    """Without --plan a file goes to the only plan there is, and to none where there is none."""
    words = ("plan", "import", _file(FIRST), "--as-at", FIRST_DAY, *SOURCE)
    assert empty.refused(*words).error["rule"] == "which-plan"
    empty.done(*words, "--plan", "P")
    assert empty.data(*words)["recorded"] == []
    empty.done(*words, "--plan", "Q", "--title", "Another")
    assert empty.refused(*words).error["rule"] == "which-plan"


def test_a_file_of_the_future(plan: Cli) -> None:
    """A file as at a day to come is refused, even where it says nothing new."""
    words = ("plan", "import", _file(FIRST), "--as-at", "2199-01-01", *SOURCE)
    answer = plan.refused(*words)
    assert (answer.code, answer.error["rule"]) == (3, "future-date")


def test_a_milestone_by_itself(plan: Cli) -> None:
    """One numbered row is about the milestone where the action has it, never the whole action."""
    head = "ref,section,title,milestone,timescale,rating\n"
    rows = "M1,Homes,Two homes,1,May 2025,On track\nM1,Homes,Two homes,2,June 2025,On track\n"
    given = ("plan", "import", "--as-at", FIRST_DAY, *SOURCE, "--partial")
    plan.done(*given, _file(head + rows))
    recorded = plan.data(*given, _file(head + "M1,,,2,July 2025,Complete\n"))["recorded"]
    assert [row["what"] for row in recorded] == [
        "milestone 2 timescale revised to July 2025",
        "milestone 2 rated Complete",
    ]
