"""Signed notes and cosignatures: those that others published, and whatever bytes arrive."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput, IntegrityBroken, Refusal
from ledger.note import (
    COSIGNATURE,
    ED25519,
    Note,
    Signature,
    Verifier,
    from_base64,
    is_key_name,
    new_signer,
    open_note,
    parse_note,
    parse_signer,
    parse_verifier,
    sign_note,
    to_base64,
)

KNOWN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors" / "notes.json").read_text("utf-8")
)
PETER = parse_verifier(KNOWN["peter"]["verifier"])
ENOCH = parse_verifier(KNOWN["enoch"]["verifier"])
BY_PETER = f"{KNOWN['text']}\n{KNOWN['peter_line']}"
BY_BOTH = BY_PETER + KNOWN["enoch_line"]
TEXT = "a ledger\n1\nroot\n"


def names(note: str, *verifiers: Verifier) -> list[str]:
    return [found.verifier.name for found in open_note(note.encode(), verifiers)[1]]


def test_a_published_key_signs_the_published_note() -> None:
    """Go's example key gives Go's example note, byte for byte, and its own verifier key."""
    signer = parse_signer(KNOWN["peter"]["private"])
    assert sign_note(KNOWN["text"], signer) == BY_PETER
    assert (signer.text, signer.verifier.text) == (
        KNOWN["peter"]["private"],
        KNOWN["peter"]["verifier"],
    )


def test_published_signatures_hold_by_the_keys_that_are_known() -> None:
    """Of two published signatures those by known keys are checked and the other passed over."""
    assert names(BY_BOTH, PETER) == ["PeterNeumann"]
    assert names(BY_BOTH, ENOCH, PETER) == ["PeterNeumann", "EnochRoot"]
    with pytest.raises(Refusal) as refused:
        open_note(BY_BOTH.encode(), ())
    assert refused.value.rule == "not-signed"


def test_published_examples_are_read_and_written_back() -> None:
    """The examples of the specifications are notes, and come back byte for byte."""
    for group in ("readable", "checkpoints"):
        for whole in KNOWN[group].values():
            assert parse_note(whole.encode()).full == whole


def test_published_verifier_keys() -> None:
    """A cosigner's key of another implementation is read; keys published as bad ones are not."""
    found = parse_verifier(KNOWN["cosigner"])
    assert (found.algorithm, found.text) == (COSIGNATURE, KNOWN["cosigner"])
    for bad in KNOWN["bad_verifiers"]:
        with pytest.raises(BadInput):
            parse_verifier(bad)


def test_every_mangling_of_a_key_is_refused() -> None:
    """No part of a key is a key, and none with one character moved on by one."""
    for whole, read in (
        (KNOWN["peter"]["verifier"], parse_verifier),
        (KNOWN["peter"]["private"], parse_signer),
    ):
        parts = [whole[i:j] for i in range(len(whole)) for j in range(i + 1, len(whole) + 1)]
        moved = [whole[:i] + chr(ord(c) + 1) + whole[i + 1 :] for i, c in enumerate(whole)]
        for mangled in [*(part for part in parts if part != whole), *moved]:
            with pytest.raises(BadInput):
                read(mangled)


def test_no_message_repeats_a_private_key() -> None:
    """A private key that cannot be read is not shown, nor does a signer show its own."""
    secret = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    with pytest.raises(BadInput) as refused:
        parse_signer(KNOWN["peter"]["private"].replace("c74f20a3", "c74f20a4"))
    assert secret not in refused.value.message + refused.value.hint
    assert "seed" not in repr(parse_signer(KNOWN["peter"]["private"]))


@pytest.mark.parametrize(
    "bad",
    [
        KNOWN["text"],
        KNOWN["text"] + "\n",
        BY_PETER[:-1],
        "\x01" + BY_PETER,
        KNOWN["text"] + "\n" + KNOWN["peter_line"].replace("PeterNeumann", "Bad Name"),
        BY_PETER + "Unexpected line.\n",
        KNOWN["text"] + "\n" + KNOWN["peter_line"] * 101,
        BY_PETER.replace("\n", "\r\n"),
        "",
    ],
)
def test_what_is_published_as_malformed(bad: str) -> None:
    """What Go's own tests hold to be no note is none here."""
    with pytest.raises(BadInput) as refused:
        parse_note(bad.encode())
    assert refused.value.rule == "unreadable-note"


def test_bytes_that_are_no_text() -> None:
    """A note that is not UTF-8, or too long, is none."""
    for bad in (b"\xff" + BY_PETER.encode(), b"x" * 1_000_001):
        with pytest.raises(BadInput):
            parse_note(bad)


