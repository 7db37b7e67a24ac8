"""Texts, head, triggers and read models changed behind the ledger's back: found, and named."""

from datetime import date
from pathlib import Path

import pytest

from domain.commands import NoteProgress
from domain.errors import Failed, GovledgerError
from ledger.entry import Note
from ledger.tables import triggers
from ledger.verification import verify
from projections.upkeep import rebuild
from tests.conftest import PLAN
from tests.ledger.behind import (
    findings,
    opened,
    plain,
    read_model_findings,
    tamper,
    unguarded,
)

# --- texts ---


@pytest.mark.parametrize("columns", ["text", "salt", "salt, text"])
def test_text_swapped(example_path: Path, titled: list[int], columns: str) -> None:
    """Two texts in each other's place, with their salts or without, are found at both."""
    with unguarded(example_path) as connection:
        rows = [
            connection.execute(
                f"SELECT {columns} FROM texts WHERE field = 'title' AND position = {position}"
            ).fetchone()
            for position in titled
        ]
        marks = ", ".join("?" * len(rows[0]))
        for position, row in zip(titled, reversed(rows), strict=True):
            connection.execute(
                f"UPDATE texts SET ({columns}) = ({marks}) "
                f"WHERE field = 'title' AND position = {position}",
                row,
            )
    assert findings(example_path) == [("text-changed", position) for position in titled]


def test_texts_of_one_entry_swapped(example_path: Path, rated: int) -> None:
    """Who typed and why, swapped within one entry, are both found."""
    tamper(
        example_path,
        f"UPDATE texts SET field = 'x' WHERE position = {rated} AND field = 'reason'",
        f"UPDATE texts SET field = 'reason' WHERE position = {rated} AND field = 'recorded_by'",
        f"UPDATE texts SET field = 'recorded_by' WHERE position = {rated} AND field = 'x'",
    )
    assert findings(example_path) == [("text-changed", rated)] * 2


@pytest.mark.parametrize("field", ["title", "recorded_by", "reason", "timescale"])
@pytest.mark.parametrize(
    "edit", ["text || '.'", "''", "upper(text)", "x'00'", "CAST(x'ff' AS TEXT)"]
)
def test_text_edited(example_path: Path, titled: list[int], field: str, edit: str) -> None:
    """A text that was edited under its old salt is found, even one that is no text any more."""
    where = f"position = {titled[0]} AND field = '{field}'"
    tamper(example_path, f"UPDATE texts SET text = {edit} WHERE {where}")
    assert findings(example_path) == [("text-changed", titled[0])]


@pytest.mark.parametrize("edit", ["zeroblob(16)", "x''", "'salt'", "5"])
def test_salt_edited(example_path: Path, titled: list[int], edit: str) -> None:
    """Another salt, or something that is no salt, is found at its entry."""
    where = f"position = {titled[0]} AND field = 'title'"
    tamper(example_path, f"UPDATE texts SET salt = {edit} WHERE {where}")
    assert findings(example_path) == [("text-changed", titled[0])]


@pytest.mark.parametrize("field", ["title", "recorded_by", "reason", "timescale"])
def test_text_deleted(example_path: Path, titled: list[int], field: str) -> None:
    """A text that is gone is found at its entry; nobody recorded that it was withheld."""
    tamper(example_path, f"DELETE FROM texts WHERE position = {titled[0]} AND field = '{field}'")
    assert findings(example_path) == [("text-missing", titled[0])]


def test_text_renamed(example_path: Path, titled: list[int]) -> None:
    """A text under another field's name is one too many and one too few."""
    tamper(
        example_path,
        f"UPDATE texts SET field = 'name' WHERE position = {titled[0]} AND field = 'title'",
    )
    assert sorted(findings(example_path)) == [
        ("text-missing", titled[0]),
        ("text-unknown", titled[0]),
    ]


@pytest.mark.parametrize("position", [-1, 0, 5, 100_000])
def test_text_added(example_path: Path, position: int) -> None:
    """A text that no entry commits to is found, at an entry or where there is none."""
    tamper(example_path, f"INSERT INTO texts VALUES ({position}, 'progress', x'00', 'All done.')")
    assert findings(example_path) == [("text-unknown", position)]


# --- the head ---


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("root", "zeroblob(32)", "root-changed"),
        ("root", "x''", "root-changed"),
        ("root", "'no bytes'", "root-changed"),
        ("frontier", "zeroblob(length(frontier))", "root-changed"),
        ("frontier", "substr(frontier, 33)", "root-changed"),
        ("frontier", "'no bytes'", "root-changed"),
        ("size", "size + 1", "tail-missing"),
        ("size", "size - 1", "head-changed"),
        ("size", "0", "head-changed"),
        ("size", "'many'", "head-changed"),
        ("recorded_at", "'2020-01-01T00:00:00.000000Z'", "head-changed"),
        ("recorded_at", "'2031-01-01T00:00:00.000000Z'", "head-changed"),
        ("recorded_at", "''", "head-changed"),
        ("recorded_at", "x'00'", "head-changed"),
    ],
    ids=str,
)
def test_head_edited(example_path: Path, last: int, column: str, value: str, kind: str) -> None:
    """A head that does not fit the entries is found, whichever of its columns was edited."""
    tamper(example_path, f"UPDATE head SET {column} = {value}")
    assert findings(example_path) == [(kind, last + 1 if kind == "tail-missing" else None)]


