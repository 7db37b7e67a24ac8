"""A board's evening, by the program as people start it: each member at a machine of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.commands import Add
from ledger.entry import Note
from ledger.verification import verify
from projections.upkeep import check_read_models, open_ledger
from tests.boards import ADMIN, BEGAN, CODE, MEETING, Boards, key_folder
from tests.ledger.keys import script

PROGRAM = str(Path(sys.executable).parent / "govledger")
ITEMS = ("C1", "C2", "C3", "C4", "C5")
DAY = MEETING.isoformat()
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Boards]:
    """Five actions that the oversight group recommends, and three members who own none of them."""
    boards = Boards(tmp_path / "ledger.sqlite")
    for ref in ("C4", "C5"):
        added = Note(BEGAN, ADMIN, reason="Added.", source="Council, 6 January 2025")
        boards.ledger.act(CODE, Add(ref, f"Action {ref}", "Edge of care"), added)
    for ref in ITEMS:
        boards.ready(ref)
    yield boards
    boards.ledger.close()


def give(boards: Boards, who: str, *words: str, ssh_keygen: str = "ssh-keygen") -> Ran:
    """A command of a person in a process of its own."""
    environment = {
        **os.environ,
        "GOVLEDGER_LEDGER": str(boards.ledger.database.path),
        "GOVLEDGER_PERSON": who,
        "GOVLEDGER_SSH_KEYGEN": ssh_keygen,
    }
    return subprocess.run(
        [PROGRAM, *words], capture_output=True, text=True, env=environment, timeout=120, check=False
    )


def approve(boards: Boards, who: str, ref: str, ssh_keygen: str = "ssh-keygen") -> Ran:
    key = str(key_folder() / who)
    words = ("--phase", "1", "--meeting", DAY, "--key", key, "--confirm", ref)
    return give(boards, who, "signoff", "approve", ref, *words, ssh_keygen=ssh_keygen)


def test_five_sign_offs_are_decided_by_three_members_at_once(evening: Boards) -> None:
    """Each member votes in processes of their own, all at the same time; no vote is lost.

    The clerk opens the meeting, grants what reached the quorum, and prints the minutes.
    """
    clerk = "clerk"
    there = "iib-chair,dcs,lead-member,head-edge,clerk"
    opened = give(evening, clerk, "meeting", "record", "iib", DAY, "--present", there)
    assert opened.returncode == 0, opened.stderr

    def votes(who: str) -> list[Ran]:
        return [approve(evening, who, ref) for ref in ITEMS]

    with ThreadPoolExecutor(3) as pool:
        all_votes = dict(
            zip(
                ("iib-chair", "lead-member", "head-edge"),
                pool.map(votes, ("iib-chair", "lead-member", "head-edge")),
                strict=True,
            )
        )
    for who, given in all_votes.items():
        for ref, ran in zip(ITEMS, given, strict=True):
            if who == "head-edge" and ref in ("C1", "C3"):  # their own actions
                assert ran.returncode == 3, ran
                assert "own-action" in ran.stderr
            else:
                assert ran.returncode == 0, ran.stderr
    for number, ref in enumerate(ITEMS, 1):
        granted = give(
            evening, clerk, "signoff", "grant", ref, "--phase", "1", "--meeting", DAY,
            "--minute", f"4.{number}",
        )  # fmt: skip
        assert granted.returncode == 0, granted.stderr
    shown = give(evening, clerk, "--json", "overview")
    ratings = {row["ref"]: row["rating"] for row in json.loads(shown.stdout)["data"]["actions"]}
    assert ratings == dict.fromkeys(ITEMS, "Amber E")
    minutes = give(evening, clerk, "review", "meeting", "iib", DAY)
    assert minutes.returncode == 0, minutes.stderr
    for ref in ITEMS:
        assert ref in minutes.stdout
    for words in ("Independent chair", "Lead member", "minute 4.5"):
        assert words in minutes.stdout, minutes.stdout
    again = open_ledger(str(evening.ledger.database.path))
    assert verify(again).findings == ()
    assert check_read_models(again) == []
    again.close()


def test_votes_that_collide_are_both_recorded(evening: Boards, tmp_path: Path) -> None:
    """Two members sign the same action at the same moment: the second is decided again by itself.

    The check of a signature is slowed down, so that each reads before the other has recorded.
    """
    slow = str(
        script(tmp_path / "slow", 'case "$2" in verify) sleep 1;; esac', 'exec ssh-keygen "$@"')
    )
    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda who: approve(evening, who, "C4", slow), ("iib-chair", "lead-member"))
        )
    assert [ran.returncode for ran in both] == [0, 0], [ran.stderr for ran in both]
    shown = give(evening, "clerk", "--json", "show", "C4")
    assert '"C4"' in shown.stdout
    granted = give(
        evening, "clerk", "signoff", "grant", "C4", "--phase", "1", "--meeting", DAY,
        "--minute", "4.4",
    )  # fmt: skip
    assert granted.returncode == 0, granted.stderr


def test_two_who_grant_at_once_grant_once(evening: Boards) -> None:
    """The chair and the clerk record the same grant: one is recorded, the other told so."""
    for who in ("iib-chair", "lead-member"):
        assert approve(evening, who, "C5").returncode == 0

    def grant(who: str) -> Ran:
        words = ("C5", "--phase", "1", "--meeting", DAY, "--minute", "4.5")
        return give(evening, who, "signoff", "grant", *words)

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(grant, ("iib-chair", "clerk")))
    assert sorted(ran.returncode for ran in both) == [0, 3], both
    told = next(ran.stderr for ran in both if ran.returncode)
    assert "changed-meanwhile" in told or "not-recommended" in told
