"""The example plan, loaded by `demo`, answers with the figures that were published."""

import csv
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.cli.driving import BOARD, LATER, PUBLISHED, WHY, Cli, refs

REPORT = ("--as-at", "2025-09-30")
SUMMARY = {
    "total": 143,
    "by_rating": {
        "Complete": 80,
        "Amber E": 39,
        "On track": 10,
        "Delayed": 4,
        "Not started": 0,
        "Reviewing": 2,
        "Closed": 8,
        "Not rated": 0,
    },
    "percent_complete": 56,
}


def test_ratings_as_at_the_report(cli: Cli) -> None:
    """As at 30 September 2025 the counts are the published ones, and 56 per cent complete."""
    assert cli.data("overview", *REPORT)["summary"] == SUMMARY
    assert "143 actions, 56% complete" in cli.done("overview", *REPORT).out


@pytest.mark.parametrize(
    ("day", "total"),
    [("2024-08-01", 136), ("2024-11-06", 136), ("2024-11-07", 140), ("2024-12-31", 140)],
)
def test_actions_as_the_plan_grew(cli: Cli, day: str, total: int) -> None:
    """The plan has 136 actions from July 2024, and 140 from 7 November 2024 on."""
    summary = cli.data("overview", "--as-at", day)["summary"]
    assert summary["total"] == total
    assert summary["by_rating"]["Not rated"] == total
    assert summary["percent_complete"] is None


def test_every_line_of_the_overview_is_the_published_one(cli: Cli) -> None:
    """Each of the 143 has the chapter, section, title and rating of the files in examples/."""
    facts: dict[str, dict[str, Any]] = {}
    for name in ("2024-07-17-approved", "2024-11-07-added", "2025-02-04-added"):
        for row in _rows(PUBLISHED / f"{name}.csv"):
            if not row["milestone"]:
                facts[row["ref"]] = {k: row[k] for k in ("ref", "chapter", "section", "title")}
    for row in _rows(PUBLISHED / "2025-09-30-ratings.csv"):
        if not row["milestone"]:
            facts[row["ref"]]["rating"] = row["rating"]
    shown = cli.data("overview", *REPORT)["actions"]
    given = {line["ref"]: {k: line[k] for k in facts["P5"]} for line in shown}
    assert given == facts
    assert refs(shown) == list(facts), "the order is that of the plan"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("since", [(), ("--since", "2025-09-15")])
def test_the_change_log_of_the_report(cli: Cli, since: tuple[str, ...]) -> None:
    """CLD9 and W6 are revised; four are delayed and two under review, as in Appendix 3."""
    data = cli.data("changes", *REPORT, *since)
    keys = ("ref", "original", "revised", "first_agreed", "times_revised", "decided_by")
    assert [tuple(row[k] for k in keys) for row in data["timescales_revised"]] == [
        ("CLD9", "March 2026", "July 2026", "March 2026", 1, None),
        ("W6", "August 2025", "November 2025", "August 2025", 1, None),
    ]
    assert refs(data["delayed"]) == ["P7", "P10", "P12", "SM4"]
    assert sorted(refs(data["under_review"])) == ["S5", "SL8"]
    assert data["since"] == (since[1] if since else "2024-07-17")
    assert data["until"] == "2025-09-30"
    added = ["C1", "C2", "C3", "C4", "CH1", "CH2", "CH3"]
    assert refs(data["added"]) == ([] if since else added)
    assert data["corrections"] == data["reworded"] == data["owner_changed"] == []


def test_the_other_timescales_that_were_published(cli: Cli) -> None:
    """CLD9 was due in March 2026 as at 15 September 2025; S7 was delayed as at 8 May 2025."""
    assert cli.data("show", "CLD9", "--as-at", "2025-09-15")["timescale"] == "March 2026"
    assert cli.data("show", "CLD9", *REPORT)["timescale"] == "July 2026"
    assert cli.data("show", "S7", "--as-at", "2025-05-07")["rating"] == "Not rated"
    assert cli.data("show", "S7", "--as-at", "2025-05-08")["rating"] == "Delayed"
    assert cli.data("show", "S7", *REPORT)["rating"] == "Complete"


ACTION_KEYS = {"ref", "chapter", "section", "title", "timescale", "rating", "overdue"}
REVISED_KEYS = {
    "ref",
    "title",
    "original",
    "revised",
    "first_agreed",
    "times_revised",
    "reason",
    "decided_by",
}
WHY_KEYS = {
    "field",
    "value",
    "position",
    "effective_on",
    "recorded_at",
    "recorded_by",
    "decided_by",
    "reason",
    "source",
}


