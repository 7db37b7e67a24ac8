"""Places in the example ledger that the tests tamper with."""

from pathlib import Path

import pytest

from tests.ledger.behind import one, plain

# In the example: a rating taken over on 30 September 2025, with a source and without a minute.
RATED = "type = 'action.rated/1' AND source IS NOT NULL AND reason IS NOT NULL"


@pytest.fixture
def rated(example_path: Path) -> int:
    """The position of an entry in the middle, at an odd place: no parent is kept beside it."""
    return one(example_path, f"SELECT min(position) FROM entries WHERE {RATED} AND position % 2")


@pytest.fixture
def decided(example_path: Path) -> int:
    """The position of the entry with a decision and its minute."""
    return one(example_path, "SELECT position FROM entries WHERE decided_by IS NOT NULL")


@pytest.fixture
def last(example_path: Path) -> int:
    """The last position."""
    return one(example_path, "SELECT max(position) FROM entries")


@pytest.fixture
def titled(example_path: Path) -> list[int]:
    """The positions of two entries that brought titles."""
    with plain(example_path) as connection:
        query = "SELECT position FROM texts WHERE field = 'title' AND position > 20 LIMIT 2"
        return [position for (position,) in connection.execute(query)]
