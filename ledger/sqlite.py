"""A ledger in one SQLite file: how writers queue, what is durable, and how a file is cleaned."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from operator import methodcaller
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, create_engine, event, exc

from domain.errors import Failed, GovledgerError
from ledger.database import BUSY_SECONDS, Database, not_a_ledger
from ledger.tables import texts, triggers, triggers_present

SCRUB_SECONDS = 10
"""How long the cleaning of the file waits for others to let go of it."""

_any_text = methodcaller("decode", "utf-8", "surrogateescape")


class SQLite(Database):
    """A ledger in one file.

    Args:
        path: the file.
        create: make the file where there is none.

    Raises:
        Failed: no-ledger, not-a-ledger, no-folder.
    """

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        super().__init__()
        self._path = Path(path)
        self.address = self.location = str(path)
        self._create = create
        if create and not self._path.parent.is_dir():
            raise Failed(
                "no-folder", f"There is no folder {self._path.parent}.", "Make the folder first."
            )
        if not create or self._holds_something():
            self._look_first()
        self.read_only = self._path.exists() and not os.access(self._path, os.W_OK)
        if not self.read_only and not os.access(self._path.parent, os.W_OK):
            self.read_only = True
        self.engine = create_engine(self._url(), connect_args=self._connect_args())
        event.listen(self.engine, "connect", self._on_connect)
        event.listen(self.engine, "begin", self._on_begin)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def _holds_something(self) -> bool:
        return self._path.exists() and self._path.stat().st_size > 0

    def _look_first(self) -> None:
        if not self._path.exists():
            raise Failed(
                "no-ledger",
                f"There is no ledger at {self._path}.",
                "Begin one with 'govledger init', or say where it is with --ledger PATH.",
            )
        # The file is looked at, and never opened but by SQLite: to close it ourselves would drop
        # every lock that this process has on it (POSIX locks belong to the process), and another
        # would take itself for the last and remove the log under an open ledger.
        trouble = None
        if self._path.is_dir():
            trouble = errno.EISDIR
        elif not os.access(self._path, os.R_OK):
            trouble = errno.EACCES
        if trouble:
            raise Failed(
                "cannot-open",
                f"{self._path} cannot be read: {os.strerror(trouble)}.",
                "Check the path.",
            )

    def _url(self) -> URL:
        query = {"uri": "true"}
        if self.read_only:
            query["mode"] = "ro"
            if not Path(f"{self._path}-wal").exists():
                # Without its log a file in WAL mode can only be read as one nobody changes.
                query["immutable"] = "1"
        # Built in parts, so that a '?' or '%' in a file's name stays part of the name.
        file = f"file:{quote(str(self._path.absolute()))}"
        return URL.create("sqlite+pysqlite", database=file, query=query)

    @staticmethod
    def _connect_args() -> dict[str, Any]:
        # Autocommit, so that this module alone says where a transaction begins.
        return {"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}

    def _on_connect(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        if self._create:
            # The file keeps the mode; one that turns out to be no ledger is left as it is.
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA cache_size=-16384")  # KiB; rebuilding revisits its pages
        cursor.close()

    @staticmethod
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @contextmanager
    def _as_is(self, connection: Connection) -> Iterator[None]:
        driver: Any = connection.connection.driver_connection
        driver.text_factory = _any_text
        try:
            yield
        finally:
            driver.text_factory = str

    def _meaning(self, error: exc.DBAPIError) -> GovledgerError | None:
        if isinstance(error, exc.OperationalError):
            return self._explain(error)
        if isinstance(error, (exc.ProgrammingError, exc.DataError, exc.NotSupportedError)):
            return None
        if not isinstance(error, exc.DatabaseError):
            return None
        if "not a database" in str(error.orig):
            return not_a_ledger(self)
        return self._damaged(error.orig)

    def _explain(self, error: exc.OperationalError) -> GovledgerError:
        said = str(error.orig)
        if "locked" in said:
            return Failed(
                "busy",
                f"Another process has been writing to {self._path} for {BUSY_SECONDS} seconds.",
                "Nothing was recorded. Try again when it has finished.",
            )
        if "readonly" in said:
            return Failed("read-only", f"The ledger {self._path} is read-only.", "Work on a copy.")
        if "no such table" in said:
            return not_a_ledger(self)
        if "full" in said:
            return Failed("disk-full", "The disk is full.", "Nothing was recorded. Make room.")
        if "decode" in said:
            return self._damaged(error.orig)
        if "I/O" in said:
            return Failed(
                "disk-failed",
                "The disk could not be read or written, or a file reached the size that is "
                f"allowed here: {said}.",
                "Nothing was recorded. Check the disk and any limit on the size of files.",
            )
        if "unable to open" in said:
            return Failed(
                "cannot-open",
                f"The file {self._path}, or its log beside it, cannot be opened or made.",
                "Nothing was recorded. Check that its folder is one that you may write to, on a "
                "disk that takes files, or name another place.",
            )
        return Failed(
            "database",
            f"The database {self._path} said: {said}.",
            "Nothing was recorded. Check the file and its disk, or go on with a copy.",
        )

    def make_guards(self, connection: Connection) -> None:
        """Triggers refuse UPDATE, DELETE and REPLACE."""
        for statement in triggers().values():
            connection.exec_driver_sql(statement)

    def guards_due(self, connection: Connection) -> dict[str, str]:
        """The statement of each trigger."""
        del connection
        return triggers()

    def guards_present(self, connection: Connection) -> dict[str, str]:
        """The statement of each trigger, as the file keeps it."""
        return triggers_present(connection)

    def check_storage(self, connection: Connection) -> Iterator[str]:
        """What SQLite's own integrity check says."""
        for said in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if said != "ok":
                yield str(said)

    def delete_withheld(self, connection: Connection, position: int, field: str) -> None:
        """See `Database.delete_withheld`; its bytes are overwritten with zeros."""
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        found = (texts.c.position == position) & (texts.c.field == field)
        connection.execute(texts.delete().where(found))

    def scrub(self) -> str | None:
        """Write the file anew without what was deleted, and empty its log.

        The copy that SQLite makes meanwhile is kept in memory, never in a temporary file.
        """
        with closing(self.engine.raw_connection()) as bare:
            cursor = bare.cursor()
            try:
                cursor.execute(f"PRAGMA busy_timeout={SCRUB_SECONDS * 1000}")
                cursor.execute("PRAGMA temp_store=MEMORY")
                cursor.execute("PRAGMA secure_delete=ON")
                cursor.execute("VACUUM")
                found = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                busy = found is None or found[0]
            except (sqlite3.OperationalError, MemoryError) as error:
                return (
                    f"The file {self._path} could not be written anew ({error}), so the deleted "
                    "text can still be found in it or in its log by somebody who searches them. "
                    "Once nobody uses the ledger, give the same command again."
                )
            finally:
                cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
                cursor.close()
        if busy:
            return (
                f"Another process is using {self._path}, so its log could not be emptied: the "
                "deleted text can still be found there by somebody who searches it. Once nobody "
                "uses the ledger, give the same command again."
            )
        return None
