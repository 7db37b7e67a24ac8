"""What a proof of one entry shows: the entry and its texts, held to the tree and to each other.

A proof carries the entry as a line of an export has it: the members of its leaf with the payload
in place of its digest (docs/format.md). Nothing here needs a ledger.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from domain.errors import BadInput, Failed, IntegrityBroken
from ledger.canonical import canonical, commitment, sha256_hex
from ledger.entry import StoredEntry
from ledger.proof import InclusionProof
from ledger.tree import leaf_hash


@dataclass(frozen=True)
class Shown:
    """An entry as a proof shows it.

    Attributes:
        entry: its members, with the payload as an object.
        texts: by field, each of which is the one that the entry commits to.
        untold: the fields whose text the proof leaves out.
    """

    entry: dict[str, Any]
    texts: dict[str, str]
    untold: tuple[str, ...]


def extra_of(stored: StoredEntry, fields: Iterable[str]) -> bytes:
    """What goes into a proof of that entry, so that the file alone shows what was recorded.

    Args:
        fields: of the texts that go with it.
    """
    entry = {
        **stored.envelope,
        "position": stored.position,
        "recorded_at": stored.recorded_at,
        "stream_id": str(stored.originator_id),
        "stream_version": stored.originator_version,
        "type": stored.topic,
        "payload": json.loads(stored.state),
    }
    found = [
        {
            "position": stored.position,
            "field": field,
            "salt": stored.texts[field].salt.hex(),
            "text": stored.texts[field].text,
        }
        for field in sorted(fields)
    ]
    return canonical({"entry": entry, "texts": found})


def shown_by(proof: InclusionProof) -> Shown:
    """The entry that a proof is about, once its hash leads to the root of the checkpoint.

    Raises:
        BadInput: unreadable-proof.
        IntegrityBroken: proof-fails, text-changed.
    """
    try:
        value = orjson.loads(proof.extra)
        if canonical(value) != proof.extra:
            raise _unreadable("what it says of the entry is not in its one canonical form")
        entry, texts = value["entry"], value["texts"]
        leaf = {name: member for name, member in entry.items() if name != "payload"}
        leaf["payload_sha256"] = sha256_hex(canonical(entry["payload"]))
        written = canonical(leaf)
        given = {one["field"]: (bytes.fromhex(one["salt"]), str(one["text"])) for one in texts}
        at_home = all(one["position"] == entry["position"] for one in texts)
        committed = _commitments(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Failed):
        raise _unreadable("it does not carry the entry that it is about") from None
    if entry["position"] != proof.index + 1 or not proof.shows(leaf_hash(written)):
        raise IntegrityBroken(
            "proof-fails",
            f"The entry in this file is not entry {proof.index + 1} of the checkpoint's ledger: "
            "the entry, the proof or the checkpoint was changed.",
            "Ask for the file again, from whoever made it.",
        )
    for field, (salt, text) in given.items():
        if not at_home or committed.get(field) != commitment(salt, text):
            raise IntegrityBroken(
                "text-changed",
                f"The text '{field}' in this file is not the one that was recorded.",
                "Ask for the file again, from whoever made it.",
            )
    untold = tuple(sorted(committed.keys() - given.keys()))
    return Shown(entry, {field: text for field, (_salt, text) in sorted(given.items())}, untold)


def _commitments(entry: dict[str, Any]) -> dict[str, str]:
    """The commitment of every text, by field: of the envelope, and found in the payload."""
    found = {name: entry[name] for name in ("recorded_by", "reason") if entry[name]}
    for name, value in entry["payload"].items():
        inner = _commitment(value)
        if inner is not None:
            found[name] = inner
    return found


def _commitment(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if value.keys() == {"commitment"} and isinstance(value["commitment"], str):
        return value["commitment"]
    return next((one for one in map(_commitment, value.values()) if one is not None), None)


def _unreadable(why: str) -> BadInput:
    return BadInput(
        "unreadable-proof",
        f"This proof cannot be read: {why}.",
        "Make it with: govledger prove entry N",
    )
