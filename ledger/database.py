"""Opening the database of a ledger: one file with SQLite, or a PostgreSQL server by URL.

Only this module and `ledger.postgres` know the engines: that writers queue, that a commit is on
the disk when it returns, what the engine itself guards, and what its errors mean.
"""

import functools
import os
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from operator import methodcaller
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Table,
    create_engine,
    event,
    exc,
    insert,
    inspect,
)

from domain.errors import BadInput, Failed, GovledgerError, IntegrityBroken
from ledger.tables import metadata, texts, triggers, triggers_present

BUSY_SECONDS = 60
"""How long a writer waits for the one before it."""

SCRUB_SECONDS = 10
"""How long the cleaning of the file waits for others to let go of it."""

_SQLITE_HEADER = b"SQLite format 3\x00"
IN_DOUBT = (
    "It is not certain whether this was recorded: the failure came while it was being made sure. "
    "Look before you give the command again: govledger log --limit 5"
)
HAS_RECORDED = (
    "Something had been recorded before this failed. Look before you give the command again: "
    "govledger log --limit 5"
)

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


class ConnectionLost(Failed):
    """The server, or the way to it, went away in the middle of a transaction."""


class Database(ABC):
    """Connections to the database of one ledger.

    Attributes:
        address: what opens it again. It may hold a password, so it is never printed.
        location: the same as people are told it, without the password.
        engine: of SQLAlchemy.
        read_only: nothing can be recorded here.
    """

    address: str
    location: str
    engine: Engine
    read_only = False

    def __init__(self) -> None:
        self._within = threading.local()
        self._has_recorded = False

    @property
    def path(self) -> Path:
        """The file that the ledger is.

        Raises:
            Failed: no-file, for a ledger on a server.
        """
        raise Failed(
            "no-file",
            f"The ledger at {self.location} is on a server and no file.",
            "Copy it into a file with: govledger ledger copy FROM TO",
        )

    # --- transactions --------------------------------------------------------------------

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
            if as_is:
                with self._as_is(connection):
                    yield connection
                return
            with self.reading_within(connection):
                yield connection

    @contextmanager
    def writing(self, *, new: bool = False) -> Iterator[Connection]:
        """A connection in a transaction that no other writer shares; committed at the end.

        Args:
            new: there may be no tables yet.
        """
        if self.read_only:
            raise self._is_read_only()
        with self._connection(writes=True) as connection:
            self._queue(connection, new)
            yield connection

    @contextmanager
    def reading_within(self, connection: Connection) -> Iterator[None]:
        """Every reading of this thread sees what a transaction has written, before its commit."""
        self._within.reading = connection
        try:
            yield
        finally:
            self._within.reading = None

    def check_empty(self, connection: Connection) -> None:
        """That a new ledger can be begun here.

        Raises:
            Failed: there is a ledger already, or another program's database.
        """
        there = set(inspect(connection).get_table_names())
        if there:
            ours = there >= set(metadata.tables)
            raise Failed(
                "already-a-ledger" if ours else "not-empty",
                f"{self.location} is a {'ledger' if ours else 'database'} already.",
                "Use it as it is, or name another with --ledger PATH.",
            )

    @contextmanager
    def _connection(self, *, writes: bool) -> Iterator[Connection]:
        committing = False
        try:
            with (
                self.engine.connect() as bare,
                bare.execution_options(**self._options(writes)) as connection,
                connection.begin(),
            ):
                yield connection
                committing = writes
            self._has_recorded = self._has_recorded or writes
        except exc.TimeoutError as error:
            raise Failed(
                "busy",
                "Too many questions are being asked of the ledger at once.",
                "Nothing was recorded. Try again in a moment.",
            ) from error
        except exc.DBAPIError as error:
            meant = _refused(error) or self._meaning(error)
            if meant is None:
                raise  # ours to mend
            if committing and isinstance(error, exc.OperationalError):
                # A commit that failed may be on the disk all the same, or come to be there: the
                # log that was written but not synced is read by whoever opens the ledger next.
                meant.hint = IN_DOUBT
            elif self._has_recorded and not writes:
                meant.hint = HAS_RECORDED
            raise meant from error
        except UnicodeDecodeError as error:  # SQLite quotes a damaged schema in its message
            raise self._damaged(error) from error

    def _options(self, writes: bool) -> dict[str, Any]:
        return {"writes": writes}

    def _queue(self, connection: Connection, new: bool) -> None:
        """Wait for the writer before; for engines that do not when a transaction begins."""
        del connection, new

    def _as_is(self, connection: Connection) -> Any:
        del connection
        return nullcontext()

    @abstractmethod
    def _meaning(self, error: exc.DBAPIError) -> GovledgerError | None:
        """What the engine's error means for the person; None where it means a mistake of ours."""

    def _is_read_only(self) -> Failed:
        return Failed(
            "read-only",
            f"The ledger {self.location} is read-only.",
            "Ask for the right to write to the file and its folder, or work on a copy.",
        )

    def _damaged(self, said: BaseException | None) -> IntegrityBroken:
        return IntegrityBroken(
            "database-damaged",
            f"The ledger {self.location} is damaged: {said}.",
            "Nothing was recorded. See how far it can be read with 'govledger verify', and go "
            "back to a copy that is whole.",
        )

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    # --- what the engine guards ----------------------------------------------------------

    @abstractmethod
    def make_guards(self, connection: Connection) -> None:
        """Have the database itself refuse changes; once, when the tables are made."""

    @abstractmethod
    def guards_due(self, connection: Connection) -> dict[str, str]:
        """What has to stand guard, by name, in the words of `guards_present`."""

    @abstractmethod
    def guards_present(self, connection: Connection) -> dict[str, str]:
        """What does stand guard, by name."""

    @abstractmethod
    def check_storage(self, connection: Connection) -> Iterator[str]:
        """What the database finds wrong with its own files: an index that would hide entries."""

    # --- withholding ---------------------------------------------------------------------

    @abstractmethod
    def delete_withheld(self, connection: Connection, position: int, field: str) -> None:
        """Delete a text that `withheld` names, in a transaction that writes.

        The engine refuses to delete any other. See `scrub` for what is left of it on the disk.

        Args:
            connection: from `writing`; the row in `withheld` may be of the same transaction.
            position: of the entry.
            field: the name of its text.
        """

    @abstractmethod
    def scrub(self) -> str | None:
        """Overwrite on the disk what was deleted; after the commit, outside any transaction.

        Returns:
            None when it is done; else a sentence that says what is left to do, and for whom.
        """


