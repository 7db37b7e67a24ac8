"""The files of evidence: their digests, and which of those lodged a folder holds."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from pathlib import Path
from typing import Any

AT_ONCE = 1024 * 1024
"""Bytes of a file that are read at a time, so that its size does not matter."""


def digest(path: str | Path) -> tuple[str, int]:
    """SHA-256 and size of a file, read piece by piece.

    Raises:
        OSError: it cannot be read, or is no ordinary file.
    """
    ordinary(path)
    found, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(AT_ONCE):
            found.update(piece)
            size += len(piece)
    return found.hexdigest(), size


def ordinary(path: str | Path) -> os.stat_result:
    """The facts of an ordinary file; what is none (a pipe, a device) may never end, or begin.

    Raises:
        OSError: it is not there, or is no ordinary file.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        what = "it is a folder" if stat.S_ISDIR(found.st_mode) else "it is not an ordinary file"
        raise OSError(0, what, str(path))
    return found


class Folder:
    """The files in a folder and in the folders in it; each is read at most once.

    Attributes:
        unread: what could not be looked at, and why.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unread: dict[str, str] = {}
        self._digests: dict[str, str | None] = {}
        # Links to folders are not followed: they may lead round in a circle.
        found = os.walk(root, onerror=lambda e: self._pass_over(str(e.filename), e))
        paths = sorted(os.path.join(at, name) for at, _folders, names in found for name in names)
        self._sizes = {path: self._size(path) for path in paths}
        self._named: dict[str, list[str]] = {}
        for path in paths:
            self._named.setdefault(_composed(os.path.basename(path)), []).append(path)

    def _pass_over(self, path: str, error: OSError) -> None:
        self.unread[path] = str(error.strerror)

    def _size(self, path: str) -> int | None:
        try:
            return ordinary(path).st_size
        except OSError as error:
            self._pass_over(path, error)
            return None

    def shown(self, path: str) -> str:
        """The path as seen from the folder, printable whatever its bytes."""
        return os.path.relpath(path, self.root).encode("utf-8", "replace").decode()

    def _is(self, path: str, item: dict[str, Any]) -> bool:
        """Whether the file is the one that was lodged."""
        if self._sizes[path] != item["size"]:
            return False  # and need not be read
        if path not in self._digests:
            self._digests[path] = None
            try:
                self._digests[path] = digest(path)[0]
            except OSError as error:
                self._pass_over(path, error)
        return bool(self._digests[path] == item["sha256"])

    def look_for(self, item: dict[str, Any], lodged: list[dict[str, Any]]) -> dict[str, Any]:
        """What became of the file of an item of evidence, and where it is.

        Args:
            lodged: every item: a file that is another of them is no change of this one.
        """
        named = self._named.get(_composed(item["file"] or ""), [])
        for status, paths in (("present", named), ("renamed", list(self._sizes))):
            for path in paths:
                if self._is(path, item):
                    return {"status": status, "at": self.shown(path)}
        named = [path for path in named if not any(self._is(path, other) for other in lodged)]
        if not named:
            return {"status": "missing", "at": None}
        status = "unreadable" if all(path in self.unread for path in named) else "changed"
        return {"status": status, "at": self.shown(named[0])}


def _composed(name: str) -> str:
    """A name with its accents composed, as some systems keep them and others do not."""
    return unicodedata.normalize("NFC", name)
