"""Timescales: what a due date as people write it means."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.timescale import Timescale

# The wordings printed in a council's improvement plan of November 2025 and in its overview.
PUBLISHED_MONTHS = {
    "2024-03-31": ("Mar 24", "March 2024"),
    "2024-04-30": ("Apr 24", "April 2024", "April 24"),
    "2024-05-31": ("May 2024", "May 24"),
    "2024-06-30": ("June 2024", "June 24"),
    "2024-07-31": ("July 2024", "July 24"),
    "2024-08-31": ("Aug 24", "August 2024"),
    "2024-09-30": ("Sept 24", "September 2024"),
    "2024-10-31": ("Oct 24", "October 2024"),
    "2024-11-30": ("Nov 24", "November 2024"),
    "2024-12-31": ("Dec 24", "December 2024"),
    "2025-01-31": ("Jan 25", "January 2025"),
    "2025-02-28": ("Feb 25", "February 2025"),
    "2025-03-31": ("Mar 25", "March 2025"),
    "2025-04-30": ("Apr 25", "April 2025"),
    "2025-05-31": ("May 2025", "May 25"),
    "2025-06-30": ("Jun 25", "June 2025", "June 25"),
    "2025-07-31": ("July 2025", "July 25"),
    "2025-08-31": ("Aug 25", "August 2025"),
    "2025-09-30": ("Sept 25", "September 2025"),
    "2025-10-31": ("Oct 25", "October 2025"),
    "2025-11-30": ("Nov 25", "November 2025"),
    "2025-12-31": ("Dec 25", "December 2025"),
    "2026-02-28": ("Feb 26", "February 2026"),
    "2026-03-31": ("Mar 26", "March 2026"),
    "2026-07-31": ("July 2026", "July 26"),
}
PUBLISHED_OTHERS = [
    ("Flude House to open in April 2024", "prose", "2024-04-30"),
    ("IROs to be included by April 2024", "prose", "2024-04-30"),
    ("Interim hubs in Crewe and Macclesfield by July 2024", "prose", "2024-07-31"),
    (
        "Start sharing practice by August 2024 and continue throughout the year",
        "prose",
        "2024-08-31",
    ),
    ("Evaluate impact in October 2024", "prose", "2024-10-31"),
    ("Evaluate in January 2025", "prose", "2025-01-31"),
    ("To start in March 2025", "prose", "2025-03-31"),
    ("Cherry Tree House to open in July 2025", "prose", "2025-07-31"),
    ("Commission a final cohort by end of October 2025", "prose", "2025-10-31"),
    (
        "Consider suitable options for a long-term care leaver hub in Crewe by the end of 2025",
        "prose",
        "2025-12-31",
    ),
    ("Delivery from September - December 2024", "range", "2024-12-31"),
    ("Training to be delivered between November and March 2025", "range", "2025-03-31"),
    ("Starting in April 2024 and running throughout the year", "range", "2025-04-30"),
    ("To commence in April 2024 and run throughout the year", "range", "2025-04-30"),
    ("Launch in June 2024 and deliver over the year", "range", "2025-06-30"),
    ("Running between March 2024 - June 2025", "range", "2025-06-30"),
    ("Every 3 months from June 2024", "recurring", None),
    ("Monthly", "recurring", None),
    ("Qrtly review", "recurring", None),
    ("Quarterly review", "recurring", None),
    ("Review quarterly at service development days", "recurring", None),
    ("TBC", "tbc", None),
]
PUBLISHED: list[tuple[str, str, str | None]] = [
    *((written, "month", due) for due, forms in PUBLISHED_MONTHS.items() for written in forms),
    *PUBLISHED_OTHERS,
]
# For actions with one row in the plan: the plan's wording, the overview's, and the actions.
AGREEING = [
    ("March 2024", "Mar 24", "CLE1"),
    ("April 2024", "Apr 24", "ED1 ED2 ED3"),
    ("April 2024", "April 24", "CLA3"),
    ("IROs to be included by April 2024", "April 24", "IR2"),
    ("May 2024", "May 24", "CLA4 CLE4 S2 H4 H5 H6"),
    ("June 2024", "June 24", "CLA1 CLB3 CLB7 CLD2 CLD3 CLE3 SM3"),
    ("July 2024", "July 24", "SL3 SL4 CLB10 CLB11 CLD4 CLD5 CLD7 CLE2 P4 V3 MO6 IR6 FD1 W1 W2 W3"),
    ("August 2024", "Aug 24", "SL10 CLB8 CLD1 CLE5 V4 IR5 FD2 SM1 SM2 LS3 W7"),
    ("Start sharing practice by August 2024 and continue throughout the year", "Aug 24", "SL16"),
    ("September 2024", "Sept 24", "SL11 SL12 CLA6 CLB2 CLC1 CLD6 P3 V1 V2 MO3 IR1 S6 S10 ED5 W4"),
    ("Evaluate impact in October 2024", "Oct 24", "MO5"),
    ("October 2024", "Oct 24", "CLA7 CLB12 CLC4 CLD8 MO7 S3 S4"),
    ("November 2024", "Nov 24", "SL5 ED8"),
    ("December 2024", "Dec 24", "CLB9 P1 P8 W5"),
    ("Delivery from September - December 2024", "Dec 24", "ED4"),
    ("Evaluate in January 2025", "Jan 25", "V7"),
    ("January 2025", "Jan 25", "SL1 FD3"),
    ("February 2025", "Feb 25", "SL9 SL14 ED6 C1"),
    ("March 2025", "Mar 25", "SL2b CLC2 CLC3 CLE6 IR7 LS1 H1 H2 ED7 CH2 CH3"),
    ("To start in March 2025", "Mar 25", "W8"),
    ("April 2025", "Apr 25", "SL2a SL7 SL15b P11 S11 FD4"),
    ("Starting in April 2024 and running throughout the year", "Apr 25", "P2"),
    ("To commence in April 2024 and run throughout the year", "Apr 25", "MO2"),
    ("May 2025", "May 25", "V5 H8"),
    ("June 2025", "Jun 25", "SL15a H7"),
    ("June 2025", "June 25", "P6 C2 C4"),
    ("Launch in June 2024 and deliver over the year", "June 25", "CLA2"),
    ("Running between March 2024 - June 2025", "June 25", "MO1"),
    ("July 2025", "July 25", "CLB6 C3"),
    ("August 2025", "Aug 25", "H3"),
    ("September 2025", "Sept 25", "SL6 SL13 P7 P12"),
    ("October 2025", "Oct 25", "SL18 P10"),
    ("November 2025", "Nov 25", "SL17 P5 W6"),
    ("December 2025", "Dec 25", "W12"),
    ("February 2026", "Feb 26", "P9 S9"),
    ("March 2026", "Mar 26", "FD5"),
    ("July 2026", "July 26", "CLD9"),
    ("Monthly", "Monthly", "W11"),
    ("Quarterly review", "Qrtly review", "W9 W10"),
    ("TBC", "TBC", "SL8 S1 S5"),
]
# The actions on which the two differ, with the due date that each gives.
DIFFERING = [
    # A year apart, both plain: one of the two documents is misprinted, and neither says which.
    ("SM4", "October 2025", "2025-10-31", "Oct 24", "2024-10-31"),
    # Recurring in the plan; the overview prints a month: for IR3 one the plan does not name,
    # for IR4 the month in which the recurrence starts.
    ("IR3", "Review quarterly at service development days", None, "Sept 24", "2024-09-30"),
    ("IR4", "Every 3 months from June 2024", None, "June 24", "2024-06-30"),
]
# Not compared: CH1, whose cell in the plan cannot be read (the overview says "Mar 25"), and the
# actions with two milestones. Of these the overview gives the first for CLB4 ("July 24"), the
# last for MO4 ("Oct 25"), and for S7 ("Jun 25") neither (April 2024 and July 2025).

WRITTEN_ELSEWHERE: list[tuple[str, str, str | None]] = [
    ("31 March 2026", "day", "2026-03-31"),
    ("31st of March 2026", "day", "2026-03-31"),
    ("March 31, 2026", "day", "2026-03-31"),
    ("31/03/2026", "day", "2026-03-31"),
    ("4/3/26", "day", "2026-03-04"),
    ("31.03.2026", "day", "2026-03-31"),
    ("2026-03-31", "day", "2026-03-31"),
    ("By Friday, 6 June 2025", "day", "2025-06-06"),
    ("Mar-26", "month", "2026-03-31"),
    ("Sept. '24", "month", "2024-09-30"),
    ("End of March 2026", "month", "2026-03-31"),
    ("by end March 2026", "month", "2026-03-31"),
    ("February 2028", "month", "2028-02-29"),
    ("Q1 2025/26", "range", "2025-06-30"),
    ("Quarter 2 2025-26", "range", "2025-09-30"),
    ("Q3 2025/26", "range", "2025-12-31"),
    ("by the end of Q4 25/26", "range", "2026-03-31"),
    ("End of 2025", "range", "2025-12-31"),
    ("end of the financial year 2025/26", "range", "2026-03-31"),
    ("1 September 2024 to 15 December 2024", "range", "2024-12-15"),
    ("01/09/2024 – 31/12/2024", "range", "2024-12-31"),
    ("June 2025 - March 2024", "range", "2025-06-30"),
    ("Launch in February 2024 and deliver over the year", "range", "2025-02-28"),
    ("Monthly from June 2024 to March 2026", "range", "2026-03-31"),
    ("Weekly", "recurring", None),
    ("Annually", "recurring", None),
    ("Ongoing", "recurring", None),
    ("Every two weeks", "recurring", None),
    ("To be confirmed", "tbc", None),
    ("Date TBC", "tbc", None),
    ("TBC (was March 2025)", "tbc", None),
    ("March 2026 (TBC)", "prose", "2026-03-31"),
    ("Ongoing until March 2026", "prose", "2026-03-31"),
    ("Monthly meetings to begin by June 2025", "prose", "2025-06-30"),
    ("Draft in June 2024 and final in May 2025", "prose", "2025-05-31"),
    ("Report to the board by 5 May 2025", "prose", "2025-05-05"),
    ("After the inspection", "prose", None),
]
NOT_DATES = [
    "Staff may march in May",
    "March",
    "May 2 or 3 sessions",
    "31 March",
    "31 February 2026",
    "29/02/2025",
    "12/31/2026",
    "Spring 2026",
    "Winter 2025",
    "Q3 2025",
    "Q3 2025/27",
    "March 2025/26",
    "end of 2025/26 academic year",
    "Paragraph 1.2.10",
    "24/7",
]


def parsed(written: str) -> tuple[str, str | None]:
    timescale = Timescale.parse(written)
    return timescale.kind, timescale.due.isoformat() if timescale.due else None


@pytest.mark.parametrize(("written", "kind", "due"), PUBLISHED)
def test_published_wordings(written: str, kind: str, due: str | None) -> None:
    """Every wording printed in the plan or its overview is read as its readers read it."""
    assert parsed(written) == (kind, due)


@pytest.mark.parametrize(("plan", "overview", "refs"), AGREEING)
def test_plan_and_overview_agree(plan: str, overview: str, refs: str) -> None:
    """The overview shortens the plan's wording without changing what it means."""
    assert Timescale.parse(plan).same_as(Timescale.parse(overview)), refs


