"""A ledger in a PostgreSQL database, by URL.

One row, the head, is what writers queue for; readers see one state throughout and wait for
nobody. See `docs/databases.md` for the rights that those who write need, and what the server
guards.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, exc, make_url, text

from domain.errors import BadInput, Failed, GovledgerError
from ledger import postgres_guards as guards
from ledger.database import BUSY_SECONDS, ConnectionLost, Database, not_a_ledger
from ledger.tables import KEYS

SILENT_SECONDS = 30
"""After this long without a word from a writer the server takes it for gone, and lets others in."""
_SHOWN = (
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "service",
    "options",
    "sslmode",
    "sslrootcert",
)
"""What of an address's options is repeated: what says where the ledger is. Any other may be a
password, also by a mistake in its name."""
_NEW_LEDGER = 0x676F766C  # an arbitrary number: the lock for making tables in an empty database


class PostgreSQL(Database):
    """A ledger in one PostgreSQL database (in the first schema of the search path).

    Args:
        address: `postgresql://USER@HOST/DATABASE`; a password is better left to PGPASSWORD or
            ~/.pgpass, as libpq reads them.

    Raises:
        Failed: no-driver.
        BadInput: bad-address.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        url = read_address(address)
        self.location = without_secrets(url)
        try:
            import psycopg  # noqa: F401 - only to say clearly that it is missing
        except ImportError:
            raise Failed(
                "no-driver",
                "A ledger on a PostgreSQL server needs the package psycopg, which is not "
                "installed.",
                "Install it with: pip install 'govledger[postgres]'",
            ) from None
        # What the address itself says comes first; a dead line is noticed in about a minute.
        alive = {
            "connect_timeout": "10",
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            "application_name": "govledger",
        }
        given = {name: value for name, value in alive.items() if name not in url.query}
        self.engine = create_engine(
            url.update_query_dict(given),
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=15,
            pool_timeout=BUSY_SECONDS,
        )
        event.listen(self.engine, "connect", _look_up)

    # --- transactions --------------------------------------------------------------------

    def _options(self, writes: bool) -> dict[str, Any]:
        return {
            "writes": writes,
            "isolation_level": "READ COMMITTED" if writes else "REPEATABLE READ",
            "postgresql_readonly": not writes,
        }

    def _queue(self, connection: Connection, new: bool) -> None:
        """Wait for the lock that one writer has at a time.

        What is read afterwards sees what the writer before has committed: each statement of a
        transaction at READ COMMITTED sees the newest state.
        """
        # A commit is on the disk when it returns, also where the server is set to be quicker.
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'; "
            f"SET LOCAL idle_in_transaction_session_timeout = '{SILENT_SECONDS}s'; "
            "SELECT set_config('synchronous_commit', 'on', true) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
        if new:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_NEW_LEDGER})")
        else:
            connection.exec_driver_sql("SELECT id FROM head WHERE id = 1 FOR UPDATE")

    def check_empty(self, connection: Connection) -> None:
        """See `Database.check_empty`; and every text can be written here."""
        super().check_empty(connection)
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise Failed(
                "not-utf8",
                f"The database at {self.location} holds text as {encoding}, which lacks characters "
                "that a ledger needs.",
                "Make one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
            )

    # --- errors --------------------------------------------------------------------------

    def _meaning(self, error: exc.DBAPIError) -> GovledgerError | None:
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state in ("57P01", "57P02", "25P03"):
            return ConnectionLost(
                "connection-lost",
                f"The connection to the ledger at {self.location} was lost.",
                "Ask again when the server is back.",
            )
        if state in _PLAIN:
            rule, sentence, hint = _PLAIN[state]
            return Failed(rule, sentence.format(at=self.location), hint)
        if state in ("42P01", "3F000"):
            return not_a_ledger(self)
        if state[:2] == "XX":
            return self._damaged(error.orig)
        if "connection option" in str(error.orig) or "invalid URI" in str(error.orig):
            return BadInput(
                "bad-address",
                f"The address of {self.location.partition('?')[0]} has an option that is not "
                "known.",
                "Take out what follows the '?', or see 'connection strings' in the "
                "documentation of PostgreSQL.",
            )
        if not isinstance(error, exc.OperationalError):
            return None
        return self._unreachable(str(error.orig), state)

    def _unreachable(self, said: str, state: str) -> Failed:
        """The server's own words where no connection came about; libpq gives no code for them."""
        for words, rule, sentence, hint in _NO_WAY_IN:
            if any(word in said for word in words):
                return Failed(rule, sentence.format(at=self.location), hint)
        first = said.strip().splitlines()[-1] if said.strip() else state
        return Failed(
            "database",
            f"The database at {self.location} said: {first.rstrip('.')}.",
            "Nothing was recorded. Check the address, or ask whoever runs the server.",
        )

    def _is_read_only(self) -> Failed:
        rule, sentence, hint = _PLAIN["25006"]
        return Failed(rule, sentence.format(at=self.location), hint)

    # --- what the engine guards ----------------------------------------------------------

    def make_guards(self, connection: Connection) -> None:
        """Triggers refuse UPDATE, DELETE and TRUNCATE; see `ledger.postgres_guards`."""
        guards.make(connection)

    def guards_due(self, connection: Connection) -> dict[str, str]:
        """Triggers with their functions, keys, and the one function that deletes."""
        return guards.due(connection)

    def guards_present(self, connection: Connection) -> dict[str, str]:
        """The same as the catalogue has them, and rules that would go round them."""
        return guards.present(connection)

    def check_storage(self, connection: Connection) -> Iterator[str]:
        """Each table's rows, counted by its index and without: a bad index would hide some."""
        for table in KEYS:
            counts = []
            for off in ("seqscan", "indexscan"):
                connection.exec_driver_sql(
                    "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = on; "
                    "SET LOCAL enable_indexonlyscan = on; SET LOCAL enable_bitmapscan = off; "
                    f"SET LOCAL enable_{off} = off"
                    + ("; SET LOCAL enable_indexonlyscan = off" if off == "indexscan" else "")
                )
                query = f"SELECT count(*) FROM {table} WHERE position > {-(2**62)}"
                counts.append(connection.exec_driver_sql(query).scalar_one())
            if counts[0] != counts[1]:
                yield f"the index of {table} leads to {counts[0]} of {counts[1]} rows"

    # --- withholding ---------------------------------------------------------------------

    def delete_withheld(self, connection: Connection, position: int, field: str) -> None:
        """See `Database.delete_withheld`; by a function, as nobody has the right to DELETE."""
        connection.execute(
            text(f"SELECT {guards.DELETE_WITHHELD}(:position, :field)"),
            {"position": position, "field": field},
        )

    def scrub(self) -> str | None:
        """Write the table of texts anew; who does not own it cannot, and is told who does."""
        with self.engine.connect() as bare:
            connection = bare.execution_options(isolation_level="AUTOCOMMIT")
            owner = connection.exec_driver_sql(
                "SELECT pg_get_userbyid(relowner), pg_has_role(relowner, 'USAGE') "
                "FROM pg_class WHERE oid = 'texts'::regclass"
            ).one()
            if not owner[1]:
                own = without_secrets(read_address(self.address).set(username=owner[0]))
                return (
                    "The text is deleted and cannot be read in the ledger. It is still in the "
                    f"server's files until {owner[0]}, who owns the tables, has them cleaned: to "
                    "withhold it again as this role does not help. The owner gives the same "
                    f"command with --ledger '{own}', or the statement VACUUM FULL texts"
                )
            connection.exec_driver_sql("VACUUM FULL texts")
        return None


