"""What a power cut could leave on the disk, worked out from a log of writes and syncs.

A write that was not synced may be there, or not, or in part: each sector by itself, and in any
order. A file that was made, removed or cut short is so for certain once it (or for a name, its
folder) has been synced. That is more than common file systems lose; SQLite asks for no more.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.shim import Change

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


@dataclass
class _File:
    """The bytes of one file, whatever its name: those that are safe, and what has not been yet."""

    safe: bytearray
    waiting: list[Change] = field(default_factory=list)


class Disk:
    """The files of one folder, as a disk has them under a program that writes and syncs.

    Args:
        folder: what is there before; all of that is safe.
        leave_out: endings of the names that are no matter.
    """

    def __init__(self, folder: Path, leave_out: str = "-shm") -> None:
        self.leave_out = leave_out
        files = [file for file in folder.iterdir() if not file.name.endswith(leave_out)]
        self._files = [_File(bytearray(file.read_bytes())) for file in files]
        self._names = {file.name: number for number, file in enumerate(files)}
        """Which file each name stands for now."""
        self._safe_names = dict(self._names)
        self._renamed: list[tuple[str, int | None]] = []
        """What was done to names since the folder was synced: now stands for that file, or none."""

    def take(self, change: Change, folder: Path) -> None:
        """Take in the next change."""
        name = Path(change.path).name
        if change.kind == "s" and Path(change.path) == folder:
            self._safe_names, self._renamed = dict(self._names), []
            return
        if change.kind == "m" or name.endswith(self.leave_out):
            return
        if name not in self._names and change.kind != "c":
            # Made before the log began, by a reader; there is nothing in it that is safe.
            self.take(Change("c", change.path, 0, b""), folder)
        match change.kind:
            case "c":
                self._files.append(_File(bytearray()))
                self._rename(name, len(self._files) - 1)
            case "u":
                self._rename(name, None)
            case "s":
                file = self._files[self._names[name]]
                file.safe = _carried_out(file.safe, file.waiting)
                file.waiting = []
            case _:
                self._files[self._names[name]].waiting.append(change)

    def _rename(self, name: str, number: int | None) -> None:
        self._renamed.append((name, number))
        if number is None:
            self._names.pop(name, None)
        else:
            self._names[name] = number

    def left(self, chance: random.Random | None, share: float) -> dict[str, bytes]:
        """The files that a power cut now could leave, by name.

        Args:
            chance: picks what is lost; None to lose nothing of that share or all of the rest.
            share: of what was not synced that is on the disk nevertheless; 0 or 1 without chance.
        """
        names = dict(self._safe_names)
        for name, number in self._renamed:
            if _kept(chance, share):
                names.pop(name, None)
                if number is not None:
                    names[name] = number
        found = {}
        for name, number in names.items():
            file = self._files[number]
            there = [change for change in file.waiting for change in _torn(change, chance, share)]
            found[name] = bytes(_carried_out(file.safe, there))
        return found


def _kept(chance: random.Random | None, share: float) -> bool:
    return share == 1 if chance is None else chance.random() < share


def _torn(change: Change, chance: random.Random | None, share: float) -> Iterator[Change]:
    """The sectors of a write that reached the disk."""
    if change.kind == "t":
        if _kept(chance, share):
            yield change
        return
    at, end = change.offset, change.offset + len(change.bytes)
    while at < end:
        until = min(end, (at // SECTOR + 1) * SECTOR)
        if _kept(chance, share):
            part = change.bytes[at - change.offset : until - change.offset]
            yield Change("w", change.path, at, part)
        at = until


def _carried_out(data: bytearray, changes: Iterable[Change]) -> bytearray:
    found = bytearray(data)
    for change in changes:
        end = change.offset + len(change.bytes)
        if change.kind == "t":
            del found[change.offset :]
            end = change.offset
        if len(found) < end:
            found.extend(bytes(end - len(found)))
        if change.kind == "w":
            found[change.offset : end] = change.bytes
    return found


def images(
    base: Path, folder: Path, log: Sequence[Change], done: Sequence[str], tries: int, seed: int
) -> Iterator[tuple[int, bool, dict[str, bytes]]]:
    """The folders that a power cut during a command could leave, each once.

    Args:
        base: the folder before the command.
        folder: where it was given.
        log: what it did.
        done: with one of these words it told the person that it is done.
        tries: how many random ones after each change, besides 'nothing of it' and 'all of it'.
        seed: for the same ones again.

    Yields:
        After how many changes, whether the person had been told, and the files by name.
    """
    disk, told, seen = Disk(base), False, set[int]()
    chance = random.Random(seed)
    for number, change in enumerate((None, *log)):
        if change is not None:
            if change.kind == "m":
                text = change.bytes.decode("utf-8", "replace")
                told = told or any(words in text for words in done)
            disk.take(change, folder)
        chosen = [disk.left(None, 0), disk.left(None, 1)]
        chosen += [disk.left(chance, chance.choice((0.1, 0.5, 0.9))) for _ in range(tries)]
        for files in chosen:
            key = hash((told, *sorted(files.items())))
            if key not in seen:
                seen.add(key)
                yield number, told, files


def write_image(files: dict[str, bytes], target: Path) -> None:
    """Put the files of an image into an empty folder."""
    for name, data in files.items():
        (target / name).write_bytes(data)