def test_every_bit_of_a_signed_text_counts() -> None:
    """With any one bit of text or signature turned, the note opens by no key."""
    whole = BY_PETER.encode()
    for at in range(len(whole) * 8):
        bent = bytearray(whole)
        bent[at // 8] ^= 1 << at % 8
        with pytest.raises((BadInput, IntegrityBroken, Refusal)):
            open_note(bytes(bent), [PETER])


def test_a_cosignature_says_when() -> None:
    """A cosignature binds its time: it is told, and moved by a second it does not hold."""
    signer = new_signer("witness.example/w1", COSIGNATURE)
    assert parse_signer(signer.text) == signer
    signature = signer.sign(TEXT, 1_679_315_147)
    note = Note(TEXT, (signature,))
    _note, found = open_note(note.full.encode(), [signer.verifier])
    assert found[0].seconds == 1_679_315_147
    later = signature.data[:7] + bytes([signature.data[7] + 1]) + signature.data[8:]
    bent = Note(TEXT, (Signature(signature.name, signature.key_id, later),))
    with pytest.raises(IntegrityBroken):
        bent.check([signer.verifier])


def test_a_cosignature_of_no_time_that_can_be() -> None:
    """A time has 63 bits (C2SP tlog-cosignature): a good signature over a later one is none."""
    signer = new_signer("witness.example/w1", COSIGNATURE)
    for seconds, holds in ((2**63 - 1, True), (2**63, False)):
        note = Note(TEXT, (signer.sign(TEXT, seconds),))
        if holds:
            assert note.check([signer.verifier])[0].seconds == seconds
        else:
            with pytest.raises(IntegrityBroken):
                note.check([signer.verifier])


def test_the_two_kinds_of_signature_do_not_stand_for_each_other() -> None:
    """One secret used for both kinds gives two keys, and neither takes the other's signature."""
    plain = new_signer("x")
    timed = parse_signer(
        type(plain)(plain.name, COSIGNATURE, plain.seed).text  # the same secret, another kind
    )
    assert plain.verifier.key_id != timed.verifier.key_id
    assert not timed.verifier.holds(TEXT, plain.sign(TEXT).data)
    assert not plain.verifier.holds(TEXT, timed.sign(TEXT, 5).data)
    with pytest.raises(ValueError, match="cosignature"):
        plain.sign(TEXT, 5)


def test_a_key_signs_again_in_place_of_its_earlier_signature() -> None:
    """Signed again by the same key a note has one signature of it; others stay."""
    one, other = new_signer("one", COSIGNATURE), new_signer("other")
    note = Note(TEXT, (other.sign(TEXT), one.sign(TEXT, 5)))
    again = note.signed(one.sign(TEXT, 6))
    assert [found.seconds for found in again.check([one.verifier])] == [6]
    assert len(again.signatures) == 2


def test_two_keys_that_look_alike_are_not_guessed_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two keys share a name and an identifier, which one is meant is asked."""
    monkeypatch.setattr("ledger.note.key_id", lambda *_parts: b"same")
    alike = [Verifier("x", ED25519, bytes([n]) * 32) for n in (1, 2)]
    with pytest.raises(BadInput) as refused:
        Note(TEXT, ()).check(alike)
    assert refused.value.rule == "ambiguous-key"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\nb", "x" * 256])
def test_names_that_are_none(name: str) -> None:
    """A key's name has no space of any kind and no plus."""
    assert not is_key_name(name)
    with pytest.raises(BadInput):
        new_signer(name)


@given(st.binary(max_size=80))
def test_base64_is_read_in_one_form_only(data: bytes) -> None:
    """Bytes come back from base64, and only the form that was written is read."""
    written = to_base64(data)
    assert from_base64(written) == data
    assert from_base64(written + "\n") is None
    if written.endswith("=") or not written:
        assert from_base64(written + "=") is None


def pieces() -> st.SearchStrategy[bytes]:
    """Bytes of every kind, and notes with something put in or taken out."""
    whole = BY_BOTH.encode()
    bent = st.tuples(st.integers(0, len(whole)), st.integers(0, 40), st.binary(max_size=12)).map(
        lambda cut: whole[: cut[0]] + cut[2] + whole[cut[0] + cut[1] :]
    )
    return st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode), bent)


@given(pieces())
def test_any_bytes_are_a_note_or_bad_input(data: bytes) -> None:
    """Whatever arrives is read as a note that comes back byte for byte, or is bad input."""
    try:
        note = parse_note(data)
    except BadInput:
        return
    assert note.full.encode() == data


@given(st.one_of(st.text(max_size=120), st.from_regex(r"(PRIVATE\+KEY\+)?\w+\+[0-9a-f]{8}\+\w*=*")))
def test_any_text_is_a_key_or_bad_input(written: str) -> None:
    """Whatever is given as a key is one, or bad input."""
    for read in (parse_verifier, parse_signer):
        with pytest.raises(BadInput):
            read(written)
