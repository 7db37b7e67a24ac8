"""A backup of a ledger that is in use: one file, whole, and verified before it gets its name."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from domain.errors import Failed, IntegrityBroken
from ledger.address import open_database
from ledger.copying import copy_ledger
from ledger.recorder import Projector
from ledger.sqlite import SQLite
from ledger.store import Store
from ledger.verification import verify


def back_up(
    source: Store,
    target: Path,
    projector: Projector | None = None,
    tick: Callable[[int], None] = lambda _done: None,
) -> tuple[int, str]:
    """Write the ledger as it is at this moment into a new file.

    Others may go on recording meanwhile. A file is copied page by page within one transaction
    (SQLite's online backup); a ledger on a server entry by entry, see `copy_ledger`. The file has
    its name only once it is whole, verified and on the disk.

    Args:
        target: a file that does not exist.
        projector: makes the read models, where the source is on a server.

    Returns:
        Its size, and its root in hexadecimal.

    Raises:
        Failed: already-there, no-folder.
        IntegrityBroken: the ledger does not verify; no file is left.
    """
    if not target.parent.is_dir():
        raise Failed("no-folder", f"There is no folder {target.parent}.", "Make the folder first.")
    try:
        target.touch(exist_ok=False)  # the name is ours from here on
    except FileExistsError:
        raise Failed(
            "already-there", f"{target} exists already.", "Name another file: none is overwritten."
        ) from None
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        if isinstance(source.database, SQLite):
            _copy_pages(source.database.path, partial)
        else:
            with closing(open_database(partial, create=True)) as database:
                copy_ledger(source, database, projector, tick)
        found = _verified(partial)
        _to_disk(partial)
        partial.replace(target)
        _to_disk(target.parent)
    except BaseException:
        for rest in (partial, *(Path(f"{partial}-{end}") for end in ("wal", "shm")), target):
            rest.unlink(missing_ok=True)
        raise
    return found


def _copy_pages(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)  # all pages in one step, so in one reading transaction


def _verified(path: Path) -> tuple[int, str]:
    with Store.open(path) as copy:
        found = verify(copy)
    if found.findings:
        first = found.findings[0].message.rstrip(".")
        raise IntegrityBroken(
            "not-whole",
            f"The ledger does not hold: {len(found.findings)} finding(s), the first: {first}.",
            "No backup was made. See all that is wrong with 'govledger verify', and keep the file "
            "as it is.",
        )
    return found.size, found.root


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