@pytest.mark.parametrize(("ref", "plan", "plan_due", "overview", "overview_due"), DIFFERING)
def test_plan_and_overview_differ(
    ref: str, plan: str, plan_due: str | None, overview: str, overview_due: str
) -> None:
    """The named actions have different due dates in the two documents, and are not made equal."""
    assert (parsed(plan)[1], parsed(overview)[1]) == (plan_due, overview_due), ref
    assert not Timescale.parse(plan).same_as(Timescale.parse(overview)), ref


def test_every_compared_action_is_listed_once() -> None:
    """The comparison covers all 139 actions with one legible row in the plan, each once."""
    refs = [ref for _, _, listed in AGREEING for ref in listed.split()]
    refs += [row[0] for row in DIFFERING]
    assert len(refs) == len(set(refs)) == 139
    compared = {wording for row in AGREEING for wording in row[:2]}
    compared |= {wording for row in DIFFERING for wording in (row[1], row[3])}
    assert compared <= {row[0] for row in PUBLISHED}


@pytest.mark.parametrize(("written", "kind", "due"), WRITTEN_ELSEWHERE)
def test_wordings_of_other_councils(written: str, kind: str, due: str | None) -> None:
    """The other ways in which councils write dates are read too."""
    assert parsed(written) == (kind, due)


