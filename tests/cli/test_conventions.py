"""What holds of every command, proven over the commands themselves."""

import json
import os
import pkgutil
import pty
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import cli as package
from cli.main import COMMANDS, OUTLINE
from cli.main import cli as top
from cli.reference import PAGE, reference
from tests.cli.conftest import Process
from tests.cli.driving import BOARD, LATER, PUBLISHED, WHY, Cli
from tests.cli.test_conventions_of_boards import leaves, of_boards

KEEPING = ("ledger copy", "ledger backup", "ledger grant", "import-ledger")
"""What is done with a whole ledger; `test_databases` tries what needs a server."""
WRITES = (
    "init",
    "plan import",
    "rate",
    "progress",
    "impact",
    *(f"amend {name}" for name in ("timescale", "delay", "review", "resume", "close")),
    *(f"amend {name}" for name in ("add", "reword", "owner")),
    "report issue",
    "void",
    "withhold",
    "exempt",
    *KEEPING,
)
APART = ("demo", "init", "completion", "void", "report issue", "checkpoint key new", *KEEPING)
"""Commands whose examples cannot be typed one after the other on the example plan as it is."""
SHOWING = ("overview", "show", "changes", "why")
"""Commands that show a plan at one moment."""


def _walk(command: click.Command, ctx: click.Context, path: str) -> Iterator[tuple[str, str]]:
    if path:
        yield path, command.get_help(ctx)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            inner = click.Context(found, info_name=name, parent=ctx)
            yield from _walk(found, inner, f"{path} {name}".strip())


HELP = dict(_walk(top, click.Context(top, info_name="govledger", **top.context_settings), ""))
LEAVES = dict(leaves(top))
"""Every command that is no group; `test_conventions_of_boards` tries those of the boards."""
COMMON = [path for path in LEAVES if not of_boards(path)]


def _command(path: str) -> click.Command:
    found: click.Command = top
    for name in path.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), name)
        assert inner is not None
        found = inner
    return found


def _options(path: str) -> set[str]:
    return {option for parameter in _command(path).params for option in parameter.opts}


def test_the_outline_names_every_command_once() -> None:
    """Every command of the registry stands in the outline of the help, and only once."""
    assert sorted(name for _title, names in OUTLINE for name in names) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_help_is_that_of_the_command(name: str) -> None:
    """The line in the registry, which spares the import, is what the command says of itself."""
    assert COMMANDS[name][1] == _command(name).get_short_help_str(limit=100)


@pytest.mark.parametrize("path", LEAVES)
def test_help_has_an_example_that_is_a_command(path: str) -> None:
    """Each command's help shows an example, and the example is understood by the program."""
    text = " ".join((_command(path).help or "").split())
    _before, found, example = text.partition("Example: govledger ")
    assert found, "its help has no example"
    words = shlex.split(example.partition(" >> ")[0])
    own = path.split()
    start = words.index(own[0])
    assert words[start : start + len(own)] == own
    _command(path).make_parser(click.Context(_command(path))).parse_args(words[start + len(own) :])


def test_the_examples_of_the_writes_work(cli: Cli) -> None:
    """The examples in the help, typed as they stand, are accepted by the example plan."""
    shutil.copy(PUBLISHED / "2025-09-30-ratings.csv", "plan.csv")
    cli.proof_files()
    tried = 0
    for path in COMMON:
        if path in APART:
            continue
        text = " ".join((_command(path).help or "").split())
        words = shlex.split(text.partition("Example: govledger ")[2])
        answer = cli(*words, *(("--dry-run",) if path in WRITES else ()))
        assert answer.code == 0, (words, answer)
        tried += 1
    assert tried > 15


@pytest.mark.parametrize("path", WRITES)
def test_every_write_can_be_tried(path: str) -> None:
    """Every command that records has --dry-run; those on a plan have --plan."""
    assert "--dry-run" in _options(path)
    assert path in ("init", *KEEPING) or "--plan" in _options(path)


def test_what_is_not_a_write_has_no_dry_run() -> None:
    """The list of writes above is complete: nothing else offers --dry-run."""
    assert {path for path in COMMON if "--dry-run" in _options(path)} == set(WRITES)


@pytest.mark.parametrize("path", SHOWING)
def test_every_view_takes_both_clocks(path: str) -> None:
    """A command that shows a plan takes --as-at, --as-of, --known-at and --plan."""
    assert {"--as-at", "--as-of", "--known-at", "--plan"} <= _options(path)


