"""The database of a ledger, whichever engine it is on: transactions, and what errors mean.

Only `ledger.sqlite` and `ledger.postgres` know their engines: that writers queue, that a commit is
on the disk when it returns, and what the engine itself guards.
"""

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Dialect,
    Engine,
    Table,
    exc,
    insert,
    inspect,
)

from domain.errors import Failed, GovledgerError, IntegrityBroken
from ledger.tables import metadata

BUSY_SECONDS = 60
"""How long a writer waits for the one before it."""

IN_DOUBT = (
    "It is not certain whether this was recorded: the failure came while it was being made sure. "
    "Look before you give the command again: govledger log --limit 5"
)
HAS_RECORDED = (
    "Something had been recorded before this failed. Look before you give the command again: "
    "govledger log --limit 5"
)


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
            "Nothing was recorded. Put it aside as it is, and go back to a backup that "
            "'govledger verify' finds whole: govledger ledger copy BACKUP NEW",
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
            None when it is done; else what is left to do, by whom and how, in sentences.
        """


def _refused(error: exc.DBAPIError) -> Failed | None:
    said = str(error.orig).splitlines()[0] if isinstance(error, exc.IntegrityError) else ""
    if "the ledger is append-only" not in said:
        return None
    return Failed(
        "append-only",
        f"The database refused: {said.rstrip('.')}.",
        "Nothing was recorded. What is recorded stays; say what was wrong with: govledger void N",
    )


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
        "Check the address. To begin a new ledger in an empty database: govledger init"
        if "://" in database.location
        else "Check the path. To begin a new ledger use another file name and 'govledger init'.",
    )
