"""The form of an export: what its files are called, and the lines that entries and texts become.

An entry is one line: the members of its leaf in canonical JSON, with the payload itself in place
of its digest. So an outsider gets the leaf back with nothing but JSON and SHA-256. See
docs/format.md, "Exports".
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ledger.canonical import canonical
from ledger.entry import ENVELOPE_FIELDS, StoredEntry, VaultText

FORMAT = "govledger export 1"
MANIFEST = "manifest.json"
ENTRIES = "entries.jsonl"
TEXTS = "texts.jsonl"
LEFT_OUT = "left_out.jsonl"
CHECKPOINT = "checkpoint"
CHECKPOINTS = "checkpoints"
SIGNATURES = "signatures"

MEMBERS: Mapping[str, tuple[type, ...]] = {
    "position": (int,),
    "stream_id": (str,),
    "stream_version": (int,),
    "type": (str,),
    "recorded_at": (str,),
    "entry_id": (str,),
    "effective_on": (str,),
    "recorded_by": (str,),
    "reason": (str, type(None)),
    "decided_by": (dict, type(None)),
    "source": (str, type(None)),
    "correction": (bool,),
    "payload": (dict,),
}
"""Of a line of entries.jsonl."""
TEXT_MEMBERS: Mapping[str, tuple[type, ...]] = {
    "position": (int,),
    "field": (str,),
    "salt": (str,),
    "text": (str,),
}
LEFT_OUT_MEMBERS: Mapping[str, tuple[type, ...]] = {
    "position": (int,),
    "field": (str,),
    "basis": (str,),
    "copy_of": (list, type(None)),
}
"""Of a line of left_out.jsonl; `copy_of` is the place of the exempt text that it repeats."""
MANIFEST_MEMBERS: Mapping[str, tuple[type, ...]] = {
    "format": (str,),
    "ledger_id": (str,),
    "size": (int,),
    "root": (str,),
    "recorded_at": (str,),
    "public": (bool,),
    "counts": (dict,),
    "files": (dict,),
}
COUNTS = ("entries", "texts", "withheld", "left_out", "checkpoints", "signatures")


def entry_line(stored: StoredEntry) -> bytes:
    """The line of an entry, without its line feed; its payload has to be canonical."""
    return orjson.dumps(
        {
            **stored.envelope,
            "position": stored.position,
            "recorded_at": stored.recorded_at,
            "stream_id": stored.originator_id,
            "stream_version": stored.originator_version,
            "type": stored.topic,
            "payload": orjson.Fragment(stored.state),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def text_lines(position: int, texts: Mapping[str, VaultText]) -> Iterator[bytes]:
    """The line of each text of an entry, in the order of their fields."""
    for field in sorted(texts):
        kept = texts[field]
        yield canonical(
            {"position": position, "field": field, "salt": kept.salt.hex(), "text": kept.text}
        )


def has_members(value: Any, members: Mapping[str, tuple[type, ...]]) -> bool:
    """Whether it is an object with just these members, each of its kind."""
    return (
        type(value) is dict
        and value.keys() == members.keys()
        and all(type(value[name]) in kinds for name, kinds in members.items())
    )


def stored_entry(value: Mapping[str, Any], texts: Mapping[str, VaultText]) -> StoredEntry:
    """The entry of a line that has its members; without the hashes kept beside the leaf."""
    return StoredEntry(
        originator_id=value["stream_id"],
        originator_version=value["stream_version"],
        topic=value["type"],
        state=canonical(value["payload"]),
        position=value["position"],
        recorded_at=value["recorded_at"],
        envelope={name: value[name] for name in ENVELOPE_FIELDS},
        texts=texts,
    )
