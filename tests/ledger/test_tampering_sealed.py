"""Values that no ledger writes, in entries whose hashes are all right: each is found, and named.

So an entry looks that was made by somebody who knows the form, sealed it anew, and holds every
digest and root to match.
"""

from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.errors import IntegrityBroken
from domain.person import KeyReplaced
from ledger.address import open_database
from ledger.canonical import SALT_BYTES, binds, canonical, commitment
from ledger.checking import EntryCheck
from ledger.copying import copy_ledger
from ledger.entry import Decision, Note
from ledger.fates import fates
from ledger.lawfulness import check_lawfulness
from ledger.rows import row_leaf_bytes
from ledger.service import Ledger
from ledger.tables import entries
from ledger.tree import Tree
from tests.boards import ADMIN, CODE, MEETING, Boards, public_key
from tests.ledger.behind import findings, opened, tamper
from tests.ledger.forging import force, note

Row = namedtuple("Row", entries.columns.keys())  # type: ignore[misc]
Named = list[tuple[str, int | None]]
DECIDED = Decision(body="Information Governance Board", meeting=MEETING, minute="4.1")
NOTE = Note(MEETING, ADMIN, decided_by=DECIDED)


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Boards:
    """A plan with boards, a signed vote, evidence, and one text that is withheld."""
    boards = Boards(tmp_path_factory.mktemp("sealed") / "ledger.sqlite")
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    boards.ledger.withhold(of(boards.ledger, "evidence.lodged/1"), "called", "By law", NOTE)
    return boards


def of(ledger: Ledger, tag: str) -> int:
    """The position of the last entry of that type."""
    with ledger.database.reading() as connection:
        return max(s.position for s in ledger.recorder.read(connection) if s.topic == tag)


def sealed(ledger: Ledger, position: int, **columns: Any) -> Named:
    """What is found where those columns of an entry say otherwise, and every hash fits."""
    tree = Tree()
    with ledger.database.reading() as connection:
        check = EntryCheck(fates=fates(connection))
        for rows, held in ledger.recorder.rows(connection):
            for row in rows:
                new: Any = Row._make(row)
                if row.position == position:
                    new = new._replace(**columns)
                new = new._replace(subtrees=tree.append(row_leaf_bytes(new)))
                check.entry(new, held.get(row.position, {}))
    return [(one.kind, one.position) for one in check.findings]


def payload(ledger: Ledger, position: int) -> dict[str, Any]:
    with ledger.database.reading() as connection:
        found: dict[str, Any] = orjson.loads(
            ledger.recorder.at_positions(connection, [position])[position].state
        )
    return found


def test_sealed_anew_as_it_was(boards: Boards) -> None:
    """An entry that says what it said is no finding."""
    assert sealed(boards.ledger, 5) == []


@pytest.mark.parametrize(
    "written",
    [
        "{}-12:00",
        "{}+00:00",
        "{}z",
        "{}",
        "{}000Z",
    ],
)
def test_an_instant_in_another_form(boards: Boards, written: str) -> None:
    """An instant in another form, which could sort before an earlier one, is a bad date."""
    last = boards.ledger.size()
    with boards.ledger.database.reading() as connection:
        was = boards.ledger.recorder.at_positions(connection, [last])[last].recorded_at
    found = sealed(boards.ledger, last, recorded_at=written.format(was.removesuffix("Z")))
    assert ("bad-date", last) in found


@pytest.mark.parametrize("written", ["20251009", "2025-W41-4", "2025-10-9", "2025-10-09T00:00:00"])
def test_a_day_in_another_form(boards: Boards, written: str) -> None:
    """A day that is written otherwise than year-month-day is a bad date."""
    assert ("bad-date", 5) in sealed(boards.ledger, 5, effective_on=written)


@pytest.mark.parametrize("value", ["", ADMIN, "A" * 64, "0" * 63, None])
def test_nobody_recorded_it(boards: Boards, value: Any) -> None:
    """An entry says by a commitment who recorded it; without one it is found."""
    last = boards.ledger.size()
    assert ("bad-value", last) in sealed(boards.ledger, last, recorded_by=value)


@pytest.mark.parametrize("value", ["", "Because.", "A" * 64])
def test_a_reason_in_the_clear(boards: Boards, value: str) -> None:
    """A reason is a commitment to it, or there is none."""
    assert ("bad-value", 5) in sealed(boards.ledger, 5, reason=value)


OTHERWISE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "the text itself": lambda said: "I never said that",
    "what stands for a text that is gone": lambda said: "[text not held]",
    "something beside it": lambda said: {**said, "hidden": "Jo Bloggs"},
    "no digest": lambda said: {"commitment": "Jo Bloggs"},
    "capitals": lambda said: {"commitment": said["commitment"].upper()},
    "nothing": lambda said: None,
    "a list": lambda said: [said],
}


