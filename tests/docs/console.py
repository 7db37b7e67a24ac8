"""Runs the examples of a page: what stands after `$ ` is typed, what follows is expected.

Blocks marked `console` are run in order in one empty folder. A block marked `csv NAME` is a file
that is put there first. `...` in the expected text stands for anything; messages on standard
error count as part of what is printed, and the exit code does not.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cli.main import run

BLOCK = re.compile(r"^```(console|csv) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def check_page(page: Path, folder: Path) -> int:
    """Run every example of the page in the folder; returns how many there were.

    Raises:
        AssertionError: something else was printed.
    """
    checker, examples = doctest.OutputChecker(), 0
    with contextlib.chdir(folder):
        for language, name, body in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "csv":
                Path(name).write_text(body, encoding="utf-8")
                continue
            for command, expected in _examples(body):
                printed = _typed(command)
                if not checker.check_output(expected, printed, doctest.ELLIPSIS):
                    raise AssertionError(
                        f"{page.name}: $ {command}\nexpected:\n{expected}\nprinted:\n{printed}"
                    )
                examples += 1
    return examples


def _examples(body: str) -> Iterator[tuple[str, str]]:
    for part in body.split("$ ")[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = f"{command[:-1]} {more.strip()}"
        yield command.strip(), expected.strip("\n") + "\n"


def _typed(command: str) -> str:
    words = shlex.split(command)
    if words[0] == "export":
        name, _, value = words[1].partition("=")
        os.environ[name] = value
        return "\n"
    if words[0] == "python3":  # a program that stands in a folder, such as an export's verify.py
        ran = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True)
        return f"{ran.stdout}{ran.stderr}".strip("\n") + "\n"
    assert words[0] == "govledger", f"an example types '{words[0]}'"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        run(words[1:])
    return printed.getvalue().strip("\n") + "\n"
