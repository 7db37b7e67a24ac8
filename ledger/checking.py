"""Holding entries, one after the other, to what was recorded of them; wherever they come from.

Every leaf, the tree, the commitments, positions, versions and clocks are recomputed. It is given
rows, and asks no database: of a store they come from its tables, of an export from its files.
"""

import json
from dataclasses import dataclass
from datetime import UTC
from functools import cache, lru_cache
from typing import Any, get_args

import orjson

from domain.dates import exact_day, exact_instant, london_day
from domain.errors import Failed, IntegrityBroken
from domain.event import REGISTRY, Event
from domain.text import WITHOUT_TEXT
from ledger.canonical import binds, canonical, is_commitment
from ledger.entry import Decision, EntryMapper, VaultText, vault_places
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
        self.parts = (self._hashes, self._clocks, self._stream, self._names, self._content)
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
            instant = exact_instant(recorded_at)
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

    def _names(self, row: Any, _held: HeldTexts) -> None:
        """Who recorded it is committed to in every entry, or nobody could be asked about it."""
        _, _, _, _, _, _, _, by, reason, _, _, _, _, _ = row
        if not is_commitment(by) or not (reason is None or is_commitment(reason)):
            raise ValueError("not a commitment")

    def _content(self, row: Any, held: HeldTexts) -> None:
        """The payload, and the texts that it and the envelope commit to."""
        where, _, _, tag, _, _, _, by, reason, decided, _, _, state, _ = row
        kind, payload = REGISTRY.get(tag), None
        try:
            payload = orjson.loads(state)
            is_canonical = canonical(payload) == state
        except (TypeError, ValueError, Failed):
            is_canonical = False
        if self.as_hashed and not is_canonical:  # of one that was changed the hash says enough
            said = f"The payload of entry {where} is not written as the ledger writes it."
            self.add("not-canonical", where, said)
        places = list(vault_places(kind, payload)) if kind and isinstance(payload, dict) else []
        committed = {name: digest for name, _, _, digest in places if digest is not None}
        committed |= {n: found for n, found in (("recorded_by", by), ("reason", reason)) if found}
        self._texts(where, committed, held)
        for name, holder, key, digest in places:
            if digest is None:
                self._unreadable(where, tag, f"its '{name}' is no commitment to a text")
                return
            text = held[name][_TEXT] if name in held else WITHOUT_TEXT
            holder[key] = text if type(text) is str else WITHOUT_TEXT  # else named above
        try:  # as the mapper does, without making an entry of it
            if decided:
                _decision(decided)
            event: Any = kind.model_validate(payload) if kind is not None else None
        except Exception:  # the mapper says what is wrong
            event = None
        if event is None:
            try:
                self.mapper.to_domain_event(stored_entry(row, _vault(held)))
            except IntegrityBroken as error:
                self.add(error.rule, where, error.message)
            else:
                self._unreadable(where, tag, "its decision is not written as the ledger does")
        elif (
            kind
            and not _of_many_forms(kind).isdisjoint(payload or ())
            and (_written(event.model_dump(mode="json", exclude_unset=True)) != _written(payload))
        ):
            # Reading takes "14" for 14, and an instant for a day; others would read it otherwise.
            self._unreadable(where, tag, "a value of it is not written as the ledger writes it")

    def _unreadable(self, where: int, tag: str, why: str) -> None:
        said = f"Entry {where} cannot be read as {tag}: {why}."
        self.add("unreadable-payload", where, said)

    def _texts(self, where: int, committed: dict[str, str], held: HeldTexts) -> None:
        for name, kept in held.items():
            if name not in committed:
                self.add("text-unknown", where, f"Entry {where} has a text '{name}' too many.")
            elif not binds(committed[name], kept[_SALT], kept[_TEXT]):
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


@cache
def _of_many_forms(kind: type[Event]) -> frozenset[str]:
    """The fields of an event that can be read from more than one form: all that are not strings."""

    def is_words(annotation: Any) -> bool:
        inner = get_args(annotation)  # of a union or of a Literal
        return (
            type(annotation) is str
            or annotation in (str, type(None))
            or (bool(inner) and all(map(is_words, inner)))
        )

    fields = kind.model_fields.items()
    return frozenset(name for name, field in fields if not is_words(field.annotation))


_SALT, _TEXT = 2, 3  # of a row of `texts`


def _vault(held: HeldTexts) -> dict[str, VaultText]:
    return {name: VaultText(kept[_SALT], kept[_TEXT]) for name, kept in held.items()}


def _written(payload: Any) -> str:
    return json.dumps(payload, sort_keys=True)  # to Python itself true is equal to 1


_day = lru_cache(4096)(exact_day)


@lru_cache(4096)
def _decision(written: str) -> Decision:
    said = decision(written)
    found = Decision.model_validate(said)
    if found.model_dump(mode="json") != said:
        raise ValueError("not as the ledger writes it")
    return found