@pytest.mark.parametrize("change", OTHERWISE.values(), ids=OTHERWISE)
@pytest.mark.parametrize(("tag", "field"), [("signoff.voted/1", "statement")])
def test_a_text_in_the_payload(
    boards: Boards, tag: str, field: str, change: Callable[[Any], Any]
) -> None:
    """Where a text is committed to stands a commitment and nothing else."""
    at = of(boards.ledger, tag)
    said = payload(boards.ledger, at)
    said[field] = change(said[field])
    assert ("unreadable-payload", at) in sealed(boards.ledger, at, payload=canonical(said))


def test_a_text_within_a_field(boards: Boards) -> None:
    """The wording within a timescale is held to the same."""
    at = of(boards.ledger, "action.added/1")
    for wording in ("March 2026", None):
        said = payload(boards.ledger, at)
        said["timescale"]["written"] = wording
        assert ("unreadable-payload", at) in sealed(boards.ledger, at, payload=canonical(said))


FORMS = [
    ("ledger.text_withheld/1", "position", str),
    ("signoff.voted/1", "phase", str),
    ("signoff.voted/1", "round", bool),
    ("signoff.voted/1", "meeting", "{}T00:00:00".format),
    ("signoff.voted/1", "signed_at", lambda _was: 1_760_000_000),
    ("body.established/1", "quorum", str),
]


@pytest.mark.parametrize(("tag", "field", "form"), FORMS, ids=[f"{t} {n}" for t, n, _ in FORMS])
def test_a_value_in_another_form(
    boards: Boards, tag: str, field: str, form: Callable[[Any], Any]
) -> None:
    """A number or a date that can be read, and is not written as the ledger writes it, is found."""
    at = of(boards.ledger, tag)
    said = payload(boards.ledger, at)
    said[field] = form(said[field])
    assert ("unreadable-payload", at) in sealed(boards.ledger, at, payload=canonical(said))


def test_a_decision_in_another_form(boards: Boards) -> None:
    """The day of a decision has one form too."""
    at = of(boards.ledger, "ledger.text_withheld/1")
    written = '{"body": "Board", "meeting": "2025-10-09T00:00:00", "minute": "1"}'
    assert ("unreadable-payload", at) in sealed(boards.ledger, at, decided_by=written)


# --- the salt ---


def test_a_commitment_needs_a_salt_of_one_length() -> None:
    """With a longer salt the beginning of the text could stand in it."""
    salt, text = bytes(SALT_BYTES), "Not agreed"
    said = commitment(salt, text)
    assert binds(said, salt, text)
    for wrong in (salt + b"Not ", salt[:-1], b""):
        with pytest.raises(ValueError, match="16 bytes"):
            commitment(wrong, "agreed")
    assert not binds(said, salt + b"Not ", "agreed")


@pytest.fixture
def moved(tmp_path: Path) -> tuple[Path, int]:
    """A ledger in which the first word of a progress note was moved into its salt."""
    boards = Boards(tmp_path / "ledger.sqlite")
    boards.ready("C1")
    at = of(boards.ledger, "evidence.lodged/1")
    boards.ledger.close()
    tamper(
        boards.ledger.database.path,
        "UPDATE texts SET salt = CAST(salt || CAST(substr(text, 1, 2) AS BLOB) AS BLOB), "
        f"text = substr(text, 3) WHERE position = {at} AND field = 'called'",
    )
    return boards.ledger.database.path, at


def test_words_moved_into_the_salt(moved: tuple[Path, int], tmp_path: Path) -> None:
    """It is found, the ledger is not copied, and the text is not withheld, which would hide it."""
    path, at = moved
    assert findings(path) == [("text-changed", at)]
    with opened(path) as ledger:
        with pytest.raises(IntegrityBroken) as refused:
            ledger.withhold(at, "called", "By law", NOTE)
        assert refused.value.rule == "text-changed"
        with pytest.raises(IntegrityBroken) as copied:
            copy_ledger(ledger, open_database(tmp_path / "copy.sqlite", create=True))
        assert copied.value.rule == "not-whole"


# --- nobody's entries ---


def test_who_leaves_out_the_name_gets_round_no_rule(tmp_path: Path) -> None:
    """An entry whose recorder is merely gone is judged as nobody's, also where names are withheld.

    One whose recorder an entry withholds, or a public export leaves out, is not judged again.
    """
    boards = Boards(tmp_path / "ledger.sqlite")
    ledger = boards.ledger
    enrolled = of(ledger, "person.enrolled/1")
    ledger.withhold(enrolled, "name", "By law", NOTE, copies=True)
    event = KeyReplaced(key=public_key("other"))
    (at,) = force(ledger, (f"person/{CODE}/iib-chair", event, note("Mallory")))
    tamper(
        ledger.database.path,
        f"DELETE FROM texts WHERE position = {at} AND field = 'recorded_by'",
    )
    found = check_lawfulness(ledger).findings
    assert [(one.kind, one.position) for one in found] == [("rule-broken", at)]
    assert check_lawfulness(ledger, {(at, "recorded_by")}).findings == ()
