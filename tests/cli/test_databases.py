"""The commands on a PostgreSQL server, with the same answers and writes; copies and backups."""

import os
import shlex
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from cli.main import cli as top
from cli.main import run
from ledger.address import open_database
from ledger.copying import copy_ledger
from ledger.verification import verify
from projections.assertions import PlanProjector
from projections.upkeep import check_read_models, open_ledger
from tests.cli.driving import BOARD, LATER, PUBLISHED, WHY, Cli
from tests.cli.test_conventions_of_boards import leaves
from tests.cli.test_views_of_boards import two_meetings
from tests.ledger.behind import tamper
from tests.ledger.processes import Writer
from tests.servers import Server

OF_THE_PLAN = (
    "overview",
    "show",
    "show P7",
    "changes",
    "log",
    "log P7",
    "log --by 'a. clerk'",
    "why SM4 timescale",
    "diff 2024-08-01 2025-09-30",
    "status",
    "verify",
    "show ZZ",
    "review late",
)
OF_BOARDS = (
    "review authority",
    "review embedding",
    "review evidence",
    "review late",
    "review meeting iib 2025-10-09",
    "review person iib-chair",
    "review reopened",
    "review stale",
    "evidence list C1",
    "signoff list",
    "signoff show C1",
    "amend list",
    "amend show A1",
    "escalate list",
    "escalate show E1",
    "person list",
    "person show dcs",
    "body list",
    "body show iib",
    "meeting show iib 2025-10-09",
    "overview",
    "changes --since 2025-10-01",
    "why C1 timescale",
    "log",
    "verify",
)
MOMENTS = ((), ("--as-at", "2025-10-20"), ("--as-at", "2025-10-20", "--known-at", "#40"))


