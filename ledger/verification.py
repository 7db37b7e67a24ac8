"""Verification: is the stored history the one that was recorded?

Recomputes everything from the entries and reports every finding, not only the first. What no
check inside one database can show is an end that was left off, or a rewrite of all of it, hashes
included: for that, hold a root that was printed earlier against the root at the same position.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, exc, select

from domain.errors import IntegrityBroken
from ledger.checking import EntryCheck, Finding
from ledger.fates import fates
from ledger.store import Store
from ledger.tables import FORMAT, entries, head, texts, withheld

__all__ = ["Finding", "Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Attributes:
        size: number of entries read.
        root: of the tree over them as recomputed, in hexadecimal.
        findings: empty for a ledger that is whole.
        withheld: how many texts are withheld, each by an entry that says on what basis.
    """

    size: int
    root: str
    findings: tuple[Finding, ...]
    withheld: int = 0


def verify(
    store: Store,
    tick: Callable[[int], None] = lambda _done: None,
    held: tuple[int, str] | None = None,
) -> Verified:
    """Recompute every leaf, the tree, the commitments, positions, versions and clocks.

    Args:
        tick: told now and then how many entries are done.
        held: (position, root in hexadecimal) that somebody holds, from an earlier answer or from
            the paper that it was printed for. It finds what no check from within can: an end
            that was left off, a rewrite of everything with its hashes.
    """
    check = _StoreCheck(store, tick, held)
    try:
        with store.database.reading(as_is=True) as connection:
            check.all(connection)
    except IntegrityBroken as error:  # damage that shows when the reading ends
        check.add(error.rule, None, error.message)
    found = tuple(check.findings)
    return Verified(check.tree.size, check.tree.root.hex(), found, len(check.fates.withheld))


class _StoreCheck(EntryCheck):
    """The entries of a store, and everything that is kept beside them."""

    def __init__(
        self, store: Store, tick: Callable[[int], None], held: tuple[int, str] | None
    ) -> None:
        super().__init__(held)
        self.database = store.database
        self.recorder = store.recorder
        self.tick = tick
        self.whole = False

    def all(self, connection: Connection) -> None:
        """Every check; each by itself, so that damage which stops one hides nothing from others."""
        for step in (
            self.guards,
            self.withheld_texts,
            self.entries,
            self.head,
            lambda _connection: self.held_root(),
            self.strays,
            self.loose_texts,
            self.checkpoints,
            self.file,
        ):
            try:
                with connection.begin_nested():  # a server gives up the transaction on an error
                    step(connection)
            except exc.DatabaseError as error:
                if error.connection_invalidated:
                    raise
                said = f"The database cannot be read to its end: {error.orig}."
                self.add("database-damaged", None, said)

    def guards(self, connection: Connection) -> None:
        """The triggers, and what else makes the database itself refuse changes."""
        ours = self.database.guards_due(connection)
        there = self.database.guards_present(connection)
        for name in sorted(there.keys() - ours.keys()):
            self.add("guard-unknown", None, f"The guard {name} is not one of the ledger's.")
        for name, statement in ours.items():
            if there.get(name) != statement:
                what = "has been changed" if name in there else "is missing"
                self.add(
                    "guard-missing",
                    None,
                    f"The guard {name} {what}: somebody may have opened the way for an edit.",
                )

    def withheld_texts(self, connection: Connection) -> None:
        """What the entries say is withheld, and the table that lets it be deleted."""
        self.fates = fates(connection)
        said = {(*place, said.by, said.basis) for place, said in self.fates.withheld.items()}
        there = {tuple(row) for row in connection.execute(select(withheld))}
        for position, name, by, _basis in sorted(said ^ there, key=repr):
            self.add(
                "withheld-changed",
                position if isinstance(position, int) else None,
                f"The table of withheld texts and the entries differ over the text '{name}' of "
                f"entry {position}, said to be withheld by entry {by}.",
            )

    def entries(self, connection: Connection) -> None:
        """Every entry in order."""
        for rows, held in self.recorder.rows(connection):
            for row in rows:
                self.entry(row, held.get(row[0], {}))
            self.tick(self.expected - 1)
        self.whole = True

    def head(self, connection: Connection) -> None:
        """The head against what was recomputed."""
        row = connection.execute(select(head)).first()
        if row is None:
            self.add("head-missing", None, "The ledger's head is gone.")
            return
        if row.format != FORMAT:
            self.add("head-changed", None, f"The head gives the format {row.format!r}.")
        if not self.whole:  # what could not be read cannot be counted
            return
        last = self.expected - 1
        if isinstance(row.size, int) and row.size > last:
            self.add(
                "tail-missing",
                last + 1,
                f"The end of the ledger, from entry {last + 1} on, is gone: the head counts "
                f"{row.size} entries.",
            )
        elif row.size != last:
            self.add(
                "head-changed", None, f"The head counts {row.size} entries and there are {last}."
            )
        elif (row.root, row.frontier) != (self.tree.root, self.tree.frontier) and not self.gap:
            said = row.root.hex() if isinstance(row.root, bytes) else repr(row.root)
            self.add(
                "root-changed",
                None,
                f"The root over all entries is {self.tree.root.hex()}; the head says {said}"
                f"{'' if row.root != self.tree.root else ', with another frontier'}.",
            )
        if row.recorded_at != self.recorded_at and row.size == last:
            self.add(
                "head-changed",
                None,
                f"The head's clock stands at {row.recorded_at or 'nothing'}, the last entry's at "
                f"{self.recorded_at or 'nothing'}.",
            )

    def strays(self, connection: Connection) -> None:
        """Entries before the first; positions begin at 1."""
        query = select(entries.c.position).where(entries.c.position < 1)
        for position in connection.execute(query).scalars():
            self.add("entry-unknown", position, f"An entry stands at position {position}.")

    def loose_texts(self, connection: Connection) -> None:
        """Texts that belong to no entry."""
        query = (
            select(texts.c.position, texts.c.field)
            .outerjoin(entries, entries.c.position == texts.c.position)
            .where(entries.c.position.is_(None))
        )
        for position, name in connection.execute(query):
            self.add("text-unknown", position, f"A text '{name}' belongs to no entry ({position}).")

    def checkpoints(self, connection: Connection) -> None:
        """The checkpoints that reports recorded; see `ledger.reported`."""
        from ledger.reported import bad_checkpoints  # loads `cryptography`, which takes a while

        for position, sentence in bad_checkpoints(connection, self.recorder):
            self.add("bad-checkpoint", position, sentence)

    def file(self, connection: Connection) -> None:
        """The database's own check of its file: an index that is wrong would hide entries."""
        for said in self.database.check_storage(connection):
            self.add("database-damaged", None, f"The database finds in its file: {said}.")
