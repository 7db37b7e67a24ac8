"""The store of a ledger: an application of the eventsourcing package, on our own recorder.

Opens and begins ledgers, reads what decisions rest on, resolves the two clocks, appends.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

from eventsourcing.application import Application
from eventsourcing.persistence import (
    AggregateRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.utils import Environment
from sqlalchemy import or_, select

from domain.dates import end_of_day, london_day, now, read_instant
from domain.errors import BadInput, Failed
from domain.event import LedgerOpened
from domain.text import one_line
from domain.timeline import Timeline, action_stream, stream_of
from ledger.address import open_database
from ledger.database import Database
from ledger.entry import Entry, EntryMapper, Note
from ledger.reading import begins_with
from ledger.recorder import Projector, Recorder, Unless
from ledger.tables import FORMAT, entries
from ledger.tables import LEDGER_STREAM as LEDGER_STREAM
from ledger.tree import EMPTY_ROOT

KEPT_TIMELINES = 200
"""How many timelines an open ledger keeps before it begins to keep anew."""
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """A point on both clocks, resolved: the question that an answer answers.

    Attributes:
        as_at: the end of this day in Europe/London.
        position: the last entry known.
        known_at: the instant at which that entry was recorded; None for the empty ledger.
        root: of the tree over the entries known, in hexadecimal.
    """

    as_at: date
    position: int
    known_at: datetime | None
    root: str


@dataclass(frozen=True)
class Standing:
    """Where a ledger stands while something is decided.

    Attributes:
        size: how many entries it has.
        instant: now; or that of the last entry, where the clock has run backwards since.
    """

    size: int
    instant: datetime

    @property
    def today(self) -> date:
        """The date in London."""
        return london_day(self.instant)


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Gives the application the one recorder that it has."""

    def __init__(self, env: Environment, recorder: Recorder) -> None:
        super().__init__(env)
        self._recorder = recorder

    def application_recorder(self) -> Recorder:
        """The recorder of the ledger."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Not offered: the ledger takes no snapshots."""
        raise NotImplementedError(f"no recorder for {purpose}")

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> TrackingRecorder:
        """Not offered: read models move in the transaction of the append."""
        raise NotImplementedError("no tracking recorder")

    def process_recorder(self) -> ProcessRecorder:
        """Not offered: see `tracking_recorder`."""
        raise NotImplementedError("no process recorder")

    def is_snapshotting_enabled(self) -> bool:
        """Never, whatever the environment says."""
        return False

    def close(self) -> None:
        """Give back the database connections."""
        self._recorder.database.close()


