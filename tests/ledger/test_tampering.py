"""Entries changed behind the ledger's back, with plain SQL: each change is found, and named."""

import json
from pathlib import Path

import pytest

from ledger.canonical import canonical
from ledger.entry import leaf_bytes
from ledger.tables import entries
from ledger.tree import HASH_BYTES, Tree, leaf_hash
from ledger.verification import verify
from tests.ledger.behind import (
    Named,
    findings,
    one,
    opened,
    plain,
    read_model_findings,
    rewrite,
    tamper,
    unguarded,
)


def above(position: int, last: int) -> list[Named]:
    """What a wrong leaf in the tree leads to: every later hash that was built over it."""
    over = [
        end
        for level in range(1, last.bit_length())
        if (end := ((position - 1 >> level) + 1) << level) <= last
    ]
    return [("tree-changed", end) for end in sorted(set(over))] + [("root-changed", None)]


def test_untouched(example_path: Path, last: int) -> None:
    """The example ledger has nothing to be found, and each of its entries was looked at."""
    with opened(example_path) as ledger:
        verified = verify(ledger)
        assert verified.findings == ()
        assert verified.size == last == ledger.size()
        assert verified.root == ledger.moment().root
    assert read_model_findings(example_path) == []


# --- entries ---


def test_payload_edited(example_path: Path, rated: int) -> None:
    """A payload that says something else is found at its entry, and nowhere else."""
    tamper(
        example_path,
        'UPDATE entries SET payload = CAST(\'{"rating":"grey"}\' AS BLOB) '
        f"WHERE position = {rated}",
    )
    assert findings(example_path) == [("entry-changed", rated)]


def test_payload_edited_by_a_space(example_path: Path, rated: int) -> None:
    """A payload that says the same in other bytes is found as well."""
    tamper(
        example_path,
        "UPDATE entries SET payload = CAST(CAST(payload AS TEXT) || ' ' AS BLOB) "
        f"WHERE position = {rated}",
    )
    assert findings(example_path) == [("entry-changed", rated)]


@pytest.mark.parametrize("payload", ['{"rating": "red"}', '{"rating":"r\\u0065d"}'])
def test_payload_written_otherwise_with_its_hash(
    example_path: Path, rated: int, payload: str
) -> None:
    """A payload written in another way than the canonical one is named, though its hash fits."""
    with unguarded(example_path) as connection:
        connection.execute(
            "UPDATE entries SET payload = ? WHERE position = ?", [payload.encode(), rated]
        )
    with opened(example_path) as ledger, ledger.database.reading() as reading:
        leaf = leaf_hash(leaf_bytes(ledger.recorder.at_positions(reading, [rated])[rated]))
    with unguarded(example_path) as connection:
        connection.execute(
            "UPDATE entries SET subtrees = CAST(? || substr(subtrees, ?) AS BLOB) "
            "WHERE position = ?",
            [leaf, HASH_BYTES + 1, rated],
        )
    found = findings(example_path)
    assert ("not-canonical", rated) in found
    assert ("entry-changed", rated) not in found


# Further findings that an edit brings with it; {p} is the entry's position.
ENVELOPE_EDITS = [
    ("stream_id", "'action/CEIP/other'"),
    ("stream_version", "stream_version + 1"),
    ("type", "'action.reworded/1'"),
    ("type", "'action.rated/9'"),
    ("recorded_at", "'2020-01-01T00:00:00.000000Z'"),
    ("recorded_at", "substr(recorded_at, 1, 25) || '1Z'"),
    ("entry_id", "'00' || substr(entry_id, 3)"),
    ("effective_on", "'2025-09-29'"),
    ("recorded_by", "recorded_by || '0'"),
    ("recorded_by", "''"),
    ("reason", "recorded_by"),
    ("reason", "NULL"),
    ("reason", "''"),
    ("source", "'another paper'"),
    ("source", "NULL"),
    ("source", "''"),
    ("decided_by", '\'{"body": "B", "meeting": "2025-09-29", "minute": "1"}\''),
    ("decided_by", "''"),
    ("decided_by", "'null'"),
    ("correction", "1"),
    ("correction", "2"),
    ("correction", "''"),
]


@pytest.mark.parametrize(("column", "value"), ENVELOPE_EDITS, ids=str)
def test_envelope_edited(example_path: Path, rated: int, column: str, value: str) -> None:
    """An edit of any column of the envelope is found at its entry."""
    tamper(example_path, f"UPDATE entries SET {column} = {value} WHERE position = {rated}")
    assert findings(example_path)[0] == ("entry-changed", rated)


