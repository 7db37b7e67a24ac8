"""Texts that the law takes away: gone from the file, with every hash as it was."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from domain.commands import NoteProgress
from domain.errors import BadInput, Conflict, GovledgerError, IntegrityBroken, Refusal
from domain.event import REGISTRY
from domain.importing import PlannedAction
from domain.person import PersonEnrolled
from domain.text import withheld_as
from domain.withholding import ExemptionLifted, TextExempted, TextWithheld
from ledger import sqlite
from ledger.entry import Decision, Note
from ledger.fates import fates
from ledger.lawfulness import check_lawfulness
from ledger.service import Ledger
from ledger.verification import verify
from projections.upkeep import check_read_models, open_ledger
from tests.boards import ADMIN, CODE, MEETING, Boards
from tests.conftest import Clock
from tests.ledger.forging import force
from tests.projections.test_state_of_boards import play
from tests.property import oracle

BASIS = "Data Protection Act 2018"
DECIDED = Decision(body="Information Governance Board", meeting=MEETING, minute="4.1")
NOTE = Note(MEETING, ADMIN, reason="Asked for by the person.", decided_by=DECIDED)
NOW = datetime(2025, 11, 12, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger in which everything happened, and many pages were moved about."""
    path = tmp_path_factory.mktemp("played") / "ledger.sqlite"
    boards = Boards(path, Clock())
    play(boards)
    for batch in ("M", "N"):
        planned = [
            PlannedAction(f"{batch}{n}", n, "Front door", "Edge of care", "Word " * (n % 60 + 1))
            for n in range(1, 120)
        ]
        note = Note(date(2025, 11, 12), ADMIN, source="Paper")
        boards.ledger.import_plan(CODE, planned, note, whole=False)
    boards.ledger.close()
    return path


@pytest.fixture
def path(played: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(played, tmp_path / "ledger.sqlite"))


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """The copy, open."""
    found = open_ledger(path, Clock(NOW))
    yield found
    found.close()


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def raw(path: Path) -> bytes:
    """Every byte of the database's file, its log and its index of the log."""
    files = [Path(f"{path}{end}") for end in ("", "-wal", "-shm", "-journal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def position_of(path: Path, field: str, text: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT position FROM texts WHERE field = ? AND text = ?", [field, text]
        ).fetchone()
    assert found
    return int(found[0])


def findings(ledger: Ledger) -> list[tuple[str, int | None]]:
    every = (*verify(ledger).findings, *check_lawfulness(ledger).findings)
    return [(one.kind, one.position) for one in (*every, *check_read_models(ledger))]


# --- gone from the file ------------------------------------------------------------------

FIELDS = sorted({name for kind in REGISTRY.values() for name in kind.vault} | {"reason"})


def _needle(path: Path, field: str) -> tuple[int, bytes] | None:
    """(position, bytes) of a text of that field, and a part of it that stands in no other field."""
    texts = rows(path, "SELECT position, field, text FROM texts ORDER BY length(text) DESC")
    for position, name, text in texts:
        for start in range(0, max(1, len(text) - 12), 7) if name == field else ():
            part = text[start : start + 60]
            holders = [t for _p, _n, t in texts if part in t]
            if len(part) > 4 and all(text in holder for holder in holders):
                return position, part.encode()
    return None


def test_the_bytes_of_a_withheld_text_are_gone_from_the_file(path: Path, ledger: Ledger) -> None:
    """Of a text in every kind of field nothing is left in the file, its log or its index.

    They were found before, whatever pages were moved about since they were written; and every
    hash, rule and root is as it was.
    """
    size = ledger.size()
    before = ledger.moment(known_at=size).root
    tried = 0
    for field in FIELDS:
        found = _needle(path, field)
        assert found, f"no text of the kind '{field}' to withhold"
        position, needle = found
        outcome = ledger.withhold(position, field, BASIS, NOTE, copies=True)
        if outcome.in_clear:
            continue  # the words stand outside the texts too, as the name of a body
        assert outcome.left is None
        assert needle not in raw(path), (field, needle)
        tried += 1
    assert tried > len(FIELDS) - 3
    assert ledger.moment(known_at=size).root == before
    assert findings(ledger) == []


def test_it_was_there_before(path: Path) -> None:
    """The search that finds nothing afterwards finds every one of those texts before."""
    for field in FIELDS:
        found = _needle(path, field)
        assert found
        assert found[1] in raw(path), field


KILLED = """
import os, sys
from pathlib import Path
from ledger.sqlite import SQLite
from projections.upkeep import open_ledger
from tests.ledger.test_withholding import BASIS, NOTE, NOW
from tests.conftest import Clock
SQLite.scrub = lambda self: os._exit(9)
ledger = open_ledger(Path(sys.argv[1]), Clock(NOW))
ledger.withhold(int(sys.argv[2]), "outcome", BASIS, NOTE)
"""


def test_killed_before_the_file_is_cleaned(path: Path) -> None:
    """A kill between the commit and the cleaning leaves the entry; the same command cleans up."""
    position = position_of(path, "outcome", "Found one.")
    words = [sys.executable, "-c", KILLED, str(path), str(position)]
    ran = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, check=False)
    assert ran.returncode == 9, ran.stderr
    assert b"Found one." in raw(path), "nothing was left to clean, so this shows nothing"
    ledger = open_ledger(path, Clock(NOW))
    try:
        size = ledger.size()
        again = ledger.withhold(position, "outcome", BASIS, NOTE)
        assert (again.already_by, again.left, again.entries) == (size, None, ())
        assert ledger.size() == size
        assert b"Found one." not in raw(path)
        assert findings(ledger) == []
    finally:
        ledger.close()