def open_database(location: str | Path, *, create: bool = False) -> Database:
    """The database at a path or URL.

    Args:
        location: a path, or `postgresql://USER@HOST/DATABASE`.
        create: make the file where there is none. A database on a server is there before.

    Raises:
        Failed: no-ledger, not-a-ledger, no-folder, no-driver.
        BadInput: bad-address.
    """
    if not is_url(location):
        return SQLite(location, create=create)
    from ledger.postgres import PostgreSQL

    return PostgreSQL(str(location))


def is_url(location: str | Path) -> bool:
    """Whether it names a server, and not a file.

    Raises:
        BadInput: bad-address, for a kind of server that is not known.
    """
    scheme, found, _rest = str(location).partition("://")
    if not found or isinstance(location, Path):
        return False
    if scheme in _SCHEMES:
        return True
    raise BadInput(
        "bad-address",
        f"A ledger is a file or a PostgreSQL database; '{scheme}://' is neither.",
        "Write a path, or postgresql://USER@HOST/DATABASE.",
    )


def location_of(address: str) -> str:
    """A path or URL as it may be printed: without a password.

    Raises:
        BadInput: bad-address.
    """
    if not is_url(address):
        return address
    from ledger.postgres import read_address, without_secrets

    return without_secrets(read_address(address))


def default_name(address: str) -> str:
    """What a ledger is called where nobody says: as its file, or its database."""
    if not is_url(address):
        return Path(address).stem
    from ledger.postgres import read_address

    return read_address(address).database or "ledger"


def check_free(address: str) -> None:
    """That a new ledger can be begun there.

    Raises:
        Failed: already-there, already-a-ledger, not-empty; no-folder, no-server.
    """
    if not is_url(address):
        if Path(address).exists():
            raise Failed("already-there", f"{address} exists already.", "Use another name.")
        return
    with (
        closing(open_database(address, create=True)) as database,
        database.reading() as connection,
    ):
        database.check_empty(connection)


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
        try:
            with self._path.open("rb") as file:
                start = file.read(len(_SQLITE_HEADER))
        except OSError as error:
            raise Failed(
                "cannot-open", f"{self._path} cannot be read: {error.strerror}.", "Check the path."
            ) from None
        # One whose very beginning was broken off by a power cut has its journal beside it, and
        # SQLite makes it empty again by that.
        journal = Path(f"{self._path}-journal")
        begun = journal.exists() and journal.stat().st_size > 0
        if start != _SQLITE_HEADER and not begun:
            raise not_a_ledger(self)

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
        return Failed("database", f"The database said: {said}.", "Nothing was recorded.")

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
                    "text can still be found in it or in its log by somebody who searches them."
                )
            finally:
                cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
                cursor.close()
        if busy:
            return (
                f"Another process is using {self._path}, so its log could not be emptied: the "
                "deleted text can still be found there by somebody who searches it."
            )
        return None


def _refused(error: exc.DBAPIError) -> Failed | None:
    said = str(error.orig).splitlines()[0] if isinstance(error, exc.IntegrityError) else ""
    if "the ledger is append-only" not in said:
        return None
    return Failed(
        "append-only",
        f"The database refused: {said.rstrip('.')}.",
        "Nothing was recorded. What is recorded stays; say what was wrong with: govledger void N",
    )


_any_text = methodcaller("decode", "utf-8", "surrogateescape")


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


def not_a_ledger(database: Database) -> Failed:
    """The error for a file or database that is something else."""
    return Failed(
        "not-a-ledger",
        f"{database.location} is not a govledger ledger.",
        "Check the path. To begin a new ledger use another file name and 'govledger init'."
        if isinstance(database, SQLite)
        else "Check the address. To begin a new ledger in an empty database: govledger init",
    )