def test_every_column_is_edited() -> None:
    """The edits above, of the payload, of the hashes and of the order cover every column."""
    elsewhere = {"payload", "subtrees", "position"}
    assert {column for column, _ in ENVELOPE_EDITS} | elsewhere == set(entries.columns.keys())


@pytest.mark.parametrize(
    "value",
    ["NULL", "''", "replace(decided_by, '7.2', '7.3')", "decided_by || ' '", "'{'", "'[]'"],
)
def test_decision_edited(example_path: Path, decided: int, value: str) -> None:
    """Another minute, no decision, or one that cannot be read, is found at its entry."""
    tamper(example_path, f"UPDATE entries SET decided_by = {value} WHERE position = {decided}")
    found = findings(example_path)
    assert found[0] == ("entry-changed", decided)
    assert {position for _kind, position in found} == {decided}


def test_correction_mark_edited(example_path: Path) -> None:
    """A correction whose mark is taken away, or written otherwise, is found at its entry."""
    where = one(example_path, "SELECT max(position) FROM entries WHERE correction = 1")
    for mark in (0, 2):
        tamper(example_path, f"UPDATE entries SET correction = {mark} WHERE position = {where}")
        assert findings(example_path) == [("entry-changed", where)]


def test_type_unknown(example_path: Path, rated: int) -> None:
    """A type tag that no version knows is named as such, besides the change itself."""
    tamper(example_path, f"UPDATE entries SET type = 'no.such/1' WHERE position = {rated}")
    assert findings(example_path) == [("entry-changed", rated), ("unknown-type", rated)]


def test_recorded_at_backwards(example_path: Path, rated: int) -> None:
    """An entry that claims an earlier instant than the one before it is named for that too."""
    tamper(
        example_path,
        f"UPDATE entries SET recorded_at = '2025-10-31T09:00:00.000000Z' WHERE position = {rated}",
    )
    assert findings(example_path) == [("entry-changed", rated), ("clock-backwards", rated)]


def test_recorded_at_forwards(example_path: Path, rated: int) -> None:
    """An entry that claims a later instant makes the next one run backwards; only that one."""
    tamper(
        example_path,
        f"UPDATE entries SET recorded_at = '2031-10-31T09:00:00.000000Z' WHERE position = {rated}",
    )
    assert findings(example_path) == [("entry-changed", rated), ("clock-backwards", rated + 1)]


def test_effective_in_the_future(example_path: Path, rated: int) -> None:
    """An entry that is true only after it was recorded is named for that too."""
    tamper(example_path, f"UPDATE entries SET effective_on = '2030-01-01' WHERE position = {rated}")
    assert findings(example_path) == [("entry-changed", rated), ("future-date", rated)]


def test_kept_leaf_hash_edited(example_path: Path, rated: int, last: int) -> None:
    """A kept leaf hash that does not fit its entry is found there, and in the tree over it."""
    with unguarded(example_path) as connection:
        rewrite(
            connection,
            f"SELECT subtrees FROM entries WHERE position = {rated}",
            lambda kept: bytes([kept[0] ^ 1]) + kept[1:],
        )
    assert findings(example_path) == [("entry-changed", rated), *above(rated, last)]


def test_kept_inner_hash_edited(example_path: Path) -> None:
    """A kept inner hash that is not the one over its leaves is found where it is kept."""
    with unguarded(example_path) as connection:
        rewrite(
            connection,
            "SELECT subtrees FROM entries WHERE position = 64",
            lambda kept: kept[:-1] + bytes([kept[-1] ^ 1]),
        )
    assert findings(example_path) == [("tree-changed", 64)]


@pytest.mark.parametrize("change", ["x''", "zeroblob(32)", "subtrees || x'00'"])
def test_kept_hashes_of_another_length(example_path: Path, change: str) -> None:
    """Kept hashes that are gone, blank or too many are found where they are kept."""
    tamper(example_path, f"UPDATE entries SET subtrees = {change} WHERE position = 64")
    assert ("tree-changed", 64) in findings(example_path)


