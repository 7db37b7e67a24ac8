"""Whatever is withheld from a ledger in which everything happened, the rest of it stays true."""

import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import GovledgerError
from domain.timeline import fold
from ledger.entry import Decision, Note
from ledger.lawfulness import check_lawfulness
from ledger.verification import verify
from projections.audit import Asked, log
from projections.changes import changes
from projections.overview import overview
from projections.record import Record
from projections.signoffs import lines, sheet
from projections.state import read_state
from projections.upkeep import check_read_models, open_ledger
from tests.boards import CODE, MEETING, Boards
from tests.conftest import Clock
from tests.projections.test_state_of_boards import DAYS, entries, play, streams
from tests.property import oracle

NOW = datetime(2025, 11, 12, 18, tzinfo=UTC)
DECIDED = Decision(body="Information Governance Board", meeting=MEETING, minute="4.1")
REFUSED = ("last-administrator", "tells-the-text", "not-administrator")
"""What may be refused of a text that is there, on a decision, to an administrator of the plan: the
ledger's own entry is the first administrator's."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger in which everything happened that can."""
    path = tmp_path_factory.mktemp("played") / "ledger.sqlite"
    boards = Boards(path, Clock())
    play(boards)
    boards.ledger.close()
    return path


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), min_size=1, max_size=3))
def test_whatever_is_withheld_the_rest_stays_true(
    played: Path, wanted: Sequence[tuple[int, bool]]
) -> None:
    """The old root and every hash stay, no rule is found broken, and every view still answers.

    What goes is the texts that were named, and nothing else; a refusal changes nothing.
    """
    with TemporaryDirectory() as folder:
        path = Path(shutil.copy(played, Path(folder) / "ledger.sqlite"))
        ledger = open_ledger(path, Clock(NOW))
        try:
            size, before = ledger.size(), oracle.dump(path)
            root = ledger.moment(known_at=size).root
            gone: set[tuple[object, ...]] = set()
            for number, copies in wanted:
                kept = oracle.dump(path)
                places = [row[:2] for row in kept["texts"]]
                position, field = places[number % len(places)]
                assert isinstance(position, int)
                note = Note(date(2025, 11, 12), "dcs", decided_by=DECIDED)  # by code
                try:
                    done = ledger.withhold(
                        position, str(field), f"Law {number}", note, copies=copies
                    )
                except GovledgerError as error:
                    refused = (error.rule in REFUSED, oracle.dump(path) == kept)
                else:
                    gone |= {(position, field)}
                    gone |= {(one.position, one.field) for one in done.copies if copies}
                    refused = (True, True)
                assert refused == (True, True)
            after = oracle.dump(path)
            assert set(before["entries"]) <= set(after["entries"])
            left = {row for row in before["texts"] if row[:2] not in gone}
            assert left <= set(after["texts"])
            assert {row[:2] for row in after["texts"]}.isdisjoint(gone)
            assert {row[:2] for row in after["withheld"]} == gone
            assert ledger.moment(known_at=size).root == root
            every = (*verify(ledger).findings, *check_lawfulness(ledger).findings)
            assert (every, check_read_models(ledger)) == ((), [])
            recorded = entries(ledger)
            with ledger.database.reading() as connection:
                for day in DAYS[-2:]:
                    moment = ledger.moment(day, size)
                    state = read_state(connection, CODE, moment)
                    folded = fold(recorded, day, size)
                    folded.pop("ledger", None)
                    assert streams(state) == folded
                    overview(state, day)
                    changes(ledger, connection, CODE, moment, DAYS[0])
                    record = Record(ledger, connection, CODE, moment)
                    lines(record)
                    for ref, action in state.actions.items():
                        for phase in action.signoffs:
                            assert sheet(record, state.actions[ref], phase)["ref"] == ref
                assert len(log(ledger, connection, None, ledger.moment(), Asked())) == ledger.size()
        finally:
            ledger.close()