def test_while_somebody_reads_the_log_cannot_be_emptied(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is said plainly; given again once they have gone, the command cleans up."""
    monkeypatch.setattr(sqlite, "SCRUB_SECONDS", 0)
    position = position_of(path, "outcome", "Found one.")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM entries").fetchone()
        outcome = ledger.withhold(position, "outcome", BASIS, NOTE)
        assert outcome.entries
        assert outcome.left
        assert "can still be found" in outcome.left
        assert b"Found one." in raw(path)
    assert ledger.withhold(position, "outcome", BASIS, NOTE).left is None
    assert b"Found one." not in raw(path)


# --- what reads, and what stays ------------------------------------------------------------


def test_nothing_but_the_text_goes(path: Path, ledger: Ledger) -> None:
    """Every entry stays to the byte, and every other text; one row says what went and why."""
    before = oracle.dump(path)
    position = position_of(path, "issue", "No budget.")
    outcome = ledger.withhold(position, "issue", BASIS, NOTE)
    (entry,) = outcome.entries
    after = oracle.dump(path)
    assert set(before["entries"]) < set(after["entries"])
    assert len(after["entries"]) == len(before["entries"]) + 1
    gone = {row[:2] for row in before["texts"]} - {row[:2] for row in after["texts"]}
    assert gone == {(position, "issue")}
    assert after["withheld"] == [(position, "issue", entry.position, BASIS)]
    assert after["assertions"] == before["assertions"]
    read = ledger.entry_at(position)
    assert (set(read.withheld), set(read.by_law)) == ({"issue"}, {"issue"})
    assert getattr(read.event, "issue") == withheld_as(BASIS) == f"[withheld: {BASIS}]"  # noqa: B009


def test_what_is_only_gone_is_found_and_what_is_withheld_is_counted(
    path: Path, ledger: Ledger
) -> None:
    """A text that somebody took away with its guards is a finding; one that the law took is not."""
    ledger.withhold(position_of(path, "issue", "No budget."), "issue", BASIS, NOTE)
    assert findings(ledger) == []
    assert verify(ledger).withheld == 1
    taken = position_of(path, "issue", "No staff.")
    with closing(sqlite3.connect(path)) as plain:
        sql = plain.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'texts_refuse_delete'"
        ).fetchone()[0]
        plain.execute("DROP TRIGGER texts_refuse_delete")
        plain.execute("DELETE FROM texts WHERE position = ?  AND field = 'issue'", [taken])
        plain.execute(sql)
        plain.commit()
    assert findings(ledger) == [("text-missing", taken)]
    assert "[text not held]" in repr(ledger.entry_at(taken))


def test_what_is_deleted_is_overwritten_at_once(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are zeros in the file before it is written anew, however SQLite was built."""
    monkeypatch.setattr(ledger.database, "scrub", lambda: None)
    ledger.database.close()
    event.listen(
        ledger.database.engine,
        "connect",
        lambda connection, _record: connection.execute("PRAGMA secure_delete=OFF"),
    )
    position = position_of(path, "issue", "No budget.")
    assert b"No budget." in path.read_bytes()
    ledger.withhold(position, "issue", BASIS, NOTE)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"No budget." not in path.read_bytes()


def test_a_withheld_text_that_is_put_back(path: Path, ledger: Ledger) -> None:
    """A text that an entry withholds, and that is there, is named; the command takes it again."""
    position = position_of(path, "issue", "No budget.")
    (kept,) = rows(path, f"SELECT * FROM texts WHERE position = {position} AND field = 'issue'")
    ledger.withhold(position, "issue", BASIS, NOTE)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", kept)
        plain.commit()
    assert findings(ledger) == [("text-still-held", position)]
    ledger.withhold(position, "issue", BASIS, NOTE)
    assert findings(ledger) == []


def test_the_table_of_what_is_withheld_is_held_to_the_entries(path: Path, ledger: Ledger) -> None:
    """A row that no entry stands for is named, and so is the text that it let somebody delete.

    The database refuses such a row, until somebody takes its trigger away.
    """
    position = position_of(path, "issue", "No budget.")
    row = f"INSERT INTO withheld VALUES ({position}, 'issue', 3, 'No law')"
    with closing(sqlite3.connect(path)) as plain:
        with pytest.raises(sqlite3.IntegrityError, match="no entry withholds this text"):
            plain.execute(row)
        guard = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'withheld_by_entry'")
        sql = guard.fetchone()[0]
        plain.execute("DROP TRIGGER withheld_by_entry")
        plain.execute(row)
        plain.execute(sql)
        plain.execute("DELETE FROM texts WHERE position = ? AND field = 'issue'", [position])
        plain.commit()
    assert findings(ledger) == [("withheld-changed", position), ("text-missing", position)]


def test_the_statement_that_was_signed(path: Path, ledger: Ledger) -> None:
    """A withheld statement leaves a signature that nobody can check: counted, and no finding."""
    checked = check_lawfulness(ledger).signatures_checked
    position = rows(path, "SELECT min(position) FROM texts WHERE field = 'statement'")[0][0]
    ledger.withhold(position, "statement", BASIS, NOTE)
    after = check_lawfulness(ledger)
    assert (after.signatures_checked, after.unsigned) == (checked - 1, 1)
    assert findings(ledger) == []


# --- what is refused -------------------------------------------------------------------------


def refused(path: Path, ledger: Ledger, *words: Any, **more: Any) -> GovledgerError:
    before = oracle.dump(path)
    with pytest.raises(GovledgerError) as found:
        ledger.withhold(*words, **more)
    assert oracle.dump(path) == before
    assert found.value.hint
    return found.value


def test_what_cannot_be_withheld(path: Path, ledger: Ledger) -> None:
    """No such entry or text, no authority, no basis, no administrator: refused, and unchanged."""
    position = position_of(path, "issue", "No budget.")
    assert refused(path, ledger, 9999, "issue", BASIS, NOTE).rule == "no-such-entry"
    unknown = refused(path, ledger, position, "outcome", BASIS, NOTE)
    assert unknown.rule == "no-such-text"
    assert unknown.hint == "Its texts: recorded_by, reason, issue."
    bare = replace(NOTE, decided_by=None)
    assert refused(path, ledger, position, "issue", BASIS, bare).rule == "needs-authority"
    ahead = replace(NOTE, decided_by=DECIDED.model_copy(update={"meeting": date(2026, 1, 1)}))
    assert refused(path, ledger, position, "issue", BASIS, ahead).rule == "future-date"
    for basis, rule in (
        ("", "empty-text"),
        ("A [law]", "bad-basis"),
        ("a\nb", "control-character"),
    ):
        assert refused(path, ledger, position, "issue", basis, NOTE).rule == rule
    for note in (replace(NOTE, recorded_by="clerk"), replace(NOTE, recorded_by="A. Stranger")):
        assert refused(path, ledger, position, "issue", BASIS, note).rule == "not-administrator"
        assert refused(path, ledger, 1, "name", BASIS, note).rule == "not-administrator"


def test_what_is_said_of_a_text_does_not_repeat_it(path: Path, ledger: Ledger) -> None:
    """A basis, a reason or a minute that holds the words would keep what is to go."""
    position = position_of(path, "issue", "No budget.")
    told = "It was no  BUDGET. again"
    for basis, note in (
        (told, NOTE),
        (BASIS, replace(NOTE, reason=told)),
        (BASIS, replace(NOTE, decided_by=DECIDED.model_copy(update={"minute": told}))),
    ):
        assert refused(path, ledger, position, "issue", basis, note).rule == "tells-the-text"


def test_nothing_is_withheld_that_hides_a_finding(path: Path, ledger: Ledger) -> None:
    """A text that was changed, or an entry that breaks a rule, is not withheld away."""
    changed = position_of(path, "issue", "No budget.")
    with closing(sqlite3.connect(path)) as plain:
        trigger = "texts_refuse_update"
        sql = plain.execute("SELECT sql FROM sqlite_master WHERE name = ?", [trigger]).fetchone()[0]
        plain.execute(f"DROP TRIGGER {trigger}")
        plain.execute("UPDATE texts SET text = 'Other.' WHERE position = ?", [changed])
        plain.execute(sql)
        plain.commit()
    error = refused(path, ledger, changed, "issue", BASIS, NOTE)
    assert isinstance(error, IntegrityBroken)
    assert error.rule == "text-changed"
    member = ledger.timeline(f"person/{CODE}/dcs").items()[0].event
    wrong = force(
        ledger,
        (
            f"person/{CODE}/forged",
            member.model_copy(update={"person": "forged"}),
            Note(MEETING, "A. Stranger", reason="Because of me."),
        ),
    )[0]
    assert refused(path, ledger, wrong, "reason", BASIS, NOTE).rule in ("found-wrong", "rebuild")


def test_the_name_of_the_only_administrator_stays(path: Path, ledger: Ledger) -> None:
    """Who began the ledger is known by name; without it the plan would have no administrator."""
    # In this ledger `dcs` was appointed by code.
    assert refused(path, ledger, 1, "recorded_by", BASIS, NOTE).rule == "own-name"
    fresh = Boards(path.parent / "fresh.sqlite")
    try:
        error = refused(path.parent / "fresh.sqlite", fresh.ledger, 1, "recorded_by", BASIS, NOTE)
        assert error.rule == "last-administrator"
    finally:
        fresh.ledger.close()


def test_two_at_once(path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two officers withhold the same text at the same time: one does, the other is told."""
    position = position_of(path, "issue", "No budget.")
    other = open_ledger(path, Clock(NOW))
    append = ledger.append

    def late(*words: Any, **more: Any) -> Any:
        monkeypatch.undo()
        other.withhold(position, "issue", BASIS, NOTE)
        return append(*words, **more)

    monkeypatch.setattr(ledger, "append", late)
    try:
        with pytest.raises(Conflict):
            ledger.withhold(position, "issue", BASIS, NOTE)
        assert ledger.withhold(position, "issue", BASIS, NOTE).already_by == ledger.size()
    finally:
        other.close()


# --- exempt ----------------------------------------------------------------------------------


def test_an_exempt_text_is_kept(path: Path, ledger: Ledger) -> None:
    """Exempting keeps the text, says so once, and can be lifted once; withholding ends it."""
    position = position_of(path, "issue", "No budget.")
    place = position, "issue"

    def exempted() -> dict[Any, Any]:
        with ledger.database.reading() as connection:
            return dict(fates(connection).exempt)

    ledger.exempt(*place, "Schedule 12A", NOTE)
    assert exempted()[place].basis == "Schedule 12A"
    with pytest.raises(Refusal, match="exempt already"):
        ledger.exempt(*place, "Schedule 12A", NOTE)
    ledger.lift_exemption(*place, NOTE)
    assert exempted() == {}
    with pytest.raises(Refusal, match="not exempt"):
        ledger.lift_exemption(*place, NOTE)
    ledger.exempt(*place, "Schedule 12A", NOTE)
    assert b"No budget." in raw(path)
    ledger.withhold(*place, BASIS, NOTE)
    assert exempted() == {}
    with pytest.raises(Refusal, match="withheld already"):
        ledger.exempt(*place, "Schedule 12A", NOTE)
    with pytest.raises(BadInput):
        ledger.exempt(position, "outcome", "Schedule 12A", NOTE)
    assert findings(ledger) == []


# --- forged entries --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "note", "rule"),
    [
        (TextExempted(position=3, field="outcome", basis="x"), NOTE, "no-such-text"),
        (TextExempted(position=99999, field="reason", basis="x"), NOTE, "no-such-entry"),
        (TextWithheld(position=3, field="outcome", basis="x"), NOTE, "no-such-text"),
        (ExemptionLifted(position=3, field="name"), NOTE, "not-exempt"),
        (
            TextExempted(position=3, field="name", basis="x"),
            replace(NOTE, decided_by=None),
            "needs-authority",
        ),
        (
            TextExempted(position=3, field="name", basis="x"),
            replace(NOTE, recorded_by="clerk"),
            "not-administrator",
        ),
        (
            TextExempted(position=1, field="name", basis="x"),
            replace(NOTE, recorded_by="clerk"),
            "not-administrator",
        ),
    ],
    ids=("exempt", "exempt-none", "withhold", "lift", "no-minute", "by-clerk", "by-clerk-of-all"),
)
def test_what_no_command_would_have_recorded(
    ledger: Ledger, event: Any, note: Note, rule: str
) -> None:
    """An entry about a text that was forced in past the commands breaks the rule that they keep."""
    note = replace(note, effective_on=date(2025, 11, 12))
    (position,) = force(ledger, ("ledger", event, note))
    broken = [f for f in check_lawfulness(ledger).findings if f.position == position]
    assert [f.kind for f in broken] == ["rule-broken"]
    assert f"'{rule}'" in broken[0].message


def test_an_entry_does_not_withhold_a_text_before_it_is_recorded(ledger: Ledger) -> None:
    """What says so of an entry to come, or of itself, takes nothing away, were it let in."""
    with ledger.database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER withheld_by_entry")
    note = replace(NOTE, effective_on=date(2025, 11, 12))
    size = ledger.size()
    for ahead, name in ((1, "reason"), (0, "recorded_by")):
        event = TextWithheld(position=ledger.size() + 1 + ahead, field=name, basis="x")
        force(ledger, ("ledger", event, note))
    with ledger.database.reading() as connection:
        said = fates(connection).withheld
    assert not {place for place in said if place[0] > size}


def test_the_name_of_who_withholds_is_not_what_is_withheld(ledger: Ledger, path: Path) -> None:
    """The new entries would hold the words: a code is given, or another does it."""
    event = PersonEnrolled(person="registrar", name=ADMIN, role="Registrar", key="")
    stream = f"person/{CODE}/registrar"
    (enrolled,) = force(ledger, (stream, event, replace(NOTE, effective_on=date(2025, 11, 12))))
    for place in ((1, "recorded_by"), (enrolled, "name")):
        for who in (ADMIN, ADMIN.upper()):
            note = replace(NOTE, recorded_by=who)
            assert refused(path, ledger, *place, BASIS, note).rule == "own-name"
        by_code = replace(NOTE, recorded_by="registrar")
        assert ledger.withhold(*place, BASIS, by_code, dry_run=True).entries


# --- what is read once it is gone ------------------------------------------------------------


def test_what_was_kept_in_memory_goes_too(path: Path, ledger: Ledger) -> None:
    """A process that had read the text reads it no more, in a decision or in a view."""
    ledger.act(CODE, NoteProgress("C2", "Zebra seen."), Note(date(2025, 11, 12), ADMIN))
    stream = f"action/{CODE}/C2"
    assert "Zebra" in repr(ledger.timeline(stream).items())
    ledger.withhold(ledger.size(), "progress", BASIS, NOTE)
    assert "Zebra" not in repr(ledger.timeline(stream).items())
