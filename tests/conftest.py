"""What the tests share: the example plan in a ledger, made once for each worker and copied."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from documents.plan_csv import read_plan_csv
from domain.commands import Delay, NoteProgress, Rate, ReviseTimescale
from ledger.address import open_database
from ledger.copying import copy_ledger
from ledger.entry import Decision, Note
from ledger.service import Ledger
from projections.assertions import PlanProjector
from projections.upkeep import create_ledger, open_ledger
from tests.servers import Server, running

# A slow machine is no failure.
settings.register_profile("govledger", deadline=None)
settings.load_profile("govledger")

EXAMPLE = Path(__file__).parent.parent / "examples" / "improvement-plan"
PLAN = "CEIP"


class Clock:
    """A clock that moves on by a minute at every look."""

    def __init__(self, start: datetime = datetime(2025, 11, 12, 9, tzinfo=UTC)) -> None:
        self.instant = start

    def __call__(self) -> datetime:
        self.instant += timedelta(minutes=1)
        return self.instant


def load_example(ledger: Ledger) -> None:
    """Record the example's dated history, as its `history.json` gives it."""
    typed_by = "A. Clerk"
    for step in json.loads((EXAMPLE / "history.json").read_text("utf-8")):
        if step["do"] == "report":
            meeting, as_at = (date.fromisoformat(step[key]) for key in ("meeting", "as_at"))
            ledger.issue_report(
                PLAN, step["ref"], step["committee"], meeting, as_at, Note(meeting, typed_by)
            )
            continue
        on = date.fromisoformat(step.get("effective_on") or step["as_at"])
        note = Note(on, typed_by, reason=step["reason"], source=step["source"])
        if step["do"] == "import":
            whole = not step["file"].endswith("-added.csv")
            ledger.import_plan(PLAN, read_plan_csv(EXAMPLE / step["file"]), note, whole=whole)
        elif step["do"] == "delay":
            ledger.act(PLAN, Delay(step["ref"]), note)
        else:
            ledger.act(PLAN, ReviseTimescale(step["ref"], step["to"]), note)


def go_on(ledger: Ledger) -> None:
    """Record what the example lacks: a decision with its minute, a void, a correction."""
    day = date(2025, 11, 11)
    board = Decision(body="Improvement Board", meeting=date(2025, 11, 11), minute="7.2")
    ledger.act(
        PLAN,
        ReviseTimescale("SM4", "June 2026"),
        Note(day, "B. Chair", reason="Recruitment took longer.", decided_by=board),
    )
    wrong = ledger.act(PLAN, Rate("P7", "Amber"), Note(day, "A. Clerk", reason="Seen on site."))
    ledger.act(
        PLAN,
        Rate("P7", "Red"),
        Note(day, "A. Clerk", reason="The first was typed for another action."),
        replaces=wrong.entries[-1].position,
    )
    ledger.act(
        PLAN,
        NoteProgress("P10", "The training began in September."),
        Note(date(2025, 9, 20), "A. Clerk", reason="Left out of the report.", correction=True),
    )
    ledger.rate_impact(
        PLAN, "1", "Impact sustained", Note(day, "B. Chair", reason="Seen by inspectors.")
    )


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys that the tests make go into a folder of theirs, never into a person's settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        patch.delenv("GOVLEDGER_CHECKPOINT_KEY", raising=False)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; take a new database of it for each test."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def example_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger with the example plan; copy it, never change it."""
    path = tmp_path_factory.mktemp("example") / "template.sqlite"
    ledger = create_ledger(path, "Example", "A. Clerk", Clock())
    load_example(ledger)
    go_on(ledger)
    ledger.close()
    return path


@pytest.fixture(scope="session")
def example_database_template(example_template: Path, postgres: Server) -> str:
    """The example ledger in a database that nobody has open."""
    address = postgres.new()
    with open_ledger(example_template) as ledger, closing(open_database(address)) as database:
        copy_ledger(ledger, database, PlanProjector())
    return address


@pytest.fixture
def example_database(example_database_template: str, postgres: Server) -> str:
    """The address of a copy of the example ledger on a server, to do anything to."""
    return postgres.new(example_database_template)


@pytest.fixture
def example_path(example_template: Path, tmp_path: Path) -> Path:
    """A copy of the example ledger that a test may do anything to."""
    return Path(shutil.copy(example_template, tmp_path / "ledger.sqlite"))


@pytest.fixture
def new_ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger on disk, with nothing but its opening entry."""
    ledger = create_ledger(tmp_path / "new.sqlite", "New", "A. Clerk")
    yield ledger
    ledger.close()