class Store(Application[str]):
    """An open ledger, as far as storing goes; its commands stand in `ledger.service`.

    Args:
        database: where it is.
        projector: the read models to keep in step with every append.
        clock: gives the instant.
    """

    recorder: Recorder
    mapper: EntryMapper

    def __init__(
        self,
        database: Database,
        projector: Projector | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.database = database
        self._recorder = Recorder(database, projector, clock)
        self._keeping = threading.Lock()
        self._kept: dict[str, Timeline[Any]] = {}
        self._kept_size = -1
        self._opening: Entry | None = None
        super().__init__()

    @classmethod
    def create(
        cls,
        path: str | Path,
        name: str,
        recorded_by: str,
        projector: Projector | None = None,
        clock: Callable[[], datetime] = now,
    ) -> Self:
        """Begin a new ledger, with its opening entry.

        Raises:
            Failed: already-a-ledger, or the file cannot be made.
        """
        ledger = cls(open_database(path, create=True), projector, clock)
        called = one_line(name, "The name of a ledger")
        opened = LedgerOpened(ledger_id=uuid.uuid4().hex, name=called, format=FORMAT)
        person = one_line(recorded_by, "A person's name")
        note = Note(effective_on=london_day(clock()), recorded_by=person)
        first = ledger.mapper.to_stored_event(Entry(LEDGER_STREAM, 1, opened, note))
        ledger.recorder.create([first])
        return ledger

    @classmethod
    def open(
        cls,
        path: str | Path,
        projector: Projector | None = None,
        clock: Callable[[], datetime] = now,
    ) -> Self:
        """Open a ledger that exists.

        Raises:
            Failed: no-ledger, not-a-ledger, newer-format.
        """
        ledger = cls(open_database(path), projector, clock)
        try:
            ledger.recorder.check_format()
        except Failed:
            ledger.close()
            raise
        return ledger

    # --- the parts of the application, as the eventsourcing package asks for them -----------

    def construct_factory(self, env: Environment) -> Factory:
        """The factory of this one database, whatever the environment says."""
        return Factory(env, self._recorder)

    def construct_mapper(self) -> EntryMapper:
        """Entries are mapped to canonical JSON, with their texts in the vault."""
        return EntryMapper()

    # --- reading what a decision rests on ----------------------------------------------------

    def standing(self) -> Standing:
        """Where the ledger stands now."""
        with self.database.reading() as connection:
            head = self.recorder.head(connection)
        instant = self.recorder.clock()
        if head.recorded_at:
            instant = max(instant, read_instant(head.recorded_at))
        return Standing(head.size, instant)

    def today(self) -> date:
        """Today in London, by a clock that never runs backwards."""
        return self.standing().today

    def size(self) -> int:
        """How many entries there are."""
        with self.database.reading() as connection:
            return self.recorder.size(connection)

    def opened(self) -> Entry:
        """The opening entry, which names the ledger; read once, as it never changes."""
        if self._opening is None:
            found: Any = list(self.events.get(LEDGER_STREAM, limit=1))
            if not found:
                raise Failed(
                    "empty-ledger", "The ledger has no opening entry.", "Run: govledger verify"
                )
            self._opening = found[0]
        return self._opening

    def timeline(self, stream_id: str, size: int | None = None) -> Timeline[Any]:
        """The timeline of one stream, to add to; empty for one that has not begun.

        What was read is kept for as long as nobody but this process records anything. Should
        another do so later, the append finds the versions moved and refuses.

        Args:
            size: of the ledger as the asker sees it.
        """
        with self._keeping:
            size = self.size() if size is None else size
            if size != self._kept_size or len(self._kept) >= KEPT_TIMELINES:
                self._kept, self._kept_size = {}, size
            kept = self._kept.get(stream_id)
            if kept is None:
                kept = Timeline(stream_id, self.events.get(stream_id))  # type: ignore[arg-type]
                self._kept[stream_id] = kept
            kept.state_at(date.max)  # worked out here once, not in every copy
            return kept.copy()

    def forget(self) -> None:
        """Keep nothing that was read: a text may have been withheld since."""
        with self._keeping:
            self._kept, self._kept_size = {}, -1
            self._opening = None

    def timelines(self, stream_ids: Iterable[str]) -> dict[str, Timeline[Any]]:
        """The timelines of several streams."""
        wanted = list(stream_ids)
        recorded: dict[str, list[Entry]] = {stream: [] for stream in wanted}
        for stored in self.recorder.streams(wanted):
            recorded[str(stored.originator_id)].append(self.mapper.to_domain_event(stored))
        return {stream: Timeline(stream, found) for stream, found in recorded.items()}

    def plan_codes(self, known_at: int | None = None) -> list[str]:
        """The codes of the plans in the ledger, or of those known after an entry."""
        return [stream.split("/")[1] for stream in self._streams("plan/", known_at)]

    def references(self, code: str) -> list[str]:
        """The references of all actions that the plan has or had, in the order of joining."""
        return [stream.split("/")[2] for stream in self._streams(action_stream(code, ""))]

    def keys(self, kind: str, code: str) -> list[str]:
        """The keys of all streams of a kind that a plan has, in the order of beginning."""
        return [s.split("/")[2] for s in self._streams(stream_of(kind, code, ""))]

    def stream_at(self, position: int) -> str | None:
        """The stream of the entry at a position; None where there is no entry."""
        query = select(entries.c.stream_id).where(entries.c.position == position)
        with self.database.reading() as connection:
            return connection.execute(query).scalar()

    def entry_at(self, position: int) -> Entry:
        """The entry at a position.

        Raises:
            BadInput: no-such-entry.
        """
        with self.database.reading() as connection:
            stored = self.recorder.at_positions(connection, [position]).get(position)
        if stored is None:
            raise BadInput(
                "no-such-entry", f"There is no entry {position}.", f"The last is {self.size()}."
            )
        return self.mapper.to_domain_event(stored)

    def streams_with(self, code: str, tags: Sequence[str], first: int) -> list[str]:
        """The streams of a plan with an entry of these types at that position or later."""
        query = (
            select(entries.c.stream_id)
            .distinct()
            .where(
                entries.c.type.in_(tags),
                entries.c.position >= first,
                or_(
                    *(
                        begins_with(entries.c.stream_id, stream_of(kind, code, ""))
                        for kind in ("action", "escalation", "amendment")
                    )
                ),
            )
        )
        with self.database.reading() as connection:
            return list(connection.execute(query).scalars())

    def _streams(self, prefix: str, known_at: int | None = None) -> list[str]:
        begun = (entries.c.stream_version == 1) & begins_with(entries.c.stream_id, prefix)
        if known_at is not None:
            begun &= entries.c.position <= known_at
        query = select(entries.c.stream_id).where(begun).order_by(entries.c.position)
        with self.database.reading() as connection:
            return list(connection.execute(query).scalars())

    def moment(
        self, as_at: date | None = None, known_at: date | datetime | int | None = None
    ) -> Moment:
        """Resolve a question's two clocks.

        Args:
            as_at: default today.
            known_at: a date (its end in London), an instant, or a position; default everything.

        Raises:
            BadInput: no-such-entry.
        """
        with self.database.reading() as connection:
            size = self.recorder.size(connection)
            match known_at:
                case None:
                    position = size
                case int():
                    position = known_at
                case datetime():
                    position = self.recorder.position_at(connection, known_at)
                case date():
                    position = self.recorder.position_at(connection, end_of_day(known_at))
            if not 0 <= position <= size:
                raise BadInput(
                    "no-such-entry", f"There is no entry {position}.", f"The last is {size}."
                )
            instant = self.recorder.recorded_at(connection, position)
            root = self.recorder.root(connection, position) if position else EMPTY_ROOT
        return Moment(as_at or self.today(), position, instant, root.hex())

    def known_by(self, day: date) -> int:
        """The last entry recorded by the end of that day; 0 where there is none."""
        with self.database.reading() as connection:
            return self.recorder.position_at(connection, end_of_day(day))

    # --- appending ---------------------------------------------------------------------------

    def append(
        self,
        new: list[Entry],
        guards: Mapping[str, int] | None = None,
        decided: Standing | None = None,
        unless: Unless | None = None,
        lawful: Iterable[Timeline[Any]] = (),
    ) -> list[Entry]:
        """Store entries that have been decided.

        Args:
            guards: versions of other streams on which the decision rested.
            decided: where the ledger stood then; they are recorded at that instant or later.
            unless: entries of which none may have been recorded since.
            lawful: the timelines with these entries, as they were held to their law.

        Raises:
            IntegrityError: a stream has moved since it was read.
        """
        stored = [self.mapper.to_stored_event(entry) for entry in new]
        since = decided or Standing(-1, EARLIEST)
        placed = self.recorder.append(
            stored, guards=guards, not_before=since.instant, read_at=since.size, unless=unless
        )
        recorded = [
            replace(entry, position=at.position, recorded_at=read_instant(at.recorded_at))
            for entry, at in zip(new, placed, strict=True)
        ]
        with self._keeping:
            if recorded and recorded[0].position == self._kept_size + 1:
                self._kept_size = recorded[-1].position
                for entry in recorded:
                    if entry.stream_id in self._kept:
                        self._kept[entry.stream_id].extend([entry])
                for line in lawful:  # or the next append would hold them to it from the start
                    kept = self._kept.get(line.stream_id)
                    if kept is not None and kept.version == line.version:
                        kept.held_like(line)
        return recorded
