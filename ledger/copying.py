"""A ledger in another database: the same entries, texts and root.

What is copied is what was stored: positions, instants, identifiers and salts stay. The tree is
recomputed on the way, everything is verified before the commit, and where anything does not hold
the new database is left as empty as it was.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from sqlalchemy import exc, select

from domain.errors import IntegrityBroken
from ledger.database import Database, insert_rows
from ledger.entry import StoredEntry, leaf_bytes
from ledger.reading import BATCH
from ledger.recorder import Projector
from ledger.rows import entry_row, fact, text_rows
from ledger.store import Store
from ledger.tables import FORMAT, create_tables, entries, head, texts, withheld
from ledger.tree import EMPTY_ROOT, Tree
from ledger.verification import Finding, verify

WithheldText = tuple[int, str, int, str]
"""A row of `withheld`: position, field, the entry that withheld it, and the basis."""


def copy_ledger(
    source: Store,
    target: Database,
    projector: Projector | None = None,
    tick: Callable[[int], None] = lambda _done: None,
) -> tuple[int, str]:
    """Copy a whole ledger into an empty database, on either engine.

    Others may go on recording in the source: what they record meanwhile is not copied.

    Args:
        projector: makes the read models of the copy.
        tick: told now and then how many entries are done.

    Returns:
        Its size, and its root in hexadecimal: the same as the source's head gives.

    Raises:
        IntegrityBroken: the source does not hold; nothing was copied.
        Failed: there is something in the target.
    """
    with source.database.reading() as connection:
        size, root = connection.execute(select(head.c.size, head.c.root)).one()
        rows = [tuple(row) for row in connection.execute(select(withheld))]
        stored = source.recorder.read(connection)
        copy_into(target, stored, (size, root.hex()), rows, projector=projector, tick=tick)
    return size, root.hex()


def copy_into(
    database: Database,
    stored: Iterable[StoredEntry],
    due: tuple[int, str],
    withheld_texts: Iterable[WithheldText] = (),
    *,
    projector: Projector | None = None,
    overlook: Callable[[Finding], bool] = lambda _finding: False,
    tick: Callable[[int], None] = lambda _done: None,
) -> None:
    """Make a ledger in an empty database from entries that were stored elsewhere.

    Args:
        stored: every entry from the first on, in order, with the texts that are held. Where
            `subtrees` are given they are held to the tree; where not, they are made.
        due: (size, root in hexadecimal) that must come out.
        withheld_texts: what the entries have withheld.
        projector: makes the read models.
        overlook: findings of `verify` that are as expected, such as the texts that a public
            export leaves out.
        tick: told now and then how many entries are done.

    Raises:
        IntegrityBroken: they do not come to that root, or do not verify; nothing was made.
        Failed: already-a-ledger, not-empty.
    """
    tree = Tree()
    recorded_at = ""
    copy = Store(database)  # held to the end: it gives the connections back when it goes
    with database.writing(new=True) as connection:
        database.check_empty(connection)
        create_tables(connection)
        database.make_guards(connection)
        first = {"id": 1, "format": FORMAT, "size": 0, "root": EMPTY_ROOT, "frontier": b""}
        connection.execute(head.insert(), first | {"recorded_at": ""})
        if projector:
            projector.create(connection)
        for batch in _batches(_placed(stored, tree)):
            with _as_values():
                insert_rows(connection, entries, [entry_row(entry) for entry in batch])
                rows = [row for entry in batch for row in text_rows(entry)]
                insert_rows(connection, texts, rows)
                if projector:
                    projector.apply(connection, [fact(entry) for entry in batch])
            recorded_at = batch[-1].recorded_at
            tick(tree.size)
        if (tree.size, tree.root.hex()) != due:
            raise _not_whole(
                f"its entries come to {tree.size} with the root {tree.root.hex()}, where {due[0]} "
                f"with the root {due[1]} were due"
            )
        with _as_values():
            insert_rows(connection, withheld, list(withheld_texts))
        moved = {"size": tree.size, "root": tree.root, "frontier": tree.frontier}
        if tree.size:
            connection.execute(head.update(), moved | {"recorded_at": recorded_at})
        with database.reading_within(connection):
            found = verify(copy)
        wrong = [finding.message for finding in found.findings if not overlook(finding)]
        if wrong:
            raise _not_whole(f"{len(wrong)} finding(s), the first: {wrong[0].rstrip('.')}")


def _placed(stored: Iterable[StoredEntry], tree: Tree) -> Iterator[StoredEntry]:
    """Each entry with the hashes that belong with it, made anew."""
    for entry in stored:
        if entry.position != tree.size + 1:
            raise _not_whole(f"entry {tree.size + 1} is missing before entry {entry.position}")
        try:
            subtrees = tree.append(leaf_bytes(entry))
        except (TypeError, ValueError, KeyError):  # an edit can leave any value behind
            subtrees = b""
        if not subtrees or entry.subtrees not in (b"", subtrees):
            raise _not_whole(f"entry {entry.position} is not what was recorded")
        yield replace(entry, subtrees=subtrees)


@contextmanager
def _as_values() -> Iterator[None]:
    """An edit can leave any value behind, also such as no entry, text or read model takes."""
    try:
        yield
    except (exc.IntegrityError, exc.DataError, exc.ProgrammingError) as error:
        said = str(error.orig).strip().splitlines()[0]
        raise _not_whole(f"a value of it cannot be stored ({said})") from error
    except (TypeError, ValueError, KeyError) as error:
        raise _not_whole(f"a value of it cannot be stored ({error})") from error


def _batches(stored: Iterator[StoredEntry]) -> Iterator[list[StoredEntry]]:
    while batch := list(islice(stored, BATCH)):
        yield batch


def _not_whole(what: str) -> IntegrityBroken:
    return IntegrityBroken(
        "not-whole",
        f"What was to be copied does not hold: {what}.",
        "Nothing was copied. See all that is wrong with: govledger verify",
    )
