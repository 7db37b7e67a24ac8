"""A damaged file: a clear finding or a clear refusal, and never an error of another kind."""

import random
import sqlite3
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from domain.commands import NoteProgress
from domain.errors import Failed, GovledgerError
from ledger.entry import Note
from ledger.verification import verify
from tests.conftest import PLAN
from tests.ledger.behind import findings, opened, plain

PAGE = 4096


def content(path: Path) -> list[object] | None:
    """Entries, texts and head by plain SQL; None where they cannot be read."""
    try:
        with plain(path) as connection:
            return [
                connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in ("entries", "texts", "head")
            ]
    except sqlite3.DatabaseError:
        return None


def judged(path: Path) -> str:
    """'refused', 'found' or 'whole': what opening and verifying make of the file."""
    try:
        return "found" if findings(path) else "whole"
    except GovledgerError as refused:
        known = ("not-a-ledger", "database-damaged", "database", "newer-format")
        return "refused" if refused.rule in known and refused.message and refused.hint else "?"


@pytest.mark.parametrize("eighths", range(8))
def test_truncated(example_path: Path, eighths: int) -> None:
    """A file that ends too early, at a page or within one, is refused or found to be damaged."""
    size = example_path.stat().st_size
    for length in (size * eighths // 8, size * eighths // 8 // PAGE * PAGE, size - 1 - eighths):
        cut = example_path.with_name("cut.sqlite")
        cut.write_bytes(example_path.read_bytes()[:length])
        assert judged(cut) in ("refused", "found")


@pytest.mark.parametrize("seed", range(60))
def test_garbage_in_the_file(example_path: Path, seed: int) -> None:
    """Random bytes anywhere in the file are refused or found, unless they hit nothing recorded."""
    before = content(example_path)
    chance = random.Random(seed)
    data = bytearray(example_path.read_bytes())
    length = chance.choice([1, 8, 100, PAGE, 3 * PAGE])
    at = chance.randrange(len(data))
    data[at : at + length] = chance.randbytes(len(data[at : at + length]))
    example_path.write_bytes(data)
    verdict = judged(example_path)
    assert verdict in ("refused", "found", "whole")
    if verdict == "whole":
        assert content(example_path) == before


@pytest.mark.parametrize("seed", range(60))
def test_a_page_in_the_place_of_another(example_path: Path, seed: int) -> None:
    """Pages that the disk has written to the wrong place are refused or found."""
    before = content(example_path)
    chance = random.Random(seed)
    data = bytearray(example_path.read_bytes())
    one_page, other = chance.sample(range(len(data) // PAGE), 2)
    data[one_page * PAGE : (one_page + 1) * PAGE] = data[other * PAGE : (other + 1) * PAGE]
    example_path.write_bytes(data)
    verdict = judged(example_path)
    assert verdict in ("refused", "found", "whole")
    if verdict == "whole":
        assert content(example_path) == before


@pytest.mark.parametrize("seed", range(30))
def test_commands_on_a_damaged_file(example_path: Path, seed: int) -> None:
    """A command on a damaged ledger works, or is refused with a message; nothing else leaks."""
    chance = random.Random(seed)
    data = bytearray(example_path.read_bytes())
    for _ in range(5):
        at = chance.randrange(PAGE, len(data))
        data[at : at + 500] = chance.randbytes(len(data[at : at + 500]))
    example_path.write_bytes(data)
    with suppress(GovledgerError), opened(example_path) as ledger:
        ledger.moment()
        ledger.act(PLAN, NoteProgress("P7", "Seen."), Note(date(2025, 11, 12), "A. Clerk"))


def test_index_that_hides_an_entry(example_path: Path) -> None:
    """An index that lacks an entry, so that its stream is read without it, is found.

    Every entry is in its place and hashes as it should; only whoever asks by stream misses it.
    """
    hidden = "stream_id = 'action/CEIP/P7' AND stream_version = 1"
    with plain(example_path) as connection:
        schema = connection.execute("SELECT rowid, * FROM sqlite_master").fetchall()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'CONSTRAINT one_version_once UNIQUE "
            "(stream_id, stream_version)', 'CHECK (1)') WHERE name = 'entries'"
        )
        connection.execute(
            "UPDATE sqlite_master SET type = 'table', name = 'hide', tbl_name = 'hide', sql = "
            "'CREATE TABLE hide (stream_id, stream_version, position, "
            "PRIMARY KEY (stream_id, stream_version, position)) WITHOUT ROWID' "
            "WHERE name = 'sqlite_autoindex_entries_1'"
        )
    with plain(example_path) as connection:
        assert connection.execute(f"DELETE FROM hide WHERE {hidden}").rowcount == 1
        connection.execute("PRAGMA writable_schema = ON")
        for row in schema:
            connection.execute(
                "UPDATE sqlite_master SET type = ?, name = ?, tbl_name = ?, rootpage = ?, "
                "sql = ? WHERE rowid = ?",
                (*row[1:], row[0]),
            )
    with opened(example_path) as ledger:
        versions = [entry.originator_version for entry in ledger.events.get("action/CEIP/P7")]
        assert versions[0] == 2
        found = verify(ledger).findings
    assert {finding.kind for finding in found} == {"database-damaged"}
    assert "index" in found[0].message


@pytest.mark.parametrize(
    "content_of_file",
    [b"", b"SQLite format 3\x00", b"ref,title\nS1,Test\n", bytes(PAGE), b"PK\x03\x04" * 2000],
    ids=["empty", "header only", "CSV", "zeros", "Office file"],
)
def test_no_ledger_at_all(tmp_path: Path, content_of_file: bytes) -> None:
    """A file that never was a ledger is refused by name, and left as it is."""
    path = tmp_path / "file"
    path.write_bytes(content_of_file)
    with pytest.raises(Failed) as refused, opened(path):
        pass
    assert refused.value.rule == "not-a-ledger"
    assert path.name in refused.value.message
    assert path.read_bytes() == content_of_file


def test_another_database(tmp_path: Path) -> None:
    """A SQLite database of some other program is refused by name, and left as it is."""
    path = tmp_path / "other.sqlite"
    with plain(path) as connection:
        connection.execute("CREATE TABLE people (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(Failed) as refused, opened(path):
        pass
    assert refused.value.rule == "not-a-ledger"
    assert path.read_bytes() == before
