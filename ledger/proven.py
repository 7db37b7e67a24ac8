"""What a proof of one entry shows: the entry and its texts, held to the tree and to each other.

A proof carries the entry as a line of an export has it: the members of its leaf with the payload
in place of its digest (docs/format.md). Nothing here needs a ledger.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

import domain.timeline  # noqa: F401 - with it every type of event is known
from domain.errors import BadInput, Failed, IntegrityBroken
from domain.event import REGISTRY
from ledger.canonical import binds, canonical, is_commitment, sha256_hex
from ledger.entry import StoredEntry, vault_places
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
        IntegrityBroken: proof-fails, text-changed, bad-value, unreadable-payload.
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
        committed, odd = _commitments(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Failed):
        raise _unreadable("it does not carry the entry that it is about") from None
    if entry["position"] != proof.index + 1 or not proof.shows(leaf_hash(written)):
        raise IntegrityBroken(
            "proof-fails",
            f"The entry in this file is not entry {proof.index + 1} of the checkpoint's ledger: "
            "the entry, the proof or the checkpoint was changed.",
            "Ask for the file again, from whoever made it.",
        )
    if odd:
        raise IntegrityBroken(
            "bad-value" if odd in _NAMES else "unreadable-payload",
            f"Entry {entry['position']} says '{odd}' otherwise than by a commitment to a text, as "
            "no ledger would have recorded it.",
            "Tell the ledger's keeper, and keep this file.",
        )
    for field, (salt, text) in given.items():
        if not at_home or not binds(committed.get(field), salt, text):
            raise IntegrityBroken(
                "text-changed",
                f"The text '{field}' in this file is not the one that was recorded.",
                "Ask for the file again, from whoever made it.",
            )
    untold = tuple(sorted(committed.keys() - given.keys()))
    return Shown(entry, {field: text for field, (_salt, text) in sorted(given.items())}, untold)


_NAMES = ("recorded_by", "reason")


def _commitments(entry: dict[str, Any]) -> tuple[dict[str, str], str | None]:
    """The commitment of every text, by field, and a field where none stands, but should."""
    found, odd = {}, None
    for name in _NAMES:
        if is_commitment(entry[name]):
            found[name] = entry[name]
        elif name == "recorded_by" or entry[name] is not None:
            odd = name
    kind = REGISTRY.get(entry["type"])
    if kind is None:  # of a later version: its texts are known by their form alone
        each = ((name, _commitment(value)) for name, value in entry["payload"].items())
        return found | {name: said for name, said in each if said is not None}, odd
    for name, _, _, said in vault_places(kind, entry["payload"]):
        if said is None:
            odd = name
        else:
            found[name] = said
    return found, odd


def _commitment(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if value.keys() == {"commitment"} and is_commitment(value["commitment"]):
        return str(value["commitment"])
    return next((one for one in map(_commitment, value.values()) if one is not None), None)


def _unreadable(why: str) -> BadInput:
    return BadInput(
        "unreadable-proof",
        f"This proof cannot be read: {why}.",
        "Make it with: govledger prove entry N",
    )
