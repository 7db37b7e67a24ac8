"""Holding entries, one after the other, to what was recorded of them; wherever they come from.

Every leaf, the tree, the commitments, positions, versions and clocks are recomputed. It is given
rows, and asks no database: of a store they come from its tables, of an export from its files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from functools import lru_cache
from typing import Any

import orjson

from domain.dates import london_day, read_instant
from domain.errors import Failed, IntegrityBroken
from domain.event import REGISTRY, Event
from domain.text import WITHOUT_TEXT
from ledger.canonical import canonical, commitment
from ledger.entry import Decision, EntryMapper, VaultText
from ledger.fates import Fates
from ledger.reading import HeldTexts
from ledger.rows import decision, row_leaf_bytes, stored_entry
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


class EntryCheck:
    """One pass over entries in their order; give each to `entry`.

    Args:
        held: (position, root in hexadecimal) that somebody holds.
        fates: what the entries say became of texts.

    Attributes:
        findings: what was found so far.
        tree: over the entries so far.
        expected: the position that comes next.
        recorded_at: the clock of the last entry.
        gap: entries are lacking, so that no hash of the tree says anything more.
    """

    def __init__(self, held: tuple[int, str] | None = None, fates: Fates | None = None) -> None:
        self.held = held
        self.root_there: str | None = None
        self.mapper = EntryMapper()
        self.findings: list[Finding] = []
        self.tree = Tree()
        self.expected = 1
        self.recorded_at = ""
        self.versions: dict[str, int] = {}
        self.parts = (self._hashes, self._clocks, self._stream, self._content)
        self.gap = False
        self.as_hashed = True
        self.fates = fates or Fates()

    def add(self, kind: str, position: int | None, message: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(kind, position, message))

    def entry(self, row: Any, held: HeldTexts) -> None:
        """Everything that can be said of one entry and its place after the one before.

        Args:
            row: the columns of `entries` in their order.
            held: of each text, by field, the columns of `texts` in their order.
        """
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

    def held_root(self) -> None:
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
        self.as_hashed = bool(leaf) and leaf == kept[:HASH_BYTES]
        if not self.as_hashed:
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
        if self.as_hashed and not is_canonical:  # of one that was changed the hash says enough
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
        if not self.fates.withheld and committed.keys() == held.keys():
            return
        for name in sorted(committed):
            by_law, there = (where, name) in self.fates.withheld, name in held
            if by_law and there:
                said = f"The text '{name}' of entry {where} is withheld, and yet it is there."
                self.add("text-still-held", where, said)
            elif not by_law and not there:
                self.add("text-missing", where, f"The text '{name}' of entry {where} is gone.")


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
