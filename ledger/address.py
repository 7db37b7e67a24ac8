"""Where a ledger is: a file, or a PostgreSQL database by its URL."""

import re
from contextlib import closing
from pathlib import Path

from domain.errors import BadInput, Failed
from ledger.database import Database
from ledger.sqlite import SQLite

_MEANT_FOR_A_SERVER = re.compile(r"^postgres(ql)?(\+\w+)?:|\bpassword\s*=", re.IGNORECASE)
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


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
    if isinstance(location, Path):
        return False
    scheme, found, _rest = location.partition("://")
    if not found:
        if _MEANT_FOR_A_SERVER.search(location):  # and may hold a password, so not repeated
            raise BadInput(
                "bad-address",
                "This reads like the address of a server, and is neither one nor a path.",
                "Write postgresql://USER@HOST/DATABASE, and leave the password to PGPASSWORD or "
                "~/.pgpass.",
            )
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
