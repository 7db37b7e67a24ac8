"""What every backend's recorder must do: the eventsourcing package's shipped cases, and ours.

A backend instantiates each class and says only how it makes a new database. The modules that
pytest collects must not import the classes themselves, only this module.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import TestCase
from uuid import UUID, uuid4

from eventsourcing.persistence import AggregateRecorder, StoredEvent
from eventsourcing.tests import persistence

from ledger.database import Database
from ledger.recorder import Recorder
from ledger.store import Store
from ledger.verification import verify

NOT_OF_THE_TREE = {"bad-value", "unknown-type", "version-gap", "not-canonical"}
"""What the package's own events cause: no tag, nobody who recorded, versions from 0, no JSON."""


class Backend(TestCase, ABC):
    """Makes recorders on new databases and gives their connections back."""

    @abstractmethod
    def new_database(self) -> Database:
        """A database with nothing in it."""

    def new_store(self) -> Store:
        store = Store(self.new_database())
        self.addCleanup(store.close)
        store.recorder.create()
        self.store = store
        return store

    def new_originator_id(self) -> UUID | str:
        # Streams are named by text.
        return f"case/{uuid4()}"

    def assert_whole(self, count: int) -> None:
        """Positions are 1 to `count` without a gap, and the tree over them holds."""
        with self.store.database.reading() as connection:
            positions = [entry.position for entry in self.store.recorder.read(connection)]
        assert positions == list(range(1, count + 1))
        verified = verify(self.store)
        assert verified.size == count
        found = {finding.kind for finding in verified.findings}
        assert found <= NOT_OF_THE_TREE


class ApplicationRecorderCase(Backend, persistence.ApplicationRecorderTestCase[Recorder], ABC):
    """The package's cases for the recorder of an application."""

    def create_recorder(self) -> Recorder:
        return self.new_store().recorder

    def test_concurrent_no_conflicts(self, initial_position: int = 0) -> None:
        """Ten writers and two readers at once: nothing fails, no position is skipped or shared."""
        super().test_concurrent_no_conflicts(initial_position)
        self.assert_whole(100 * 100)

    def test_concurrent_throughput(self) -> None:
        """Four writers at once: nothing fails, no position is skipped or shared."""
        super().test_concurrent_throughput()
        self.assert_whole(4 * 50 + 10 * 50)


class NonInterleavingCase(Backend, persistence.NonInterleavingNotificationIDsBaseCase, ABC):
    """The package's case that two appends at once never mix their positions."""

    def create_recorder(self) -> Recorder:
        return self.new_store().recorder

    def test(self) -> None:
        """Two threads append a thousand events each: their positions are two unbroken runs."""
        super().test()
        self.assert_whole(2 * self.insert_num)


class OfAggregates(Recorder, AggregateRecorder):
    """Our recorder, as an aggregate recorder, which tells no positions."""

    def insert_events(  # type: ignore[override]
        self,
        stored_events: Sequence[StoredEvent],
        *,
        guards: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().insert_events(stored_events, guards=guards, **kwargs)


class AggregateRecorderCase(Backend, persistence.AggregateRecorderTestCase, ABC):
    """The package's cases for the recorder of aggregates."""

    def create_recorder(self) -> OfAggregates:
        return OfAggregates(self.new_store().database)