@pytest.mark.parametrize(
    "change", ["DELETE FROM head", "UPDATE head SET format = 0", "DROP TABLE head"]
)
def test_head_gone(example_path: Path, change: str) -> None:
    """A ledger that has lost its head, or its head's format, is not opened."""
    with unguarded(example_path) as connection:
        connection.execute(change)
    with pytest.raises(Failed) as refused, opened(example_path):
        pass
    assert refused.value.rule == "not-a-ledger"


@pytest.mark.parametrize("frontier", ["x''", "zeroblob(32)", "'no bytes'"])
def test_nothing_is_added_to_a_wrong_head(example_path: Path, frontier: str) -> None:
    """A head that cannot be gone on from refuses every append, and says to verify."""
    tamper(example_path, f"UPDATE head SET frontier = {frontier}")
    with opened(example_path) as ledger:
        size = ledger.size()
        with pytest.raises(GovledgerError) as refused:
            ledger.act(PLAN, NoteProgress("P7", "Seen."), Note(date(2025, 11, 12), "A. Clerk"))
        assert refused.value.rule == "head-changed"
        assert "verify" in refused.value.hint
        assert ledger.size() == size


# --- the guards ---


@pytest.mark.parametrize("name", triggers())
def test_trigger_dropped(example_path: Path, name: str) -> None:
    """A trigger that is gone is found by itself, before anybody has used the way it opened."""
    with plain(example_path) as connection:
        connection.execute(f"DROP TRIGGER {name}")
    with opened(example_path) as ledger:
        (found,) = verify(ledger).findings
    assert (found.kind, found.position) == ("guard-missing", None)
    assert name in found.message


@pytest.mark.parametrize("name", triggers())
def test_trigger_made_toothless(example_path: Path, name: str) -> None:
    """A trigger of the right name that does something else is found."""
    with plain(example_path) as connection:
        connection.execute(f"DROP TRIGGER {name}")
        never = "AND false BEGIN" if "WHEN" in triggers()[name] else "WHEN false BEGIN"
        connection.execute(triggers()[name].replace("BEGIN", never))
    assert findings(example_path) == [("guard-missing", None)]


def test_trigger_added(example_path: Path) -> None:
    """A trigger that is none of the ledger's, and would alter what is appended, is found."""
    with plain(example_path) as connection:
        connection.execute(
            "CREATE TRIGGER helpful AFTER INSERT ON texts BEGIN DELETE FROM head; END"
        )
    assert findings(example_path) == [("guard-unknown", None)]


def test_trigger_dropped_and_an_edit_left(example_path: Path, rated: int) -> None:
    """A dropped trigger and the edit that it let through are two findings."""
    with plain(example_path) as connection:
        connection.execute("DROP TRIGGER entries_refuse_update")
        connection.execute(f"UPDATE entries SET source = 'x' WHERE position = {rated}")
    assert findings(example_path) == [("guard-missing", None), ("entry-changed", rated)]


# --- the read models ---

READ_MODEL_EDITS = [
    "UPDATE assertions SET value = '\"green\"' WHERE value = '\"amber\"'",
    "UPDATE assertions SET position = position + 1 WHERE slot = 9",
    "UPDATE assertions SET at = 202001010000000001 WHERE slot = 9",
    "UPDATE slots SET attribute = 'rated' WHERE attribute = 'rating'",
    "UPDATE slots SET plan = 'OTHER' WHERE id = 9",
    "DELETE FROM assertions WHERE slot = 9",
    "DELETE FROM assertions",
    "INSERT INTO assertions SELECT slot, 202510010000000001, 1, NULL, value "
    "FROM assertions WHERE slot = 9",
    "DELETE FROM voids",
    "UPDATE voids SET voided_by = voided_by + 1",
    "INSERT INTO voids VALUES (5, 6)",
    "UPDATE projection SET position = position - 1",
    "UPDATE projection SET version = version + 1",
    "DELETE FROM projection",
    "UPDATE assertions SET voided_by = NULL WHERE voided_by IS NOT NULL",
    "UPDATE assertions SET voided_by = 7 WHERE slot = 9",
    "UPDATE assertions SET value = x'00' WHERE slot = 9",
    "DELETE FROM slots WHERE id = 9",
]


@pytest.mark.parametrize("edit", READ_MODEL_EDITS)
def test_read_model_edited(example_path: Path, edit: str) -> None:
    """A read model that does not say what the entries say is found, and `rebuild` heals it."""
    with plain(example_path) as connection:
        assert connection.execute(edit).rowcount > 0
    assert findings(example_path) == []
    (found,) = read_model_findings(example_path)
    assert found.kind == "read-model-changed"
    assert "rebuild" in found.message
    with opened(example_path) as ledger:
        rebuild(ledger)
    assert read_model_findings(example_path) == []
