"""What a PostgreSQL database itself refuses to do to a ledger, and whether it still does.

Triggers refuse UPDATE, DELETE and TRUNCATE on what is append-only, whoever asks, let the head only
move forward and only with the entries, and take nothing for withheld that no entry withholds. They
fire in every session (ENABLE ALWAYS), also in one that replays another server's changes. Who owns
the tables can take them away; `verify` says so.
"""

from sqlalchemy import Connection, bindparam, text

from domain.withholding import TextWithheld
from ledger.tables import KEYS, LEDGER_STREAM

# Whether the entry that a row of `withheld` names says the same. The payload is looked at only
# where the type is right, as any other may be no JSON.
_SAYS_SO = f"""EXISTS (SELECT 1 FROM entries e WHERE e.position = {{0}}."by"
            AND {{0}}.position < {{0}}."by" AND e.stream_id = '{LEDGER_STREAM}'
            AND CASE WHEN e.type = '{TextWithheld.tag}' THEN
                convert_from(e.payload, 'UTF8')::jsonb ->> 'position' = {{0}}.position::text
                AND convert_from(e.payload, 'UTF8')::jsonb ->> 'field' = {{0}}.field
                AND convert_from(e.payload, 'UTF8')::jsonb ->> 'basis' = {{0}}.basis
            ELSE false END)"""
_NOT_WITHHELD = f"""
BEGIN
    IF EXISTS (SELECT 1 FROM withheld w
               WHERE w.position = OLD.position AND w.field = OLD.field
               AND {_SAYS_SO.format("w")}) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: DELETE on texts refused'
        USING ERRCODE = 'restrict_violation';
END
"""
_REFUSE = """
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
"""
_FORWARD = """
BEGIN
    IF NEW.size > OLD.size AND NEW.recorded_at >= OLD.recorded_at
        AND NEW.format = OLD.format AND NEW.id = OLD.id
        AND NEW.size = (SELECT max(position) FROM entries) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: its head only moves forward, with the entries'
        USING ERRCODE = 'restrict_violation';
END
"""
_COUNTED = """
BEGIN
    IF NEW.position <= (SELECT size FROM head WHERE id = 1) AND (NEW.position = 1
        OR EXISTS (SELECT 1 FROM entries e WHERE e.position = NEW.position - 1)) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: entry % is not the next, or the head lacks it',
        NEW.position USING ERRCODE = 'restrict_violation';
END
"""
_WITHHELD_BY = f"""
BEGIN
    IF {_SAYS_SO.format("NEW")} THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: no entry withholds this text'
        USING ERRCODE = 'restrict_violation';
END
"""
_DELETE_WITHHELD = f"""
BEGIN
    IF NOT EXISTS (SELECT 1 FROM withheld w WHERE w.position = at AND w.field = named
                   AND {_SAYS_SO.format("w")}) THEN
        RAISE EXCEPTION 'the ledger is append-only: this text is not on record as withheld'
            USING ERRCODE = 'restrict_violation';
    END IF;
    DELETE FROM texts t WHERE t.position = at AND t.field = named;
END
"""

DELETE_WITHHELD = "govledger_delete_withheld"
FUNCTIONS = {
    "govledger_refuse": _REFUSE,
    "govledger_keep_text": _NOT_WITHHELD,
    "govledger_forward": _FORWARD,
    "govledger_counted": _COUNTED,
    "govledger_withheld_by": _WITHHELD_BY,
}
"""The functions of the triggers; none takes anything or runs with more rights than its caller."""

# Bits of pg_trigger.tgtype, see the catalogue's own header file pg_trigger.h.
_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 4, 8, 16, 32
_EVENTS = {"INSERT": _INSERT, "DELETE": _DELETE, "UPDATE": _UPDATE, "TRUNCATE": _TRUNCATE}
_AT_COMMIT = "entries_counted"
"""The one trigger that is asked at the end of a transaction, for each entry of it."""


def _triggers() -> dict[str, tuple[str, str, str]]:
    """(table, event, function) of each trigger by name."""
    found = {
        f"{table}_refuse_{verb.lower()}": (table, verb, "govledger_refuse")
        for table in KEYS
        for verb in ("DELETE", "UPDATE", "TRUNCATE")
    }
    found["texts_refuse_delete"] = ("texts", "DELETE", "govledger_keep_text")
    found["head_refuse_delete"] = ("head", "DELETE", "govledger_refuse")
    found["head_refuse_truncate"] = ("head", "TRUNCATE", "govledger_refuse")
    found["head_forward"] = ("head", "UPDATE", "govledger_forward")
    found["withheld_by_entry"] = ("withheld", "INSERT", "govledger_withheld_by")
    found[_AT_COMMIT] = ("entries", "INSERT", "govledger_counted")
    return found