@pytest.mark.parametrize("written", NOT_DATES)
def test_no_date_is_made_up(written: str) -> None:
    """Ordinary words, impossible days and ambiguous periods are prose that never falls due."""
    assert parsed(written) == ("prose", None)


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u00a0"])
def test_blank_is_refused(blank: str) -> None:
    """A blank timescale is an error that says what to write instead."""
    with pytest.raises(ValueError, match="write TBC"):
        Timescale.parse(blank)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Qrtly review", "Quarterly review", True),
        ("Every 3 months", "Quarterly", True),
        ("On-going", "Ongoing", True),
        ("Jan 25", "January 2025", True),
        ("end of 2025", "31/12/2025", True),
        ("TBC", "To be confirmed", True),
        ("After  the Inspection", "after the inspection", True),
        ("Monthly", "Weekly", False),
        ("TBC", "Ongoing", False),
        ("TBC", "March 2026", False),
        ("March 2026", "30 March 2026", False),
        ("After the inspection", "Before the inspection", False),
    ],
)
def test_same_as(one: str, other: str, same: bool) -> None:
    """Two timescales are the same by their due date or, where neither has one, by their words."""
    assert Timescale.parse(one).same_as(Timescale.parse(other)) is same


def test_overdue_from_the_day_after() -> None:
    """Work is on time on its due day and overdue from the day after."""
    july = Timescale.parse("July 2026")
    assert not july.overdue(date(2026, 7, 31))
    assert july.overdue(date(2026, 8, 1))


