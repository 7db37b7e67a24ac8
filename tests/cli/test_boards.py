"""People, bodies, meetings and the plan's terms, by the command line."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.boards import ADMIN, MEETING, PEOPLE, Boards, key_folder
from tests.cli.driving import Cli, today

ON = ("--effective-on", "2025-11-01")
WHY = ("--reason", "Agreed by the council.")
NEXT = re.compile(r"^Next: govledger (.+)$", re.MULTILINE)


def _pub(name: str) -> str:
    return str(key_folder() / f"{name}.pub")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger of a plan with boards; copy it, never change it."""
    path = tmp_path_factory.mktemp("boards") / "template.sqlite"
    Boards(path).ledger.close()
    return path


@pytest.fixture
def boards(
    own_place: Path,
    template: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Commands of the administrator on a plan with boards."""
    path = Path(shutil.copy(template, own_place / "govledger.sqlite"))
    monkeypatch.setenv("GOVLEDGER_PERSON", ADMIN)
    return Cli(path, capsys, monkeypatch)


# --- the set-up, typed by hand ----------------------------------------------------------


def test_a_newcomer_types_the_whole_set_up(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `init` to a quorate meeting by commands alone; each names a next one that exists."""
    monkeypatch.setenv("GOVLEDGER_PERSON", "A. Clerk")
    cli = Cli(own_place / "govledger.sqlite", capsys, monkeypatch)
    Path("plan.csv").write_text("ref,section,title\nC1,Front door,Edge of care\n", "utf-8")
    met = today().isoformat()
    board = ("body", "establish", "iib", "--name", "Improvement Board", "--rung", "2")
    steps: list[tuple[tuple[str, ...], str]] = [
        (("init",), "plan import"),
        (
            ("plan", "import", "plan.csv", "--plan", "CEIP", "--as-at", met, "--source", "Paper"),
            "overview",
        ),
        *(
            (
                ("person", "enrol", c, "--name", f"Name of {c}", "--role", r, "--key", _pub(c)),
                "body establish",
            )
            for c, r in PEOPLE.items()
        ),
        (
            (*board, "--quorum", "2", "--power", "phase_1", "--power", "phase_2"),
            "body appoint iib PERSON --capacity chair",
        ),
        (
            ("body", "appoint", "iib", "iib-chair", "--capacity", "chair"),
            "body appoint iib PERSON --capacity member",
        ),
        (
            ("body", "appoint", "iib", "dcs"),
            "meeting record iib DATE --present iib-chair,dcs",
        ),
        (
            ("meeting", "record", "iib", met, "--present", "iib-chair, dcs"),
            f"meeting show iib {met}",
        ),
    ]
    for words, following in steps:
        said = NEXT.search(cli.done(*words).out)
        assert said, words
        assert said[1].startswith(following), words
    assert cli.data("meeting", "show", "iib", met)["quorate"] is True
    assert "Quorate: 2 with a vote, quorum 2" in cli.done("meeting", "show", "iib", met).out


def test_who_begins_the_ledger_is_its_first_administrator(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`init` says who the first administrator is, in words, in JSON and in its help."""
    cli = Cli(own_place / "govledger.sqlite", capsys, monkeypatch)
    assert cli.data("--as", "R. Gee", "init", "--dry-run")["administrator"] == "R. Gee"
    assert "R. Gee is its first administrator." in cli.done("--as", "R. Gee", "init").out
    named = ("--ledger", "other.sqlite", "--as", "B. Dee")
    assert cli.data(*named, "init")["administrator"] == "B. Dee"
    assert "first administrator" in cli.done("init", "--help").out


WRITES: list[tuple[tuple[str, ...], str]] = [
    (
        ("person", "enrol", "new", "--name", "N", "--role", "R", "--key", "other.pub"),
        "person.enrolled/1",
    ),
    (("person", "role", "dcs", "Director"), "person.role_changed/1"),
    (("person", "key", "dcs", "--key", "other.pub"), "person.key_replaced/1"),
    (("person", "withdraw-key", "dcs"), "person.key_withdrawn/1"),
    (("person", "administrator", "dcs"), "person.administrator_appointed/1"),
    (
        ("body", "establish", "new", "--name", "New", "--rung", "2", "--quorum", "1"),
        "body.established/1",
    ),
    (("body", "establish", "adviser", "--name", "Adviser", "--outside"), "body.established/1"),
    (("body", "terms", "iib", "--quorum", "3"), "body.terms_changed/1"),
    (("body", "terms", "iib", "--no-powers"), "body.terms_changed/1"),
    (("body", "appoint", "pog", "clerk", "--capacity", "Secretary"), "body.member_appointed/1"),
    (("body", "stand-down", "iib", "dcs"), "body.member_stood_down/1"),
    (
        ("meeting", "record", "pog", "2025-10-01", "--present", "head-edge"),
        "body.meeting_recorded/1",
    ),
    (("meeting", "interest", "iib", str(MEETING), "dcs", "C2"), "body.interest_declared/1"),
    (("plan", "terms", "--impact-kinds", "3"), "plan.terms_set/1"),
    (("plan", "terms", "--most-revisions", "0"), "plan.terms_set/1"),
]


@pytest.mark.parametrize(("words", "kind"), WRITES, ids=[" ".join(w) for w, _ in WRITES])
def test_a_write_is_an_entry_of_its_own_type(
    boards: Cli, words: tuple[str, ...], kind: str
) -> None:
    """Each write is first tried, which records nothing, then recorded with its own date."""
    shutil.copy(_pub("other"), "other.pub")
    own = WHY if words[0] == "meeting" else (*ON, *WHY)
    with boards.unchanged():
        tried = boards.data(*words, *own, "--dry-run")
    done = boards.data(*words, *own)
    assert tried["dry_run"] is True
    assert [line["type"] for line in done["recorded"]] == [kind]
    assert done["recorded"] == tried["recorded"]
    expected = words[3] if words[0] == "meeting" else ON[1]
    assert done["recorded"][0]["effective_on"] == expected


# --- people -----------------------------------------------------------------------------


def test_a_person_is_shown_with_seats_and_keys(boards: Cli) -> None:
    """Role, seats with their dates, the key in force with its fingerprint, and those of before."""
    boards.done("person", "key", "dcs", "--key", _pub("other"), "--effective-on", "2025-10-20")
    boards.done("person", "role", "dcs", "Executive director", "--effective-on", "2025-10-21")
    shown = boards.data("person", "show", "dcs")
    words = ["ssh-keygen", "-lf", _pub("other")]
    stock = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]
    assert shown["role"] == "Executive director"
    assert shown["key"] == stock
    before, now = shown["keys"]
    assert (before["since"], before["ended_on"]) == ("2025-09-01", "2025-10-20")
    assert (before["ended"], now["ended"]) == ("replaced", None)
    assert (now["fingerprint"], now["since"]) == (stock, "2025-10-20")
    seat = {"capacity": "member", "since": "2025-09-01", "until": None, "sitting": True}
    assert shown["seats"] == [{"body": "iib", "name": "Improvement and Impact Board", **seat}]
    text = boards.done("person", "show", "DCS").out
    assert f"Key            {stock}, since 20 October 2025" in text
    assert f"{before['fingerprint']}, since 1 September 2025, replaced from 20 October 2025" in text


def test_people_are_shown_as_at_a_day_and_as_known(boards: Cli) -> None:
    """`person show` and `person list` answer as at any date, as known after any entry."""
    then = boards.done("--json", "person", "list").json["position"]
    boards.done("person", "role", "dcs", "Executive director", "--effective-on", "2025-10-21")
    role = PEOPLE["dcs"]
    assert boards.data("person", "show", "dcs", "--as-at", "2025-10-20")["role"] == role
    assert boards.data("person", "show", "dcs", "--known-at", f"#{then}")["role"] == role
    roles = {line["person"]: line["role"] for line in boards.data("person", "list")["people"]}
    assert roles == {**PEOPLE, "dcs": "Executive director"}
    assert boards.data("person", "list", "--as-at", "2025-08-01")["people"] == []
    assert "Nobody is enrolled." in boards.done("person", "list", "--as-at", "2025-08-01").out


def test_a_withdrawn_key_is_shown_as_withdrawn(boards: Cli) -> None:
    """Nobody overlooks in a list or a sheet that no key of a person is in force."""
    boards.done("person", "withdraw-key", "clerk", *ON, *WHY)
    assert boards.data("person", "show", "clerk")["key"] is None
    text = boards.done("person", "show", "clerk").out
    assert "Key            NONE in force" in text
    assert "withdrawn from 1 November 2025" in text
    assert "NONE in force" in boards.done("person", "list").out


def test_administrators_are_named(boards: Cli) -> None:
    """`person list` says who administers, and who began the ledger; the last one stays."""
    assert boards.data("person", "list")["first_administrator"] == ADMIN
    boards.done("person", "administrator", "clerk")
    boards.done("person", "administrator", "dcs")

    def named() -> list[str]:
        people = boards.data("person", "list")["people"]
        return [line["person"] for line in people if line["administrator"]]

    assert named() == ["dcs", "clerk"]
    boards.done("--as", "dcs", "person", "administrator", "clerk", "--end")
    assert named() == ["dcs"]
    assert boards.refused("person", "administrator", "dcs", "--end").error["rule"] == (
        "last-administrator"
    )


def test_nobody_is_left_out_when_the_first_administrator_goes(boards: Cli) -> None:
    """When whoever began the ledger is enrolled and stood down, the last other one has to stay."""
    enrol = ("--name", ADMIN, "--role", "Registrar", "--key", _pub("other"))
    boards.done("person", "enrol", "registrar", *enrol)
    boards.done("person", "administrator", "clerk")
    boards.done("--as", "clerk", "person", "administrator", "registrar", "--end")
    answer = boards.refused("--as", "clerk", "person", "administrator", "clerk", "--end")
    assert answer.error["rule"] == "last-administrator"


def test_a_former_administrator_grants_nothing_with_an_earlier_date(boards: Cli) -> None:
    """Who was an administrator then and is none now cannot appoint, whatever the date."""
    boards.done("person", "administrator", "dcs", "--effective-on", "2025-09-02")
    boards.done("person", "administrator", "clerk", "--effective-on", "2025-09-02")
    boards.done("person", "administrator", "clerk", "--end", "--effective-on", "2025-10-01")
    words = ("person", "administrator", "lead-member", "--effective-on", "2025-09-15")
    answer = boards.refused("--as", "clerk", *words)
    assert (answer.code, answer.error["rule"]) == (4, "not-administrator")


def test_a_key_signs_for_one_person_whatever_the_date(boards: Cli) -> None:
    """A key that signs or signed for one person is refused for another, also with another date."""
    other = ("--key", _pub("other"))
    boards.done("person", "key", "dcs", *other, "--effective-on", "2025-10-20")
    enrol = ("person", "enrol", "new", "--name", "N", "--role", "R")
    for key in (_pub("other"), _pub("dcs")):
        for on in ("2025-09-02", "2025-11-01"):
            answer = boards.refused(*enrol, "--key", key, "--effective-on", on)
            assert answer.error["rule"] == "key-taken"


def test_what_rested_on_a_key_is_open_again_and_said_so(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A membership that ends before a decision re-opens it, and the command says which and why."""
    plan = Boards(own_place / "govledger.sqlite")
    plan.signed_off("C1")
    plan.ledger.close()
    monkeypatch.setenv("GOVLEDGER_PERSON", ADMIN)
    cli = Cli(own_place / "govledger.sqlite", capsys, monkeypatch)
    words = ("body", "stand-down", "iib", "lead-member", "--effective-on", "2025-10-01", *WHY)
    with cli.unchanged():
        tried = cli.done(*words, "--dry-run")
    assert "2 decision(s) would no longer be supported" in tried.err
    answer = cli.done(*words)
    assert "Note: 2 decision(s) are no longer supported, and open again:" in answer.err
    assert "lead-member) was not a member of" in answer.err
    assert cli.data("overview")["actions"][0]["rating"] == "On track"


# --- bodies -----------------------------------------------------------------------------


def test_the_ladder_is_told_in_words(boards: Cli) -> None:
    """`body list` shows every body from the top down, those outside it last."""
    bodies = boards.data("body", "list")["bodies"]
    assert [(line["code"], line["rung"]) for line in bodies] == [
        ("cfc", 4),
        ("iib", 3),
        ("pog", 2),
        ("ws", 1),
        ("ofsted", None),
    ]
    text = boards.done("body", "list").out
    assert (
        "Escalations go up: Edge of Care workstream, then Partnership Oversight Group, then "
        "Improvement and Impact Board, then Children and Families Committee. Outside the ladder: "
        "Ofsted."
    ) in text
    assert "Phase 2 needs 2 of the four inner sources" in text
    boards.done("plan", "terms", "--impact-kinds", "3", "--most-revisions", "1")
    assert boards.data("body", "list")["terms"] == {"impact_kinds": 3, "most_revisions": 1}
    empty = boards.done("body", "list", "--as-at", "2025-08-01").out
    assert "No body is established." in empty


def test_a_body_is_shown_with_members_of_then_and_before(boards: Cli) -> None:
    """`body show` gives each membership since when and until when, as at any date."""
    boards.done("body", "stand-down", "iib", "dcs", "--effective-on", "2025-11-01", *WHY)
    until = ("--until", "2026-03-31", "--effective-on", "2025-11-02")
    boards.done("body", "appoint", "iib", "workstream-lead", *until)
    boards.done("body", "appoint", "iib", "clerk", "--capacity", "chair", *ON)

    def terms(*words: str) -> set[tuple[Any, ...]]:
        members = boards.data("body", "show", "iib", *words)["members"]
        return {
            (m["person"], m["capacity"], m["since"], m["until"], m["sitting"])
            for m in members
            if m["person"] in ("dcs", "workstream-lead", "clerk")
        }

    assert terms("--as-at", "2025-12-01") == {
        ("dcs", "member", "2025-09-01", "2025-10-31", False),
        ("workstream-lead", "member", "2025-11-02", "2026-03-31", True),
        ("clerk", "secretary", "2025-09-01", "2025-10-31", False),
        ("clerk", "chair", "2025-11-01", None, True),
    }
    assert terms("--as-at", "2025-10-31") == {
        ("dcs", "member", "2025-09-01", None, True),
        ("clerk", "secretary", "2025-09-01", None, True),
    }
    ended = terms("--as-at", "2026-04-01")
    assert ("workstream-lead", "member", "2025-11-02", "2026-03-31", False) in ended


def test_a_renewed_membership_goes_on(boards: Cli) -> None:
    """A member whose term is renewed before it ends is a member since the first appointment."""
    first = ("--until", "2025-12-31", "--effective-on", "2025-09-02")
    boards.done("body", "appoint", "pog", "dcs", *first)
    boards.done("body", "appoint", "pog", "dcs", "--until", "2026-06-30", *ON)
    members = boards.data("body", "show", "pog", "--as-at", "2025-11-02")["members"]
    (term,) = [m for m in members if m["person"] == "dcs"]
    assert (term["since"], term["until"]) == ("2025-09-02", "2026-06-30")


def test_a_quorum_beyond_the_membership_is_told(boards: Cli) -> None:
    """Terms or a departure that leave a body unable to decide are recorded, with a warning."""
    answer = boards.done("body", "terms", "iib", "--quorum", "5", *WHY)
    assert "needs 5 members with a vote to decide and has 4" in answer.err
    assert "so it can decide nothing" in boards.done("body", "show", "iib").out
    assert boards.data("body", "show", "iib")["can_be_quorate"] is False
    boards.done("body", "terms", "iib", "--quorum", "4", *WHY)
    answer = boards.done("body", "stand-down", "iib", "dcs", *WHY)
    assert "needs 4 members with a vote to decide and has 3" in answer.err


def test_a_stand_down_before_a_later_appointment_is_told(boards: Cli) -> None:
    """A stand-down as from an earlier day tells that a later appointment still stands."""
    boards.done("body", "appoint", "iib", "dcs", "--until", "2099-12-31", *ON)
    words = ("body", "stand-down", "iib", "dcs", "--effective-on", "2025-10-20", *WHY)
    assert "sits on Improvement and Impact Board (iib) again today" in boards.done(*words).err


# --- meetings ---------------------------------------------------------------------------


def test_a_meeting_is_shown_with_attendance_and_interests(boards: Cli) -> None:
    """Who was there in which seat, apologies, who was absent, interests with their reasons."""
    boards.done("body", "appoint", "iib", "workstream-lead", "--effective-on", "2025-09-02")
    met = ("iib", str(MEETING))
    boards.done("--as", "dcs", "meeting", "interest", *met, "dcs", "C2", "--reason", "My service.")
    present = ("--present", "iib-chair,dcs", "--present", "clerk")
    guests = ("--apologies", "head-edge", "--minutes", "IIB 10")
    boards.done("--as", "clerk", "meeting", "record", *met, *present, *guests)
    shown = boards.data("meeting", "show", *met)
    assert [(p["person"], p["seat"]) for p in shown["present"]] == [
        ("iib-chair", "chair"),
        ("dcs", "member"),
        ("clerk", "secretary"),
    ]
    assert [p["person"] for p in shown["apologies"]] == ["head-edge"]
    assert [p["person"] for p in shown["not_heard_of"]] == ["lead-member", "workstream-lead"]
    (declared,) = shown["interests"]
    assert (declared["person"], declared["item"]) == ("dcs", "C2")
    assert declared["reason"] == "My service."
    assert (shown["quorate"], shown["voting_present"], shown["minutes"]) == (True, 2, "IIB 10")
    text = boards.done("meeting", "show", *met).out
    assert "Quorate: 2 with a vote, quorum 2" in text
    assert re.search(r"dcs +C2 +My service\.", text)


def test_seats_at_a_meeting_are_those_of_its_day(boards: Cli) -> None:
    """A meeting is counted with the seats and the quorum of its day, whoever has left since."""
    boards.done("body", "stand-down", "iib", "dcs", "--effective-on", "2025-10-10", *WHY)
    boards.done("body", "terms", "iib", "--quorum", "4", "--effective-on", "2025-10-10")
    shown = boards.data("meeting", "show", "iib", str(MEETING))
    assert (shown["voting_present"], shown["quorum"], shown["quorate"]) == (3, 2, True)
    (met,) = boards.data("body", "show", "iib")["meetings"]
    assert (met["voting_present"], met["quorum"], met["quorate"]) == (3, 2, True)


def test_a_meeting_that_can_decide_nothing_says_so(boards: Cli) -> None:
    """Recording a meeting without a quorum, or with guests, tells both at once."""
    words = ("meeting", "record", "iib", "2025-11-13", "--present", "dcs,workstream-lead,clerk")
    answer = boards.done(*words)
    assert "it was not quorate, 1 of 2 with a vote, so it can decide nothing" in answer.err
    assert "without a seat on Improvement and Impact Board (iib)" in answer.err
    assert "vote: workstream-lead" in answer.err
    shown = boards.done("meeting", "show", "iib", "2025-11-13").out
    assert "NOT quorate, so it could decide nothing: 1 with a vote, quorum 2" in shown
    assert "no seat, no vote" in shown


def test_minutes_that_come_later_are_added(boards: Cli) -> None:
    """A meeting recorded again keeps the minutes that it had, unless others are given."""
    record = ("meeting", "record", "iib", str(MEETING), "--present", "iib-chair,dcs")
    boards.done(*record, "--minutes", "IIB 10")
    boards.done(*record)
    assert boards.data("meeting", "show", "iib", str(MEETING))["minutes"] == "IIB 10"
    then = boards.done("--json", "body", "show", "iib").json["position"]
    boards.done(*record, "--minutes", "IIB 10 (agreed)")
    known = ("meeting", "show", "iib", str(MEETING), "--known-at", f"#{then}")
    assert boards.data(*known)["minutes"] == "IIB 10"


# --- refusals ---------------------------------------------------------------------------

ENROL = ("person", "enrol", "new", "--name", "N", "--role", "R", "--key")
ESTABLISH = ("body", "establish", "new", "--name", "New")
REFUSED: list[tuple[tuple[str, ...], str, int]] = [
    ((*ENROL, "private"), "bad-key", 2),
    ((*ENROL, "nowhere.pub"), "cannot-read-file", 2),
    ((*ENROL, "."), "cannot-read-file", 2),
    ((*ENROL, "picture.pub"), "bad-key", 2),
    ((*ENROL, "large.pub"), "bad-key", 2),
    ((*ENROL, "taken.pub"), "key-taken", 3),
    (("person", "enrol", "a b", *ENROL[3:], "free.pub"), "bad-reference", 2),
    (("person", "enrol", "DCS", *ENROL[3:], "free.pub"), "already-there", 3),
    (("person", "enrol", "dcs", *ENROL[3:], "free.pub"), "already-there", 3),
    (("--as", "dcs", *ENROL, "free.pub"), "not-administrator", 4),
    ((*ENROL, "free.pub", "--effective-on", "2099-01-01"), "future-date", 3),
    ((*ENROL, "free.pub", "--effective-on", "2024-01-01"), "before-plan", 3),
    (("person", "role", "nobody", "R"), "unknown-person", 4),
    (("person", "show", "nobody"), "unknown-person", 3),
    (("person", "key", "clerk", "--key", "taken.pub"), "key-taken", 3),
    (("person", "key", "dcs", "--key", "taken.pub"), "no-change", 3),
    (("person", "withdraw-key", "dcs"), "needs-reason", 2),
    (("person", "administrator", "dcs", "--end"), "no-change", 3),
    (("body", "establish", "a b", *ESTABLISH[3:], "--outside"), "bad-reference", 2),
    ((*ESTABLISH,), "which-place", 2),
    ((*ESTABLISH, "--rung", "1", "--outside"), "which-place", 2),
    ((*ESTABLISH, "--rung", "0", "--quorum", "1"), "bad-rung", 2),
    ((*ESTABLISH, "--rung", "1"), "needs-quorum", 2),
    ((*ESTABLISH, "--rung", "1", "--quorum", "0"), "out-of-range", 2),
    ((*ESTABLISH, "--rung", "1", "--quorum", "9" * 30), "out-of-range", 2),
    ((*ESTABLISH, "--rung", "1", "--quorum", "1", "--power", "all"), "unknown-power", 2),
    ((*ESTABLISH, "--outside", "--power", "amend"), "outside-decides", 3),
    (("body", "establish", "IIB", *ESTABLISH[3:], "--outside"), "already-there", 3),
    (("body", "terms", "iib"), "nothing-to-change", 2),
    (("body", "terms", "iib", "--quorum", "0"), "out-of-range", 2),
    (("body", "terms", "iib", "--no-powers", "--power", "amend"), "usage", 2),
    (("body", "terms", "ofsted", "--power", "amend"), "outside-decides", 3),
    (("body", "appoint", "iib", "nobody"), "unknown-person", 4),
    (("body", "appoint", "none", "dcs"), "unknown-body", 3),
    (("body", "appoint", "ws", "dcs", "--until", "2020-01-01"), "ends-before-it-begins", 3),
    (("body", "appoint", "ws", "dcs", "--until", "2027-02-30"), "no-such-date", 2),
    (("body", "appoint", "ws", "dcs", "--capacity", "king"), "usage", 2),
    (("body", "appoint", "iib", "dcs"), "no-change", 3),
    (("body", "stand-down", "iib", "dcs"), "needs-reason", 2),
    (("body", "stand-down", "ws", "dcs", *WHY), "not-a-member", 3),
    (("body", "show", "none"), "unknown-body", 3),
    (("meeting", "record", "iib", "2099-01-01", "--present", "dcs"), "future-date", 3),
    (("meeting", "record", "iib", "2025-08-01", "--present", "dcs"), "unknown-body", 3),
    (("meeting", "record", "iib", "2025-11-13", "--present", "dcs,nobody"), "unknown-person", 4),
    (("meeting", "record", "iib", "2025-11-13", "--present", " , "), "nobody-present", 2),
    (("meeting", "record", "iib", "2025-11-13"), "usage", 2),
    (
        ("meeting", "record", "iib", "2025-11-13", "--present", "dcs", "--apologies", "dcs"),
        "present-and-absent",
        3,
    ),
    (
        ("--as", "dcs", "meeting", "record", "iib", "2025-11-13", "--present", "dcs"),
        "not-chair-or-secretary",
        4,
    ),
    (("meeting", "interest", "iib", str(MEETING), "dcs", "C9"), "not-there-yet", 3),
    (("meeting", "interest", "iib", str(MEETING), "head-edge", "C1"), "not-present", 3),
    (("meeting", "interest", "iib", "2025-11-13", "dcs", "C1"), "no-such-meeting", 3),
    (("meeting", "show", "iib", "2025-11-13"), "no-such-meeting", 3),
    (("plan", "terms"), "nothing-to-change", 2),
    (("plan", "terms", "--impact-kinds", "1"), "too-few-sources", 3),
    (("plan", "terms", "--most-revisions", "-1"), "out-of-range", 2),
    (("--as", "dcs", "plan", "terms", "--impact-kinds", "3"), "not-administrator", 4),
]


@pytest.mark.parametrize(
    ("words", "rule", "code"), REFUSED, ids=[f"{r}: {' '.join(w)}" for w, r, _ in REFUSED]
)
def test_what_makes_no_sense_is_refused_with_the_next_step(
    boards: Cli, words: tuple[str, ...], rule: str, code: int
) -> None:
    """Each refusal names its rule and what to do, and records nothing."""
    shutil.copy(key_folder() / "other", "private")
    shutil.copy(_pub("other"), "free.pub")
    shutil.copy(_pub("dcs"), "taken.pub")
    Path("picture.pub").write_bytes(b"\x89PNG\r\n\x00\xff")
    Path("large.pub").write_bytes(b"ssh-ed25519 " + b"A" * 100_000)
    answer = boards.refused(*words)
    assert (answer.error["rule"], answer.code) == (rule, code)


def test_a_private_key_is_never_kept(boards: Cli) -> None:
    """Somebody who gives the private key is told so, and nothing of it enters the ledger."""
    answer = boards.refused(*ENROL, str(key_folder() / "other"))
    assert "This is a private key" in answer.err
    assert ".pub" in answer.error["hint"]
    assert b"PRIVATE KEY" not in boards.path.read_bytes()


def test_a_set_up_that_was_dated_too_late_can_be_put_right(boards: Cli) -> None:
    """A meeting before its body is refused with the way out, and the way out works."""
    words = ("--name", "Late board", "--rung", "5", "--quorum", "1", "--power", "amend")
    late = boards.done("body", "establish", "late", *words).position
    seat = boards.done("body", "appoint", "late", "dcs", "--capacity", "chair").position
    record = ("meeting", "record", "late", "2025-11-13", "--present", "dcs")
    assert "--effective-on DATE --replaces N" in boards.refused(*record).error["hint"]
    boards.done("body", "establish", "late", *words, *ON, "--replaces", str(late))
    chair = ("body", "appoint", "late", "dcs", "--capacity", "chair", *ON)
    boards.done(*chair, "--replaces", str(seat))
    boards.done(*record)
    assert boards.data("meeting", "show", "late", "2025-11-13")["quorate"] is True


def test_answers_are_the_same_when_asked_as_known_then(boards: Cli) -> None:
    """Every view, asked again with the position that it printed, gives the same bytes."""
    views = [
        ("person", "list"),
        ("person", "show", "dcs"),
        ("body", "list"),
        ("body", "show", "iib"),
        ("meeting", "show", "iib", str(MEETING)),
    ]
    before = [boards.done("--json", *view).out for view in views]
    at = json.loads(before[0])["position"]
    boards.done("person", "withdraw-key", "dcs", *WHY)
    boards.done("body", "terms", "iib", "--quorum", "1", "--effective-on", "2025-09-02")
    boards.done("body", "stand-down", "iib", "dcs", "--effective-on", "2025-10-01", *WHY)
    record = ("meeting", "record", "iib", str(MEETING), "--present", "clerk")
    boards.done(*record)
    again = [boards.done("--json", *view, "--known-at", f"#{at}").out for view in views]
    assert again == before


@pytest.mark.parametrize("group", ["person", "body", "meeting", "evidence"])
def test_a_group_says_what_it_is_for(own_place: Path, group: str) -> None:
    """Each group has a help of its own that lists its commands."""
    assert run([group, "--help"]) == 0


def test_entries_in_words(boards: Cli) -> None:
    """A body outside the ladder has no quorum to speak of; a limit is said as people say it."""
    boards.done("body", "establish", "adviser", "--name", "Adviser", "--outside")
    for most in ("1", "3"):
        boards.done("plan", "terms", "--most-revisions", most)
    said = [row["what"] for row in boards.data("log", "--limit", "3")["entries"]]
    assert sorted(said) == [
        "Adviser established outside the ladder",
        "terms set: a timescale is revised at most 3 times",
        "terms set: a timescale is revised at most once",
    ]
