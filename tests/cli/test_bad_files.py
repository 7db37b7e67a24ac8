"""Files that are not what they should be: plans, scales and ledgers."""

import json
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Process
from tests.cli.driving import PUBLISHED, WHY, Cli

HEAD = "ref,chapter,section,title,owners,milestone,timescale,rating\n"
ROW = "N1,Chapter 1,Quality of Plans,New,Head,,TBC,On track\n"
IMPORT = ("--as-at", "2025-10-31", "--source", "Paper", "--partial")

FILES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "empty-file", "plan.csv is empty"),
    "blank": (b"\xef\xbb\xbf \n\n", "empty-file", "plan.csv is empty"),
    "headings only": (HEAD.encode(), "empty-file", "headings and no actions"),
    "no ref column": (b"title,rating\nX,Red\n", "missing-column", "no column 'ref'"),
    "ref column only": (b"ref\nP5\n", "missing-column", "no column beside 'ref'"),
    "a column twice": (b"ref,rating,RAG\nP5,Red,Red\n", "duplicate-column", "for 'rating'"),
    "another separator": (b"ref;title;rating\nP5;X;Red\n", "missing-column", "no column 'ref'"),
    "no reference": (b"ref,rating\nP5,Red\n,Red\n", "missing-reference", "Line 3 of plan.csv"),
    "a reference twice": (
        b"ref,rating\nP5,Red\nP7,Red\nP5,Red\n",
        "duplicate-reference",
        "Line 4 of plan.csv: P5 stands on line 2 already",
    ),
    "a reference in other capitals": (
        b"ref,section,title\nn1,Homes,New\nN1,Homes,New\n",
        "duplicate-reference",
        "Line 3: N1 differs from n1 only in its capitals",
    ),
    "a known reference in other capitals": (
        b"ref,section,title\np5,Homes,New\n",
        "duplicate-reference",
        "Line 2: p5 differs from P5 only in its capitals",
    ),
    "a milestone twice": (
        b"ref,milestone,rating\nS7,1,Red\nS7,1,Red\n",
        "duplicate-reference",
        "Line 3 of plan.csv: milestone 1 of S7 stands on line 2 already",
    ),
    "milestone in words": (
        b"ref,milestone,rating\nS7,one,Red\n",
        "bad-milestone",
        "Line 2 of plan.csv: milestone 'one'",
    ),
    "milestone 0": (b"ref,milestone,rating\nS7,0,Red\n", "bad-milestone", "milestone '0'"),
    "unknown rating": (b"ref,rating\nP5,Red\nP7,Puce\n", "unknown-rating", "Line 3 (P7): 'Puce'"),
    "unknown milestone rating": (
        b"ref,milestone,rating\nS7,1,Red\nS7,2,Puce\n",
        "unknown-rating",
        "'Puce'",
    ),
    "new without a title": (
        b"ref,section\nN1,Homes\n",
        "incomplete-row",
        "Line 2: N1 is new to the plan and has no title",
    ),
    "new without a section": (b"ref,title\nN1,New\n", "incomplete-row", "N1 is new"),
    "bad reference": (
        HEAD.encode() + b"N/1,One,Homes,New,Head,,TBC,\n",
        "bad-reference",
        "'N/1'",
    ),
    "too many cells": (
        b"ref,title\nP5,Plan, and more\n",
        "too-many-cells",
        "Line 2 of plan.csv has 3 cells under 2",
    ),
    "an open quote": (b'ref,title\nP5,"Plan\nP7,X\n', "not-csv", "cannot be read as CSV"),
    "Latin-1": ("ref,title\nP5,Plan\nP7,Café\n".encode("latin-1"), "wrong-encoding", "Line 3"),
    "UTF-16": ("ref,title\nP5,X\n".encode("utf-16"), "wrong-encoding", "Line 1"),
    "NUL": (b"ref,title\nP5,a\x00b\n", "not-csv", "not a text file"),
    "escape code": (
        b"ref,title\nP5,a\x1b[31mb\n",
        "control-character",
        "Line 2 of plan.csv, column 'title': holds U+001B",
    ),
    "Excel": (b"PK\x03\x04" + bytes(100), "not-csv", "an Office file"),
    "old Excel": (b"\xd0\xcf\x11\xe0" + bytes(100), "not-csv", "an Office file"),
    "a vast cell": (b"ref,title\nP5," + b"x" * 200_000, "not-csv", "Line 2"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_plan(cli: Cli, name: str) -> None:
    """A file that cannot be taken in is refused with its line or column, and 2."""
    content, rule, said = FILES[name]
    Path("plan.csv").write_bytes(content)
    answer = cli.refused("plan", "import", "plan.csv", *IMPORT)
    assert (answer.code, answer.error["rule"]) == (2, rule)
    assert said in answer.error["message"]


def test_a_file_of_50_megabytes(cli: Cli) -> None:
    """A file far too large for a plan is refused before it is read."""
    with Path("plan.csv").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    answer = cli.refused("plan", "import", "plan.csv", *IMPORT)
    assert (answer.code, answer.error["rule"]) == (2, "file-too-large")
    assert "50 MB" in answer.error["message"]


@pytest.mark.parametrize("name", ["none.csv", ".", "", "/dev/zero"])
def test_a_file_that_is_no_file(cli: Cli, name: str) -> None:
    """A path to nothing, a folder or an endless device is refused."""
    answer = cli.refused("plan", "import", name, *IMPORT)
    assert answer.code == 2
    assert answer.error["rule"] in ("cannot-read-file", "file-too-large")


def test_a_file_through_a_pipe(process: Process, cli: Cli) -> None:
    """A plan may come through a pipe, which has no size of its own."""
    words = ("plan", "import", "/dev/stdin", *IMPORT, "--dry-run")
    answer = process(*words, input=HEAD + ROW)
    assert (answer.returncode, "N1 added" in answer.stdout) == (0, True), answer


@pytest.mark.parametrize(
    ("words", "rule", "code"),
    [
        (("--as-at", "2025-10-31"), "usage", 2),
        (("--source", "S"), "usage", 2),
        (("--as-at", "2025-10-31", "--source", " "), "needs-source", 2),
        (("--as-at", "2025-10-41", "--source", "S"), "no-such-date", 2),
        (("--as-at", "2199-01-01", "--source", "S"), "future-date", 3),
        (("--as-at", "2025-09-30", "--source", "S"), "period-closed", 3),
        (("--as-at", "2024-07-16", "--source", "S"), "before-plan", 3),
        (("--as-at", "2025-10-31", "--source", "S", "--plan", "A B"), "bad-reference", 2),
        (("--as-at", "2025-10-31", "--source", "S", "--title", "T"), "plan-is-made", 2),
    ],
    ids=[
        "no source",
        "no date",
        "blank source",
        "no such date",
        "future",
        "closed",
        "before",
        "code",
        "title",
    ],
)
def test_words_of_an_import(cli: Cli, words: tuple[str, ...], rule: str, code: int) -> None:
    """An import needs its date and its source, and obeys the rules of dates like any entry."""
    Path("plan.csv").write_text(HEAD + ROW, encoding="utf-8")
    answer = cli.refused("plan", "import", "plan.csv", *words)
    assert (answer.code, answer.error["rule"]) == (code, rule)


STEP = {"key": "done", "label": "Done", "colour": "Blue", "meaning": "complete"}
SCALES: dict[str, str] = {
    "no JSON": "steps: none",
    "deep": "[" * 100_000,
    "no list": json.dumps({"a": 1}),
    "no steps": "[]",
    "nothing complete": json.dumps([STEP | {"meaning": "on_track"}]),
    "a label twice": json.dumps([STEP, STEP | {"key": "other", "colour": "Red"}]),
    "an empty label": json.dumps([STEP | {"label": " "}]),
    "a label with a break": json.dumps([STEP | {"label": "a\nb"}]),
    "half a character": '[{"key": "d", "label": "\\ud800", "colour": "B", "meaning": "complete"}]',
    "a kept label": json.dumps([STEP | {"label": "Closed"}]),
    "unknown meaning": json.dumps([STEP | {"meaning": "fine"}]),
    "unknown key": json.dumps([STEP | {"weight": 1}]),
}


@pytest.mark.parametrize("name", SCALES)
def test_a_file_that_is_no_scale(cli: Cli, name: str) -> None:
    """A scale that would be ambiguous or cannot be read is refused."""
    Path("plan.csv").write_text(HEAD + ROW, encoding="utf-8")
    Path("scale.json").write_text(SCALES[name], encoding="utf-8")
    words = ("plan", "import", "plan.csv", "--plan", "Q", "--scale", "scale.json", *IMPORT)
    answer = cli.refused(*words, "--title", "Another")
    assert (answer.code, answer.error["rule"]) == (2, "bad-scale")


def test_the_two_keys_are_never_mixed(cli: Cli) -> None:
    """A scale for actions that shares a label with the key for impact is refused."""
    Path("plan.csv").write_text(HEAD + ROW, encoding="utf-8")
    Path("scale.json").write_text(json.dumps([STEP | {"label": "impact  SUSTAINED"}]), "utf-8")
    words = ("plan", "import", "plan.csv", "--plan", "Q", "--scale", "scale.json", *IMPORT)
    answer = cli.refused(*words, "--title", "Another")
    assert (answer.code, answer.error["rule"]) == (3, "scales-mixed")


READS: list[tuple[str, ...]] = [("overview",), ("log",), ("verify",), ("status",)]
WRITE = ("progress", "P5", "Done.")


def _spoilt(kind: str, path: Path) -> None:
    if kind == "nothing":
        path.unlink()
    elif kind == "a text":
        path.write_text("ref,title\n" * 200, encoding="utf-8")
    elif kind == "an empty file":
        path.write_bytes(b"")
    elif kind == "half a header":
        path.write_bytes(b"SQLite format 3\x00" + bytes(50))
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    else:
        path.unlink()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE entries (a, b)")


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("nothing", "no-ledger"),
        ("a text", "not-a-ledger"),
        ("an empty file", "not-a-ledger"),
        ("half a header", "not-a-ledger"),
        ("another database", "not-a-ledger"),
        ("a folder", "cannot-open"),
    ],
)
def test_what_is_no_ledger(cli: Cli, kind: str, rule: str) -> None:
    """A path to what is no ledger fails with 1 and is left as it was, for reads and writes."""
    _spoilt(kind, cli.path)
    for words in (*READS, WRITE, ("rebuild",), ("void", "3", *WHY)):
        answer = cli.refused(*words)
        assert (answer.code, answer.error["code"], answer.error["rule"]) == (1, "failed", rule)
        assert str(cli.path) in answer.error["message"]


