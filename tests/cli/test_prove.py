"""`prove`: files that say what was recorded to somebody who has no ledger."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.canonical import canonical, commitment, sha256_hex
from ledger.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from ledger.entry import Decision, Note
from ledger.keyfile import read_key
from ledger.note import new_signer
from ledger.proof import InclusionProof
from ledger.tree import leaf_hash
from tests.cli.driving import LATER, Cli
from tests.ledger.behind import opened

REASON = "Seen on a visit."


@pytest.fixture
def proven(cli: Cli) -> int:
    """A rating with a reason, and its proof in `e.txt`; returns its position."""
    at = cli.done("rate", "P5", "Red", *LATER, "--reason", REASON).position
    cli.done("prove", "entry", str(at), "--out", "e.txt")
    return at


def log_key(cli: Cli) -> str:
    return cli.done("checkpoint", "key", "show").out.strip()


def test_a_proof_says_what_was_recorded_without_the_ledger(cli: Cli, proven: int) -> None:
    """Type, subject, dates and texts are read from the file alone, and what is not proven."""
    key = log_key(cli)
    cli.path.unlink()
    answer = cli.done("prove", "check", "e.txt", "--log-key", key)
    for words in (
        f"Proven: entry {proven} of ledger",
        "action.rated/1",
        "action/CSIP/P5",
        "10 October 2025",
        REASON,
        "A. Clerk",
        "Signed by govledger/",
    ):
        assert words in answer.out
    assert "NOT checked" not in answer.out
    assert "NOT checked" in cli.done("prove", "check", "e.txt").out
    data = cli.data("prove", "check", "e.txt")
    assert data["entry"]["position"] == proven
    assert data["texts"] == {"reason": REASON, "recorded_by": "A. Clerk"}


def test_a_proof_can_leave_out_the_texts(cli: Cli, proven: int) -> None:
    """Without its texts the file holds none of the words, and still proves the entry."""
    cli.done("prove", "entry", str(proven), "--without-texts", "--out", "bare.txt")
    extra = Path("bare.txt").read_text(encoding="utf-8").split("\n")[1].removeprefix("extra ")
    assert REASON.encode() not in base64.b64decode(extra)
    answer = cli.done("prove", "check", "bare.txt")
    assert "reason      (text not in this file)" in answer.out
    data = cli.data("prove", "check", "bare.txt")
    assert (data["texts"], data["texts_left_out"]) == ({}, ["reason", "recorded_by"])


def test_every_entry_can_be_proven(cli: Cli) -> None:
    """Each of a spread of entries, of every type in the example, has a proof that holds."""
    seen: dict[str, int] = {}
    for line in cli.data("log")["entries"]:
        seen.setdefault(line["type"], line["position"])
    size = cli.data("status")["size"]
    for position in {1, 2, size - 1, size, *seen.values()}:
        cli.done("prove", "entry", str(position), "--out", "one.txt")
        assert cli.data("prove", "check", "one.txt")["entry"]["position"] == position
    assert cli.refused("prove", "entry", str(size + 1)).error["rule"] == "no-such-entry"


def test_a_proof_under_a_cosigned_checkpoint(cli: Cli, proven: int) -> None:
    """The proof can stand on a checkpoint that others have cosigned, who are then named."""
    cli.proof_files()
    theirs = cli.done("checkpoint", "key", "show", "--key", "cosigner.key").out.strip()
    words = ("--checkpoint", "checkpoint.txt")
    cli.done("prove", "entry", "5", *words, "--out", "five.txt")
    answer = cli.done("prove", "check", "five.txt", "--cosigner", theirs)
    assert "Cosigned by scrutiny on" in answer.out
    refused = cli.refused("prove", "check", "e.txt", "--cosigner", theirs)
    assert refused.error["rule"] == "not-cosigned"
    late = cli.done("rate", "P7", "Red", *LATER, "--reason", "Seen.").position
    refused_late = cli.refused("prove", "entry", str(late), *words).error
    assert refused_late["rule"] == "beyond-checkpoint"
    assert "no entry" not in refused_late["message"]
    assert cli.refused("prove", "entry", "9999", *words).error["rule"] == "no-such-entry"
    own = cli.refused("prove", "check", "five.txt", "--cosigner", log_key(cli)).error
    assert own["rule"] == "not-a-cosigner"


def bent(change: Any) -> None:
    """Change what the proof in e.txt carries of its entry, as somebody could who forges it."""
    lines = Path("e.txt").read_text(encoding="utf-8").split("\n")
    value = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
    found = change(value)
    data = found if isinstance(found, bytes) else canonical(value if found is None else found)
    lines[1] = f"extra {base64.b64encode(data).decode()}"
    Path("bent.txt").write_text("\n".join(lines), encoding="utf-8")


def put(path: str, value: Any) -> Any:
    def change(whole: Any) -> None:
        *steps, last = path.split("/")
        for step in steps:
            whole = whole[int(step) if step.isdigit() else step]
        whole[last] = value

    return change


FORGED: dict[str, tuple[Any, str]] = {
    "a date": (put("entry/effective_on", "2025-10-09"), "proof-fails"),
    "a payload": (put("entry/payload/rating", "green"), "proof-fails"),
    "a position": (put("entry/position", 5), "proof-fails"),
    "a member more": (put("entry/added", "more"), "proof-fails"),
    "an empty payload": (put("entry/payload", {}), "proof-fails"),
    "a text": (put("texts/0/text", "Not seen."), "text-changed"),
    "a salt": (put("texts/0/salt", "00" * 16), "text-changed"),
    "a field": (put("texts/0/field", "progress"), "text-changed"),
    "another entry's text": (put("texts/0/position", 5), "text-changed"),
    "no salt": (put("texts/0/salt", "zz"), "unreadable-proof"),
    "no texts": (put("texts", 5), "unreadable-proof"),
    "no entry": (put("entry", []), "unreadable-proof"),
    "a list": (lambda whole: [], "unreadable-proof"),
    "a space": (lambda whole: b" " + canonical(whole), "unreadable-proof"),
    "no UTF-8": (lambda whole: b"\xff", "unreadable-proof"),
    "too deep": (lambda whole: b"[" * 100_000, "unreadable-proof"),
    "a float": (lambda whole: b'{"entry":1.5,"texts":[]}', "unreadable-proof"),
}


@pytest.mark.parametrize(("change", "rule"), FORGED.values(), ids=FORGED)
def test_a_forged_proof_proves_nothing(cli: Cli, proven: int, change: Any, rule: str) -> None:
    """Any change of what the file says of the entry is found."""
    bent(change)
    assert cli.refused("prove", "check", "bent.txt").error["rule"] == rule


def test_a_proof_that_carries_nothing_proves_nothing(cli: Cli, proven: int) -> None:
    """A proof in C2SP's form without the entry is read, and said to show nothing."""
    lines = Path("e.txt").read_text(encoding="utf-8").split("\n")
    Path("bare.txt").write_text("\n".join([lines[0], *lines[2:]]), encoding="utf-8")
    assert cli.refused("prove", "check", "bare.txt").error["rule"] == "unreadable-proof"


