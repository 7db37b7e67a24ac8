"""Keys, an ssh-agent and terminals for the tests of signatures, all made by the stock programs."""

import base64
import os
import pty
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "", bits: int = 0) -> Path:
    """A new pair; returns the file of the private key, beside which `.pub` is."""
    words = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "A. Name", "-f", str(path)]
    subprocess.run([*words, *(["-b", str(bits)] if bits else [])], check=True)
    return path


def public(key_file: Path) -> str:
    """The public key of a private key file, without its comment."""
    return " ".join(Path(f"{key_file}.pub").read_text().split()[:2])


def blob(*fields: bytes) -> bytes:
    """Fields as SSH writes them, each after its length."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def key_of(kind: str, *fields: bytes) -> str:
    """A public key of that type with these fields."""
    return f"{kind} {base64.b64encode(blob(kind.encode(), *fields)).decode()}"


def fields_of(key: str) -> list[bytes]:
    """The fields of a public key after its type."""
    left, fields = base64.b64decode(key.split()[1]), []
    while left:
        length = int.from_bytes(left[:4], "big")
        fields.append(left[4 : 4 + length])
        left = left[4 + length :]
    return fields[1:]


def script(path: Path, *lines: str) -> Path:
    """A program in the language of the shell."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o700)
    return path


@contextmanager
def agent() -> Iterator[str]:
    """An ssh-agent of our own; gives its address, which is short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder, "agent"))
        with subprocess.Popen(
            ["ssh-agent", "-D", "-a", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            try:
                until = time.monotonic() + 30
                while not os.path.exists(address):
                    assert running.poll() is None
                    assert time.monotonic() < until
                    time.sleep(0.01)
                yield address
            finally:
                running.terminate()


SIGN = """
import sys
from pathlib import Path
from domain.errors import GovledgerError
from ledger import signatures
statement, public_key, key_file, patience = sys.argv[1:]
signatures.PATIENCE = float(patience)
try:
    print(signatures.sign(statement, public_key, Path(key_file) if key_file else None), end="")
except GovledgerError as error:
    print(error.rule, error.message, sep=": ")
"""


def sign_without_terminal(*words: str) -> str:
    """What `sign` answers, or how it fails, in a process without a terminal."""
    ran = subprocess.run(
        [sys.executable, "-c", SIGN, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert not ran.stderr, ran.stderr
    return ran.stdout


class Terminal:
    """A process that signs, on a terminal of its own at which the test sits."""

    def __init__(self, *words: str) -> None:
        self._screen, theirs = pty.openpty()
        take = f"import fcntl, termios; fcntl.ioctl({theirs}, termios.TIOCSCTTY, 0)\n"
        self._process = subprocess.Popen(
            [sys.executable, "-c", take + SIGN, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            pass_fds=[theirs],
            start_new_session=True,
        )
        os.close(theirs)

    def read_until(self, awaited: str) -> str:
        """What appears on the screen up to that text."""
        said = ""
        while awaited not in said:
            said += os.read(self._screen, 4096).decode()
        return said

    def wait_for_no_echo(self) -> None:
        """Wait until what is typed does not appear."""
        while termios.tcgetattr(self._screen)[3] & termios.ECHO:
            time.sleep(0.01)

    def type(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())

    def end(self) -> tuple[str, str]:
        """What the process answered, and what else appeared on the screen."""
        answer, errors = self._process.communicate(timeout=60)
        assert not errors, errors
        os.set_blocking(self._screen, False)
        try:
            return answer, os.read(self._screen, 65536).decode()
        except OSError:
            return answer, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._screen)
        with self._process:
            self._process.kill()
