"""The recorder passes the eventsourcing package's own shipped test cases, on both engines."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ledger.address import open_database
from ledger.database import Database
from tests.contract import recorder_cases
from tests.servers import Server


class OnSQLite(recorder_cases.Backend):
    """A new file for every recorder."""

    __test__ = False

    def new_database(self) -> Database:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return open_database(Path(folder.name) / "ledger.sqlite", create=True)


class TestApplicationRecorder(OnSQLite, recorder_cases.ApplicationRecorderCase):
    """An application's recorder: see the package's `ApplicationRecorderTestCase`."""

    __test__ = True


class TestNonInterleaving(OnSQLite, recorder_cases.NonInterleavingCase):
    """Two appends at once: see the package's `NonInterleavingNotificationIDsBaseCase`."""

    __test__ = True


class TestAggregateRecorder(OnSQLite, recorder_cases.AggregateRecorderCase):
    """A recorder of aggregates: see the package's `AggregateRecorderTestCase`."""

    __test__ = True


class OnPostgreSQL(recorder_cases.Backend):
    """A new database for every recorder."""

    __test__ = False

    @pytest.fixture(autouse=True)
    def _on(self, postgres: Server) -> None:
        self.server = postgres

    def new_database(self) -> Database:
        return open_database(self.server.new(), create=True)


class TestApplicationRecorderOnPostgreSQL(OnPostgreSQL, recorder_cases.ApplicationRecorderCase):
    """An application's recorder: see the package's `ApplicationRecorderTestCase`."""

    __test__ = True


class TestNonInterleavingOnPostgreSQL(OnPostgreSQL, recorder_cases.NonInterleavingCase):
    """Two appends at once: see the package's `NonInterleavingNotificationIDsBaseCase`."""

    __test__ = True


class TestAggregateRecorderOnPostgreSQL(OnPostgreSQL, recorder_cases.AggregateRecorderCase):
    """A recorder of aggregates: see the package's `AggregateRecorderTestCase`."""

    __test__ = True


def test_only_instantiated_cases_are_collected(request: pytest.FixtureRequest) -> None:
    """The shipped cases run once for each backend, and never as the abstract classes they are."""
    collected = {
        item.parent.name
        for item in request.session.items
        if item.path == request.path and item.parent
    }
    collected.discard(request.path.name)
    cases = ("TestApplicationRecorder", "TestNonInterleaving", "TestAggregateRecorder")
    assert collected <= {f"{case}{on}" for case in cases for on in ("", "OnPostgreSQL")}