def test_a_ledger_of_a_newer_format(cli: Cli) -> None:
    """A ledger that a newer version wrote is not touched; the message says what to install."""
    with closing(sqlite3.connect(cli.path)) as database, database:
        database.execute("UPDATE head SET format = 99")
    for words in (*READS, WRITE):
        answer = cli.refused(*words)
        assert (answer.code, answer.error["rule"]) == (1, "newer-format")
        assert "format 99" in answer.error["message"]
        assert "newer govledger" in answer.error["hint"]


def test_init_spares_what_is_there(cli: Cli) -> None:
    """`init` never writes over a file: neither a ledger nor anything else."""
    assert cli.refused("init").code == 1
    assert cli.refused("init", "--dry-run").error["rule"] == "already-there"
    assert cli.refused("--ledger", "none/new.sqlite", "init").error["rule"] == "no-folder"
    notes = Path("notes.txt")
    notes.write_text("Not a ledger.", encoding="utf-8")
    assert cli.refused("--ledger", str(notes), "init").error["rule"] == "not-a-ledger"
    assert notes.read_text(encoding="utf-8") == "Not a ledger."


@pytest.fixture
def bound() -> Sequence[str]:
    """What to put before a command so that permissions bind it, also when we are root."""
    if os.geteuid():
        return ()
    setpriv = shutil.which("setpriv")
    assert setpriv, "as root this test needs setpriv, of the package util-linux"
    return (setpriv, "--bounding-set=-dac_override", "--inh-caps=-dac_override")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_a_ledger_that_is_read_only(process: Process, cli: Cli, bound: Sequence[str]) -> None:
    """A ledger in a place that cannot be written to is read as ever; a write fails with 1."""
    folder = cli.path.parent / "locked"
    folder.mkdir()
    path = Path(shutil.copy(cli.path, folder / "ledger.sqlite"))
    before = path.read_bytes()
    path.chmod(0o444)
    folder.chmod(0o555)
    env = {"GOVLEDGER_LEDGER": str(path)}
    try:
        for words in (*READS, ("changes",), ("why", "P5"), ("show", "P5"), ("log", "P5")):
            answer = process(*words, before=bound, env=env)
            assert (answer.returncode, answer.stderr) == (0, ""), answer
        file = str(PUBLISHED / "2024-11-07-added.csv")
        taking = (
            *("plan", "import", file, "--plan", "Q", "--title", "Another"),
            *("--as-at", "2025-10-31", "--source", "S"),
        )
        for words in (WRITE, ("void", "325", *WHY, "--correction"), ("rebuild",), taking):
            answer = process(*words, before=bound, env=env)
            assert answer.returncode == 1, answer
            assert answer.stderr.startswith("Failed (read-only): The ledger ")
            assert "Traceback" not in answer.stderr
            said = process("--json", *words, before=bound, env=env)
            assert json.loads(said.stdout)["error"]["rule"] == "read-only"
        new = process("--ledger", str(folder / "new.sqlite"), "init", before=bound)
        assert (new.returncode, new.stdout) == (1, "")
    finally:
        folder.chmod(stat.S_IRWXU)
    assert path.read_bytes() == before
    assert [file.name for file in folder.iterdir()] == ["ledger.sqlite"]