def test_json_shape_of_the_readings(cli: Cli) -> None:
    """Other people's scripts find the keys that the issue promises, at the places it promises."""
    overview = cli.data("overview", *REPORT)
    assert {"plan", "summary", "actions"} <= overview.keys()
    assert all(row.keys() >= ACTION_KEYS for row in overview["actions"])
    changes = cli.data("changes", *REPORT)
    assert changes.keys() == {
        "since",
        "until",
        "timescales_revised",
        "delayed",
        "under_review",
        "added",
        "closed",
        "reworded",
        "owner_changed",
        "corrections",
    }
    assert changes["timescales_revised"][0].keys() >= REVISED_KEYS
    assert changes["delayed"][0].keys() >= {"ref", "title", "timescale", "reason"}
    assert cli.data("show", "P5").keys() >= ACTION_KEYS
    assert len(cli.data("show")["actions"]) == 143
    for row in cli.data("why", "CLD9")["fields"]:
        assert row.keys() >= WHY_KEYS, row
    assert cli.data("why", "CLD9", "replaced_by")["fields"][0].keys() >= WHY_KEYS
    assert len(cli.data("log")["entries"]) == 326
    assert cli.data("verify").keys() >= {"findings", "size"}
    assert len(cli.done("--json", "verify").json["root"]) == 64


def test_json_shape_of_a_difference(cli: Cli) -> None:
    """`diff` gives what changed with the entries, and the actions that came and went."""
    data = cli.data("diff", "2025-09-15", "2025-09-30")
    assert {"changed", "added", "removed"} <= data.keys()
    found = [row for row in data["changed"] if row["field"] == "timescale"]
    assert {row["ref"]: (row["before"], row["after"]) for row in found} == {
        "CLD9": ("March 2026", "July 2026"),
        "W6": ("August 2025", "November 2025"),
    }
    assert all(row["positions"] for row in data["changed"])
    grown = cli.data("diff", "2024-08-01", "2025-02-28")
    assert refs(grown["added"]) == ["C1", "C2", "C3", "C4", "CH1", "CH2", "CH3"]
    assert refs(cli.data("diff", "2025-02-28", "2024-08-01")["removed"]) == refs(grown["added"])


QUESTIONS = [
    ("overview", *REPORT),
    ("show", *REPORT),
    ("show", "P5", *REPORT),
    ("changes", *REPORT),
    ("log",),
    ("why", "P5", *REPORT),
    ("diff", "2025-09-15", "2025-09-30"),
]


@pytest.mark.parametrize("form", [(), ("--json",), ("--plain",)])
def test_an_answer_can_be_had_again(cli: Cli, form: tuple[str, ...]) -> None:
    """The same question with --known-at '#N' gives the same bytes after more is recorded."""
    asked = [(*form, *question, "--known-at", "#326") for question in QUESTIONS]
    if form == ("--json",):
        moments = [cli.done(*question).json["position"] for question in asked]
        assert set(moments) == {326}
    before = [cli.done(*question).out for question in asked]
    cli.done("void", "238", "--correction", *WHY)
    cli.done("progress", "P5", "Drafted.", "--effective-on", "2025-09-20", "--correction", *WHY)
    cli.done("amend", "timescale", "P5", "TBC", *LATER, *BOARD, *WHY)
    cli.days_go_by(2)
    cli.done("amend", "close", "P9", *BOARD, *WHY)
    assert [cli.done(*question).out for question in asked] == before
    assert cli.done(*form, "show", "P5", *REPORT).out != before[2]


def test_the_two_clocks(cli: Cli) -> None:
    """A correction of the past is seen from when it was recorded, and not as known before."""
    before = cli.done("--json", "overview").json
    cli.days_go_by(3)
    day = ("--effective-on", "2025-09-01", "--correction")
    cli.done("rate", "P5", "Red", *day, "--source", "Letter of 1 October", *WHY)
    assert cli.data("show", "P5", "--as-at", "2025-09-15")["rating"] == "Delayed"
    for known_at in ("#326", before["known_at"], before["known_at"][:10]):
        earlier = ("--as-at", "2025-09-15", "--known-at", known_at)
        assert cli.data("show", "P5", *earlier)["rating"] == "Not rated"
    assert cli.data("show", "P5", *REPORT)["rating"] == "On track", "a later rating stands"


def test_a_demo_that_fails_leaves_no_ledger_behind(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says at which command it stopped, and can be tried again in the same folder."""
    command = ["demo", "there", "--governance"]
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "/nowhere/ssh-keygen")
    assert run(command) == 1
    said = capsys.readouterr().err
    assert "The example stopped at a command of" in said
    assert "no-ssh-keygen" in said
    assert "Report this" not in said
    assert [path.name for path in (own_place / "there").iterdir()] == ["keys"]
    monkeypatch.delenv("GOVLEDGER_SSH_KEYGEN")
    assert run(["--json", *command]) == 0


def test_demo_shows_the_tour(cli: Cli) -> None:
    """`demo` loads the plan, answers a newcomer's questions, and says how to go on."""
    answer = cli.done("demo", "there")
    for words in ("143 actions, 56% complete", "Timescales revised (2)", "Verified: 326 entries"):
        assert words in answer.out
    assert "export GOVLEDGER_LEDGER=there/govledger.sqlite" in answer.out
    assert cli("demo", "there").code == 1, "what is there is left alone"
