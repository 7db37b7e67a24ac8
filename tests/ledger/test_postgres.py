"""A ledger on a PostgreSQL server: what the server refuses, and whom."""

from collections.abc import Callable
from datetime import date

import psycopg
import pytest
from sqlalchemy import make_url

from domain.commands import NoteProgress
from domain.errors import BadInput, Failed
from ledger import roles
from ledger.address import open_database
from ledger.entry import Decision, Note
from ledger.postgres import read_address, without_secrets
from ledger.postgres_guards import DELETE_WITHHELD
from ledger.service import Ledger
from ledger.tables import KEYS, entries, texts, withheld
from ledger.verification import verify
from projections.assertions import metadata
from projections.upkeep import check_read_models, open_ledger, rebuild
from tests.conftest import PLAN
from tests.ledger.behind import named
from tests.servers import Server

NOTE = Note(date(2025, 11, 11), "A. Clerk")
MODELS = list(metadata.tables)
COLUMNS = [(table.name, c.name) for table in (entries, texts, withheld) for c in table.columns]
NEXT = (
    "INSERT INTO entries SELECT position + {0}, stream_id, stream_version + 1, type, recorded_at, "
    "entry_id || 'x', effective_on, recorded_by, reason, decided_by, source, correction, "
    "payload, subtrees FROM entries WHERE position = (SELECT max(position) FROM entries)"
)
"""An entry that no command records, so many positions after the last."""
MOVE = "UPDATE head SET size = size + 1"
BY_THE_LAST = "INSERT INTO withheld SELECT {0}, '{1}', max(position), '{2}' FROM entries"


def says_so(position: int, *, stream: str = "ledger", what: str = "withheld") -> str:
    """Records, as no command does, that the reason of an entry is withheld by a law."""
    payload = f'{{"basis":"a law","field":"reason","position":{position}}}'
    return (
        f"INSERT INTO entries SELECT position + 1, '{stream}', 9, 'ledger.text_{what}/1', "
        "recorded_at, 'x', effective_on, recorded_by, NULL, NULL, NULL, 0, "
        f"'{payload}'::text::bytea, subtrees FROM entries "
        f"WHERE position = (SELECT max(position) FROM entries); {MOVE}"
    )


def withhold(ledger: Ledger, position: int, field: str) -> str | None:
    """Withhold a text as the command does; returns what is left to do."""
    board = Decision(body="Improvement Board", meeting=date(2025, 11, 11), minute="7.2")
    note = Note(date(2025, 11, 12), "A. Clerk", decided_by=board)
    return ledger.withhold(position, field, "a law", note).left


def content(server: Server, at: str) -> list[tuple[object, ...]]:
    return [
        row
        for table in (*KEYS, "head")
        for row in server.sql(f"SELECT * FROM {table} ORDER BY 1, 2", at=at)
    ]


def refused(server: Server, at: str, statement: str) -> None:
    """The statement fails by the ledger's own trigger, and not a value has moved."""
    before = content(server, at)
    with pytest.raises(psycopg.errors.RestrictViolation, match="the ledger is append-only"):
        server.sql(statement, at=at)
    assert content(server, at) == before


# --- by the triggers, whoever asks ---


@pytest.fixture(scope="module")
def guarded(example_database_template: str, postgres: Server) -> str:
    """The example ledger, with a text on record as withheld; nothing here changes it."""
    address = postgres.new(example_database_template)
    with open_ledger(address) as ledger:
        withhold(ledger, 5, "reason")
    return address


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_update_is_refused(guarded: str, postgres: Server, table: str, column: str) -> None:
    """UPDATE of any column is refused to the owner too, even to the value that it has."""
    refused(postgres, guarded, f'UPDATE {table} SET "{column}" = "{column}" WHERE position = 5')


