"""Verification: is the stored history the one that was recorded?

Recomputes everything from the entries and reports every finding, not only the first. What no
check inside one database can show is a rewrite of all of it, hashes included: for that, hold the
root that a report was issued with against the root at the same position.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, exc, select

from domain.dates import london_day, read_instant
from domain.errors import IntegrityBroken
from domain.event import REGISTRY
from ledger.canonical import commitment
from ledger.entry import StoredEntry, leaf_bytes
from ledger.store import Store
from ledger.tables import entries, head, texts, triggers, triggers_present
from ledger.tree import HASH_BYTES, Tree, leaf_hash


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was recorded.

    Attributes:
        kind: stable identifier, such as `entry-changed`.
        position: of the entry concerned; None where it is about the ledger as a whole.
        message: one sentence in plain English.
    """

    kind: str
    position: int | None
    message: str


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Attributes:
        size: number of entries read.
        root: of the tree over them as recomputed, in hexadecimal.
        findings: empty for a ledger that is whole.
    """

    size: int
    root: str
    findings: tuple[Finding, ...]


def verify(store: Store, tick: Callable[[int], None] = lambda _done: None) -> Verified:
    """Recompute every leaf, the tree, the commitments, positions, versions and clocks.

    Args:
        tick: told now and then how many entries are done.
    """
    check = _Check(store)
    try:
        with store.database.reading() as connection:
            check.guards(connection)
            for stored in store.recorder.read(connection):
                check.entry(stored)
                if stored.position % 5_000 == 0:
                    tick(stored.position)
            check.head(connection)
            check.loose_texts(connection)
    except (exc.DatabaseError, json.JSONDecodeError) as error:
        check.add("database-damaged", None, f"The database cannot be read to its end: {error}.")
    return Verified(check.tree.size, check.tree.root.hex(), tuple(check.findings))


class _Check:
    """One pass over the entries."""

    def __init__(self, store: Store) -> None:
        self.mapper = store.mapper
        self.findings: list[Finding] = []
        self.tree = Tree()
        self.expected = 1
        self.recorded_at = ""
        self.versions: dict[str, int] = {}
        self.streams: dict[int, str] = {}

    def add(self, kind: str, position: int | None, message: str) -> None:
        self.findings.append(Finding(kind, position, message))

    def guards(self, connection: Connection) -> None:
        """The triggers that make the database itself refuse changes."""
        there = triggers_present(connection)
        for name, statement in triggers().items():
            if there.get(name) != statement:
                what = "has been changed" if name in there else "is missing"
                self.add(
                    "guard-missing",
                    None,
                    f"The trigger {name} {what}: somebody may have opened the way for an edit.",
                )

    def entry(self, stored: StoredEntry) -> None:
        """Everything that can be said of one entry and its place after the one before."""
        where = stored.position
        if where != self.expected:
            lost = f"{self.expected}" if where == self.expected + 1 else f"{self.expected}…"
            self.add("entry-missing", self.expected, f"Entry {lost} before entry {where} is gone.")
        self.expected = where + 1
        self._hashes(stored)
        self._clocks(stored)
        self._stream(stored)
        self._texts(stored)
        try:
            self.mapper.to_domain_event(stored)
        except IntegrityBroken as error:
            self.add(error.rule, where, error.message)

    def _hashes(self, stored: StoredEntry) -> None:
        where, kept = stored.position, stored.subtrees
        try:
            leaf = leaf_hash(leaf_bytes(stored))
        except Exception:  # an edit can leave any value behind
            leaf = b""
        if leaf != kept[:HASH_BYTES]:
            self.add(
                "entry-changed",
                where,
                f"Entry {where} ({stored.topic} on {stored.originator_id}) is not what was "
                "recorded: its payload, its envelope or its hash was changed.",
            )
        # The tree goes on over the hashes as kept, so that one change is one finding.
        if self.tree.append_hash(kept[:HASH_BYTES]) != kept:
            self.add("tree-changed", where, f"The tree's hashes kept with entry {where} are wrong.")

    def _clocks(self, stored: StoredEntry) -> None:
        where = stored.position
        if stored.recorded_at < self.recorded_at:
            self.add(
                "clock-backwards",
                where,
                f"Entry {where} says that it was recorded at {stored.recorded_at}, before the "
                f"entry before it ({self.recorded_at}).",
            )
        self.recorded_at = max(self.recorded_at, stored.recorded_at)
        try:
            effective_on = date.fromisoformat(stored.envelope["effective_on"])
            recorded_on = london_day(read_instant(stored.recorded_at))
        except (TypeError, ValueError):
            self.add("bad-date", where, f"Entry {where} has a date that cannot be read.")
            return
        if effective_on > recorded_on:
            self.add(
                "future-date",
                where,
                f"Entry {where} is effective on {effective_on}, after the day on which it was "
                f"recorded ({recorded_on}).",
            )

    def _stream(self, stored: StoredEntry) -> None:
        where, stream = stored.position, str(stored.originator_id)
        version = self.versions.get(stream, 0) + 1
        if stored.originator_version != version:
            self.add(
                "version-gap",
                where,
                f"Entry {where} is version {stored.originator_version} of {stream}; version "
                f"{version} was due.",
            )
        self.versions[stream] = stored.originator_version

    def _texts(self, stored: StoredEntry) -> None:
        where = stored.position
        committed = dict(_commitments(stored))
        for name, kept in stored.texts.items():
            if name not in committed:
                self.add("text-unknown", where, f"Entry {where} has a text '{name}' too many.")
            elif commitment(kept.salt, kept.text) != committed[name]:
                self.add(
                    "text-changed",
                    where,
                    f"The text '{name}' of entry {where} is not the one that was recorded.",
                )
        for name in committed.keys() - stored.texts.keys():
            self.add("text-missing", where, f"The text '{name}' of entry {where} is gone.")

    def head(self, connection: Connection) -> None:
        """The head against what was recomputed."""
        row = connection.execute(select(head)).first()
        if row is None:
            self.add("head-missing", None, "The ledger's head is gone.")
            return
        last = self.expected - 1
        if row.size > last:
            self.add(
                "tail-missing",
                last + 1,
                f"The head counts {row.size} entries and the last one is {last}: the end of the "
                "ledger is gone.",
            )
        elif row.size < last:
            self.add(
                "head-changed", None, f"The head counts {row.size} entries and there are {last}."
            )
        elif row.root != self.tree.root or row.frontier != self.tree.frontier:
            self.add(
                "root-changed",
                None,
                f"The root over all entries is {self.tree.root.hex()}; the head says "
                f"{row.root.hex()}.",
            )
        if row.recorded_at != self.recorded_at and row.size == last:
            self.add(
                "head-changed",
                None,
                f"The head's clock stands at {row.recorded_at or 'nothing'}, the last entry's at "
                f"{self.recorded_at or 'nothing'}.",
            )

    def loose_texts(self, connection: Connection) -> None:
        """Texts that belong to no entry."""
        query = (
            select(texts.c.position, texts.c.field)
            .outerjoin(entries, entries.c.position == texts.c.position)
            .where(entries.c.position.is_(None))
        )
        for position, name in connection.execute(query):
            self.add("text-unknown", position, f"A text '{name}' belongs to no entry ({position}).")


def _commitments(stored: StoredEntry) -> Iterator[tuple[str, str]]:
    """(field, commitment) of every text that the entry commits to."""
    for name in ("recorded_by", "reason"):
        if stored.envelope.get(name):
            yield name, stored.envelope[name]
    kind = REGISTRY.get(stored.topic)
    if kind is None:
        return
    try:
        payload = json.loads(stored.state)
    except ValueError:
        return
    for name, path in kind.vault.items():
        found: Any = payload.get(name) if isinstance(payload, dict) else None
        for step in (*path, "commitment"):
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, str):
            yield name, found