def read_address(address: str) -> URL:
    """The URL, for the driver that we use.

    Raises:
        BadInput: bad-address. What was given is not repeated: it may hold a password.
    """
    scheme, _, rest = address.partition("://")
    hint = (
        "Write postgresql://USER@HOST/DATABASE, and leave the password to PGPASSWORD or ~/.pgpass. "
        "In an address, each '@' of a name or password is written %40, '/' %2F and '?' %3F."
    )
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (exc.ArgumentError, ValueError):
        raise BadInput(
            "bad-address", f"The address after {scheme}:// cannot be read.", hint
        ) from None
    # A second one is most likely part of the password, and what follows the first would be taken
    # for the server's name, and printed.
    if rest.count("@") > (url.username is not None):
        raise BadInput(
            "bad-address",
            f"The address after {scheme}:// has an '@' that stands in no place for one.",
            hint,
        )
    return url


def without_secrets(url: URL) -> str:
    """The URL as it may be printed: the same database, without anybody's password."""
    bare = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={name: value for name, value in url.query.items() if name in _SHOWN},
    )
    return bare.render_as_string()


_AGAIN = "Nothing was recorded. Try again in a moment."
_PLAIN = {
    "25006": (
        "read-only",
        "The ledger at {at} is read-only: the server takes no changes.",
        "Record on the server that is in charge (this may be its standby), or work on a copy.",
    ),
    "42501": (
        "no-rights",
        "The database at {at} does not let you do this.",
        "Ask the owner of the ledger for: govledger ledger grant ROLE",
    ),
    "55P03": (
        "busy",
        f"Another process has been writing to {{at}} for {BUSY_SECONDS} seconds.",
        "Nothing was recorded. Try again when it has finished.",
    ),
    "40P01": ("busy", "Another process was in the way at {at}.", _AGAIN),
    "40001": ("busy", "Another process was in the way at {at}.", _AGAIN),
    "53300": ("busy", "The server of {at} has no connection left to give.", _AGAIN),
    "53100": ("disk-full", "The disk of the server is full.", "Nothing was recorded. Make room."),
    "57014": ("stopped", "The server stopped the statement.", _AGAIN),
    "28P01": (
        "no-way-in",
        "The server of {at} does not accept the password.",
        "Give it in PGPASSWORD or ~/.pgpass.",
    ),
}
"""What a person is told, by SQLSTATE (PostgreSQL documentation, appendix A)."""

