"""Sign-offs through the command line: what a member is shown, signs and is refused."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.board_commands import Appoint, DeclareInterest, Establish, RecordMeeting, StandDown
from domain.commands import (
    ChangeOwners,
    Close,
    NoteProgress,
    PlaceUnderReview,
    ReviseTimescale,
    Reword,
)
from domain.content import is_stale
from domain.errors import Refusal
from domain.evidence_commands import Lodge
from domain.importing import PlannedAction, PlannedMilestone
from domain.person_commands import Enrol, ReplaceKey
from domain.signing_commands import CastVote, Confirm
from domain.signoff_commands import Grant, Recommend
from ledger import signatures
from ledger.entry import Note
from ledger.keys import fingerprint, read_public_key
from projections.state import read_state
from projections.upkeep import open_ledger
from tests.boards import ADMIN, CODE, MEETING, SET_UP, Boards, key_folder, public_key
from tests.cli.driving import Answer, Cli, today
from tests.ledger.keys import make_key, script

DAY = ("--meeting", "2025-10-09")
LATER = date(2025, 11, 13)
AFTER = date(2025, 10, 20)
"""After the meeting at which something was signed off."""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No agent, no window that asks, no key: whatever the developer has."""
    for name in (
        *("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"),
        *("GOVLEDGER_SSH_KEYGEN", "GOVLEDGER_KEY", "GOVLEDGER_EVIDENCE"),
    ):
        monkeypatch.delenv(name, raising=False)


class Evening(Cli):
    """Commands on a plan with boards, each given by a person."""

    def by(self, who: str, *words: str) -> Answer:
        """A person gives a command, whatever comes of it."""
        return self("--as", who, "signoff", *words)

    def ok(self, who: str, *words: str) -> Answer:
        """A person gives a command that is carried out."""
        return self.done("--as", who, "signoff", *words)

    def no(self, rule: str, who: str, *words: str) -> Answer:
        """A person gives a command that a rule refuses."""
        answer = self.refused("--as", who, "signoff", *words)
        assert answer.error["rule"] == rule, answer
        return answer

    def vote(
        self, who: str, ref: str, phase: int = 1, *more: str, key: str | None = None
    ) -> Answer:
        """A person approves, as a script would."""
        return self.ok(who, *self.words("approve", ref, phase, key or who), *more)

    @staticmethod
    def words(vote: str, ref: str, phase: int = 1, key: str = "") -> tuple[str, ...]:
        """A signed command; without a key it names a file that is not there."""
        file = str(key_folder() / key) if key else "no-such-key"
        return vote, ref, "--phase", str(phase), *DAY, "--key", file, "--confirm", ref

    def boards(self) -> Boards:
        """The same ledger from within; close it before a command is refused."""
        found = Boards.__new__(Boards)
        found.ledger = open_ledger(self.path)
        return found

    def prepare(self, *steps: Callable[[Boards], Any]) -> None:
        """Do things on the ledger from within."""
        boards = self.boards()
        for step in steps:
            step(boards)
        boards.ledger.close()