def test_a_forged_text_cannot_move_the_cursor(empty: Cli) -> None:
    """What a file of anybody's says is printed without escape codes."""
    text, salt = "a\x1b[31mb\x9bc", bytes(16)
    entry = {"position": 1, "recorded_by": commitment(salt, text), "reason": None, "type": "x/1"}
    leaf = dict(entry)
    entry["payload"] = {}
    root = leaf_hash(canonical({**leaf, "payload_sha256": sha256_hex(b"{}")}))
    signer = new_signer("govledger/x")
    held = read_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, root), signer).encode())
    said = {"position": 1, "field": "recorded_by", "salt": salt.hex(), "text": text}
    extra = canonical({"entry": entry, "texts": [said]})
    Path("f.txt").write_text(InclusionProof(0, (), held, extra).text, encoding="utf-8")
    answer = empty.done("prove", "check", "f.txt")
    assert "Proven: entry 1 of ledger x" in answer.out
    assert not {"\x1b", "\x9b"} & set(answer.out)


def test_since_a_checkpoint(cli: Cli, proven: int) -> None:
    """What continues is proven so; checked without the ledger, with and without the key."""
    key = log_key(cli)
    cli.done("checkpoint", "--known-at", "#100", "--out", "c.txt")
    cli.done("prove", "since", "c.txt", "--out", "s.txt")
    cli.path.unlink()
    held = ("prove", "check", "s.txt", "--since", "c.txt")
    answer = cli.done(*held, "--log-key", key)
    assert "Proven: the first 100 entries of ledger" in answer.out
    assert f"it only grew, by {proven - 100} entries" in answer.out
    assert "NOT checked" in cli.done(*held).out
    assert cli.data(*held) == {"old": 100, "size": proven, "signatures": []}
    assert cli.refused("prove", "check", "s.txt").error["rule"] == "needs-earlier"
    assert cli("prove", "check", "e.txt", "--since", "c.txt").code == 2


