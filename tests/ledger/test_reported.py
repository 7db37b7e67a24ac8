"""The checkpoints that reports record, and what `verify` makes of those that are none."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Refusal
from domain.plan import ReportIssued
from ledger.checkpoint import Checkpoint, origin_of, read_checkpoint, sign_checkpoint
from ledger.entry import Note
from ledger.note import new_signer, parse_verifier
from ledger.proving import ledger_id, signed_checkpoint
from ledger.service import Ledger
from ledger.verification import verify
from tests.ledger.behind import findings, named, tamper
from tests.ledger.forging import force
from tests.ledger.test_tampering_kinds import KINDS

PLAN = "P"
DAY = date(2025, 9, 1)
ON = Note(DAY, "A. Clerk")


@pytest.fixture
def ledger(new_ledger: Ledger) -> Ledger:
    new_ledger.create_plan(PLAN, "Plan", ON)
    return new_ledger


def issued(ledger: Ledger, signer: Any, ref: str = "R1", day: date = DAY, **more: Any) -> Any:
    receipt = ledger.issue_report(PLAN, ref, "Committee", day, day, ON, signer=signer, **more)
    return receipt.entries[0].event


def test_a_report_records_a_checkpoint_of_what_it_was_made_from(ledger: Ledger) -> None:
    """The checkpoint is of the entries known then, opens by the key on record, and verifies."""
    signer = new_signer(origin_of(ledger_id(ledger)))
    event = issued(ledger, signer, known_at=1)
    held = read_checkpoint(event.checkpoint.encode())
    held.opened_with(parse_verifier(event.checkpoint_key))
    assert (held.checkpoint.size, held.checkpoint.root.hex()) == (1, event.root)
    assert event.checkpoint_key == signer.verifier.text
    assert verify(ledger).findings == ()


def test_a_report_without_a_key_says_nothing_of_one(ledger: Ledger) -> None:
    """Without a key the entry is what it was before there were checkpoints."""
    event = issued(ledger, None)
    assert (event.checkpoint, event.checkpoint_key) == (None, None)
    stored = ledger.recorder.select_events(f"plan/{PLAN}")[-1]
    assert b"checkpoint" not in stored.state
    assert verify(ledger).findings == ()


def test_a_key_of_another_ledger_signs_no_report(ledger: Ledger) -> None:
    """Nothing is recorded with another ledger's key."""
    size = ledger.size()
    with pytest.raises(Refusal, match="is that of"):
        issued(ledger, new_signer("govledger/xyz"))
    assert ledger.size() == size


def test_every_lie_of_a_forged_report_is_found(ledger: Ledger) -> None:
    """A report forced in past the commands, with a checkpoint that is none of this ledger's."""
    signer = new_signer(origin_of(ledger_id(ledger)))
    key, other = signer.verifier.text, new_signer(origin_of("xyz"))
    root = ledger.moment(known_at=1).root
    good = signed_checkpoint(ledger, signer, 1)
    two = signed_checkpoint(ledger, signer, 2)
    foreign = sign_checkpoint(Checkpoint(other.name, 1, bytes.fromhex(root)), other)
    said: dict[str, dict[str, Any]] = {
        "another root": {"root": "ab" * 32},
        "more entries than there were": {"known_at": 99},
        "a checkpoint of others": {"checkpoint": two},
        "another ledger's": {"checkpoint": foreign, "checkpoint_key": other.verifier.text},
        "a key that did not sign": {"checkpoint_key": new_signer(signer.name).verifier.text},
        "a signature bent": {"checkpoint": good.replace("\n1\n", "\n2\n", 1)},
        "no note": {"checkpoint": "no note"},
        "no key": {"checkpoint_key": None},
        "a key alone": {"checkpoint": None},
    }
    fields: dict[str, Any] = {
        "committee": "C",
        "meeting": DAY,
        "as_at": DAY,
        "known_at": 1,
        "root": root,
        "checkpoint": good,
        "checkpoint_key": key,
    }
    events = [ReportIssued(report="good", **fields)]
    events += [ReportIssued(report=name, **fields | lie) for name, lie in said.items()]
    positions = force(ledger, *((f"plan/{PLAN}", event, ON) for event in events))
    assert named(verify(ledger).findings) == [("bad-checkpoint", at) for at in positions[1:]]


@pytest.mark.parametrize("value", KINDS)
def test_a_report_with_a_payload_of_another_kind(example_path: Path, value: str) -> None:
    """Whatever an edit leaves in a report's payload is a finding there, and no error."""
    tamper(
        example_path,
        f"UPDATE entries SET payload = {value} WHERE type = 'plan.report_issued/1'",
    )
    found = findings(example_path)
    assert found[0][0] == "entry-changed"
    assert len({position for _kind, position in found}) == 1


def test_a_tree_that_cannot_be_read_is_a_finding(example_path: Path) -> None:
    """Where the hashes beside the entries were put out of kind, the reports do not stop verify."""
    tamper(example_path, "UPDATE entries SET subtrees = 'text' WHERE position % 64 = 0")
    kinds = {kind for kind, _position in findings(example_path)}
    assert {"entry-changed", "bad-checkpoint"} <= kinds
