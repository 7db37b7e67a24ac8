"""Entries as rows of the tables, and back."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row

from ledger.canonical import check, sha256_hex
from ledger.entry import StoredEntry, VaultText, leaf_bytes


def committed_texts(row: Row[Any]) -> int:
    """How many texts the entry in a row of `entries` commits to, as far as it can be read.

    Counted in the payload's bytes and not parsed, because it is asked at every reading. Canonical
    JSON writes a quotation mark within a string with a backslash, so no text is taken for one.
    """
    payload = row.payload if isinstance(row.payload, bytes) else b""
    return payload.count(b'{"commitment":') + bool(row.recorded_by) + bool(row.reason)


def stored_entry(
    row: Row[Any], held: Mapping[str, VaultText], bases: Mapping[str, str] | None = None
) -> StoredEntry:
    """A row of `entries` with its texts, and the bases on which others are withheld."""
    return StoredEntry(
        originator_id=row.stream_id,
        originator_version=row.stream_version,
        topic=row.type,
        state=row.payload,
        position=row.position,
        recorded_at=row.recorded_at,
        envelope={
            "entry_id": row.entry_id,
            "effective_on": row.effective_on,
            "recorded_by": row.recorded_by,
            "reason": row.reason,
            "decided_by": decision(row.decided_by),
            "source": row.source,
            "correction": bool(row.correction) if row.correction in (0, 1) else row.correction,
        },
        texts=held,
        bases=bases or {},
        subtrees=row.subtrees,
    )


@lru_cache(1024)
def decision(written: Any) -> Any:
    """What the column holds; as it stands, where it is not what this module writes there."""
    if written is None:
        return None
    try:
        found = json.loads(written)
        return found if isinstance(found, dict) and json.dumps(found) == written else written
    except (TypeError, ValueError, RecursionError):
        return written


def row_leaf_bytes(row: Any) -> bytes:
    """The `leaf_bytes` of a row of `entries`, without making an entry of it on the way.

    Verification asks for those of every entry; that both ways agree it shows by finding nothing.
    """
    (
        position,
        stream_id,
        stream_version,
        type_,
        recorded_at,
        entry_id,
        effective_on,
        recorded_by,
        reason,
        decided_by,
        source,
        correction,
        payload,
        _,
    ) = row
    if correction not in (0, 1) or float in map(type, row):
        return leaf_bytes(stored_entry(row, {}))
    if decided_by is not None:
        decided_by = decision(decided_by)
        check(decided_by)
    return orjson.dumps(
        {  # in the order of the canonical form
            "correction": correction == 1,
            "decided_by": decided_by,
            "effective_on": effective_on,
            "entry_id": entry_id,
            "payload_sha256": sha256_hex(payload),
            "position": position,
            "reason": reason,
            "recorded_at": recorded_at,
            "recorded_by": recorded_by,
            "source": source,
            "stream_id": stream_id,
            "stream_version": stream_version,
            "type": type_,
        },
        option=orjson.OPT_SORT_KEYS,
    )


class Fact(NamedTuple):
    """Of an entry what the read models are made from."""

    position: int
    stream_id: str
    type: str
    effective_on: str
    payload: bytes


def fact(stored: StoredEntry) -> Fact:
    """What the read models take in of an entry that is being appended."""
    return Fact(
        stored.position,
        str(stored.originator_id),
        stored.topic,
        stored.envelope["effective_on"],
        stored.state,
    )


def entry_row(stored: StoredEntry) -> tuple[Any, ...]:
    """The row of `entries` for an entry, in the order of its columns."""
    envelope = stored.envelope
    decided_by = envelope["decided_by"]
    return (
        stored.position,
        stored.originator_id,
        stored.originator_version,
        stored.topic,
        stored.recorded_at,
        envelope["entry_id"],
        envelope["effective_on"],
        envelope["recorded_by"],
        envelope["reason"],
        json.dumps(decided_by) if decided_by else None,
        envelope["source"],
        int(envelope["correction"]),
        stored.state,
        stored.subtrees,
    )


def text_rows(stored: StoredEntry) -> Iterator[tuple[Any, ...]]:
    """The rows of `texts` for an entry, in the order of its columns."""
    for field, kept in stored.texts.items():
        yield stored.position, field, kept.salt, kept.text
