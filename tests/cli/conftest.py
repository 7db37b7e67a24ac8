"""The example as `demo` loads it, and the program as a process."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.cli.driving import Cli

Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with the example plan as `demo` loads it; copy it, never change it."""
    folder = tmp_path_factory.mktemp("demo")
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(["--as", "A. Clerk", "--json", "demo", str(folder)]) == 0
    return folder / "govledger.sqlite"


@pytest.fixture
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own to work in, and nothing said by the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("GOVLEDGER_LEDGER", "GOVLEDGER_PERSON", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def cli(
    own_place: Path,
    demo_template: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Commands on a copy of the example, given by A. Clerk."""
    path = Path(shutil.copy(demo_template, own_place / "ledger.sqlite"))
    monkeypatch.setenv("GOVLEDGER_LEDGER", str(path))
    key = shutil.copy(demo_template.parent / "checkpoint.key", own_place / "checkpoint.key")
    monkeypatch.setenv("GOVLEDGER_CHECKPOINT_KEY", str(key))
    monkeypatch.setenv("GOVLEDGER_PERSON", "A. Clerk")
    return Cli(path, capsys, monkeypatch)


@pytest.fixture
def empty(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """Commands on a new ledger without a plan, in the default place."""
    monkeypatch.setenv("GOVLEDGER_PERSON", "A. Clerk")
    found = Cli(own_place / "govledger.sqlite", capsys, monkeypatch)
    found.done("init", "--name", "New")
    return found


@pytest.fixture
def process() -> Process:
    """The installed program as a process of its own."""

    def give(*words: str, before: Sequence[str] = (), **options: Any) -> Any:
        program = Path(sys.executable).parent / "govledger"
        environment = {**os.environ, **options.pop("env", {})}
        options.setdefault("encoding", "utf-8")
        return subprocess.run(
            [*before, str(program), *words],
            capture_output=True,
            check=False,
            env=environment,
            timeout=60,
            **options,
        )

    return give