@pytest.fixture
def board(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Evening:
    """A plan with boards, on which C1 and C2 are recommended for phase 1."""
    path = own_place / "boards.sqlite"
    boards = Boards(path)
    boards.ready("C1")
    boards.ready("C2")
    boards.ledger.close()
    monkeypatch.setenv("GOVLEDGER_LEDGER", str(path))
    return Evening(path, capsys, monkeypatch)


# --- what a member is shown -------------------------------------------------------------


def test_a_member_is_shown_what_they_sign(board: Evening) -> None:
    """Content, recommendation, votes so far, name, role, seat and meaning are on the screen."""
    board.vote("iib-chair", "C1")
    said = board.vote("lead-member", "C1").out
    shown = " ".join(said.split())
    for words in (
        "C1: you are asked to approve, in phase 1, that the activity is complete",
        "Wording: Edge of care offer",
        "Owners: Head of Edge of Care",
        "Timescale: March 2026",
        "performance of C1",
        "By The workstream lead, Workstream lead, for Partnership Oversight Group, on 1 October",
        "Reason: The work is done.",
        "Votes so far: 1 of the 2 approvals needed",
        "The independent chair, Independent chair: approved on 9 October 2025",
        "The lead member, Lead member",
        "member of Improvement and Impact Board, at its meeting of 9 October 2025",
        fingerprint(public_key("lead-member")),
        "I have read what is shown, and I approve that the activity is complete.",
        "from On track to Amber E",
    ):
        assert words in shown, words
    assert "Next: govledger signoff grant C1 --phase 1 --meeting 2025-10-09" in said


def test_what_is_shown_word_for_word_is_what_is_signed(board: Evening) -> None:
    """The statement on the screen is the one recorded, and the signature is good for it."""
    said = board.vote("iib-chair", "C1").out
    boards = board.boards()
    event: Any = boards.ledger.entry_at(boards.ledger.size()).event
    boards.ledger.close()
    assert "".join(f"  {line}\n" for line in event.statement.splitlines()) in said
    key = public_key("iib-chair")
    assert signatures.check(event.statement, event.signature, "iib-chair", key) is None


def test_a_dry_run_shows_it_and_signs_nothing(
    board: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--dry-run needs no key, no ssh-keygen and no confirmation, and records nothing."""
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "/nowhere/ssh-keygen")
    words = ("approve", "C1", "--phase", "1", *DAY, "--dry-run")
    with board.unchanged():
        said = board.ok("iib-chair", *words)
        data = board.data("--as", "iib-chair", "signoff", *words)
    assert "The statement that is signed, word for word" in said.out
    assert "Would be recorded as entry" in said.out
    assert data["statement"].startswith("govledger sign-off statement 1\n")
    assert "Wording: Edge of care offer\n" in data["content"]


def test_without_a_terminal_a_flag_confirms(board: Evening) -> None:
    """Where nobody can type, --confirm REF is asked for; another reference signs nothing."""
    words = board.words("approve", "C1", key="iib-chair")[:-2]
    assert "--confirm C1" in board.no("needs-confirm", "iib-chair", *words).error["hint"]
    board.no("not-confirmed", "iib-chair", *words, "--confirm", "C2")
    board.no("not-confirmed", "iib-chair", *words, "--confirm", "")
    board.ok("iib-chair", *words, "--confirm", "c1")


@pytest.mark.parametrize(("typed", "code"), [("C1", 0), ("C2", 3), ("", 3), ("\x04", 1)])
def test_on_a_terminal_the_reference_is_typed(board: Evening, typed: str, code: int) -> None:
    """Typing the reference signs; anything else stops, and nothing is recorded."""
    program = Path(sys.executable).parent / "govledger"
    words = ("--as", "iib-chair", "signoff", *board.words("approve", "C1", key="iib-chair")[:-2])
    before = board.path.read_bytes()
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(program), *words], stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ
    ) as running:
        os.close(theirs)
        said = b""
        while b"Type C1 to sign" not in said:
            said += os.read(ours, 4096)
        os.write(ours, f"{typed}\n".encode() if typed != "\x04" else b"\x04")
        while True:
            try:
                said += os.read(ours, 4096)
            except OSError:
                break
    os.close(ours)
    assert running.returncode == code, said.decode()
    assert (board.path.read_bytes() == before) == (code != 0)
    shown = " ".join(said.decode().split())
    assert "I have read what is shown, and I approve that the activity is complete." in shown


def test_a_vote_against_says_why(board: Evening) -> None:
    """A member declines with a signature and a reason; without a reason it is refused."""
    words = board.words("decline", "C1", key="lead-member")
    board.no("needs-reason", "lead-member", *words)
    said = board.ok("lead-member", *words, "--reason", "The audit is not there.").out
    assert "I have read what is shown, and I decline to approve that the activity" in said
    sheet = board.data("signoff", "show", "C1")["phases"][0]
    assert (sheet["approvals"], sheet["against"]) == ([], ["lead-member"])
    assert sheet["signed"][0]["reason"] == "The audit is not there."


def test_a_receipt_in_json(board: Evening) -> None:
    """With --json the answer holds what was signed, and nothing else is printed."""
    words = board.words("approve", "C1", key="iib-chair")
    data = board.data("--as", "iib-chair", "signoff", *words)
    assert data["recorded"][0]["type"] == "signoff.voted/1"
    assert data["recorded"][0]["effective_on"] == "2025-10-09"
    assert "Person: iib-chair\n" in data["statement"]
    assert data["files"] == []


# --- the files of evidence --------------------------------------------------------------


@pytest.fixture
def lodged(board: Evening, own_place: Path) -> Path:
    """The folder with the file of an item of evidence on C3, which is recommended."""
    folder = own_place / "evidence"
    folder.mkdir()
    (folder / "figures.csv").write_text("July,12\n")
    words = ("--kind", "performance", "--title", "Figures", "--file", "evidence/figures.csv")
    on = ("--effective-on", "2025-10-01")
    board.done("--as", "workstream-lead", "evidence", "lodge", "C3", *words, *on)
    board.ok("workstream-lead", "recommend", "C3", "--phase", "1", "--reason", "Done.", *on)
    return folder


def test_unchanged_files_are_said_to_be(board: Evening, lodged: Path) -> None:
    """With --evidence the screen says that the file is as lodged; without, that nobody looked."""
    words = (*board.words("approve", "C3", key="iib-chair"), "--dry-run")
    assert "figures.csv: not checked" in board.ok("iib-chair", *words).out
    said = board.ok("iib-chair", *words, "--evidence", str(lodged)).out
    assert "figures.csv: present, and as it was lodged" in said
    (lodged / "figures.csv").rename(lodged / "renamed.csv")
    said = board.ok("iib-chair", *words, "--evidence", str(lodged)).out
    assert "figures.csv: present under another name" in said


def test_a_file_that_changed_since_it_was_lodged_is_not_signed_for(
    board: Evening, lodged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed or a missing file refuses the signature, and is named."""
    words = board.words("approve", "C3", key="iib-chair")
    monkeypatch.setenv("GOVLEDGER_EVIDENCE", str(lodged))
    (lodged / "figures.csv").write_text("July,13\n")
    refused = board.no("evidence-changed", "iib-chair", *words)
    assert "'figures.csv'" in refused.error["message"]
    (lodged / "figures.csv").unlink()
    refused = board.no("evidence-missing", "iib-chair", *words)
    assert refused.code == 3
    board.no("no-folder", "iib-chair", *words, "--evidence", "nowhere")


# --- refused before anybody is asked to sign --------------------------------------------


REFUSED: list[tuple[str, str, str, tuple[Callable[[Boards], Any], ...]]] = [
    ("unknown-person", "A. Stranger", "C1", ()),
    ("not-a-member", "workstream-lead", "C1", ()),
    ("no-vote", "clerk", "C1", ()),
    ("not-present", "head-edge", "C2", ()),
    ("own-action", "dcs", "C2", ()),
    (
        "own-recommendation",
        "workstream-lead",
        "C1",
        (
            lambda b: b.by(ADMIN, Appoint("iib", "workstream-lead", "member")),
            lambda b: b.by(
                "clerk",
                RecordMeeting("iib", MEETING, ("iib-chair", "dcs", "workstream-lead")),
                MEETING,
            ),
        ),
    ),
    (
        "interest-declared",
        "lead-member",
        "C1",
        (lambda b: b.by("clerk", DeclareInterest("iib", MEETING, "lead-member", "C1"), MEETING),),
    ),
    (
        "not-a-member",
        "lead-member",
        "C1",
        (
            lambda b: b.by(
                ADMIN, Appoint("iib", "lead-member", "member", date(2025, 10, 8)), date(2025, 9, 2)
            ),
        ),
    ),
    (
        "no-key",
        "lead-member",
        "C1",
        (lambda b: b.by(ADMIN, ReplaceKey("lead-member", None), reason="Lost."),),
    ),
    ("voted-already", "lead-member", "C1", (lambda b: b.vote("lead-member", "C1"),)),
    ("not-recommended", "lead-member", "C3", ()),
    (
        "changed-since",
        "lead-member",
        "C1",
        (lambda b: _amend(b, Reword("C1", "Another offer"), date(2025, 10, 5)),),
    ),
    (
        "under-review",
        "lead-member",
        "C1",
        (lambda b: _amend(b, PlaceUnderReview("C1"), date(2025, 10, 5)),),
    ),
    ("not-there-yet", "lead-member", "C9", ()),
]


def _amend(boards: Boards, command: Any, on: date = AFTER) -> None:
    boards.ledger.act(CODE, command, Note(on, ADMIN, reason="Agreed.", source="A paper"))


@pytest.mark.parametrize(("rule", "who", "ref", "steps"), REFUSED, ids=lambda v: str(v)[:20])
def test_refused_before_anybody_signs(
    board: Evening, rule: str, who: str, ref: str, steps: tuple[Callable[[Boards], Any], ...]
) -> None:
    """Each rule refuses the vote before it is shown: the key that is named is never looked for."""
    board.prepare(*steps)
    board.no(rule, who, *board.words("approve", ref))


def test_a_member_whose_seat_ended_since_could_vote_then(board: Evening) -> None:
    """Membership counts as at the meeting, not as at the day of typing."""
    board.prepare(lambda b: b.by(ADMIN, StandDown("iib", "lead-member"), AFTER, "Left."))
    board.vote("lead-member", "C1")


# --- the key ----------------------------------------------------------------------------


def test_a_vote_by_another_key_is_refused(board: Evening) -> None:
    """A key that is not the person's, enrolled or not, signs nothing for them."""
    for key in ("other", "dcs"):
        with board.unchanged():
            answer = board.by("iib-chair", *board.words("approve", "C1", key=key))
        assert answer.code == 3
        assert "(wrong-key)" in answer.err


def test_a_wrong_passphrase_records_nothing(
    board: Evening, own_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong passphrase the vote fails and says so; with the right one it is recorded."""
    key = make_key(own_place / "locked", passphrase="open sesame")
    public = read_public_key(Path(f"{key}.pub").read_text())
    board.prepare(lambda b: b.by(ADMIN, ReplaceKey("iib-chair", public)))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    words = (*board.words("approve", "C1")[:-4], "--key", str(key), "--confirm", "C1")
    for passphrase, code in (("sesame", 1), ("open sesame", 0)):
        monkeypatch.setenv("SSH_ASKPASS", str(script(own_place / "asks", f"echo '{passphrase}'")))
        before = board.path.read_bytes()
        answer = board.by("iib-chair", *words)
        assert answer.code == code
        assert (board.path.read_bytes() == before) == (code == 1)
        assert ("The passphrase is wrong." in answer.err) == (code == 1)


def test_without_ssh_keygen_nothing_is_signed(
    board: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ssh-keygen is missing the command says what to install, and records nothing."""
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "/nowhere/ssh-keygen")
    with board.unchanged():
        answer = board.by("iib-chair", *board.words("approve", "C1", key="iib-chair"))
    assert answer.code == 1
    assert "(no-ssh-keygen)" in answer.err
    assert "openssh-client" in answer.err


def test_the_key_in_force_today_signs(board: Evening) -> None:
    """A key replaced between the meeting and the signing: the new one signs, not the old."""
    board.prepare(lambda b: b.by(ADMIN, ReplaceKey("iib-chair", public_key("other")), AFTER))
    assert board.by("iib-chair", *board.words("approve", "C1", key="iib-chair")).code == 3
    board.vote("iib-chair", "C1", key="other")


# --- a signature is bound ---------------------------------------------------------------


def _signed(boards: Boards, command: CastVote | Confirm, who: str) -> str:
    ready = boards.ledger.to_sign(CODE, command, Note(command.meeting, who, reason="Read."))
    return signatures.sign(ready.text, public_key(who), key_folder() / who)


def _refused(boards: Boards, command: CastVote | Confirm, who: str) -> str:
    with pytest.raises(Refusal) as refused:
        boards.ledger.govern(CODE, command, Note(command.meeting, who, reason="Read."))
    return refused.value.rule


SIGNED_AT = datetime(2025, 10, 9, 18, 30, tzinfo=UTC)
VOTE = CastVote("C1", 1, "approve", MEETING, SIGNED_AT, "iib")


def _second_board(boards: Boards) -> None:
    boards.by(ADMIN, Establish("scrutiny", "Scrutiny", 3, 1, ("phase_1",)))
    boards.by(ADMIN, Appoint("scrutiny", "lead-member", "chair"))
    boards.by("lead-member", RecordMeeting("scrutiny", MEETING, ("lead-member",)), MEETING)


MOVED: list[dict[str, Any]] = [
    {"ref": "C2"},
    {"phase": 2},
    {"body": "scrutiny"},
    {"vote": "decline"},
    {"meeting": date(2025, 10, 16)},
    {"signed_at": datetime(2025, 10, 9, 18, 31, tzinfo=UTC)},
    {"signature": "not a signature"},
    {"signature": ""},
]


@pytest.mark.parametrize("moved", MOVED, ids=str)
def test_a_signature_holds_for_one_vote_only(tmp_path: Path, moved: dict[str, Any]) -> None:
    """Moved to another action, phase, body, vote, meeting or time, the signature is refused."""
    boards = Boards(tmp_path / "ledger.sqlite")
    _second_board(boards)
    meeting = date(2025, 10, 16)
    boards.by("clerk", RecordMeeting("iib", meeting, ("iib-chair", "lead-member")), meeting)
    boards.ready("C1")
    boards.ready("C2")
    vote = replace(VOTE, signature=_signed(boards, VOTE, "lead-member"))
    if "phase" in moved:
        for who in ("iib-chair", "lead-member"):
            boards.sign(who, VOTE)
        boards.by("clerk", Grant("C1", 1, MEETING, "7.1", "iib"), MEETING)
        boards.ready("C1", 2)
    early = moved.get("meeting", MEETING) > MEETING  # it was signed before that meeting
    rule = "signed-another-day" if early else "bad-signature"
    assert _refused(boards, replace(vote, **moved), "lead-member") == rule
    if "phase" not in moved:  # where it belongs it is good
        boards.ledger.govern(CODE, vote, Note(MEETING, "lead-member", reason="Read."))


def test_a_signature_holds_for_one_person_only(tmp_path: Path) -> None:
    """Nobody can record an approval with the signature of somebody else."""
    boards = Boards(tmp_path / "ledger.sqlite")
    boards.ready("C1")
    signature = _signed(boards, VOTE, "lead-member")
    assert _refused(boards, replace(VOTE, signature=signature), "iib-chair") == "bad-signature"


def test_a_signature_holds_in_one_ledger_only(tmp_path: Path) -> None:
    """An approval replayed from another ledger, alike in everything else, is refused."""
    first, second = Boards(tmp_path / "one.sqlite"), Boards(tmp_path / "two.sqlite")
    for boards in (first, second):
        boards.ready("C1")
    vote = replace(VOTE, signature=_signed(first, VOTE, "lead-member"))
    assert _refused(second, vote, "lead-member") == "bad-signature"
    first.ledger.govern(CODE, vote, Note(MEETING, "lead-member"))


def test_a_signature_holds_for_one_round_only(tmp_path: Path) -> None:
    """After a recommendation was returned and made again, the old approval does not count."""
    boards = Boards(tmp_path / "ledger.sqlite")
    boards.ready("C1")
    signature = _signed(boards, VOTE, "lead-member")
    boards.by(
        "workstream-lead", Lodge("C1", "qualitative", "Audit", SET_UP, "R9"), date(2025, 10, 2)
    )
    boards.by("workstream-lead", Recommend("C1", 1), date(2025, 10, 2), "With the audit.")
    vote = replace(VOTE, signature=signature)
    assert _refused(boards, vote, "lead-member") == "bad-signature"


def test_a_voided_approval_is_not_entered_again_by_others(tmp_path: Path) -> None:
    """Once voided, an approval needs a new signature: nobody else can put the old one back."""
    boards = Boards(tmp_path / "ledger.sqlite")
    boards.ready("C1")
    vote = replace(VOTE, signature=_signed(boards, VOTE, "lead-member"))
    note = Note(MEETING, "lead-member")
    cast = boards.ledger.govern(CODE, vote, note).entries[0].position
    boards.ledger.void(cast, Note(boards.ledger.today(), ADMIN, reason="Withdrawn."))
    assert _refused(boards, vote, "lead-member") == "signed-before"
    boards.vote("lead-member", "C1")


# --- decided ----------------------------------------------------------------------------


def _rating(board: Evening, ref: str = "C1") -> str:
    rating: str = board.data("show", ref)["rating"]
    return rating


MINUTE = (*DAY, "--minute", "7.1")


def test_both_phases_to_green_and_back(board: Evening) -> None:
    """Phase 1 makes it Amber E, phase 2 Green; revoked they move it back, the later one first."""
    one, two = ("C1", "--phase", "1"), ("C1", "--phase", "2")
    board.vote("iib-chair", "C1")
    refused = board.no("quorum-not-reached", "clerk", "grant", *one, *MINUTE)
    assert "1 of 2 have approved" in refused.error["message"]
    board.vote("lead-member", "C1")
    board.no("not-chair-or-secretary", "lead-member", "grant", *one, *MINUTE)
    granted = board.ok("clerk", "grant", *one, *MINUTE)
    assert "rated Amber E, effective 9 October 2025" in granted.out
    assert _rating(board) == "Amber E"

    why = ("--reason", "Families say so.", "--effective-on", "2025-10-09")
    refused = board.no("too-little-evidence", "workstream-lead", "recommend", *two, *why)
    assert "only one of the four inner sources" in refused.error["message"]
    board.prepare(lambda b: b.ready("C1", 2))
    for who in ("iib-chair", "dcs"):
        board.vote(who, "C1", 2)
    board.ok("clerk", "grant", *two, *MINUTE)
    assert _rating(board) == "Complete"

    reason = ("--reason", "The audit found gaps.")
    board.no("needs-reason", "clerk", "revoke", *two, *MINUTE)
    board.no("phase-2-first", "clerk", "revoke", *one, *MINUTE, *reason)
    board.ok("clerk", "revoke", *two, *MINUTE, *reason)
    assert _rating(board) == "Amber E"
    board.ok("clerk", "revoke", *one, *MINUTE, *reason)
    assert _rating(board) == "On track"
    told = board.done("signoff", "show", "C1").out
    assert "revoked by Improvement and Impact Board, 9 October 2025, minute 7.1" in told
    assert "Reason: The audit found gaps." in told


def test_phase_2_needs_phase_1(board: Evening) -> None:
    """Phase 2 is not recommended while phase 1 is not granted."""
    lodge = Lodge("C1", "family_feedback", "Survey", SET_UP, "R", phase=2)
    board.prepare(lambda b: b.by("workstream-lead", lodge))
    words = ("recommend", "C1", "--phase", "2", "--reason", "Early.")
    board.no("phase-1-first", "workstream-lead", *words)


def test_a_returned_recommendation_is_made_again(board: Evening) -> None:
    """What the body returns with a reason is recommended anew; the votes then begin anew."""
    board.vote("iib-chair", "C1")
    words = ("return", "C1", "--phase", "1", *MINUTE)
    board.no("needs-reason", "clerk", *words)
    board.ok("clerk", *words, "--reason", "The audit is not there.")
    board.no("not-recommended", "clerk", "grant", "C1", "--phase", "1", *MINUTE)
    again = ("recommend", "C1", "--phase", "1", "--effective-on", "2025-10-09")
    board.no("needs-reason", "workstream-lead", *again)
    board.ok("workstream-lead", *again, "--reason", "Here it is.")
    sheet = board.data("signoff", "show", "C1", "--phase", "1")["phases"][0]
    assert (sheet["status"], sheet["approvals"]) == ("recommended", [])
    assert sheet["recommendation"]["reason"] == "Here it is."
    assert [vote["counts"] for vote in sheet["signed"]] == [False]
    board.vote("iib-chair", "C1")


def test_votes_for_another_body_do_not_make_the_quorum(board: Evening) -> None:
    """A quorum is of one body's own members, voting for it."""
    board.prepare(_second_board)
    words = board.words("approve", "C1", key="lead-member")
    board.no("which-body", "iib-chair", *board.words("approve", "C1"))
    board.ok("lead-member", *words, "--body", "scrutiny")
    board.vote("iib-chair", "C1", 1, "--body", "iib")
    grant = ("grant", "C1", "--phase", "1", *MINUTE)
    board.no("quorum-not-reached", "clerk", *grant, "--body", "iib")
    board.ok("lead-member", *grant, "--body", "scrutiny")


# --- stale ------------------------------------------------------------------------------


def _milestone(boards: Boards) -> None:
    row = PlannedAction("C1", 2, milestones=(PlannedMilestone(1, 3, "May 2026", "On track"),))
    boards.ledger.import_plan(CODE, [row], Note(AFTER, ADMIN, source="A paper"), whole=False)


def _evidence(boards: Boards) -> None:
    command = Lodge("C1", "qualitative", "Audit", SET_UP, "R9", phase=1)
    boards.by("workstream-lead", command, AFTER)


CHANGES: dict[str, Callable[[Boards], Any]] = {
    "Wording": lambda b: _amend(b, Reword("C1", "Another offer")),
    "Owners": lambda b: _amend(b, ChangeOwners("C1", "Head of Homes")),
    "Timescale": lambda b: _amend(b, ReviseTimescale("C1", "June 2026")),
    "Milestone 1": _milestone,
    "Evidence 2": _evidence,
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_makes_it_stale_until_confirmed(board: Evening, what: str) -> None:
    """Wording, owners, timescale, a milestone or evidence: each makes it stale, shown as such."""
    board.prepare(_sign_off, CHANGES[what])
    row = board.data("signoff", "list", "--stale")["signoffs"]
    assert [(line["ref"], [c["what"] for c in line["changed"]]) for line in row] == [("C1", [what])]
    assert f"STALE: changed since: {what}" in " ".join(board.done("signoff", "list").out.split())
    told = board.done("signoff", "show", "C1").out
    assert "STALE: what was signed off has changed since" in told
    assert f"    {what}: was " in told
    before = board.data("signoff", "list", "--stale", "--as-at", "2025-10-19")
    assert before["signoffs"] == []

    there = ("iib-chair", "dcs", "lead-member")
    board.prepare(lambda b: b.by("clerk", RecordMeeting("iib", LATER, there), LATER))
    words = ("confirm", "C1", "--phase", "1", "--meeting", "2025-11-13", "--minute", "6.2")
    for number, who in enumerate(("dcs", "lead-member"), 1):
        key = ("--key", str(key_folder() / who), "--confirm", "C1")
        said = board.ok(who, *words, *key).out
        assert f"{number - 1} of the 2 confirmations needed" in said
        assert len(board.data("signoff", "list", "--stale")["signoffs"]) == 2 - number
    assert f"Changed since it was signed off\n  {what}: was " in said
    assert "I confirm that the activity is complete" in said
    assert board.data("signoff", "list", "--stale")["signoffs"] == []
    assert "confirmed it on 13 November 2025" in " ".join(
        board.done("signoff", "show", "C1").out.split()
    )
    board.no("not-stale", "iib-chair", *words, *key)


def _sign_off(boards: Boards, ref: str = "C1") -> None:
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, ref)
    boards.grant(ref)


def test_other_changes_leave_it_as_it_is(board: Evening) -> None:
    """Progress noted, or evidence for phase 2, does not make the sign-off of phase 1 stale."""
    lodge = Lodge("C1", "qualitative", "Audit", SET_UP, "R9")
    board.prepare(
        _sign_off,
        lambda b: _amend(b, NoteProgress("C1", "Going well.")),
        lambda b: b.by("workstream-lead", lodge, AFTER),
    )
    assert board.data("signoff", "list", "--stale")["signoffs"] == []


def test_the_order_of_typing_makes_nothing_stale(board: Evening) -> None:
    """Evidence recorded late with an earlier date reads the same to the vote and to the list."""
    lodge = Lodge("C3", "performance", "Figures", SET_UP, "R")
    board.prepare(
        lambda b: b.by("workstream-lead", replace(lodge, called="Later"), date(2025, 9, 30)),
        lambda b: b.by("workstream-lead", lodge, date(2025, 9, 20)),
        lambda b: b.by("workstream-lead", Recommend("C3", 1), date(2025, 10, 1), "Done."),
        lambda b: _sign_off(b, "C3"),
    )
    boards = board.boards()
    with boards.ledger.database.reading() as connection:
        state = read_state(connection, CODE, boards.ledger.moment())
        told: Any = boards.ledger.timeline(f"action/{CODE}/C3").state_at(date.max)
        for action in (state.actions["C3"], told):
            assert not is_stale(action, 1, state.plan.scale)
    boards.ledger.close()


# --- lists ------------------------------------------------------------------------------


def test_what_waits_and_for_whom(board: Evening) -> None:
    """--pending gives the votes so far and who can still vote, and why others cannot."""
    board.prepare(
        lambda b: b.by("clerk", DeclareInterest("iib", MEETING, "lead-member", "C2"), MEETING)
    )
    board.vote("iib-chair", "C1")
    found = board.data("signoff", "list", "--pending")["signoffs"]
    waits = {line["ref"]: [who["person"] for who in line["waits_for"]] for line in found}
    assert waits == {"C1": ["dcs", "lead-member"], "C2": ["iib-chair"]}
    barred = {who["person"]: who["rule"] for who in found[1]["barred"]}
    assert barred == {
        "dcs": "own-action",
        "lead-member": "interest-declared",
        "head-edge": "not-present",
    }
    told = board.done("--plain", "signoff", "list", "--pending").out
    assert "1 of 2 approvals" in told
    assert "dcs, lead-member, at the meeting of 9 October 2025" in _waits_for(board)


def _waits_for(board: Evening) -> str:
    """The words of the last column of --pending, put together again."""
    lines = board.done("--plain", "signoff", "list", "--pending").out.splitlines()
    at = lines[1].index("Waits for")
    return " ".join(line[at:].strip() for line in lines[1:])


def test_what_waits_for_the_grant_alone(board: Evening) -> None:
    """Where enough have approved and nobody else can vote, it is ready to grant and no more."""
    for who in ("iib-chair", "lead-member", "dcs"):
        board.vote(who, "C1")
    assert "ready to grant iib-chair, lead-member, at the meeting of" in _waits_for(board), "C1; C2"


def test_what_cannot_be_decided_says_why(board: Evening) -> None:
    """On an action that is closed or under review nothing waits for a vote."""
    board.prepare(lambda b: _amend(b, PlaceUnderReview("C1"), AFTER))
    assert "cannot be decided: the action is under review" in _waits_for(board)
    board.prepare(lambda b: _amend(b, Close("C2"), AFTER))
    found = board.data("signoff", "list", "--pending")["signoffs"]
    why = {line["ref"]: (line["undecidable"], line["ready"]) for line in found}
    assert why == {
        "C1": ("the action is under review", False),
        "C2": ("the action is closed", False),
    }


def test_a_recommendation_stays_one_when_the_rating_is_taken_over(board: Evening) -> None:
    """A rating taken over in the meantime does not hide that a decision is asked for."""
    row = PlannedAction("C1", 2, rating="Green")
    note = Note(AFTER, ADMIN, source="Council paper 12")
    board.prepare(lambda b: b.ledger.import_plan(CODE, [row], note, whole=False))
    data = board.data("signoff", "list")
    assert [(x["ref"], x["status"]) for x in data["signoffs"]] == [
        ("C1", "recommended"),
        ("C2", "recommended"),
    ]
    assert [(x["ref"], x["phase"]) for x in data["taken_over"]] == [("C1", 2)]


def test_a_withdrawn_key_has_signed_what_came_before_it(board: Evening) -> None:
    """Withdrawing a key says how much it signed the same day, which stands; a rehearsal too."""
    words = ("--as", ADMIN, "person", "withdraw-key", "iib-chair", "--reason", "Stolen.")
    assert "statement" not in board.done(*words, "--dry-run").err
    board.vote("iib-chair", "C1")
    day_before = today() - timedelta(days=1)
    said = (
        "Note: iib-chair signed 1 statement today before this. If it is in doubt too, give "
        f"--effective-on {day_before}."
    )
    assert said in board.done(*words, "--dry-run").err
    assert "no longer" not in board.done(*words, "--dry-run").err
    doubted = board.done(*words, "--effective-on", str(day_before), "--dry-run").err
    assert "1 decision(s) would no longer be supported" in doubted
    assert said not in doubted
    assert said in board.done(*words).err


def test_what_waits_for_one_person(board: Evening) -> None:
    """--for PERSON gives what they can vote on, and what not with the reason."""
    board.vote("iib-chair", "C1")

    def can(who: str) -> dict[str, str | None]:
        rows = board.data("signoff", "list", "--pending", "--for", who)["signoffs"]
        assert all(row["can_vote"] == (row["rule"] is None) for row in rows)
        return {row["ref"]: row["rule"] for row in rows}

    assert can("lead-member") == {"C1": None, "C2": None}
    assert can("The lead member") == {"C1": None, "C2": None}
    assert can("dcs") == {"C1": None, "C2": "own-action"}
    assert can("iib-chair") == {"C1": "voted-already", "C2": None}
    assert can("workstream-lead") == {"C1": "not-a-member", "C2": "not-a-member"}
    board.prepare(lambda b: _amend(b, Reword("C1", "New"), AFTER))
    assert can("lead-member") == {"C1": "changed-since", "C2": None}
    told = board.done("signoff", "list", "--for", "dcs").out
    assert "Waiting for the vote of The director of children's services (dcs): none" in told
    assert "Not for The director of children's services (dcs) to vote on (2)" in told
    assert "nobody signs off their own" in told
    board.refused("signoff", "list", "--for", "A. Stranger")


def test_the_list_is_narrowed(board: Evening) -> None:
    """By phase and by body, as at a date and as known after an entry."""
    board.prepare(_sign_off)

    def found(*words: str) -> list[tuple[str, int, str]]:
        rows = board.data("signoff", "list", *words)["signoffs"]
        return [(row["ref"], row["phase"], row["status"]) for row in rows]

    both = [("C1", 1, "granted"), ("C2", 1, "recommended")]
    assert found() == both
    assert found("--phase", "1") == both
    assert found("--phase", "2") == []
    assert found("--body", "Improvement and Impact Board") == both
    assert found("--body", "pog") == both
    assert found("--body", "cfc") == []
    assert found("--pending") == both[1:]
    assert found("--as-at", "2025-10-08") == [("C1", 1, "recommended"), both[1]]
    assert found("--as-at", "2025-09-30") == []
    last = board.done("--json", "signoff", "list").json["position"]
    assert found("--known-at", f"#{last - 1}") == [("C1", 1, "recommended"), both[1]]
    board.refused("signoff", "list", "--body", "nobody")
    assert "granted" in board.done("signoff", "list").out


def test_a_rating_taken_over_is_said_to_be(board: Evening) -> None:
    """A rating from a published document is no sign-off, and is shown with the document."""
    row = PlannedAction("C3", 2, rating="Green")
    note = Note(AFTER, ADMIN, source="Council paper 12")
    board.prepare(lambda b: b.ledger.import_plan(CODE, [row], note, whole=False))
    data = board.data("signoff", "list")
    assert [line["ref"] for line in data["signoffs"]] == ["C1", "C2"]
    over = [(x["ref"], x["phase"], x["taken_over_from"]) for x in data["taken_over"]]
    assert over == [("C3", 1, "Council paper 12"), ("C3", 2, "Council paper 12")]
    assert "1 action has a rating taken over" in board.done("signoff", "list").out
    told = board.done("signoff", "show", "C3", "--phase", "2").out
    assert "taken over from Council paper 12; nobody signed it off here" in told


def test_a_voided_vote_stays_in_the_story(board: Evening) -> None:
    """A void re-opens what rested on it, and both are told with the reason."""
    board.prepare(_sign_off)
    sheet = board.data("signoff", "show", "C1")["phases"][0]
    entry = str(sheet["signed"][0]["entry"])
    board.done("--as", ADMIN, "void", entry, "--reason", "Typed for another action.")
    sheet = board.data("signoff", "show", "C1")["phases"][0]
    assert (sheet["status"], sheet["approvals"]) == ("recommended", ["lead-member"])
    assert [vote["counts"] for vote in sheet["signed"]] == [False, True]
    told = " ".join(board.done("signoff", "show", "C1").out.split())
    assert "Typed for another action.]" in told
    assert "the quorum is not reached: 1 of 2]" in told
    assert sheet["reopened_by"] > int(entry)
    assert f"waits for Improvement and Impact Board; re-opened by entry {sheet['reopened_by']}" in (
        told
    )
    assert _rating(board) == "On track"


def test_without_ssh_keygen_nothing_is_called_verified(
    board: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` then says what holds and that the signatures were not checked, and fails."""
    board.vote("iib-chair", "C1")
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "/nowhere/ssh-keygen")
    answer = board("verify")
    assert (answer.code, "Verified" in answer.out) == (1, False)
    assert "The signatures could not be checked.\n" in answer.out
    assert "every entry keeps to the rules" in answer.out
    assert "(no-ssh-keygen)" in answer.err


def test_where_every_signature_fails_the_checker_is_doubted(
    board: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All signatures bad is more likely an ssh-keygen that does not work; two may well be bad."""
    no = script(tmp_path / "no", "echo 'Could not verify signature.'", "exit 255")
    for count, who in enumerate(("iib-chair", "lead-member", "dcs"), 1):
        monkeypatch.delenv("GOVLEDGER_SSH_KEYGEN", raising=False)
        board.vote(who, "C1")
        monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", str(no))
        answer = board("verify")
        assert answer.code == 5
        assert ("check that ssh-keygen works: GOVLEDGER_SSH_KEYGEN" in answer.err) is (count > 2)


def test_a_vote_against_is_called_that(board: Evening) -> None:
    """A member votes against; it is the body that declines."""
    board.ok("iib-chair", *board.words("decline", "C1", key="iib-chair"), "--reason", "Too soon.")
    told = " ".join(board.done("signoff", "show", "C1").out.split())
    assert "phase 1 voted against by The independent chair (iib-chair) for Improvement" in told
    assert (
        "voted against by The independent chair" in board.data("show", "C1")["signoffs"][0]["words"]
    )


def test_an_action_without_sign_offs_is_shown(board: Evening) -> None:
    """Each phase then says that it is not recommended yet."""
    told = board.done("signoff", "show", "C3").out
    assert told.count("not recommended yet") == 2
    board.refused("signoff", "show", "C9")


def test_a_closed_period_needs_a_correction(board: Evening) -> None:
    """A vote in a period that a report has closed says that it is a correction, and why."""
    board.prepare(
        lambda b: b.ledger.issue_report(
            CODE, "R1", "Committee", AFTER, date(2025, 10, 15), Note(AFTER, ADMIN)
        )
    )
    board.no("period-closed", "iib-chair", *board.words("approve", "C1"))
    more = ("--correction", "--reason", "Signed at the meeting, typed late.")
    board.vote("iib-chair", "C1", 1, *more)


def test_a_new_member_votes_with_their_own_key(board: Evening) -> None:
    """A person enrolled and appointed later votes at a later meeting, not at an earlier one."""
    new = Enrol("newcomer", "A newcomer", "Parent carer", public_key("other"))
    board.prepare(
        lambda b: b.by(ADMIN, new, AFTER),
        lambda b: b.by(ADMIN, Appoint("iib", "newcomer", "member"), AFTER),
        lambda b: b.by("clerk", RecordMeeting("iib", LATER, ("iib-chair", "newcomer")), LATER),
    )
    board.no("unknown-person", "newcomer", *board.words("approve", "C1"))
    words = ("approve", "C1", "--phase", "1", "--meeting", "2025-11-13")
    board.ok("newcomer", *words, "--key", str(key_folder() / "other"), "--confirm", "C1")
