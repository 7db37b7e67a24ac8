"""Every command of the boards: its example works, in words and in JSON, on the governance demo."""

import contextlib
import io
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.main import cli as top
from cli.main import run
from cli.output import ENVELOPE
from tests.boards import key_folder
from tests.cli.driving import Cli

GROUPS = ("person", "body", "meeting", "evidence", "signoff", "escalate", "review")
PROPOSED = ("amend propose", "amend agree", "amend decline", "amend list", "amend show")
WHO = ("registrar", "clerk", "pog-chair", "lead-member", "health")
"""Who gives the example: the first of these who may."""


def leaves(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that is no group, by its path."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from leaves(inner, f"{path} {name}".strip())
    else:
        yield path, command


def of_boards(path: str) -> bool:
    """Whether it is one of those that the plain example has nothing for."""
    return path.startswith((*GROUPS, *PROPOSED)) or path == "plan terms"


COMMANDS = {path: command for path, command in leaves(top) if of_boards(path)}


def _options(path: str) -> set[str]:
    return {option for parameter in COMMANDS[path].params for option in parameter.opts}


WRITES = {path for path in COMMANDS if "--dry-run" in _options(path)}
READS = set(COMMANDS) - WRITES


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of `demo --governance`, with its keys; copy it, never change it."""
    folder = tmp_path_factory.mktemp("governance")
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(["--json", "demo", "--governance", str(folder)]) == 0
    return folder


@pytest.fixture
def boards(
    template: Path,
    own_place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Commands on a copy of it, with the files that the examples name."""
    shutil.copytree(template, own_place, dirs_exist_ok=True)
    for name, owner in (("adviser.pub", "other"), ("new.pub", "dcs")):
        shutil.copy(key_folder() / f"{owner}.pub", name)
    monkeypatch.setenv("HOME", str(own_place))
    return Cli(own_place / "govledger.sqlite", capsys, monkeypatch)


def example(path: str) -> list[str]:
    """The words of the command's example."""
    text = " ".join((COMMANDS[path].help or "").split())
    return shlex.split(text.partition("Example: govledger ")[2])


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_its_example_works(boards: Cli, path: str) -> None:
    """Typed as it stands by somebody who may, it is accepted, in words and in JSON."""
    tried = ("--dry-run",) if path in WRITES else ()
    words = [*example(path), *tried]
    assert words[: len(path.split())] == path.split()
    with boards.unchanged():
        answers = [boards("--as", who, *words) for who in WHO]
        accepted = [who for who, answer in zip(WHO, answers, strict=True) if answer.code == 0]
        if path == "evidence check":  # it has found that a file is missing, or that all are there
            accepted = accepted or [WHO[0]]
        assert accepted, [answer.err for answer in answers]
        if path == "signoff export":
            shutil.rmtree("proofs")
        said = boards("--as", accepted[0], "--json", *words)
    assert said.json.keys() == set(ENVELOPE)
    assert len(said.json["root"]) == 64


def test_the_illustration_holds_what_its_page_says(boards: Cli) -> None:
    """Both phases granted, one declined, one stale, one revoked, and the two escalations."""
    found = {(s["ref"], s["phase"]): s for s in boards.data("signoff", "list")["signoffs"]}
    expected = {
        ("SL17", 1): "granted",
        ("SL18", 1): "granted",
        ("SL2a", 2): "granted",
        ("SL5", 2): "granted",
        ("P5", 1): "declined",
        ("SL4", 2): "revoked",
        ("P9", 1): "recommended",
        ("S9", 1): "recommended",
    }
    assert {key: found[key]["status"] for key in expected} == expected
    assert [key for key, line in found.items() if line["stale"]] == [("SL5", 2)]
    issues = boards.data("escalate", "list", "--as-at", "2025-11-30")["escalations"]
    assert {(e["escalation"], e["status"], e["overdue"]) for e in issues} == {
        ("E1", "resolved", False),
        ("E2", "open", True),
    }
    ratings = {row["ref"]: row["rating"] for row in boards.data("overview")["actions"]}
    assert [ratings[ref] for ref in ("SL17", "SL2a", "SL4", "P5")] == [
        "Amber E",
        "Complete",
        "Amber E",
        "On track",
    ]


def test_the_lists_are_not_empty() -> None:
    """There are commands to hold to this, of both kinds."""
    assert len(WRITES) > 25
    assert len(READS) > 15


@pytest.mark.parametrize("path", sorted(READS))
def test_every_view_takes_both_clocks(path: str) -> None:
    """What shows boards takes --as-at, --known-at and --plan."""
    assert {"--as-at", "--as-of", "--known-at", "--plan"} <= _options(path)


@pytest.mark.parametrize("path", sorted(WRITES))
def test_every_write_names_its_plan(path: str) -> None:
    """What records can be told the plan."""
    assert "--plan" in _options(path)