_NO_WAY_IN = (
    (
        ("password authentication failed", "no password supplied"),
        *_PLAIN["28P01"],
    ),
    (
        ("too many c", "remaining connection slots"),
        *_PLAIN["53300"],
    ),
    (
        ("no pg_hba.conf entry", "is not permitted to log in", "permission denied for database"),
        "no-way-in",
        "The server of {at} does not let you in.",
        "Ask whoever runs the server.",
    ),
    (
        ('role "',),
        "no-role",
        "The server has no such role: {at}.",
        "Check the name before the '@', or have the role made: CREATE ROLE name LOGIN. Then the "
        "owner of the ledger gives it rights: govledger ledger grant name",
    ),
    (
        ('" does not exist',),
        "no-database",
        "The server has no such database: {at}.",
        "Check the address, or have the database made: CREATE DATABASE name",
    ),
    (
        ("starting up", "shutting down", "in recovery mode"),
        "no-server",
        "The server of {at} is starting or stopping.",
        "Nothing was recorded. Try again in a moment.",
    ),
    (
        (
            "refused",
            "No such file",
            "could not translate",
            "resolve host",
            "Name or service not known",
            "timeout",
            "timed out",
            "unreachable",
            "No route",
            "could not connect",
        ),
        "no-server",
        "There is no answer from the server of {at}.",
        "Check the address, and that the server is running. Nothing was recorded.",
    ),
)
"""What libpq says in words where it cannot connect."""


def _look_up(connection: Any, _record: object) -> None:
    """Have what was asserted last looked up by index.

    With statistics of some hundred thousand assertions the planner would rather hash them all.
    """
    connection.autocommit = True
    connection.execute("SET enable_hashjoin = off")
    connection.autocommit = False