@pytest.mark.parametrize("written", ["TBC", "Monthly", "After the inspection"])
def test_without_a_due_date_never_overdue(written: str) -> None:
    """What never falls due is never overdue."""
    assert not Timescale.parse(written).overdue(date.max)


def test_stored_form_comes_back() -> None:
    """A stored timescale comes back as it was, frozen, and with no field besides its own."""
    july = Timescale.parse("July 2026")
    stored = july.model_dump(mode="json")
    assert stored == {"written": "July 2026", "kind": "month", "due": "2026-07-31"}
    assert Timescale.model_validate(stored) == july
    with pytest.raises(ValidationError, match="frozen"):
        july.kind = "prose"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Timescale.model_validate(stored | {"rating": "Red"})


@pytest.mark.parametrize(
    "piece", ["the ", "1-", "may 2", "every ", "by the end of ", "1/1/", "between march and "]
)
def test_long_text_takes_linear_time(piece: str) -> None:
    """A text of half a million characters, made to mislead, is read within seconds.

    The bound is generous: quadratic time would take hours.
    """
    start = time.perf_counter()
    Timescale.parse(piece * (500_000 // len(piece)) + "2025")
    assert time.perf_counter() - start < 20


MONTHS = "January February March April May June July August September October November December"
FORMS = ["{name} {year}", "{name} {short}", "{abbr} {year}", "{abbr} {short}", "{abbr}-{short}"]
FORMS += ["{name}, {year}", "{abbr} '{short}", "End of {name} {year}", "by end {abbr} {short}"]
# Pieces of dates at random reach far more of the rules than random characters do.
PIECES = (
    "may march 2025 25 31 31st Sept - / and between to from by end of the year every Q3 2025/26"
)
texts = st.text(min_size=1) | st.lists(
    st.sampled_from([*PIECES.split(), "TBC", "monthly", "launch", "over the year", "29/02/25", "."])
).map(" ".join)
wordings = texts.filter(str.strip)


@given(
    st.sampled_from(FORMS),
    st.integers(0, 11),
    st.integers(2000, 2099),
    st.sampled_from([str, str.lower, str.upper]),
)
def test_a_month_falls_due_on_its_last_day(
    form: str, index: int, year: int, case: Callable[[str], str]
) -> None:
    """A month of any year, in any common form, falls due on the last day of that month."""
    name = MONTHS.split()[index]
    written = case(form.format(name=name, abbr=name[:3], year=year, short=f"{year % 100:02}"))
    timescale = Timescale.parse(written)
    assert timescale.kind == "month"
    assert timescale.due is not None
    assert (timescale.due.year, timescale.due.month) == (year, index + 1)
    assert (timescale.due + timedelta(days=1)).day == 1


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["%d/%m/%Y", "%d %B %y"]))
def test_a_day_falls_due_on_itself(day: date, form: str) -> None:
    """A day written in full, or as stored, falls due on that very day."""
    for written in (day.isoformat(), day.strftime(form)):
        assert parsed(written) == ("day", day.isoformat())


@given(wordings)
@example("\u017fept 24")
@example("31 April 2026 - 99 May 2026")
def test_any_text_is_accepted_and_kept(written: str) -> None:
    """Whatever a person writes is accepted, kept word for word, and always read alike."""
    timescale = Timescale.parse(written)
    assert timescale.written == written.strip()
    assert timescale == Timescale.parse(f" {written}\n")
    if timescale.kind in ("day", "month", "range"):
        assert timescale.due is not None
    if timescale.kind in ("recurring", "tbc"):
        assert timescale.due is None


@given(wordings, wordings)
def test_same_as_is_reflexive_and_symmetric(one: str, other: str) -> None:
    """A timescale is the same as itself, and sameness does not depend on which is asked."""
    first, second = Timescale.parse(one), Timescale.parse(other)
    assert first.same_as(first)
    assert first.same_as(second) == second.same_as(first)
