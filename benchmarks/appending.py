"""One change at a time: a command through the ledger, and the peer's load, change and save."""

import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import count, cycle, pairwise
from pathlib import Path
from typing import Any

from eventsourcing.persistence import StoredEvent

from benchmarks.changes import ACTIONS, Change, changes
from benchmarks.histories import CODE, Clock, begin, entries_of
from benchmarks.measure import Prepare, Prepared, Row, in_turn
from benchmarks.peer import Peer, PeerAction, carry_out, carry_out_all, peer_actions
from domain.commands import Rate
from ledger.entry import Note
from ledger.service import Ledger
from projections.upkeep import open_ledger

EVENTS = 10
"""How many events an action has behind it, about."""
BEHIND = list(changes((EVENTS - 1) * len(ACTIONS)))
TODAY = BEHIND[-1].recorded_on
REASON = "Discussed at the monthly meeting of the board"


def appending(folder: Path, rounds: int) -> list[Row]:
    """Single appends of both."""
    path, peer_path = folder / "appending.sqlite", folder / "appending-peer.sqlite"
    ledger = begin(path, Clock(TODAY))
    ledger.append(entries_of(BEHIND, {}))
    peer = Peer(peer_path)
    identifiers = _fill(peer)
    caching = Peer(folder / "appending-caching.sqlite", cached=2 * len(ACTIONS))
    identifiers_caching = _fill(caching)

    subjects = (
        _acts(ledger),
        _peer_acts(peer, identifiers),
        _peer_acts(caching, identifiers_caching),
        _bare(folder / "appending-bare.sqlite"),
    )
    ours, theirs, cached, bare = in_turn(rounds, *subjects, warm_up=len(ACTIONS) + 10)
    work, peer_work = in_turn(rounds, *subjects[:2], warm_up=0, clock=time.process_time)
    insert, peer_insert = in_turn(rounds, _inserts(ledger), _peer_inserts(peer), warm_up=10)
    ledger.close()
    caching.close()
    peer.close()
    first, peer_first = in_turn(
        rounds // 4, _first(path), _peer_first(peer_path, identifiers), warm_up=2
    )
    return [
        Row("a rating: command / eventsourcing load, change, save", ours, theirs, aim=1.0),
        # Waiting for a slow or busy disk draws the ratio above towards 1; this one it leaves alone.
        Row("the same, processor time only", work, peer_work, aim=1.0),
        Row("the same, with eventsourcing's cache of aggregates on", ours, cached),
        Row("the same, the first one after opening", first, peer_first),
        Row("one ready entry: recorder / eventsourcing's recorder", insert, peer_insert),
        Row("a rating: command / one row into bare sqlite3", ours, bare),
    ]


def growing(ledgers: Sequence[Ledger], counts: Sequence[int], rounds: int) -> list[Row]:
    """Appends with ever longer histories behind them, to ten actions in turn."""

    def acts(ledger: Ledger) -> Prepare:
        wanted, today = _ratings(ACTIONS[:10]), ledger.today()
        return lambda: act(ledger, *next(wanted), today)

    warm = in_turn(rounds, *map(acts, ledgers), warm_up=20)
    work = in_turn(rounds, *map(acts, ledgers), warm_up=0, clock=time.process_time)
    return [
        Row(f"{what}: {counts[high]:,} / {counts[low]:,} changes", found[high], found[low])
        for what, found in (("a rating", warm), ("the same, processor time only", work))
        for low, high in pairwise(range(len(ledgers)))
    ]


def _fill(peer: Peer) -> dict[str, uuid.UUID]:
    actions = peer_actions()
    carry_out_all(actions, BEHIND)
    peer.save(*actions.values())
    return {ref: action.id for ref, action in actions.items()}


def _ratings(actions: Sequence[str] = ACTIONS) -> Iterator[tuple[str, str]]:
    """(action, rating): every action in turn, once one rating and once the other."""
    for rating in cycle(("red", "amber")):
        for ref in actions:
            yield ref, rating


def act(ledger: Ledger, ref: str, rating: str, today: date = TODAY) -> Prepared:
    """A rating of an action."""
    note = Note(today, "A. Person", reason=REASON)
    return lambda: ledger.act(CODE, Rate(ref, rating), note)


def _peer_act(peer: Peer, identifier: uuid.UUID, ref: str, rating: str) -> Prepared:
    change = Change(ref, "rating", rating, TODAY, TODAY, reason=REASON)

    def timed() -> None:
        action: PeerAction = peer.repository.get(identifier)
        carry_out(action, change)
        peer.save(action)

    return timed


def _acts(ledger: Ledger) -> Prepare:
    wanted = _ratings()
    return lambda: act(ledger, *next(wanted))


def _peer_acts(peer: Peer, identifiers: dict[str, uuid.UUID]) -> Prepare:
    wanted = _ratings()

    def prepare() -> Prepared:
        ref, rating = next(wanted)
        return _peer_act(peer, identifiers[ref], ref, rating)

    return prepare


def _first(path: Path) -> Prepare:
    """Each in a ledger that was just opened, as it is for a command in a process of its own."""
    wanted, opened = _ratings(), list[Any]()

    def prepare() -> Prepared:
        while opened:
            opened.pop().close()
        opened.append(open_ledger(path, Clock(TODAY)))
        return act(opened[0], *next(wanted))

    return prepare


def _peer_first(path: Path, identifiers: dict[str, uuid.UUID]) -> Prepare:
    wanted, opened = _ratings(), list[Any]()

    def prepare() -> Prepared:
        while opened:
            opened.pop().close()
        opened.append(Peer(path))
        ref, rating = next(wanted)
        return _peer_act(opened[0], identifiers[ref], ref, rating)

    return prepare


def _bare(path: Path) -> Prepare:
    """What a commit costs on this disk: one row, one transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, payload BLOB)")
    return lambda: (
        lambda: connection.execute("INSERT INTO kept (payload) VALUES (?)", (b"x" * 400,))
    )


def _inserts(ledger: Ledger) -> Prepare:
    """The recorder alone, with all that it does: hashes, texts, read models."""
    [entry] = entries_of([Change("A0", "rating", "red", TODAY, TODAY, reason=REASON)], {})
    versions = count(1)

    def prepare() -> Prepared:
        stored = ledger.mapper.to_stored_event(entry)
        version = next(versions)
        fresh = replace(stored, originator_id=f"action/{CODE}/B", originator_version=version)
        return lambda: ledger.recorder.insert_events([fresh])

    return prepare


def _peer_inserts(peer: Peer) -> Prepare:
    action = next(iter(peer_actions().values()))
    action.collect_events()
    carry_out(action, Change("A0", "rating", "red", TODAY, TODAY, reason=REASON))
    [rated] = action.collect_events()
    stored = peer.mapper.to_stored_event(rated)
    versions, stream = count(1), uuid.uuid4()

    def prepare() -> Prepared:
        fresh = StoredEvent(stream, next(versions), stored.topic, stored.state)
        return lambda: peer.recorder.insert_events([fresh])

    return prepare