STATEMENTS = (
    *(f"DELETE FROM {table}" for table in (*KEYS, "head")),
    "DELETE FROM texts WHERE position = 5 AND field = 'recorded_by'",
    *(f"TRUNCATE {table} CASCADE" for table in (*KEYS, "head")),
    "TRUNCATE entries, texts, withheld, head",
    "INSERT INTO entries SELECT * FROM entries WHERE position = 5 "
    "ON CONFLICT (position) DO UPDATE SET position = 5",
    "MERGE INTO texts t USING entries e ON t.position = e.position WHEN MATCHED THEN DELETE",
    "MERGE INTO texts t USING entries e ON t.position = e.position "
    "WHEN MATCHED THEN UPDATE SET text = ''",
    "UPDATE head SET size = size - 1",
    "UPDATE head SET root = root",
    "UPDATE head SET size = size + 1, recorded_at = '2000'",
    # The head only moves with the entries, and nothing else of it moves.
    MOVE,
    f"{NEXT.format(1)}; {MOVE}, format = format + 1",
    f"{NEXT.format(1)}; {MOVE}, id = 2",
    f"{NEXT.format(1)}; {MOVE}, format = 0",
    f"{NEXT.format(1)}; UPDATE head SET size = size + 2",
    f"{NEXT.format(2)}; UPDATE head SET size = size + 2",
    f"{NEXT.format(10**18)}; UPDATE head SET size = size + {10**18}",
    f"{NEXT.format(1)}; {MOVE}; {NEXT.format(1)}",
    NEXT.format(1),
    NEXT.format(-1000),
    # Nothing is on record as withheld that no entry says is.
    "INSERT INTO withheld VALUES (6, 'reason', 3, 'a law')",
    "INSERT INTO withheld VALUES (6, 'reason', 9999, 'a law')",
    *(
        f"{entry}; {BY_THE_LAST.format(*row)}"
        for entry, *row in (
            ("SELECT 1", 6, "reason", "a law"),
            ("SELECT 1", 5, "recorded_by", "a law"),
            (says_so(6), 7, "reason", "a law"),
            (says_so(6), 6, "recorded_by", "a law"),
            (says_so(6), 6, "reason", "another law"),
            (says_so(6, what="exempted"), 6, "reason", "a law"),
            (says_so(6, stream="plan:X"), 6, "reason", "a law"),
            (says_so(9999), 9999, "reason", "a law"),
        )
    ),
    # A session that replays another server's changes, in which ordinary triggers do not fire.
    "SET session_replication_role = replica; DELETE FROM entries",
    f"SELECT {DELETE_WITHHELD}(5, 'recorded_by')",
    f"SELECT {DELETE_WITHHELD}(0, '')",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_is_refused(guarded: str, postgres: Server, statement: str) -> None:
    """Whatever deletes, empties, replaces or goes back is refused to the owner too."""
    refused(postgres, guarded, statement)


def test_a_second_head_is_refused(guarded: str, postgres: Server) -> None:
    """There is one head: no second row can stand beside it."""
    with pytest.raises(psycopg.errors.CheckViolation):
        postgres.sql(
            "INSERT INTO head SELECT 2, format, size, root, frontier, '' FROM head", at=guarded
        )


def test_what_is_on_record_as_withheld_can_be_deleted(
    example_database: str, postgres: Server
) -> None:
    """A text that `withheld` names can be deleted, and scrubbed from the table's file."""
    with open_ledger(example_database) as ledger:
        database = ledger.database
        with pytest.raises(Failed, match="append-only"), database.writing() as connection:
            database.delete_withheld(connection, 5, "reason")
        withhold(ledger, 5, "reason")
        assert verify(ledger).findings == ()
        assert database.scrub() is None
    held = "SELECT count(*) FROM texts WHERE position = 5 AND field = 'reason'"
    assert postgres.sql(held, at=example_database) == [(0,)]


# --- verify, when the guards have been tampered with ---

OPENED = {
    "dropped": ("DROP TRIGGER entries_refuse_update ON entries", "guard-missing"),
    "disabled": ("ALTER TABLE texts DISABLE TRIGGER texts_refuse_delete", "guard-missing"),
    "ordinary": ("ALTER TABLE texts ENABLE TRIGGER texts_refuse_update", "guard-missing"),
    "all disabled": ("ALTER TABLE head DISABLE TRIGGER ALL", "guard-missing"),
    "another body": (
        "CREATE OR REPLACE FUNCTION govledger_refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'",
        "guard-missing",
    ),
    "another search path": (
        "ALTER FUNCTION govledger_keep_text() SET search_path = pg_temp, public",
        "guard-missing",
    ),
    "on one column": (
        "DROP TRIGGER entries_refuse_update ON entries; CREATE TRIGGER entries_refuse_update "
        "BEFORE UPDATE OF reason ON entries FOR EACH ROW EXECUTE FUNCTION govledger_refuse(); "
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_refuse_update",
        "guard-missing",
    ),
    "with a condition": (
        "DROP TRIGGER entries_refuse_update ON entries; CREATE TRIGGER entries_refuse_update "
        "BEFORE UPDATE ON entries FOR EACH ROW WHEN (OLD.position > 9) EXECUTE FUNCTION "
        "govledger_refuse(); ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_refuse_update",
        "guard-missing",
    ),
    "on another table": (
        "DROP TRIGGER entries_refuse_delete ON entries; CREATE TRIGGER entries_refuse_delete "
        "BEFORE DELETE ON voids FOR EACH ROW EXECUTE FUNCTION govledger_refuse(); "
        "ALTER TABLE voids ENABLE ALWAYS TRIGGER entries_refuse_delete",
        "guard-missing",
    ),
    "another function that deletes": (
        f"CREATE OR REPLACE FUNCTION {DELETE_WITHHELD}(at bigint, named text) RETURNS void "
        "LANGUAGE sql AS 'DELETE FROM texts'",
        "guard-missing",
    ),
    "asked at once": (
        "DROP TRIGGER entries_counted ON entries; CREATE TRIGGER entries_counted AFTER INSERT "
        "ON entries FOR EACH ROW EXECUTE FUNCTION govledger_counted(); "
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_counted",
        "guard-missing",
    ),
    "not asked who withholds": ("DROP TRIGGER withheld_by_entry ON withheld", "guard-missing"),
    "no key": ("ALTER TABLE entries DROP CONSTRAINT one_version_once", "guard-missing"),
    "a rule": (
        "CREATE RULE quiet AS ON INSERT TO texts DO INSTEAD NOTHING",
        "guard-unknown",
    ),
    "another trigger": (
        "CREATE TRIGGER mine BEFORE INSERT ON texts FOR EACH ROW EXECUTE FUNCTION "
        "suppress_redundant_updates_trigger()",
        "guard-unknown",
    ),
    "row security": ("ALTER TABLE texts ENABLE ROW LEVEL SECURITY", "guard-unknown"),
    "a table that inherits": ("CREATE TABLE more () INHERITS (entries)", "guard-unknown"),
}


@pytest.mark.parametrize("way", OPENED)
def test_a_guard_that_was_changed_is_found(
    example_database: str, postgres: Server, way: str
) -> None:
    """`verify` names a guard that is missing, disabled or altered, and one that is not ours."""
    statement, kind = OPENED[way]
    postgres.sql(statement, at=example_database)
    with open_ledger(example_database) as ledger:
        found = named(verify(ledger).findings)
    assert set(found) == {(kind, None)}


def test_an_edit_behind_the_guards_is_found(example_database: str, postgres: Server) -> None:
    """With the triggers off and on again, what was changed is found as on a file."""
    postgres.sql(
        "ALTER TABLE entries DISABLE TRIGGER USER",
        "UPDATE entries SET source = 'x' WHERE position = 7",
        "DELETE FROM entries WHERE position = 300",
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_refuse_update",
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_refuse_delete",
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_refuse_truncate",
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_counted",
        at=example_database,
    )
    with open_ledger(example_database) as ledger:
        found = named(verify(ledger).findings)
    assert {("entry-changed", 7), ("entry-missing", 300)} <= set(found)
    assert "guard-missing" not in {kind for kind, _position in found}


def test_damage_that_stops_one_check_does_not_stop_the_others(
    example_database: str, postgres: Server
) -> None:
    """A table that is gone is a finding; what can still be read is verified all the same."""
    postgres.sql("DROP TABLE texts", at=example_database)
    with open_ledger(example_database) as ledger:
        kinds = {finding.kind for finding in verify(ledger).findings}
    assert {"guard-missing", "database-damaged"} <= kinds


# --- by the rights of a role ---


@pytest.fixture
def clerk(example_database: str, postgres: Server) -> Callable[..., str]:
    """Grants rights to a new role, and gives its address."""

    def granted(name: str = "clerk", *, read_only: bool = False) -> str:
        if (name,) not in postgres.sql("SELECT rolname FROM pg_roles"):
            quoted = name.replace('"', '""')
            postgres.sql(f'CREATE ROLE "{quoted}" LOGIN')
        with open_ledger(example_database) as ledger:
            roles.grant(ledger.database, name, MODELS, read_only=read_only)
        url = make_url(example_database).set(username=name)
        return url.render_as_string(hide_password=False)

    return granted


FORBIDDEN = (
    *(f"UPDATE {table} SET position = position" for table in KEYS),
    *(f"DELETE FROM {table}" for table in (*KEYS, "head")),
    *(f"TRUNCATE {table}" for table in (*KEYS, "head", *MODELS)),
    *(f"DROP TABLE {table}" for table in (*KEYS, "head", *MODELS)),
    "ALTER TABLE entries DISABLE TRIGGER USER",
    "DROP TRIGGER entries_refuse_update ON entries",
    "CREATE TRIGGER mine BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION govledger_refuse()",
    "CREATE RULE mine AS ON INSERT TO entries DO INSTEAD NOTHING",
    "INSERT INTO head SELECT * FROM head",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION govledger_refuse() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NULL; END'",
    "CREATE TABLE mine (a int)",
)


def test_a_role_that_was_granted_cannot_change_what_is_recorded(
    clerk: Callable[..., str], postgres: Server
) -> None:
    """Such a role is refused by its rights, before any trigger is asked, whatever it sends."""
    at = clerk()
    for statement in FORBIDDEN:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres.sql(statement, at=at)


def test_a_role_that_was_granted_can_do_all_of_its_work(
    clerk: Callable[..., str], postgres: Server, example_database: str
) -> None:
    """It records, rebuilds, verifies, and deletes what is on record as withheld, and no more.

    What is left to do after withholding is the owner's, and it is told what the owner types.
    """
    with open_ledger(clerk('it\'s a "Clerk" %s')) as ledger:
        before = ledger.size()
        ledger.act(PLAN, NoteProgress("P7", "Seen."), NOTE)
        assert rebuild(ledger) == before + 1
        assert verify(ledger).findings == ()
        assert check_read_models(ledger) == []
        database = ledger.database
        with pytest.raises(Failed, match="append-only"), database.writing() as connection:
            database.delete_withheld(connection, 5, "reason")
        left = withhold(ledger, 5, "reason")
        assert verify(ledger).findings == ()
        assert left is not None
        assert "until postgres, who owns the tables" in left
        assert f"--ledger '{without_secrets(read_address(example_database))}'" in left
    with open_ledger(example_database) as ledger:
        assert withhold(ledger, 5, "reason") is None


def test_what_a_role_that_was_granted_can_do_with_sql(
    clerk: Callable[..., str], postgres: Server
) -> None:
    """It cannot delete a text without an entry, nor move the head ahead of the entries.

    What it can do is to record, with a program of its own, an entry that no command would: that
    is on record, and `verify` finds it.
    """
    at = clerk()
    refused(postgres, at, "INSERT INTO withheld SELECT position, field, 1, 'x' FROM texts")
    refused(postgres, at, MOVE)
    refused(postgres, at, NEXT.format(1))
    for statement in (f"{MOVE}, format = 2", "UPDATE head SET id = 1"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres.sql(statement, at=at)
    delete = f"SELECT {DELETE_WITHHELD}(5, 'reason')"
    postgres.sql(f"{says_so(5)}; {BY_THE_LAST.format(5, 'reason', 'a law')}; {delete}", at=at)
    with open_ledger(at) as ledger:
        last = ledger.size()
        found = named(verify(ledger).findings)
    assert {("entry-changed", last), ("version-gap", last)} <= set(found)


def test_a_reader_can_only_read(clerk: Callable[..., str], postgres: Server) -> None:
    """A role granted to read only reads and verifies; recording is refused in plain words.

    Granted again so, a role that could record before can do so no longer.
    """
    clerk("reader")
    at = clerk("reader", read_only=True)
    with open_ledger(at) as ledger:
        assert verify(ledger).findings == ()
        with pytest.raises(Failed) as no:
            ledger.act(PLAN, NoteProgress("P7", "Seen."), NOTE)
        assert no.value.rule == "no-rights"
        with pytest.raises(Failed) as no:
            rebuild(ledger)
        assert no.value.rule == "no-rights"
    for statement in ("INSERT INTO texts VALUES (0, '', '', '')", "UPDATE head SET size = 9999"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres.sql(statement, at=at)


def test_whom_nothing_can_be_granted(
    clerk: Callable[..., str], postgres: Server, example_database: str, example_path: object
) -> None:
    """Rights are not granted to a role that is not there, nor to one that no right holds back.

    Nor by somebody else than the owner, nor where another role gives more.
    """
    postgres.sql("CREATE ROLE much LOGIN", "CREATE ROLE more LOGIN IN ROLE much")
    postgres.sql("GRANT UPDATE (reason) ON entries TO much", at=example_database)
    asked = [
        (example_database, "nobody", "no-role"),
        (example_database, "postgres", "owner-may-all"),
        (example_database, "more", "too-many-rights"),
        (clerk("another"), "much", "no-rights"),
        (str(example_path), "much", "no-roles"),
    ]
    try:
        for address, role, rule in asked:
            with open_ledger(address) as ledger, pytest.raises(Failed) as no:
                roles.grant(ledger.database, role, MODELS)
            assert no.value.rule == rule
    finally:
        postgres.sql("REVOKE ALL ON entries FROM much", at=example_database)
        postgres.sql("DROP ROLE more", "DROP ROLE much")


MORE = {
    "much": (
        "GRANT UPDATE (reason) ON entries TO {0}",
        "GRANT DELETE ON texts TO {0}",
        "GRANT TRUNCATE ON withheld TO {0}",
        "GRANT TRIGGER ON withheld TO {0}",
        "GRANT INSERT ON head TO {0}",
        "GRANT DELETE ON head TO {0}",
        "GRANT TRUNCATE ON head TO {0}",
        "GRANT TRIGGER ON head TO {0}",
        "GRANT UPDATE ON head TO {0}",
        "GRANT UPDATE (format) ON head TO {0}",
        f"GRANT TRIGGER ON {MODELS[0]} TO {{0}}",
        "GRANT CREATE ON SCHEMA public TO {0}",
    ),
    "to read": (
        "GRANT INSERT ON entries TO {0}",
        "GRANT INSERT (position, field, salt, text) ON texts TO {0}",
        "GRANT INSERT ON withheld TO {0}",
        "GRANT UPDATE (size) ON head TO {0}",
        f"GRANT EXECUTE ON FUNCTION {DELETE_WITHHELD} TO {{0}}",
        f"GRANT INSERT ON {MODELS[0]} TO {{0}}",
        f"GRANT UPDATE ON {MODELS[0]} TO {{0}}",
        f"GRANT DELETE ON {MODELS[0]} TO {{0}}",
    ),
}
"""Rights that nobody who records may have besides, and those that nobody who only reads may."""


@pytest.mark.parametrize("through", ["PUBLIC", "others"])
def test_a_right_that_would_stay_is_refused(
    example_database: str, postgres: Server, through: str
) -> None:
    """No role is granted anything while PUBLIC or another role gives it more than it is to have.

    Who may only read may not write in any such way either.
    """
    made = postgres.sql("SELECT 1 FROM pg_roles WHERE rolname = 'others'")
    if not made:
        postgres.sql("CREATE ROLE others", "CREATE ROLE joined LOGIN IN ROLE others")
    with open_ledger(example_database) as ledger:
        for read_only in (False, True):
            for statement in (*MORE["much"], *(MORE["to read"] if read_only else ())):
                said = statement.format(through)
                postgres.sql(said, at=example_database)
                with pytest.raises(Failed) as no:
                    roles.grant(ledger.database, "joined", MODELS, read_only=read_only)
                assert no.value.rule == "too-many-rights", said
                back = said.replace("GRANT", "REVOKE").replace(f"TO {through}", f"FROM {through}")
                postgres.sql(back, at=example_database)
            roles.grant(ledger.database, "joined", MODELS, read_only=read_only)
        roles.grant(ledger.database, "others", MODELS)
        with pytest.raises(Failed) as no:
            roles.grant(ledger.database, "joined", MODELS, read_only=True)
        assert no.value.rule == "too-many-rights"


# --- addresses and errors ---

SECRET = "s3cret-w0rd"


def test_what_goes_wrong_is_told_without_the_password(
    postgres: Server, example_database: str
) -> None:
    """Each way of not getting in is a plain error, and none repeats the password."""
    folder = make_url(example_database).query["host"]
    asked = {
        f"postgresql://x:{SECRET}@localhost:1/a": "no-server",
        f"postgres://x:{SECRET}@no-such-host.invalid/a": "no-server",
        f"postgresql://postgres:{SECRET}@/nowhere?host={folder}": "no-database",
        f"postgresql://nobody:{SECRET}@/postgres?host={folder}": "no-role",
        f"postgresql://postgres@/postgres?host={folder}&password={SECRET}": "not-a-ledger",
        f"postgresql://x:{SECRET}@host:port/a": "bad-address",
        f"postgresql://postgres:{SECRET}@/postgres?nonsense={SECRET}&host={folder}": "bad-address",
        f"postgresql://postgres@/nowhere?host={folder}&passwd={SECRET}": "bad-address",
        f"postgresql://postgres@/nowhere?host={folder}&PASSWORD={SECRET}": "bad-address",
        f"postgresql://x:pa@{SECRET}@localhost:1/a": "bad-address",
        f"postgresql://x:pa@s/{SECRET}@localhost:1/a": "bad-address",
        f"postgresql://x:pa@s?k={SECRET}@localhost:1/a": "bad-address",
        f"postgresql://x/y:{SECRET}@localhost:1/a": "bad-address",
        f"postgresql:/x:{SECRET}@localhost/a": "bad-address",
        f"host=localhost password={SECRET} dbname=a": "bad-address",
        f"postgresql://x:pa%40{SECRET}@localhost:1/a": "no-server",
        f"postgresql://x@localhost:1/a?service={folder}&password={SECRET}": "database",
        f"mysql://x:{SECRET}@host/a": "bad-address",
    }
    for address, rule in asked.items():
        with pytest.raises((Failed, BadInput)) as no, open_ledger(address):
            pass
        assert no.value.rule == rule, (address, no.value.message)
        assert SECRET not in no.value.message + no.value.hint
        assert no.value.hint


def test_another_programs_database_is_spared(postgres: Server) -> None:
    """A database with tables that are not a ledger's is not taken for one, nor made one."""
    address = postgres.new()
    postgres.sql("CREATE TABLE theirs (a int)", at=address)
    database = open_database(address, create=True)
    with pytest.raises(Failed) as no, database.writing(new=True) as connection:
        database.check_empty(connection)
    assert no.value.rule == "not-empty"
    database.close()
    with pytest.raises(Failed) as no, open_ledger(address):
        pass
    assert no.value.rule == "not-a-ledger"


def test_text_has_to_be_unicode(postgres: Server) -> None:
    """A database that holds text in another encoding is refused, with the statement to use."""
    postgres.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    database = open_database(postgres.at("latin"), create=True)
    with pytest.raises(Failed) as no, database.writing(new=True) as connection:
        database.check_empty(connection)
    database.close()
    assert no.value.rule == "not-utf8"