def test_the_other_views_take_what_applies() -> None:
    """`log` and `diff` take --known-at and --plan; `diff` gets its dates as arguments."""
    for path in ("log", "diff"):
        assert {"--known-at", "--plan"} <= _options(path)


DATES = ("--meeting", "2025-11-11", "--as-at", "2025-10-31")
EVERY: list[tuple[str, ...]] = [
    ("status",),
    ("overview",),
    ("show",),
    ("show", "P5"),
    ("changes",),
    ("log",),
    ("why", "P5"),
    ("diff", "2025-09-15", "2025-09-30"),
    ("verify",),
    ("verify", "evidence"),
    ("export", "evidence"),
    ("import-ledger", "evidence", "--ledger", "restored.sqlite"),
    ("import-ledger", "evidence", "--ledger", "restored.sqlite", "--dry-run"),
    ("rebuild",),
    ("demo", "there"),
    ("--ledger", "a.sqlite", "init", "--dry-run"),
    ("--ledger", "b.sqlite", "init"),
    ("ledger", "copy", "ledger.sqlite", "c.sqlite"),
    ("ledger", "backup", "d.sqlite"),
    ("rate", "P5", "Red", *LATER, *WHY),
    ("progress", "P5", "Done.", *LATER),
    ("impact", "1.7", "No impact seen", *WHY),
    ("amend", "delay", "P5", *LATER, *BOARD, *WHY),
    ("amend", "review", "P5", *LATER, *BOARD, *WHY),
    ("amend", "resume", "P7", *LATER, *BOARD, *WHY),
    ("amend", "close", "P5", *LATER, *BOARD, *WHY),
    ("amend", "timescale", "P5", "TBC", *LATER, *BOARD, *WHY),
    ("amend", "reword", "P5", "New", *LATER, *BOARD, *WHY),
    ("amend", "owner", "P5", "Head", *LATER, *BOARD, *WHY),
    ("amend", "add", "N1", "--section", "1.1", "--title", "New", *LATER, *BOARD, *WHY),
    ("report", "issue", "--committee", "C", "--ref", "R", *DATES),
    ("void", "238", "--correction", *WHY),
    ("withhold", "22", "reason", "--basis", "A law", *BOARD, "--confirm", "22"),
    ("exempt", "22", "reason", "--basis", "A law", *BOARD),
    ("plan", "import", "plan.csv", "--as-at", "2025-10-31", "--source", "S"),
    ("checkpoint",),
    ("checkpoint", "key", "new", "--key", "new.key"),
    ("checkpoint", "key", "show"),
    ("checkpoint", "cosign", "since.txt", "--key", "cosigner.key"),
    ("prove", "entry", "5"),
    ("prove", "since", "checkpoint.txt"),
    ("prove", "check", "entry.tlog-proof"),
]


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_answers_in_the_envelope(cli: Cli, words: tuple[str, ...]) -> None:
    """With --json every command prints one document with the envelope's keys, and no more."""
    Path("plan.csv").write_text("ref,rating\nP5,Red\n", encoding="utf-8")
    if words[0] in ("checkpoint", "prove"):
        cli.proof_files()
    if "evidence" in words and words[0] != "export":
        cli.done("export", "evidence")
    answer = cli.done("--json", *words)
    keys = {"ledger", "as_at", "known_at", "position", "root", "data"}
    assert answer.json.keys() == keys
    if "--dry-run" not in words:
        assert len(answer.json["root"]) == 64


def test_every_command_is_tried_in_json() -> None:
    """The list above leaves out only what prints a script, and what needs a server."""
    tried = {path for path in COMMON if any(" ".join(w).find(path) >= 0 for w in EVERY)}
    assert set(COMMON) - tried == {"completion", "ledger grant"}


@pytest.mark.parametrize("path", ["", *HELP])
def test_help_is_at_hand(cli: Cli, path: str) -> None:
    """`-h` and `--help` print the same, and end with 0, also where there is no ledger."""
    cli.path.unlink()
    short = cli.done(*path.split(), "-h").out
    assert short == cli.done(*path.split(), "--help").out
    assert short.startswith(f"Usage: govledger {path}".rstrip())