def test_payload_edited_and_its_leaf_hash_recomputed(
    example_path: Path, rated: int, last: int
) -> None:
    """An edit that also puts the right leaf hash beside it is found in the tree over it."""
    with opened(example_path) as ledger, ledger.database.reading() as connection:
        stored = ledger.recorder.at_positions(connection, [rated])[rated]
    forged = leaf_hash(leaf_bytes(stored).replace(b'"source":"CF/', b'"source":"XX/'))
    with unguarded(example_path) as plain_connection:
        plain_connection.execute(
            "UPDATE entries SET source = replace(source, 'CF/', 'XX/'), "
            "subtrees = ? || substr(subtrees, ?) WHERE position = ?",
            [forged, HASH_BYTES + 1, rated],
        )
        plain_connection.execute(
            "UPDATE entries SET subtrees = CAST(subtrees AS BLOB) WHERE position = ?", [rated]
        )
    assert findings(example_path) == above(rated, last)
    assert above(rated, last)[0] == ("tree-changed", rated + 1)


def seal_anew(path: Path) -> None:
    """Make every hash of the tree anew over the entries as they now are."""
    with opened(path) as ledger, ledger.database.reading() as connection:
        stored = list(ledger.recorder.read(connection))
    tree = Tree()
    with unguarded(path) as rewriting:
        for entry in stored:
            rewriting.execute(
                "UPDATE entries SET subtrees = ? WHERE position = ?",
                [tree.append(leaf_bytes(entry)), entry.position],
            )
        rewriting.execute("UPDATE head SET root = ?, frontier = ?", [tree.root, tree.frontier])


def test_everything_rewritten(example_path: Path, rated: int) -> None:
    """What no check inside one database can find, the root in an issued paper shows.

    Whoever rewrites an entry and every hash after it is found by the root that the entry of the
    report holds. If that is rewritten too the ledger verifies; but its root is not the one that
    stands in the papers.
    """
    with opened(example_path) as ledger:
        in_the_papers = ledger.moment().root
    tamper(example_path, f"UPDATE entries SET source = 'another paper' WHERE position = {rated}")
    report = "WHERE type = 'plan.report_issued/1'"
    at = one(example_path, f"SELECT position FROM entries {report}")
    seal_anew(example_path)
    assert findings(example_path) == [("bad-checkpoint", at)]

    with opened(example_path) as ledger:
        before = ledger.moment(known_at=at - 1).root
    with unguarded(example_path) as rewriting:
        query = f"SELECT payload FROM entries {report}"
        rewrite(
            rewriting,
            query,
            lambda payload: canonical({**json.loads(payload), "root": before}),
        )
    seal_anew(example_path)
    assert findings(example_path) == []
    with opened(example_path) as ledger:
        assert ledger.moment().root != in_the_papers


def test_order_of_two_swapped(example_path: Path, rated: int) -> None:
    """Two entries that have changed places are both found."""
    tamper(
        example_path,
        f"UPDATE entries SET position = -1 WHERE position = {rated}",
        f"UPDATE entries SET position = {rated} WHERE position = {rated + 2}",
        f"UPDATE entries SET position = {rated + 2} WHERE position = -1",
        f"UPDATE texts SET position = -1 WHERE position = {rated}",
        f"UPDATE texts SET position = {rated} WHERE position = {rated + 2}",
        f"UPDATE texts SET position = {rated + 2} WHERE position = -1",
    )
    found = findings(example_path)
    assert {("entry-changed", rated), ("entry-changed", rated + 2)} <= set(found)
    assert ("root-changed", None) in found


def test_deleted_in_the_middle(example_path: Path, rated: int) -> None:
    """An entry that is gone is named; that every later hash differs is not said as well."""
    tamper(
        example_path,
        f"DELETE FROM entries WHERE position = {rated}",
        f"DELETE FROM texts WHERE position = {rated}",
    )
    assert findings(example_path) == [("entry-missing", rated)]


def test_several_deleted_in_the_middle(example_path: Path, rated: int) -> None:
    """A hole of several entries is named by its first, one of a single entry by itself."""
    tamper(
        example_path,
        f"DELETE FROM entries WHERE position IN ({rated}, {rated + 1}, {rated + 4})",
        f"DELETE FROM texts WHERE position IN ({rated}, {rated + 1}, {rated + 4})",
    )
    found = findings(example_path)
    assert [named for named in found if named[0] == "entry-missing"] == [
        ("entry-missing", rated),
        ("entry-missing", rated + 4),
    ]


