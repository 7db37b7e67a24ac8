"""The shim between SQLite and the C library: built where it is used, and loaded before all else.

See `shim.c`. It can only be loaded as a process starts, so `loaded` starts this one anew.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

_NAMED = "GOVLEDGER_FAULTS_SHIM"
_SIZES = 24


class Fault(IntEnum):
    """What happens at the change to the ledger's files that the shim is armed for."""

    NOTHING = 0
    KILL = 1
    KILL_HALFWAY = 2
    IO_ERROR = 3
    NO_SPACE = 4


class Change(NamedTuple):
    """One change to a file that the shim has logged.

    Attributes:
        kind: `c` created, `w` written, `s` synced, `t` truncated, `u` removed; `m` is none: text
            that the person was shown.
        path: of the file, or of the folder where that was synced.
        offset: of what was written, in bytes; the new length where truncated.
        bytes: what was written, or shown.
    """

    kind: str
    path: str
    offset: int
    bytes: bytes


def compiler() -> str | None:
    """The C compiler of this machine, if it has one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def load() -> None:
    """Start this program anew with the shim in it, unless it is; stops where that cannot be."""
    if os.environ.get(_NAMED):
        return
    cc = compiler()
    if cc is None or sys.platform != "linux":
        sys.exit("Fault injection needs Linux and a C compiler (cc, gcc or clang).")
    folder = tempfile.mkdtemp(prefix="govledger-faults-")
    library = Path(folder) / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(
        [cc, "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True
    )
    environment = {**os.environ, "LD_PRELOAD": str(library), _NAMED: str(library)}
    os.execve(sys.executable, sys.orig_argv, environment)


class Shim:
    """The shim of this process, which `load` has put in."""

    def __init__(self) -> None:
        # What we start (ssh-keygen) is none of its business.
        os.environ.pop("LD_PRELOAD", None)
        self._library = ctypes.CDLL(os.environ[_NAMED])
        self._library.faults_count.restype = ctypes.c_long

    def watch(self, folder: Path) -> None:
        """Watch the files of a folder, and count from 0; nothing is armed."""
        self._library.faults_watch(str(folder).encode())

    def arm(self, fault: Fault, number: int, *, stays: bool = False) -> None:
        """Let that happen at the change of that number, and with `stays` at all later ones."""
        self._library.faults_arm(int(fault), ctypes.c_long(number), int(stays))

    def count(self) -> int:
        """How many changes there have been since `watch`."""
        return int(self._library.faults_count())

    def log(self, file: int) -> None:
        """Log every change to that descriptor from now on."""
        self._library.faults_log(file)


def read_log(data: bytes) -> Iterator[Change]:
    """The changes that were logged, in order."""
    at = 0
    while at < len(data):
        kind = data[at : at + 1].decode()
        sizes = data[at + 1 : at + 1 + _SIZES]
        named, offset, length = (int.from_bytes(sizes[n : n + 8], "little") for n in (0, 8, 16))
        at += 1 + _SIZES
        path = data[at : at + named].decode()
        at += named
        yield Change(kind, path, offset, data[at : at + length])
        at += length