def make(connection: Connection) -> None:
    """Make the functions and triggers, and the one way to delete a withheld text."""
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for name, body in FUNCTIONS.items():
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
            # Looked up by the body where the function stands, whatever the caller's search path.
            f"SET search_path = {schema}, pg_temp AS $guard${body}$guard$".replace("%", "%%")
        )
    for name, (table, verb, function) in _triggers().items():
        each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
        kind, when, late = "TRIGGER", "BEFORE", ""
        if name == _AT_COMMIT:
            kind, when, late = "CONSTRAINT TRIGGER", "AFTER", "DEFERRABLE INITIALLY DEFERRED "
        connection.exec_driver_sql(
            f"CREATE {kind} {name} {when} {verb} ON {table} {late}FOR EACH {each} "
            f"EXECUTE FUNCTION {function}()"
        )
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    connection.exec_driver_sql(
        f"CREATE FUNCTION {DELETE_WITHHELD}(at bigint, named text) RETURNS void "
        "LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema}, pg_temp AS $guard${_DELETE_WITHHELD}$guard$"
    )
    connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION {DELETE_WITHHELD} FROM PUBLIC")


def due(connection: Connection) -> dict[str, str]:
    """What has to stand guard, by name."""
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    path = f"search_path={schema}, pg_temp"
    found = {}
    for name, (table, verb, function) in _triggers().items():
        kind = _EVENTS[verb] | (0 if verb == "TRUNCATE" else _ROW)
        kind |= 0 if name == _AT_COMMIT else _BEFORE
        found[name] = _trigger(table, kind, "A", True, function, FUNCTIONS[function], False, path)
    found[DELETE_WITHHELD] = _function(_DELETE_WITHHELD, True, path)
    for table, keys in KEYS.items():
        for key in keys:
            name = f"unique {table} ({', '.join(key)})"
            found[name] = name
    return found


def _trigger(
    table: str,
    kind: int,
    enabled: str,
    always: bool,
    function: str,
    source: str,
    definer: bool,
    path: str,
) -> str:
    when = "" if always else " sometimes"
    return f"{kind}{enabled} on {table}{when}: {function} {_function(source, definer, path)}"


def _function(source: str, definer: bool, path: str) -> str:
    return f"{'definer' if definer else 'invoker'} [{path}] {source}"


_OURS = "(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace{})"
_NAMED = _OURS.format(" AND relname IN :tables")
_TRIGGERS = text(
    "SELECT t.tgname, c.relname, t.tgtype, t.tgenabled::text AS enabled, p.proname, p.prosrc, "
    "p.prosecdef, coalesce(array_to_string(p.proconfig, '; '), '') AS config, "
    "t.tgqual IS NULL AND t.tgattr::text = '' "
    "AND (t.tgconstraint <> 0) = (t.tgname = :late) AND t.tgdeferrable = (t.tgname = :late) "
    "AND t.tginitdeferred = (t.tgname = :late) AND l.lanname = 'plpgsql' AS always "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    "JOIN pg_language l ON l.oid = p.prolang "
    f"WHERE NOT t.tgisinternal AND t.tgrelid IN {_NAMED}"
).bindparams(bindparam("tables", expanding=True), late=_AT_COMMIT)
_DEFINER = text(
    "SELECT prosrc, prosecdef, coalesce(array_to_string(proconfig, '; '), '') AS config "
    "FROM pg_proc WHERE proname = :name AND pronamespace = current_schema()::regnamespace"
)
_RULES = text(
    "SELECT c.relname || '.' || r.rulename AS name FROM pg_rewrite r "
    f"JOIN pg_class c ON c.oid = r.ev_class WHERE r.ev_class IN {_NAMED}"
).bindparams(bindparam("tables", expanding=True))
_HIDING = text(
    "SELECT c.relname || ' (row security)' AS name FROM pg_class c "
    f"WHERE c.oid IN {_NAMED} AND c.relrowsecurity "
    "UNION ALL SELECT c.relname || ' (inherits)' FROM pg_inherits i "
    f"JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent IN {_NAMED} OR i.inhrelid IN {_NAMED}"
).bindparams(bindparam("tables", expanding=True))
_UNIQUE = text(
    "SELECT c.relname, array(SELECT a.attname::text FROM unnest(i.indkey::int2[]) "
    "WITH ORDINALITY AS k(num, place) JOIN pg_attribute a "
    "ON a.attrelid = i.indrelid AND a.attnum = k.num ORDER BY k.place) AS key "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL "
    f"AND i.indexprs IS NULL AND i.indrelid IN {_NAMED}"
).bindparams(bindparam("tables", expanding=True))


def present(connection: Connection) -> dict[str, str]:
    """What does stand guard, by name; and what somebody has put there that changes what is seen.

    A rule rewrites statements before any trigger fires, row security hides rows, and a table
    that inherits adds some.
    """
    tables = {"tables": [*KEYS, "head"]}
    found = {
        row.tgname: _trigger(
            row.relname,
            row.tgtype,
            row.enabled,
            row.always,
            row.proname,
            row.prosrc,
            row.prosecdef,
            row.config,
        )
        for row in connection.execute(_TRIGGERS, tables)
    }
    for row in connection.execute(_DEFINER, {"name": DELETE_WITHHELD}):
        found[DELETE_WITHHELD] = _function(row.prosrc, row.prosecdef, row.config)
    for query in (_RULES, _HIDING):
        for name in connection.execute(query, tables).scalars():
            found[name] = ""
    wanted = {f"unique {table} ({', '.join(key)})" for table, keys in KEYS.items() for key in keys}
    for row in connection.execute(_UNIQUE, tables):
        name = f"unique {row.relname} ({', '.join(row.key)})"
        if name in wanted:
            found[name] = name
    return found
