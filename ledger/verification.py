"""Verification: is the stored history the one that was recorded?

Recomputes everything from the entries and reports every finding, not only the first. What no
check inside one database can show is an end that was left off, or a rewrite of all of it, hashes
included: for that, hold a root that was printed earlier against the root at the same position.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, exc, select

from domain.dates import london_day, read_instant
from domain.errors import Failed, IntegrityBroken
from domain.event import REGISTRY, Event
from domain.text import WITHOUT_TEXT
from ledger.canonical import canonical, commitment
from ledger.entry import Decision, VaultText
from ledger.reading import HeldTexts
from ledger.rows import decision, row_leaf_bytes, stored_entry
from ledger.store import Store
from ledger.tables import FORMAT, entries, head, texts
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


def verify(
    store: Store,
    tick: Callable[[int], None] = lambda _done: None,
    held: tuple[int, str] | None = None,
) -> Verified:
    """Recompute every leaf, the tree, the commitments, positions, versions and clocks.

    Args:
        tick: told now and then how many entries are done.
        held: (position, root in hexadecimal) that somebody holds, from an earlier answer or from
            the paper that it was printed for. It finds what no check from within can: an end
            that was left off, a rewrite of everything with its hashes.
    """
    check = _Check(store, tick, held)
    with store.database.reading(as_is=True) as connection:
        # Each by itself, so that damage which stops one does not hide what the others find.
        for step in (
            check.guards,
            check.entries,
            check.head,
            check.held_root,
            check.strays,
            check.loose_texts,
            check.file,
        ):
            try:
                step(connection)
            except exc.DatabaseError as error:
                said = f"The database cannot be read to its end: {error.orig}."
                check.add("database-damaged", None, said)
    return Verified(check.tree.size, check.tree.root.hex(), tuple(check.findings))


class _Check:
    """One pass over the entries."""

    def __init__(
        self, store: Store, tick: Callable[[int], None], held: tuple[int, str] | None
    ) -> None:
        self.held = held
        self.root_there: str | None = None
        self.database = store.database
        self.recorder = store.recorder
        self.mapper = store.mapper
        self.tick = tick
        self.findings: list[Finding] = []
        self.tree = Tree()
        self.expected = 1
        self.recorded_at = ""
        self.versions: dict[str, int] = {}
        self.parts = (self._hashes, self._clocks, self._stream, self._content)
        self.gap = False
        self.whole = False

    def add(self, kind: str, position: int | None, message: str) -> None:
        self.findings.append(Finding(kind, position, message))

    def guards(self, connection: Connection) -> None:
        """The triggers, and what else makes the database itself refuse changes."""
        ours = self.database.guards_due(connection)
        there = self.database.guards_present(connection)
        for name in sorted(there.keys() - ours.keys()):
            self.add("guard-unknown", None, f"The guard {name} is not one of the ledger's.")
        for name, statement in ours.items():
            if there.get(name) != statement:
                what = "has been changed" if name in there else "is missing"
                self.add(
                    "guard-missing",
                    None,
                    f"The guard {name} {what}: somebody may have opened the way for an edit.",
                )

    def entries(self, connection: Connection) -> None:
        """Every entry in order."""
        for rows, held in self.recorder.rows(connection):
            for row in rows:
                self.entry(row, held.get(row[0], {}))
            self.tick(self.expected - 1)
        self.whole = True

    def entry(self, row: Any, held: HeldTexts) -> None:
        """Everything that can be said of one entry and its place after the one before."""
        where = row[0]
        if where != self.expected:
            lost = f"{self.expected}" if where == self.expected + 1 else f"{self.expected}…"
            self.add("entry-missing", self.expected, f"Entry {lost} before entry {where} is gone.")
            # Every later hash of the tree would differ, which says nothing new.
            self.gap = True
        self.expected = where + 1
        odd = False
        for part in self.parts:
            try:
                part(row, held)
            except Exception:  # an edit can leave any value behind
                odd = True
        if self.held and where == self.held[0]:
            self.root_there = self.tree.root.hex()
        if odd:
            self.add("bad-value", where, f"Entry {where} holds a value of the wrong kind.")

    def held_root(self, _connection: Connection) -> None:
        """The root that somebody holds against the root over as many entries here."""
        if self.held is None or self.root_there == self.held[1]:
            return
        position, root = self.held
        if self.root_there is None:
            here = f"there is no entry {position} any more"
        else:
            here = f"the root over the first {position} entries is {self.root_there}"
        self.add(
            "other-history",
            position,
            f"You hold the root {root} at entry {position}; here {here}. This is not the history "
            "that you were shown.",
        )

    # The parts take a row apart by its order, which is ten times as quick as by its names.

    def _hashes(self, row: Any, _held: HeldTexts) -> None:
        where, stream, _, tag, _, _, _, _, _, _, _, _, _, subtrees = row
        kept = subtrees if isinstance(subtrees, bytes) else b""
        try:
            leaf = leaf_hash(row_leaf_bytes(row))
        except Exception:  # an edit can leave any value behind
            leaf = b""
        if not leaf or leaf != kept[:HASH_BYTES]:
            self.add(
                "entry-changed",
                where,
                f"Entry {where} ({tag} on {stream}) is not what was recorded: its payload, its "
                "envelope or its hash was changed.",
            )
        # The tree goes on over the hashes as kept, so that one change is one finding.
        if self.tree.append_hash(kept[:HASH_BYTES]) != kept and not self.gap:
            self.add("tree-changed", where, f"The tree's hashes kept with entry {where} are wrong.")

    def _clocks(self, row: Any, _held: HeldTexts) -> None:
        where, _, _, _, recorded_at, _, effective, _, _, _, _, _, _, _ = row
        before, self.recorded_at = self.recorded_at, recorded_at
        if recorded_at < before:
            self.add(
                "clock-backwards",
                where,
                f"Entry {where} says that it was recorded at {recorded_at}, before the entry "
                f"before it ({before}).",
            )
        try:
            effective_on = _day(effective)
            instant = read_instant(recorded_at)
            if instant.tzinfo is UTC and effective_on <= instant.date():
                return  # London is never behind UTC
            recorded_on = london_day(instant)
        except (TypeError, ValueError, OverflowError):
            self.add("bad-date", where, f"Entry {where} has a date that cannot be read.")
            return
        if effective_on > recorded_on:
            self.add(
                "future-date",
                where,
                f"Entry {where} is effective on {effective_on}, after the day on which it was "
                f"recorded ({recorded_on}).",
            )

    def _stream(self, row: Any, _held: HeldTexts) -> None:
        where, stream, found, _, _, _, _, _, _, _, _, _, _, _ = row
        version = self.versions.get(stream, 0) + 1
        if found != version:
            self.add(
                "version-gap",
                where,
                f"Entry {where} is version {found} of {stream}; version {version} was due.",
            )
        self.versions[stream] = found

    def _content(self, row: Any, held: HeldTexts) -> None:
        """The payload, and the texts that it and the envelope commit to."""
        where, _, _, tag, recorded_at, _, effective, by, reason, decided, _, _, state, _ = row
        kind, payload = REGISTRY.get(tag), None
        try:
            payload = orjson.loads(state)
            is_canonical = canonical(payload) == state
        except (TypeError, ValueError, Failed):
            is_canonical = False
        if not is_canonical:
            said = f"The payload of entry {where} is not written as the ledger writes it."
            self.add("not-canonical", where, said)
        places = list(_places(kind, payload)) if kind and isinstance(payload, dict) else []
        self._texts(where, _committed(by, reason, places), held)
        for name, holder, key in places:
            holder[key] = held[name][_TEXT] if name in held else WITHOUT_TEXT
        try:  # as the mapper does, without making an entry of it
            _day(effective)
            read_instant(recorded_at)
            if decided:
                _decision(decided)
            if kind is not None and kind.model_validate(payload):
                return
        except Exception:  # the mapper says what is wrong, or that it reads all the same
            pass
        try:
            self.mapper.to_domain_event(stored_entry(row, _vault(held)))
        except IntegrityBroken as error:
            self.add(error.rule, where, error.message)

    def _texts(self, where: int, committed: dict[str, str], held: HeldTexts) -> None:
        for name, kept in held.items():
            if name not in committed:
                self.add("text-unknown", where, f"Entry {where} has a text '{name}' too many.")
            elif not _matches(committed[name], kept):
                self.add(
                    "text-changed",
                    where,
                    f"The text '{name}' of entry {where} is not the one that was recorded.",
                )
        if len(held) < len(committed) or committed.keys() != held.keys():
            for name in committed.keys() - held.keys():
                self.add("text-missing", where, f"The text '{name}' of entry {where} is gone.")

    def head(self, connection: Connection) -> None:
        """The head against what was recomputed."""
        row = connection.execute(select(head)).first()
        if row is None:
            self.add("head-missing", None, "The ledger's head is gone.")
            return
        if row.format != FORMAT:
            self.add("head-changed", None, f"The head gives the format {row.format!r}.")
        if not self.whole:  # what could not be read cannot be counted
            return
        last = self.expected - 1
        if isinstance(row.size, int) and row.size > last:
            self.add(
                "tail-missing",
                last + 1,
                f"The end of the ledger, from entry {last + 1} on, is gone: the head counts "
                f"{row.size} entries.",
            )
        elif row.size != last:
            self.add(
                "head-changed", None, f"The head counts {row.size} entries and there are {last}."
            )
        elif (row.root, row.frontier) != (self.tree.root, self.tree.frontier) and not self.gap:
            said = row.root.hex() if isinstance(row.root, bytes) else repr(row.root)
            self.add(
                "root-changed",
                None,
                f"The root over all entries is {self.tree.root.hex()}; the head says {said}"
                f"{'' if row.root != self.tree.root else ', with another frontier'}.",
            )
        if row.recorded_at != self.recorded_at and row.size == last:
            self.add(
                "head-changed",
                None,
                f"The head's clock stands at {row.recorded_at or 'nothing'}, the last entry's at "
                f"{self.recorded_at or 'nothing'}.",
            )

    def strays(self, connection: Connection) -> None:
        """Entries before the first; positions begin at 1."""
        query = select(entries.c.position).where(entries.c.position < 1)
        for position in connection.execute(query).scalars():
            self.add("entry-unknown", position, f"An entry stands at position {position}.")

    def loose_texts(self, connection: Connection) -> None:
        """Texts that belong to no entry."""
        query = (
            select(texts.c.position, texts.c.field)
            .outerjoin(entries, entries.c.position == texts.c.position)
            .where(entries.c.position.is_(None))
        )
        for position, name in connection.execute(query):
            self.add("text-unknown", position, f"A text '{name}' belongs to no entry ({position}).")

    def file(self, connection: Connection) -> None:
        """The database's own check of its file: an index that is wrong would hide entries."""
        for said in self.database.check_storage(connection):
            self.add("database-damaged", None, f"The database finds in its file: {said}.")