def test_tail_deleted(example_path: Path, last: int) -> None:
    """A deleted tail is found by the head, which counts more entries than there are."""
    tamper(
        example_path,
        f"DELETE FROM entries WHERE position > {last - 3}",
        f"DELETE FROM texts WHERE position > {last - 3}",
    )
    assert findings(example_path) == [("tail-missing", last - 2)]


def test_tail_deleted_and_the_head_counts_so(example_path: Path, last: int) -> None:
    """A deleted tail is found by root and clock when the head's count was lowered with it."""
    tamper(
        example_path,
        f"DELETE FROM entries WHERE position > {last - 3}",
        f"DELETE FROM texts WHERE position > {last - 3}",
        f"UPDATE head SET size = {last - 3}",
    )
    assert findings(example_path) == [("root-changed", None), ("head-changed", None)]


def test_everything_deleted(example_path: Path) -> None:
    """A ledger without entries or texts is found to lack its whole history."""
    tamper(example_path, "DELETE FROM entries", "DELETE FROM texts")
    assert findings(example_path) == [("tail-missing", 1)]


def test_appended_by_hand(example_path: Path, rated: int, last: int) -> None:
    """An entry that somebody put at the end with a hash from elsewhere is found."""
    columns = ", ".join(entries.columns.keys()).removeprefix("position, ")
    tamper(
        example_path,
        f"INSERT INTO entries (position, {columns}) SELECT {last + 1}, "
        + columns.replace("stream_id", "'action/CEIP/P7'").replace("stream_version", "9")
        + f" FROM entries WHERE position = {rated}",
    )
    found = findings(example_path)
    assert ("entry-changed", last + 1) in found
    assert ("head-changed", None) in found


@pytest.mark.parametrize("position", [0, -5])
def test_put_before_the_first(example_path: Path, rated: int, position: int) -> None:
    """An entry before position 1, where nobody who counts from 1 would look, is found."""
    columns = ", ".join(entries.columns.keys()).removeprefix("position, ")
    tamper(
        example_path,
        f"INSERT INTO entries (position, {columns}) SELECT {position}, "
        + columns.replace("stream_version", "99")
        + f" FROM entries WHERE position = {rated}",
    )
    assert findings(example_path) == [("entry-unknown", position)]


def test_replaced(example_path: Path, rated: int) -> None:
    """INSERT OR REPLACE, which fires no trigger on SQLite, is found as the edit that it is."""
    columns = ", ".join(entries.columns.keys())
    with unguarded(example_path) as connection:
        connection.execute(
            f"INSERT OR REPLACE INTO entries ({columns}) SELECT "
            + columns.replace("source", "'another paper'")
            + f" FROM entries WHERE position = {rated}"
        )
    assert findings(example_path) == [("entry-changed", rated)]


# --- several at once ---


def test_every_finding_is_returned(example_path: Path, rated: int, titled: list[int]) -> None:
    """Two changes that have nothing to do with each other are two findings."""
    tamper(
        example_path,
        f"UPDATE texts SET text = 'x' WHERE position = {titled[0]} AND field = 'title'",
        f"UPDATE entries SET source = 'x' WHERE position = {rated}",
    )
    assert findings(example_path) == [("text-changed", titled[0]), ("entry-changed", rated)]


def test_a_gap_hides_nothing(example_path: Path, rated: int) -> None:
    """After a missing entry the later ones are still held to their own hashes and texts."""
    tamper(
        example_path,
        f"DELETE FROM entries WHERE position = {rated}",
        f"DELETE FROM texts WHERE position = {rated}",
        f"UPDATE entries SET source = 'x' WHERE position = {rated + 5}",
        f"UPDATE texts SET text = 'x' WHERE position = {rated + 6} AND field = 'reason'",
    )
    assert findings(example_path) == [
        ("entry-missing", rated),
        ("entry-changed", rated + 5),
        ("text-changed", rated + 6),
    ]


def test_damage_hides_nothing(example_path: Path, rated: int) -> None:
    """Where the texts' table is gone, which no step can do without, the rest is still checked."""
    with unguarded(example_path) as connection:
        connection.execute("UPDATE head SET format = 1, recorded_at = ''")
        connection.execute(f"UPDATE entries SET position = -1 WHERE position = {rated}")
    with plain(example_path) as connection:
        connection.execute("DROP TABLE texts")
    kinds = {kind for kind, _position in findings(example_path)}
    assert {"guard-missing", "database-damaged", "entry-unknown"} <= kinds
