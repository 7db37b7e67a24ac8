"""Questions of a review: the filters of the log, `why` in words, and two states compared."""

import pytest

from tests.cli.driving import BOARD, LATER, WHY, Cli, today


def _positions(cli: Cli, *words: str) -> list[int]:
    return [row["position"] for row in cli.data("log", *words)["entries"]]


def test_log_by_person(cli: Cli) -> None:
    """--by finds what a person recorded, in whatever case the name is typed."""
    cli.done("--as", "Émile Ward", "progress", "P5", "Drafted.", *LATER)
    cli.done("--as", "B. Ward", "progress", "P5", "Read.", *LATER)
    assert _positions(cli, "--by", "émile WARD") == [327]
    assert _positions(cli, "--by", "B. Ward", "P5") == [328]
    assert _positions(cli, "--by", "Ward") == []
    assert len(_positions(cli, "--by", "a. clerk")) == 326


def test_log_by_the_day_of_recording(cli: Cli) -> None:
    """--since and --until mean the day of recording in London, both days included."""
    first = today()
    later = cli.days_go_by(2)
    cli.done("progress", "P5", "Drafted.", *LATER)
    day, then = first.isoformat(), later.isoformat()
    assert _positions(cli, "--since", then) == [327]
    assert len(_positions(cli, "--until", day)) == 326
    assert len(_positions(cli, "--since", day, "--until", then)) == 327
    assert _positions(cli, "--since", "2025-09-30", "--until", "2025-09-30") == []


def test_log_by_the_day_it_became_true(cli: Cli) -> None:
    """--clock effective makes --since and --until mean the effective date, both days included."""
    one = ("--clock", "effective", "--since", "2025-05-08", "--until", "2025-05-08")
    (delay,) = cli.data("log", *one)["entries"]
    assert (delay["ref"], delay["what"]) == ("S7", "marked delayed")
    after = ("--clock", "effective", "--since", "2025-05-09", "--until", "2025-09-29")
    assert _positions(cli, *after) == []


def test_log_by_type_and_limit(cli: Cli) -> None:
    """--type takes a type with or without its version, --limit keeps the latest so many."""
    added = _positions(cli, "--type", "action.added")
    assert added == _positions(cli, "--type", "action.added/1")
    assert len(added) == 143
    assert _positions(cli, "--type", "action.added", "--limit", "2") == added[-2:]
    assert _positions(cli, "S7", "--limit", "1")[0] == _positions(cli, "S7")[-1]
    assert "2 entries." in cli.done("log", "--limit", "2").out
    assert "1 entry." in cli.done("log", "--limit", "1").out


def test_log_as_known_before(cli: Cli) -> None:
    """--known-at leaves out what was recorded later, and that it voided what was there."""
    cli.done("void", "238", "--correction", *WHY)
    now = {row["position"]: row["voided_by"] for row in cli.data("log", "P5")["entries"]}
    assert (now[238], len(now)) == (327, 3)
    then = cli.data("log", "P5", "--known-at", "#326")["entries"]
    assert [row["voided_by"] for row in then] == [None, None]


def test_why_says_who_decided_and_why(cli: Cli) -> None:
    """`why` prints the reason, the body, its meeting and minute, and who recorded it."""
    cli.done("amend", "timescale", "P5", "TBC", *LATER, *BOARD, "--reason", "No funding yet.")
    said = cli.done("why", "P5", "Timescale").out
    for words in (
        "timescale: TBC",
        "by entry 327, effective 10 October 2025",
        "reason: No funding yet.",
        "authority: Improvement Board, 9 October 2025, minute 7.2",
        "recorded by A. Clerk at ",
    ):
        assert words in said
    assert "owners:" not in said
    assert "owners:" in cli.done("why", "P5").out


def test_why_of_a_standing_is_the_entry_that_shows(cli: Cli) -> None:
    """A rating backdated under a closure does not become the reason for being Closed."""
    cli.done("amend", "close", "P5", *LATER, *BOARD, *WHY)
    past = ("--effective-on", "2025-10-01")
    cli.done("rate", "P5", "Red", *past, *WHY)
    row = cli.data("why", "P5", "rating")["fields"][0]
    assert (row["value"], row["position"]) == ("Closed", 327)
    row = cli.data("why", "P5", "rating", "--as-at", "2025-10-05")["fields"][0]
    assert (row["value"], row["position"]) == ("Delayed", 328)


def test_why_before_and_beyond_the_action(cli: Cli) -> None:
    """An action that joined later, and a field that is none, are refused with what to ask."""
    for command in ("why", "show"):
        answer = cli.refused(command, "C1", "--as-at", "2024-08-01")
        assert (answer.code, answer.error["rule"]) == (3, "not-there-yet")
        assert "govledger log C1" in answer.error["hint"]
    answer = cli.refused("why", "C1", "colour")
    assert (answer.code, answer.error["rule"]) == (2, "unknown-field")
    assert "timescale" in answer.error["hint"]


def test_diff_ends_as_asked(cli: Cli) -> None:
    """--exit-code ends with 1 where there is a difference, and only then."""
    same = ("2025-09-01", "2025-09-15")
    other = ("2025-09-15", "2025-09-30")
    assert cli.done("diff", *same, "--exit-code").out.startswith("No difference.")
    assert cli("diff", *other, "--exit-code").code == 1
    assert cli("--json", "diff", *other, "--exit-code").code == 1
    assert cli("diff", *other).code == 0


def test_diff_of_one_date_as_known_at_two_times(cli: Cli) -> None:
    """--first-known-at shows what a correction changed of a past that had been reported."""
    day = ("--effective-on", "2025-09-20", "--correction")
    cli.done("amend", "owner", "P5", "Lead", *day, *BOARD, *WHY)
    dates = ("2025-09-30", "2025-09-30")
    assert cli.data("diff", *dates)["changed"] == []
    (row,) = cli.data("diff", *dates, "--first-known-at", "#326")["changed"]
    assert (row["ref"], row["field"], row["after"]) == ("P5", "owners", "Lead")
    assert row["positions"] == [327]
    assert cli.data("diff", *dates, "--first-known-at", "#326", "--known-at", "#326") == {
        "first": {"as_at": "2025-09-30", "position": 326},
        "changed": [],
        "added": [],
        "removed": [],
    }


@pytest.mark.parametrize("first", ["2025-09-15", "15/09/2025", " 2025-09-15 "])
def test_dates_as_people_type_them(cli: Cli, first: str) -> None:
    """A date may be written year-month-day or day/month/year."""
    assert cli.data("changes", "--since", first, "--as-of", "30/09/2025")["since"] == "2025-09-15"


def test_known_at_an_instant_in_london(cli: Cli) -> None:
    """--known-at takes an instant, in London time unless it says otherwise."""
    known = cli.done("--json", "status").json["known_at"]
    assert cli.done("--json", "overview", "--known-at", known).json["position"] == 326
    earlier = cli.refused("overview", "--known-at", "2025-06-01T12:00")
    assert earlier.error["rule"] == "not-there-yet"
