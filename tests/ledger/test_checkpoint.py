"""Checkpoints: the published ones, signing, opening, and whatever bytes arrive."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput, IntegrityBroken, Refusal
from ledger.checkpoint import (
    LARGEST,
    Checkpoint,
    origin_of,
    parse_checkpoint,
    parse_size,
    read_checkpoint,
    sign_checkpoint,
)
from ledger.note import COSIGNATURE, new_signer, parse_verifier
from tests.ledger.test_note import KNOWN

SIGNER = new_signer(origin_of("abc"))
CHECKPOINT = Checkpoint("govledger/abc", 326, bytes(range(32)))
SIGNED = sign_checkpoint(CHECKPOINT, SIGNER)


def test_published_checkpoints() -> None:
    """The examples of the specification say what it says of them."""
    for whole in KNOWN["checkpoints"].values():
        found = read_checkpoint(whole.encode()).checkpoint
        assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
        assert found.root.hex().startswith("0ac5186a91863e8e")
        assert found.ledger_id is None


def test_a_checkpoint_of_a_public_log_and_its_witness() -> None:
    """A real log's signature and a real witness's cosignature hold, and bind size and time."""
    public = KNOWN["public_log"]
    keys = parse_verifier(public["log_key"]), parse_verifier(public["cosigner"])
    found = read_checkpoint(public["checkpoint"].encode()).opened_with(keys[0], keys[1:])
    assert [(one.verifier, one.seconds) for one in found] == [
        (keys[0], None),
        (keys[1], 1_779_573_024),
    ]
    other = read_checkpoint(public["checkpoint"].replace("1432088532", "1432088533").encode())
    for key in keys:
        with pytest.raises(IntegrityBroken):
            other.note.check([key])


def test_a_signed_checkpoint_comes_back() -> None:
    """A checkpoint is read from its note as it was, and opens by its ledger's key."""
    held = read_checkpoint(SIGNED.encode())
    assert held.checkpoint == CHECKPOINT
    assert held.checkpoint.ledger_id == "abc"
    assert [found.verifier for found in held.opened_with(SIGNER.verifier)] == [SIGNER.verifier]


def test_only_the_ledgers_own_key_opens_it() -> None:
    """A key of the same name, one of another name, and a cosigner's do not open it."""
    held = read_checkpoint(SIGNED.encode())
    for other, rule in (
        (new_signer("govledger/abc"), "not-signed"),
        (new_signer("govledger/xyz"), "other-log-key"),
        (new_signer("govledger/abc", COSIGNATURE), "other-log-key"),
    ):
        with pytest.raises(Refusal) as refused:
            held.opened_with(other.verifier)
        assert refused.value.rule == rule
    with pytest.raises(Refusal, match="is that of"):
        sign_checkpoint(CHECKPOINT, new_signer("govledger/xyz"))


def test_a_bad_cosignature_of_a_known_cosigner_is_found() -> None:
    """Where a known cosigner's line does not hold, the checkpoint is not taken."""
    cosigner = new_signer("scrutiny", COSIGNATURE)
    other = Checkpoint("govledger/abc", 327, CHECKPOINT.root)
    note = read_checkpoint(SIGNED.encode()).note.signed(cosigner.sign(other.text, 5))
    with pytest.raises(IntegrityBroken):
        read_checkpoint(note.full.encode()).opened_with(SIGNER.verifier, [cosigner.verifier])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n326\n", "\n0326\n"),
        ("\n326\n", "\n+326\n"),
        ("\n326\n", "\n32 6\n"),
        ("\n326\n", "\n\uff13\uff12\uff16\n"),
        ("\n326\n", f"\n{LARGEST + 1}\n"),
        ("\n326\n", "\n\n326\n"),
        ("govledger/abc\n", "\n"),
        ("HR4f\n", "HR4\n"),
        ("HR4f\n", "\n"),
        ("=\n", "=\n\n"),
        ("=\n", "="),
        ("=\n", "==\n"),
        ("AAEC", "AAE"),
    ],
)
def test_texts_that_are_no_checkpoint(old: str, new: str) -> None:
    """What departs from the form is bad input, with a way on."""
    text = CHECKPOINT.text
    if old not in text:
        old, new = "=\n", "\n"
    with pytest.raises(BadInput) as refused:
        parse_checkpoint(text.replace(old, new, 1))
    assert (refused.value.rule, bool(refused.value.hint)) == ("unreadable-checkpoint", True)


def test_further_lines_are_kept() -> None:
    """Extension lines mean nothing here, and come back as they were."""
    text = CHECKPOINT.text + "one\ntwo\n"
    assert parse_checkpoint(text).extensions == ("one", "two")
    assert parse_checkpoint(text).text == text


@given(st.text(max_size=25))
def test_sizes_are_read_in_one_form_only(written: str) -> None:
    """A size is what a number would be written as, and nothing else."""
    size = parse_size(written)
    assert size is None or str(size) == written


WHOLE = SIGNED.encode()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 40), st.binary(max_size=12)).map(
            lambda cut: WHOLE[: cut[0]] + cut[2] + WHOLE[cut[0] + cut[1] :]
        ),
    )
)
def test_any_bytes_are_a_checkpoint_or_bad_input(data: bytes) -> None:
    """Whatever arrives is read as a checkpoint that comes back byte for byte, or is bad input."""
    try:
        held = read_checkpoint(data)
    except BadInput:
        return
    assert held.note.full.encode() == data
    assert held.checkpoint.text == held.note.text


def test_an_outsider_needs_no_database() -> None:
    """Notes, checkpoints and proofs are checked without any library but `cryptography`."""
    code = (
        "import sys, ledger.proof; "
        "print([n for n in sys.modules if n.split('.')[0] in "
        "('sqlalchemy', 'eventsourcing', 'pydantic', 'orjson', 'sqlite3', 'click')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")
