"""An entry: one event in its envelope, and the forms in which it is stored and hashed."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.dates import write_instant
from domain.errors import IntegrityBroken
from domain.event import REGISTRY, Event
from domain.text import WITHOUT_TEXT, withheld_as
from ledger.canonical import canonical, commitment, is_commitment, new_salt, sha256_hex


class Decision(BaseModel):
    """On whose authority: a body, at a meeting, under a minute reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    body: str
    meeting: date
    minute: str

    def __str__(self) -> str:
        return f"{self.body}, {self.meeting}, minute {self.minute}"


@dataclass(frozen=True)
class Note:
    """What a command says about itself: who typed it, from when it is true, why, on what authority.

    Attributes:
        effective_on: the date from which it is true in the world.
        recorded_by: the person who typed.
        reason: why; kept in the text vault.
        decided_by: the decision that it rests on, where it is one.
        source: the published document that it was taken over from, where it is history.
        correction: says that a closed period is touched on purpose.
    """

    effective_on: date
    recorded_by: str
    reason: str | None = None
    decided_by: Decision | None = None
    source: str | None = None
    correction: bool = False


@dataclass(frozen=True)
class Entry:
    """One recorded event. Immutable once it has a position.

    Attributes:
        stream_id: what it is about, such as `action/CEIP/S7`.
        stream_version: 1, 2, 3 … within the stream.
        event: what happened.
        note: the envelope's words; see `Note`.
        entry_id: random identifier.
        position: 1, 2, 3 … in the ledger; 0 until recorded.
        recorded_at: the instant in UTC at which the ledger took it; None until recorded.
        withheld: the fields whose text the vault does not hold.
        by_law: those of them that an entry withholds.
    """

    stream_id: str
    stream_version: int
    event: Event
    note: Note
    entry_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    position: int = 0
    recorded_at: datetime | None = None
    withheld: frozenset[str] = frozenset()
    by_law: frozenset[str] = frozenset()

    @property
    def originator_id(self) -> str:
        """The stream, as the eventsourcing package calls it."""
        return self.stream_id

    @property
    def originator_version(self) -> int:
        """The version in the stream, as the eventsourcing package calls it."""
        return self.stream_version

    @property
    def effective_on(self) -> date:
        """The date from which it is true in the world."""
        return self.note.effective_on


@dataclass(frozen=True)
class VaultText:
    """A text and its salt, as they stand in the vault."""

    salt: bytes
    text: str


@dataclass(frozen=True, eq=False)
class StoredEntry(StoredEvent):
    """A stored event with the envelope of an entry around it.

    `topic` is the type tag and `state` the canonical bytes of the payload. Compares as the stored
    event that it is, so that it can be held against one that was given without an envelope.

    Attributes:
        position, recorded_at: set by the recorder.
        envelope: the other fields of the envelope, ready to be written as JSON.
        texts: vault texts by field.
        bases: of each text that is withheld, on what basis, by field.
        subtrees: hashes kept beside the leaf; see `ledger.tree`.
    """

    position: int = 0
    recorded_at: str = ""
    envelope: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, VaultText] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    subtrees: bytes = b""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoredEvent):
            return NotImplemented
        return self._identity(self) == self._identity(other)

    def __hash__(self) -> int:
        return hash(self._identity(self))

    @staticmethod
    def _identity(of: StoredEvent) -> tuple[object, ...]:
        return of.originator_id, of.originator_version, of.topic, of.state


ENVELOPE_FIELDS = (
    "entry_id",
    "effective_on",
    "recorded_by",
    "reason",
    "decided_by",
    "source",
    "correction",
)
"""The fields of the envelope that come with an entry; the recorder adds the others."""


def leaf_bytes(stored: StoredEntry) -> bytes:
    """What the leaf hash covers: the whole envelope and the digest of the payload's bytes."""
    return canonical(
        {
            **stored.envelope,
            "position": stored.position,
            "recorded_at": stored.recorded_at,
            "stream_id": str(stored.originator_id),
            "stream_version": stored.originator_version,
            "type": stored.topic,
            "payload_sha256": sha256_hex(stored.state),
        }
    )


