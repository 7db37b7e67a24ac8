"""Entries as rows of the tables, and back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Row

from ledger.entry import StoredEntry, VaultText


def stored_entry(row: Row[Any], held: Mapping[str, VaultText]) -> StoredEntry:
    """A row of `entries` with its texts."""
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
            "decided_by": _decision(row.decided_by),
            "source": row.source,
            "correction": bool(row.correction) if row.correction in (0, 1) else row.correction,
        },
        texts=held,
        subtrees=row.subtrees,
    )


def _decision(written: Any) -> Any:
    """What the column holds; as it stands, where it is not what this module writes there."""
    if written is None:
        return None
    try:
        found = json.loads(written)
        return found if isinstance(found, dict) and json.dumps(found) == written else written
    except (TypeError, ValueError, RecursionError):
        return written


def entry_row(stored: StoredEntry) -> dict[str, Any]:
    """The row of `entries` for an entry."""
    envelope = stored.envelope
    decided_by = envelope["decided_by"]
    return {
        "position": stored.position,
        "stream_id": stored.originator_id,
        "stream_version": stored.originator_version,
        "type": stored.topic,
        "recorded_at": stored.recorded_at,
        "entry_id": envelope["entry_id"],
        "effective_on": envelope["effective_on"],
        "recorded_by": envelope["recorded_by"],
        "reason": envelope["reason"],
        "decided_by": json.dumps(decided_by) if decided_by else None,
        "source": envelope["source"],
        "correction": int(envelope["correction"]),
        "payload": stored.state,
        "subtrees": stored.subtrees,
    }


def text_rows(stored: StoredEntry) -> Iterator[dict[str, Any]]:
    """The rows of `texts` for an entry."""
    for field, kept in stored.texts.items():
        yield {
            "position": stored.position,
            "field": field,
            "salt": kept.salt,
            "text": kept.text,
        }