@pytest.fixture(scope="module")
def boards(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Two meetings of a board, recorded on a server; and the same ledger copied into a file."""
    address, path = postgres.new(), tmp_path_factory.mktemp("copied") / "ledger.sqlite"
    two_meetings(address)
    with open_ledger(address) as ledger, closing(open_database(path, create=True)) as target:
        copy_ledger(ledger, target, PlanProjector())
    return address, path


def _takes(words: list[str], option: str) -> bool:
    for path, command in leaves(top):
        if words[: len(path.split())] == path.split():
            return any(option in parameter.opts for parameter in command.params)
    raise AssertionError(words)


def same_answers(
    capsys: pytest.CaptureFixture[str], server: str, path: Path, commands: tuple[str, ...]
) -> int:
    """Ask both everything, in words and in JSON by turns; returns how often they were asked."""
    asked = 0
    for command in commands:
        words = shlex.split(command)
        for number, moment in enumerate(MOMENTS):
            if moment and not _takes(words, moment[-2] if len(moment) > 2 else moment[0]):
                continue
            given = moment if not moment or _takes(words, "--as-at") else moment[2:]
            form = ("--json",) if (number + asked) % 2 else ("--plain",)
            said = []
            for place in (str(path), server):
                code = run(["--ledger", place, *form, *words, *given])
                out, err = capsys.readouterr()
                location = str(path) if place == str(path) else open_database(server).location
                said.append((code, out.replace(location, "HERE"), err.replace(location, "HERE")))
            assert said[0] == said[1], (form, words, given)
            assert said[0][1] or said[0][2]
            asked += 1
    return asked


def test_a_server_answers_as_a_file_does(
    example_path: Path, example_database: str, capsys: pytest.CaptureFixture[str], own_place: Path
) -> None:
    """Every question about a plan has the same bytes for an answer, on either engine."""
    assert same_answers(capsys, example_database, example_path, OF_THE_PLAN) > 20


def test_a_server_answers_of_boards_as_a_file_does(
    boards: tuple[str, Path], capsys: pytest.CaptureFixture[str], own_place: Path
) -> None:
    """What a board did, recorded on a server, reads the same there and in a file."""
    assert same_answers(capsys, *boards, OF_BOARDS) > 50


def test_every_reading_command_is_asked() -> None:
    """The questions above leave out no command that reads, but those that write files."""
    reads = {p for p, c in leaves(top) if not any("--dry-run" in o.opts for o in c.params)}
    asked = {
        path for path in reads for words in (*OF_THE_PLAN, *OF_BOARDS) if words.startswith(path)
    }
    other = {"demo", "completion", "rebuild", "signoff export", "evidence check"}
    assert {p for p in reads - asked - other if p.split()[0] not in ELSEWHERE} == set()


ELSEWHERE = ("checkpoint", "prove", "export", "import-ledger", "withhold")
"""Commands of other pages, which try them on both engines where they read the database."""


@pytest.fixture
def server(
    own_place: Path,
    postgres: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Commands on an empty database of a server, with a password that is not asked for."""
    url = make_url(postgres.new()).set(password="s3cret")
    monkeypatch.setenv("GOVLEDGER_LEDGER", url.render_as_string(hide_password=False))
    monkeypatch.setenv("GOVLEDGER_PERSON", "A. Clerk")
    return Cli(Path("no file"), capsys, monkeypatch)


def test_the_writes_work_on_a_server(server: Cli, postgres: Server) -> None:
    """From `init` on, what people record is recorded on a server; no answer shows the password."""
    shutil.copy(PUBLISHED / "2024-07-17-approved.csv", "plan.csv")
    said = [
        server.done("init", "--dry-run").out,
        server.done("--json", "init", "--name", "On a server").out,
        server.refused("init").err,
        server.refused("init", "--dry-run").err,
        server.done(
            "plan",
            "import",
            "plan.csv",
            "--plan",
            "CEIP",
            "--as-at",
            "2024-07-17",
            "--source",
            "CF/1",
        ).out,
        server.done("rate", "SL1", "On track", *LATER, *WHY, "--dry-run").out,
        server.done("rate", "SL1", "On track", *LATER, *WHY).out,
        server.done("amend", "timescale", "SL1", "TBC", *LATER, *BOARD, *WHY).out,
        server.refused("rate", "SL1", "Green", *LATER, *WHY).err,
    ]
    entry = server.done("progress", "SL1", "Seen.", *LATER).position
    for words in (
        ("void", str(entry), *WHY),
        (
            "report",
            "issue",
            "--committee",
            "C",
            "--ref",
            "R",
            "--meeting",
            "2025-11-11",
            "--as-at",
            "2025-10-31",
        ),
        ("rebuild",),
        ("verify",),
        ("status",),
        ("overview",),
        ("ledger", "backup", "backup.sqlite"),
    ):
        answer = server.done(*words)
        said += [answer.out, answer.err]
    assert server.done("init", "-h")
    assert server.data("status")["size"] == entry + 2
    assert "s3cret" not in "".join(said)
    assert "postgresql://postgres@/ledger_" in said[0]


def test_a_role_records_by_the_commands(
    server: Cli, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ledger grant` lets a role record; the statements can be seen first, and taken elsewhere."""
    server.done("init")
    postgres.sql("CREATE ROLE recorder LOGIN")
    tried = server.done("ledger", "grant", "recorder", "--dry-run").out.splitlines()
    assert any(line.startswith("GRANT INSERT ON entries, texts, withheld TO") for line in tried)
    owner = server.data("status")
    assert any(
        line.startswith("GRANT UPDATE (size, root, frontier, recorded_at) ON head TO")
        for line in tried
    )
    reads = server.done("ledger", "grant", "recorder", "--read-only").out
    assert "may read, and record nothing." in reads
    assert server.done("--json", "ledger", "grant", "recorder").json["data"]["role"] == "recorder"
    assert server("ledger", "grant", "nobody").code == 1
    url = make_url(postgres.address).set(username="recorder")
    here = make_url(os.environ["GOVLEDGER_LEDGER"]).database
    monkeypatch.setenv("GOVLEDGER_LEDGER", url.set(database=here).render_as_string())
    Path("plan.csv").write_text("ref,section,title,rating\nA1,S,T,Red\n", encoding="utf-8")
    server.done(
        "plan",
        "import",
        "plan.csv",
        "--plan",
        "P",
        "--as-at",
        "2025-01-06",
        "--source",
        "S",
        "--title",
        "T",
    )
    server.done("rebuild")
    server.done("verify")
    assert server.data("status")["size"] > owner["size"]
    assert server("ledger", "grant", "recorder").code == 1


def test_a_ledger_is_copied_by_the_command(cli: Cli, postgres: Server) -> None:
    """`ledger copy` moves a ledger to a server and back with the same root, over nothing."""
    root = cli.done("--json", "status").json["root"]
    there = postgres.new()
    assert "Nothing was done" in cli.done("ledger", "copy", str(cli.path), there, "--dry-run").out
    said = cli.done("ledger", "copy", str(cli.path), there).out
    assert said.count(root) == 2
    assert cli.done("--json", "ledger", "copy", there, "back.sqlite").json["root"] == root
    for target in (there, "back.sqlite"):
        for more in ((), ("--dry-run",)):
            assert cli("ledger", "copy", str(cli.path), target, *more).code == 1
    assert cli.done("--json", "--ledger", "back.sqlite", "verify").json["root"] == root


def test_a_place_that_takes_no_file(cli: Cli) -> None:
    """Where a file cannot be made, what failed is named, and what to check."""
    error = cli.refused("ledger", "copy", str(cli.path), "/proc/new.sqlite").error
    assert error["rule"] == "cannot-open"
    assert "/proc/new.sqlite" in error["message"]
    assert "Check that its folder" in error["hint"]
    assert cli.refused("ledger", "backup", "/proc/new.sqlite").error["rule"] == "cannot-open"


def test_a_truncated_file_is_told_what_helps(cli: Cli) -> None:
    """`verify` of a file that ends too early points to a backup, and not to itself alone."""
    content = cli.path.read_bytes()
    cli.path.write_bytes(content[: len(content) // 2 + 100])
    answer = cli("--json", "verify")
    assert (answer.code, answer.error["rule"]) == (5, "database-damaged")
    assert "govledger ledger copy BACKUP NEW" in answer.error["hint"]


def test_a_server_exports_and_withholds_as_a_file_does(cli: Cli, postgres: Server) -> None:
    """What is withheld on a server is gone there, and both engines export the same files."""
    there = postgres.new()
    cli.done("ledger", "copy", str(cli.path), there)
    held = "SELECT position FROM texts WHERE field = 'reason' ORDER BY 1 LIMIT 1"
    ((position,),) = postgres.sql(held, at=there)
    confirmed = ("--confirm", str(position), "--copies")
    words = ("withhold", str(position), "reason", "--basis", "a law", *BOARD, *confirmed)
    cli.done("--ledger", there, *words)
    gone = f"SELECT count(*) FROM texts WHERE position = {position} AND field = 'reason'"
    assert postgres.sql(gone, at=there) == [(0,)]
    cli.done("--ledger", there, "verify")
    cli.done("ledger", "copy", there, "back.sqlite")
    exported = []
    for number, ledger in enumerate((there, "back.sqlite")):
        cli.done("--ledger", ledger, "export", f"out{number}")
        files = sorted(path for path in Path(f"out{number}").rglob("*") if path.is_file())
        exported.append({path.relative_to(f"out{number}"): path.read_bytes() for path in files})
    assert exported[0].keys() == exported[1].keys()
    for name in ("entries.jsonl", "texts.jsonl"):
        assert exported[0][Path(name)] == exported[1][Path(name)]


# --- backups ---


def test_a_backup_is_whole_while_others_write(cli: Cli, tmp_path: Path) -> None:
    """A backup taken while another process records is a whole ledger, as it was at one moment."""
    cli.done("--ledger", "busy.sqlite", "init")
    with open_ledger("busy.sqlite") as ledger:
        writer = Writer("import", tmp_path / "busy.sqlite", 40, 12)
        writer.go()
        roots = []
        for number in range(4):
            writer.hear("done")
            cli.done("--ledger", "busy.sqlite", "ledger", "backup", f"{number}.sqlite")
        assert writer.end() == 0
        for number in range(4):
            with open_ledger(f"{number}.sqlite") as copy:
                assert verify(copy).findings == ()
                assert check_read_models(copy) == []
                moment = copy.moment()
                roots.append((moment.position, moment.root))
        assert roots == sorted(roots)
        assert [ledger.moment(known_at=size).root for size, _root in roots] == [
            root for _size, root in roots
        ]
    assert sorted(Path().glob("*.sqlite-*")) == []
    assert sorted(Path().glob(".*")) == []


def test_a_backup_is_restored_by_copying_it(cli: Cli) -> None:
    """A backup copied to a new place is the ledger again, to the same root and the same answers."""
    before = cli.done("--json", "overview").out
    cli.done("ledger", "backup", "kept.sqlite")
    cli.path.unlink()
    cli.done("ledger", "copy", "kept.sqlite", str(cli.path))
    assert cli.done("--json", "overview").out == before


def test_a_backup_is_written_over_nothing(cli: Cli) -> None:
    """A file that is there is spared; so is the folder, where the ledger does not verify."""
    Path("there.txt").write_text("Mine.", encoding="utf-8")
    before = set(Path().iterdir())
    answer = cli.refused("ledger", "backup", "there.txt")
    assert answer.error["rule"] == "already-there"
    assert Path("there.txt").read_text(encoding="utf-8") == "Mine."
    assert cli.refused("ledger", "backup", "nowhere/b.sqlite").error["rule"] == "no-folder"
    assert "Nothing was done" in cli.done("ledger", "backup", "b.sqlite", "--dry-run").out
    tamper(cli.path, "UPDATE texts SET text = 'x' WHERE position = 7 AND field = 'reason'")
    with closing(sqlite3.connect(cli.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    answer = cli.refused("ledger", "backup", "b.sqlite")
    assert (answer.code, answer.error["rule"]) == (5, "not-whole")
    assert set(Path().iterdir()) == before


def test_a_file_knows_no_roles(cli: Cli) -> None:
    """`ledger grant` on a file says what to do instead."""
    assert cli.refused("ledger", "grant", "clerks").error["rule"] == "no-roles"


def test_without_the_driver(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where psycopg is not installed, an address of a server says how to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    answer = cli("--json", "--ledger", "postgresql://somebody@localhost/ledger", "status")
    assert (answer.code, answer.error["rule"]) == (1, "no-driver")
    assert "pip install 'govledger[postgres]'" in answer.error["hint"]