def vault_places(
    kind: type[Event], payload: Mapping[str, Any]
) -> Iterator[tuple[str, Any, str, str | None]]:
    """(field, object, member, commitment) of every text that a payload commits to.

    In that member of the object stands `{"commitment": …}` with nothing beside it. Where anything
    else stands there, such as the text itself, the commitment is None.
    """
    for name, path in kind.vault.items():
        if name not in payload:
            continue
        holder: Any = payload
        key = name
        for step in path:
            holder, key = holder.get(key), step
            if type(holder) is not dict:
                break
        said = holder.get(key) if type(holder) is dict else None
        if type(said) is dict and len(said) == 1 and is_commitment(said.get("commitment")):
            yield name, holder, key, said["commitment"]
        else:
            yield name, holder, key, None


class EntryMapper(Mapper[str]):
    """Between entries and their stored form; moves texts into the vault and back."""

    def __init__(self) -> None:
        """Takes no transcoder: entries are written as canonical JSON and nothing else."""

    def to_stored_event(self, domain_event: Any) -> StoredEntry:
        """The stored form of an entry, with a fresh salt for each text.

        Position and instant are for the recorder to give.
        """
        entry: Entry = domain_event
        event, note = entry.event, entry.note
        payload = event.model_dump(mode="json", exclude_none=True)
        texts: dict[str, VaultText] = {}

        def hide(name: str, text: str) -> str:
            texts[name] = VaultText(new_salt(), text)
            return commitment(texts[name].salt, text)

        for name, path in event.vault.items():
            if name not in payload:
                continue
            holder, key = payload, name
            for step in path:
                holder, key = holder[key], step
            holder[key] = {"commitment": hide(name, holder[key])}
        return StoredEntry(
            originator_id=entry.stream_id,
            originator_version=entry.stream_version,
            topic=event.tag,
            state=canonical(payload),
            envelope={
                "entry_id": entry.entry_id,
                "effective_on": note.effective_on.isoformat(),
                "recorded_by": hide("recorded_by", note.recorded_by),
                "reason": hide("reason", note.reason) if note.reason else None,
                "decided_by": note.decided_by.model_dump(mode="json") if note.decided_by else None,
                "source": note.source,
                "correction": note.correction,
            },
            texts=texts,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Entry:
        """The entry that was stored.

        Raises:
            IntegrityBroken: unknown-type or unreadable-payload.
        """
        assert isinstance(stored_event, StoredEntry)
        stored, where = stored_event, f"Entry {stored_event.position}"
        kind = REGISTRY.get(stored.topic)
        if kind is None:
            raise IntegrityBroken(
                "unknown-type",
                f"{where} is of type '{stored.topic}', which this version does not know.",
                "Use the version of govledger that wrote it, or verify the ledger.",
            )
        withheld: set[str] = set()

        def reveal(name: str) -> str:
            found = stored.texts.get(name)
            if found is None:
                withheld.add(name)
                return withheld_as(stored.bases[name]) if name in stored.bases else WITHOUT_TEXT
            return found.text

        try:
            payload = json.loads(stored.state)
            for name, path in kind.vault.items():
                if name not in payload:
                    continue
                holder, key = payload, name
                for step in path:
                    holder, key = holder[key], step
                holder[key] = reveal(name)
            envelope = stored.envelope
            note = Note(
                effective_on=date.fromisoformat(envelope["effective_on"]),
                recorded_by=reveal("recorded_by"),
                reason=reveal("reason") if envelope["reason"] else None,
                decided_by=(
                    Decision.model_validate(envelope["decided_by"])
                    if envelope["decided_by"]
                    else None
                ),
                source=envelope["source"],
                correction=bool(envelope["correction"]),
            )
            event = kind.model_validate(payload)
            recorded_at = datetime.fromisoformat(stored.recorded_at)
        except (ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise IntegrityBroken(
                "unreadable-payload",
                f"{where} cannot be read as {stored.topic}: {type(error).__name__}.",
                "Run: govledger verify",
            ) from error
        return Entry(
            stream_id=str(stored.originator_id),
            stream_version=stored.originator_version,
            event=event,
            note=note,
            entry_id=envelope["entry_id"],
            position=stored.position,
            recorded_at=recorded_at,
            withheld=frozenset(withheld),
            by_law=frozenset(withheld & stored.bases.keys()),
        )


def plain_envelope(recorded_at: datetime) -> dict[str, Any]:
    """The envelope for a stored event that came without one: nobody said who, why or since when."""
    return {
        "entry_id": uuid.uuid4().hex,
        "effective_on": write_instant(recorded_at)[:10],
        "recorded_by": "",
        "reason": None,
        "decided_by": None,
        "source": None,
        "correction": False,
    }