def test_since_another_checkpoint_proves_nothing(cli: Cli, proven: int) -> None:
    """Held to another checkpoint than it was made from, or bent, a proof proves nothing."""
    for size in (100, 101):
        cli.done("checkpoint", "--known-at", f"#{size}", "--out", f"{size}.txt")
    cli.done("prove", "since", "100.txt", "--out", "s.txt")
    refused = cli.refused("prove", "check", "s.txt", "--since", "101.txt")
    assert (refused.code, refused.error["rule"]) == (5, "proof-fails")
    lines = Path("s.txt").read_text(encoding="utf-8").split("\n")
    Path("s.txt").write_text("\n".join([lines[0], *lines[2:]]), encoding="utf-8")
    refused = cli.refused("prove", "check", "s.txt", "--since", "100.txt")
    assert refused.error["rule"] == "proof-fails"


def test_another_history_of_the_same_length_is_called_so(cli: Cli, proven: int) -> None:
    """Two roots over as many entries are two histories; whose, the signatures say, once checked."""
    key = log_key(cli)
    cli.done("checkpoint", "--out", "now.txt")
    cli.done("prove", "since", "now.txt", "--out", "s.txt")
    held = read_checkpoint(Path("now.txt").read_bytes()).checkpoint
    signer = read_key(log_key_file(cli))
    fork = sign_checkpoint(Checkpoint(held.origin, held.size, bytes(32)), signer)
    Path("old.txt").write_text(fork, encoding="utf-8")
    words = ("prove", "check", "s.txt", "--since", "old.txt")
    for more, said in ((("--log-key", key), "signed both, so"), ((), "if the ledger's key signed")):
        refused = cli.refused(*words, *more)
        assert (refused.code, refused.error["rule"]) == (5, "other-history")
        assert said in str(refused.error)


def log_key_file(cli: Cli) -> Path:
    return Path(cli.data("checkpoint", "key", "show")["key_file"])


def sealed(*, said: Any, texts: Any = ()) -> str:
    """A proof of the only entry of a ledger of somebody's own, in which every hash is right."""
    leaf = {name: value for name, value in said.items() if name != "payload"}
    leaf["payload_sha256"] = sha256_hex(canonical(said["payload"]))
    root = leaf_hash(canonical(leaf))
    signer = new_signer("govledger/x")
    held = read_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, root), signer).encode())
    extra = canonical({"entry": said, "texts": list(texts)})
    return InclusionProof(0, (), held, extra).text


