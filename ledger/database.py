"""Opening the database of a ledger: one file with SQLite.

Only this module knows how the engine is set up: that writers queue (BEGIN IMMEDIATE), that a
commit is on the disk when it returns, and how a file on a read-only medium is read.
"""

import functools
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Dialect, Engine, Table, create_engine, event, exc, insert

from domain.errors import Failed, GovledgerError, IntegrityBroken

BUSY_SECONDS = 60
"""How long a writer waits for the one before it."""

_SQLITE_HEADER = b"SQLite format 3\x00"


class Database:
    """Connections to the database of one ledger.

    Args:
        path: the file.
        create: make the file where there is none.

    Raises:
        Failed: no-ledger, not-a-ledger.
    """

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        self.path = Path(path)
        self._create = create
        self._within = threading.local()
        if not create:
            self._look_first()
        self.read_only = self.path.exists() and not os.access(self.path, os.W_OK)
        if not self.read_only and not os.access(self.path.parent, os.W_OK):
            self.read_only = True
        self.engine: Engine = create_engine(self._url(), connect_args=self._connect_args())
        event.listen(self.engine, "connect", self._on_connect)
        event.listen(self.engine, "begin", self._on_begin)

    def _look_first(self) -> None:
        if not self.path.exists():
            raise Failed(
                "no-ledger",
                f"There is no ledger at {self.path}.",
                "Begin one with 'govledger init', or say where it is with --ledger PATH.",
            )
        try:
            with self.path.open("rb") as file:
                start = file.read(len(_SQLITE_HEADER))
        except OSError as error:
            raise Failed(
                "cannot-open", f"{self.path} cannot be read: {error.strerror}.", "Check the path."
            ) from None
        if start != _SQLITE_HEADER:
            raise not_a_ledger(self.path)

    def _url(self) -> URL:
        query = {"uri": "true"}
        if self.read_only:
            query["mode"] = "ro"
            if not Path(f"{self.path}-wal").exists():
                # Without its log a file in WAL mode can only be read as one nobody changes.
                query["immutable"] = "1"
        # Built in parts, so that a '?' or '%' in a file's name stays part of the name.
        file = f"file:{quote(str(self.path.absolute()))}"
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
    def reading(self, *, as_is: bool = False) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the ledger throughout.

        Args:
            as_is: read text that is not UTF-8 too, with surrogate escapes; for verification.

        Within another reading of the same thread it is that one, and sees the same state.
        """
        held: Connection | None = getattr(self._within, "reading", None)
        if held is not None:
            yield held
            return
        with self._connection(writes=False) as connection:
            if not as_is:
                self._within.reading = connection
                try:
                    yield connection
                finally:
                    self._within.reading = None
                return
            driver: Any = connection.connection.driver_connection
            driver.text_factory = _any_text
            try:
                yield connection
            finally:
                driver.text_factory = str

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that no other writer shares; committed at the end."""
        if self.read_only:
            raise Failed(
                "read-only",
                f"The ledger {self.path} is read-only.",
                "Ask for the right to write to the file and its folder, or work on a copy.",
            )
        with self._connection(writes=True) as connection:
            yield connection

    @contextmanager
    def _connection(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with (
                self.engine.connect() as bare,
                bare.execution_options(writes=writes) as connection,
                connection.begin(),
            ):
                yield connection
        except exc.OperationalError as error:
            raise self._explain(error) from error
        except (exc.ProgrammingError, exc.DataError, exc.NotSupportedError):
            raise  # ours to mend
        except exc.DatabaseError as error:
            if "not a database" in str(error.orig):
                raise not_a_ledger(self.path) from error
            raise self._damaged(error.orig) from error
        except UnicodeDecodeError as error:  # SQLite quotes a damaged schema in its message
            raise self._damaged(error) from error

    def _explain(self, error: exc.OperationalError) -> GovledgerError:
        said = str(error.orig)
        if "locked" in said:
            return Failed(
                "busy",
                f"Another process has been writing to {self.path} for {BUSY_SECONDS} seconds.",
                "Nothing was recorded. Try again when it has finished.",
            )
        if "readonly" in said:
            return Failed("read-only", f"The ledger {self.path} is read-only.", "Work on a copy.")
        if "no such table" in said:
            return not_a_ledger(self.path)
        if "full" in said:
            return Failed("disk-full", "The disk is full.", "Nothing was recorded. Make room.")
        if "decode" in said:
            return self._damaged(error.orig)
        return Failed("database", f"The database said: {said}.", "Nothing was recorded.")

    def _damaged(self, said: BaseException | None) -> IntegrityBroken:
        return IntegrityBroken(
            "database-damaged",
            f"The ledger {self.path} is damaged: {said}.",
            "Nothing was recorded. See how far it can be read with 'govledger verify', and go "
            "back to a copy that is whole.",
        )

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _any_text(written: bytes) -> str:
    return written.decode("utf-8", "surrogateescape")


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows given as tuples in the order of the table's columns.

    For texts, numbers and bytes, which every driver takes as they are: turning each row into
    named parameters first would cost more than the insert itself.
    """
    if not rows:
        return
    statement, names = _insert_into(table, connection.dialect)
    if names is None:
        given: Any = list(rows) if len(rows) > 1 else rows[0]
    else:
        given = [dict(zip(names, row, strict=True)) for row in rows]
    connection.exec_driver_sql(statement, given)


@functools.cache
def _insert_into(table: Table, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """The statement, and the names of its parameters where the driver wants them by name."""
    compiled = insert(table).compile(dialect=dialect)
    names = None if compiled.positional else tuple(column.name for column in table.columns)
    return str(compiled), names


def not_a_ledger(path: Path) -> Failed:
    """The error for a file that is something else."""
    return Failed(
        "not-a-ledger",
        f"{path} is not a govledger ledger.",
        "Check the path. To begin a new ledger use another file name and 'govledger init'.",
    )
