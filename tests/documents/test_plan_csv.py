"""A plan as CSV: rows of milestones, headings, and whatever bytes a file may hold."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.plan_csv import COLUMNS, read_plan_csv, read_scale
from domain.errors import BadInput
from domain.importing import PlannedAction, PlannedMilestone


def read(tmp_path: Path, text: str) -> list[PlannedAction]:
    path = tmp_path / "plan.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return read_plan_csv(path)


def test_an_action_and_its_milestones(tmp_path: Path) -> None:
    """The row without a number is the action; numbered rows are its milestones, in their order."""
    text = "ref,milestone,timescale,rating\nS7,2,July 2025,Red\nS7,,Jun 25,Amber\nS7,1,TBC,\n"
    assert read(tmp_path, text) == [
        PlannedAction(
            "S7",
            3,
            timescale="Jun 25",
            rating="Amber",
            milestones=(PlannedMilestone(1, 4, "TBC"), PlannedMilestone(2, 2, "July 2025", "Red")),
        )
    ]


def test_a_single_numbered_row_is_the_action(tmp_path: Path) -> None:
    """In a plan that numbers every row, an action with one milestone is just the action."""
    assert read(tmp_path, "ref,milestone,timescale\nS7,1,TBC\n") == [
        PlannedAction("S7", 2, timescale="TBC", numbered=1)
    ]


def test_numbered_rows_without_a_row_of_the_action(tmp_path: Path) -> None:
    """Several milestones say nothing of the timescale and rating of the action as a whole."""
    (found,) = read(tmp_path, "ref,milestone,title,rating\nS7,1,Homes,Red\nS7,2,Homes,Red\n")
    assert (found.title, found.timescale, found.rating) == ("Homes", None, None)
    assert [milestone.number for milestone in found.milestones] == [1, 2]


def test_empty_cells_and_short_rows_say_nothing(tmp_path: Path) -> None:
    """A cell that is blank or not there is None; spaces around a cell do not count."""
    assert read(tmp_path, "ref,title,rating,owners\n S7 , ,Red\n") == [
        PlannedAction("S7", 2, rating="Red")
    ]


@pytest.mark.parametrize(
    ("column", "heading"), [(c, alias) for c, names in COLUMNS.items() for alias in names]
)
def test_every_heading_is_known(tmp_path: Path, column: str, heading: str) -> None:
    """A column is known by each of its names, in any case, with spaces or underscores."""
    other = "title" if column == "ref" else "ref"
    written = f" {heading.upper().replace(' ', '_')} "
    (found,) = read(tmp_path, f"{other},{written}\n5,5\n")
    if column != "milestone":
        assert getattr(found, column) == "5"


def test_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    """Actions come in the order of their first rows, also when rows of one are apart."""
    text = "ref,milestone,rating\nB,1,Red\nA,,Red\nB,2,Red\n"
    assert [found.ref for found in read(tmp_path, text)] == ["B", "A"]


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_plan_or_bad_input(tmp_path: Path, content: bytes) -> None:
    """Whatever the file holds, it is read or refused with a message; no other error leaks out."""
    path = tmp_path / "plan.csv"
    for head in (b"", b"ref,title,milestone,rating\n"):
        path.write_bytes(head + content)
        for reader in (read_plan_csv, read_scale):
            said = _refusal(reader, path)
            assert said is None or (said.hint and path.name in said.message)


def _refusal(reader: Callable[[Path], object], path: Path) -> BadInput | None:
    try:
        reader(path)
    except BadInput as error:
        return error
    return None


CELL = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)


@given(title=CELL, rating=CELL)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cell_is_read_as_written(tmp_path: Path, title: str, rating: str) -> None:
    """A printable cell in quotes comes out as it went in, but for the spaces around it."""
    cells = ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in ("A1", title, rating))
    (found,) = read(tmp_path, f"ref,title,rating\r\n{cells}\r\n")
    assert (found.title or "", found.rating or "") == (title.strip(), rating.strip())