WHO = {"position": 1, "field": "recorded_by", "salt": "00" * 16, "text": "A. Clerk"}
PLAIN: dict[str, Any] = {
    "position": 1,
    "recorded_by": commitment(bytes(16), "A. Clerk"),
    "reason": None,
    "type": "action.progress_noted/1",
    "payload": {"progress": {"commitment": "0" * 64}},
}
NOT_SO: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "nobody": ({"recorded_by": ""}, {}, "bad-value"),
    "a name": ({"recorded_by": "A. Clerk"}, {}, "bad-value"),
    "a reason": ({"reason": "So."}, {}, "bad-value"),
    "a text": ({"payload": {"progress": "So it is."}}, {}, "unreadable-payload"),
    "beside": (
        {"payload": {"progress": {"commitment": "0" * 64, "more": "Jo"}}},
        {},
        "unreadable-payload",
    ),
    "the salt": ({}, {"salt": "00" * 16 + b"A. ".hex(), "text": "Clerk"}, "text-changed"),
    "another position": ({"position": 2}, {"position": 2}, "proof-fails"),
}


@pytest.mark.parametrize(("entry", "text", "rule"), NOT_SO.values(), ids=NOT_SO)
def test_a_ledger_of_somebodys_own(
    empty: Cli, entry: dict[str, Any], text: dict[str, Any], rule: str
) -> None:
    """Where all hashes are right, what no ledger writes is refused all the same."""
    proof = Path("f.txt")
    proof.write_text(sealed(said=PLAIN, texts=[WHO]), encoding="utf-8")
    assert "A. Clerk" in empty.done("prove", "check", "f.txt").out
    proof.write_text(sealed(said=PLAIN | entry, texts=[WHO | text]), encoding="utf-8")
    assert empty.refused("prove", "check", "f.txt").error["rule"] == rule


def test_a_bad_signature_is_found_with_the_key_only(cli: Cli, proven: int) -> None:
    """A checkpoint signed by another key of that name is refused where the real one is given."""
    key = log_key(cli)
    cli.done("checkpoint", "key", "new", "--key", "imposter.key")
    cli.done("prove", "entry", "5", "--key", "imposter.key", "--out", "i.txt")
    assert "NOT checked" in cli.done("prove", "check", "i.txt").out
    refused = cli.refused("prove", "check", "i.txt", "--log-key", key)
    assert (refused.code, refused.error["rule"]) == (3, "not-signed")
    text = Path("e.txt").read_text(encoding="utf-8")
    whole, dash, signature = text.rpartition("\N{EM DASH} ")
    name, _, data = signature.partition(" ")
    raw = bytearray(base64.b64decode(data))
    raw[-1] ^= 1
    line = f"{name} {base64.b64encode(bytes(raw)).decode()}\n"
    Path("e.txt").write_text(whole + dash + line, encoding="utf-8")
    refused = cli.refused("prove", "check", "e.txt", "--log-key", key)
    assert (refused.code, refused.error["rule"]) == (5, "bad-signature")


def test_exempt_texts_stay_out_of_a_proof(cli: Cli, proven: int) -> None:
    """A text that is not to be public, and one that repeats its words, go in only when asked."""
    words = ("--reason", f"Again: {REASON.lower()}")
    later = cli.done("rate", "P7", "Red", *LATER, *words).position
    with opened(cli.path) as ledger:
        decision = Decision(body="Monitoring officer", meeting=ledger.today(), minute="1")
        note = Note(ledger.today(), "A. Clerk", reason="By law.", decided_by=decision)
        ledger.exempt(proven, "reason", "Schedule 12A, paragraph 1", note)
    for position in (proven, later):
        answer = cli.done("prove", "entry", str(position), "--out", "e.txt")
        assert "exempt from what is made public: reason" in answer.err
        data = cli.data("prove", "check", "e.txt")
        assert (list(data["texts"]), data["texts_left_out"]) == (["recorded_by"], ["reason"])
        cli.done("prove", "entry", str(position), "--with-exempt", "--out", "e.txt")
        assert "reason" in cli.data("prove", "check", "e.txt")["texts"]
