"""Values that are none at all, put in behind the ledger's back: a finding, and no error."""

from pathlib import Path

import pytest

from ledger.tables import entries
from tests.ledger.behind import (
    findings,
    tamper,
)

# --- values of the wrong kind ---

KINDS = ["5", "1.5", "'text'", "x'00ff'", "CAST(x'ff' AS TEXT)", "''", "x''", "9223372036854775807"]


@pytest.mark.parametrize("value", KINDS)
@pytest.mark.parametrize("column", sorted(set(entries.columns.keys()) - {"position"}))
def test_value_of_another_kind(example_path: Path, rated: int, column: str, value: str) -> None:
    """SQLite keeps any kind of value in any column; each is found at its entry, and no error."""
    tamper(example_path, f"UPDATE entries SET {column} = {value} WHERE position = {rated}")
    assert findings(example_path)[0] == ("entry-changed", rated)


@pytest.mark.parametrize(
    "payload", ["'['", "'{}'", "'null'", "replace(hex(zeroblob(50000)), '0', '[')", "x'ff'"]
)
def test_payload_that_is_no_payload(example_path: Path, rated: int, payload: str) -> None:
    """A payload that cannot be read at all, however deep, is a finding and not an error."""
    tamper(
        example_path,
        f"UPDATE entries SET payload = CAST({payload} AS BLOB) WHERE position = {rated}",
    )
    found = findings(example_path)
    assert found[0] == ("entry-changed", rated)
    assert {position for _kind, position in found} == {rated}


@pytest.mark.parametrize(
    "instant",
    ["''", "'yesterday'", "'0001-01-01T00:00:00.000000Z'", "'9999-12-31T23:59:59.000000-23:00'"],
)
def test_instant_that_is_none(example_path: Path, rated: int, instant: str) -> None:
    """An instant that is none, or lies outside the calendar, is a finding and not an error."""
    tamper(example_path, f"UPDATE entries SET recorded_at = {instant} WHERE position = {rated}")
    found = findings(example_path)
    assert found[0] == ("entry-changed", rated)
    assert ("bad-date", rated) in found