_SALT, _TEXT = 2, 3  # of a row of `texts`


def _matches(committed: str, kept: Any) -> bool:
    try:
        return commitment(kept[_SALT], kept[_TEXT]) == committed
    except (AttributeError, TypeError, ValueError):  # not a salt, or not a text
        return False


def _vault(held: HeldTexts) -> dict[str, VaultText]:
    return {name: VaultText(kept[_SALT], kept[_TEXT]) for name, kept in held.items()}


def _places(
    kind: type[Event], payload: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(field, object, member) of every place of the payload that commits to a text."""
    for name, path in kind.vault.items():
        holder, key = payload, name
        for step in path:
            holder, key = holder.get(key, {}), step
            if type(holder) is not dict:
                break
        else:
            if type(holder.get(key)) is dict:
                yield name, holder, key


def _committed(
    recorded_by: Any, reason: Any, places: list[tuple[str, dict[str, Any], str]]
) -> dict[str, str]:
    """The commitment to every text, by the field's name."""
    found = {}
    for name, holder, key in places:
        committed = holder[key].get("commitment")
        if isinstance(committed, str):
            found[name] = committed
    if recorded_by:
        found["recorded_by"] = recorded_by
    if reason:
        found["reason"] = reason
    return found


_day = lru_cache(4096)(date.fromisoformat)


@lru_cache(4096)
def _decision(written: str) -> Decision:
    return Decision.model_validate(decision(written))