def test_help_is_light(process: Process) -> None:
    """`--help` imports none of the heavy libraries, nor any command."""
    heavy = "sqlalchemy pydantic eventsourcing rich orjson"
    code = (
        "import sys, cli.main; cli.main.run(['--help']); "
        f"print([n for n in '{heavy}'.split() if n in sys.modules], "
        "sorted(n for n in sys.modules if n.startswith('cli.')))"
    )
    words = [sys.executable, "-c", code]
    answer = subprocess.run(words, capture_output=True, check=True, text=True)
    assert answer.stdout.splitlines()[-1] == "[] ['cli.main', 'cli.session']"


def test_every_module_of_the_command_line_is_reached() -> None:
    """Each module under cli holds a command of the registry, or is a shared one."""
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    commands = {where.partition(":")[0].removeprefix("cli.") for where, _help in COMMANDS.values()}
    shared = {
        "held",
        "main",
        "options",
        "output",
        "recording",
        "reference",
        "session",
        "signing",
        "signoff_words",
    }
    assert modules - commands == shared
    assert commands <= modules


def test_the_reference_is_current() -> None:
    """docs/reference.md says what the commands say."""
    assert PAGE.read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts(cli: Cli, shell: str) -> None:
    """`completion` prints a script for each of the four shells."""
    script = cli.done("completion", shell).out
    assert "_GOVLEDGER_COMPLETE" in script
    assert "govledger" in script


def test_completion_completes(process: Process) -> None:
    """The program completes commands for bash and for PowerShell."""
    words = {"COMP_WORDS": "govledger am", "COMP_CWORD": "1", "COMP_WORD": "am"}
    for shell in ("bash", "powershell"):
        env = {**words, "_GOVLEDGER_COMPLETE": f"{shell}_complete"}
        assert "amend" in process(env=env).stdout


def test_elsewhere_than_on_a_terminal_there_are_no_codes(process: Process, cli: Cli) -> None:
    """Away from a terminal, answers hold no escape codes, and ratings are words."""
    for words in (("overview",), ("changes",), ("--plain", "overview"), ("--help",)):
        answer = process(*words, env={"FORCE_COLOR": ""})
        assert "\x1b" not in answer.stdout + answer.stderr
    shown = process("overview").stdout
    for word in ("Complete", "Amber E", "On track", "Delayed", "Reviewing", "Closed"):
        assert word in shown


def _on_a_terminal(words: list[str], **env: str) -> str:
    ours, theirs = pty.openpty()
    program = Path(sys.executable).parent / "govledger"
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **env}
    with subprocess.Popen([str(program), *words], stdout=theirs, env=environment) as running:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            said += part
    os.close(ours)
    assert running.returncode == 0
    return said.decode()


def test_on_a_terminal_colour_stands_beside_the_words(cli: Cli) -> None:
    """On a terminal tables are drawn and coloured; NO_COLOR and --plain print no codes."""
    words = ["overview", "--summary", "--as-at", "2025-09-30"]
    drawn = _on_a_terminal(words)
    assert "\x1b[" in drawn
    assert "Delayed" in drawn
    assert "\x1b" not in _on_a_terminal(words, NO_COLOR="1")
    assert "\x1b" not in _on_a_terminal(["--plain", *words])
    assert "\x1b" not in _on_a_terminal(["--json", *words])


def test_a_reader_that_has_gone(process: Process, cli: Cli) -> None:
    """`govledger log | head -1` says nothing about the pipe that closed."""
    program = Path(sys.executable).parent / "govledger"
    for words in (["log"], ["--json", "log"], ["demo", "there"]):
        with subprocess.Popen(
            [str(program), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout
            assert running.stderr
            running.stdout.readline()
            running.stdout.close()
            assert running.stderr.read() == ""


def test_the_version_is_told(process: Process) -> None:
    """`--version` names the program and its version."""
    answer = process("--version")
    assert (answer.returncode, answer.stdout.split()[0]) == (0, "govledger,")


def test_errors_go_to_standard_error(process: Process, cli: Cli) -> None:
    """Data is on standard output and messages on standard error; with --json errors are data."""
    answer = process("show", "ZZ")
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("Refused (unknown-reference): ")
    said = process("--json", "show", "ZZ")
    assert (said.returncode, said.stderr) == (3, "")
    assert json.loads(said.stdout)["error"]["rule"] == "unknown-reference"
