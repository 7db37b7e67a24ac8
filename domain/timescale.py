"""A timescale: a due date as people write it.

Plans say "Jan 25", "Qrtly review" or "Launch in June 2024 and deliver over the year". The words are
kept exactly as written; beside them stands the one fact the ledger reckons with, the last day on
which the work is still on time.

How a wording is read:

* A month falls due on its last day; a day on itself, day before month ("31/03/2026"). Two-digit
  years are 2000 and later, so "March 25" is March 2025. Four-digit years run from 2000 to 2099.
* "Q3 2025/26" is a quarter of the financial year (April to March); "end of 2025" is 31 December,
  "end of 2025/26" is 31 March 2026. The bare "Q3 2025" could be either year, so is not a date.
* Seasons and school terms have no due date: no two councils end "Spring" on the same day.
* Where several dates are named, the last named counts; in a range, the latest.
* Work starting in a month and running over the year falls due a year after that month.
* A recurring or "TBC" wording has no due date, but a date in it stands ("Ongoing until March 2026",
  "March 2026 (TBC)") unless it only says when the recurrence starts ("Monthly from June 2024")
  or the text opens with TBC. A "by" date always stands.
* A day the calendar lacks ("31 February 2026") is not a date, and does not become its month.
"""

import re
from calendar import monthrange
from datetime import date
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from domain.text import Text

Kind = Literal["day", "month", "range", "recurring", "tbc", "prose"]

# All patterns read text made plain by _plain: lower case, single spaces, one sort of dash. Every
# repetition is bounded, so that reading takes time in proportion to the length of the text.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"[0-9]{1,2}"
_YEAR = r"(?:20[0-9]{2}|[0-9]{2})"
_GAP = r"[ .,'/-]{0,3}"
# What follows must not make the year part of something longer: "10:30", "25%", "March 2025/26".
_END = r"(?![a-z0-9%:]|[/.,-][0-9])"
_DATE = re.compile(
    # 2026-03-31
    rf"(?<![0-9])(?P<year1>20[0-9]{{2}})-(?P<month1>[0-9]{{2}})-(?P<day1>[0-9]{{2}})(?![0-9])"
    # 31/03/2026, 31/3/26, 31.03.2026; two-digit years only with "/", as "1.2.10" is a paragraph
    rf"|(?<![a-z0-9/.])(?P<day2>{_DAY})/(?P<month2>{_DAY})/(?P<year2>{_YEAR}){_END}"
    rf"|(?<![a-z0-9/.])(?P<day3>{_DAY})[.-](?P<month3>{_DAY})[.-](?P<year3>20[0-9]{{2}}){_END}"
    # March 31st, 2026
    rf"|(?<![a-z0-9])(?P<month4>{_MONTH}) (?P<day4>{_DAY})(?:st|nd|rd|th)?,? "
    rf"(?P<year4>20[0-9]{{2}}){_END}"
    # 31st of March 2026, March 2026, Mar-26, Sept. '24
    rf"|(?<![a-z0-9])(?:(?P<day5>{_DAY})(?:st|nd|rd|th)?[ -]?(?:of )?)?"
    rf"(?P<month5>{_MONTH}){_GAP}(?P<year5>{_YEAR}){_END}"
    # Q3 2025/26
    r"|(?<![a-z0-9])q(?:uarter )?(?P<quarter>[1-4])[ ,]{0,2}(?:of )?"
    rf"(?P<year6>{_YEAR})[/-](?P<next1>{_YEAR}){_END}"
    # end of 2025, end of the financial year 2025/26
    r"|(?<![a-z0-9])end (?:of )?(?:the )?(?:financial )?(?:year )?(?P<year7>20[0-9]{2})"
    rf"(?:[/-](?P<next2>{_YEAR}))?{_END}(?! (?:academic|school))"
)
_LEAD_IN = re.compile(r"(?:(?:by|on|in|due|the|end|of|(?:mon|tues|wednes|thurs|fri)day),? ){0,5}")
_BEFORE_DATE = r"(?: in| on| the| end| of){0,3} $"
_BY = re.compile(rf"(?<![a-z])by{_BEFORE_DATE}")
_FROM = re.compile(
    rf"(?<![a-z])(?:from|since|start(?:s|ing)?|commenc(?:es|ing)|begin(?:s|ning)){_BEFORE_DATE}"
)
_RANGE_TO = re.compile(
    rf"(?<![a-z0-9])(?:{_MONTH}(?:{_GAP}{_YEAR})?|{_DAY}(?:st|nd|rd|th)?"
    rf"|{_DAY}/{_DAY}/{_YEAR}|20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}})"
    r" ?(?P<joint>-|to|until|till|and) ?(?:(?:the|end|of) ){0,3}$"
)
_STARTS = re.compile(r"(?<![a-z])(?:start|commenc|launch|begin|from )")
_OVER_THE_YEAR = re.compile(
    r"(?:over|throughout|through|across|during|for) (?:the|a|one) (?:(?:next|following|whole) )?"
    r"year(?![a-z])|for 12 months"
)
_TBC = re.compile(r"(?<![a-z])(?:t\.?b\.?c\.?|to be confirmed)(?![a-z])")
_QUARTERLY = re.compile(r"(?<![a-z])(?:qrtly|qtrly|every (?:3|three) months)(?![a-z])")
_RECURRING = re.compile(
    r"(?<![a-z])(?:daily|(?:six-)?weekly|fortnightly|(?:bi-?)?monthly|quarterly|termly|annually"
    r"|(?:half-)?yearly|ongoing|(?:every|each) (?:[a-z0-9]{1,9} )?"
    r"(?:day|week|fortnight|month|quarter|term|year)s?)(?![a-z])"
)


class _Date(NamedTuple):
    """A date found in plain text: its precision, its last day, and where it stands."""

    kind: Kind
    due: date
    start: int
    end: int


class Timescale(BaseModel):
    """When a piece of work is due, in the words of whoever set it.

    `written` is the wording, stripped of outer white space; `kind` is what sort of wording it is;
    `due` is the last day on which the work is on time, or None where it never falls due. Kind and
    date are stored rather than worked out anew, so they outlive a change to these reading rules.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    written: Text
    kind: Kind
    due: date | None = None

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a timescale: any Unicode text. Raises ValueError only if it is blank."""
        written = written.strip()
        if not written:
            raise ValueError("a timescale cannot be empty; write TBC if it is not yet known")
        kind, due = _read(_plain(written))
        return cls(written=written, kind=kind, due=due)

    def same_as(self, other: "Timescale") -> bool:
        """Tell whether both mean the same: the same due date or, with no dates, the same words."""
        if self.due is not None or other.due is not None:
            return self.due == other.due
        return self.kind == other.kind and _plain(self.written) == _plain(other.written)

    def overdue(self, as_at: date) -> bool:
        """Tell whether the due date has passed on the day given; the due day itself is on time."""
        return self.due is not None and as_at > self.due


def _plain(written: str) -> str:
    """Reduce a wording to the form in which spellings of the same words are equal."""
    text = " ".join(written.casefold().split())
    for mark, plain in (("–", "-"), ("—", "-"), ("’", "'"), ("on-going", "ongoing")):
        text = text.replace(mark, plain)
    return _QUARTERLY.sub("quarterly", _TBC.sub("tbc", text))


def _read(text: str) -> tuple[Kind, date | None]:
    """Give the kind and due date of a plain text."""
    dates = _dates(text)
    recurring = _RECURRING.search(text) is not None
    if not dates:
        if _TBC.search(text):
            return "tbc", None
        return ("recurring" if recurring else "prose"), None

    last = dates[-1]
    before, after = text[: last.start], text[last.end :]
    if not _BY.search(before):
        if text.startswith("tbc"):
            return "tbc", None
        if recurring and _FROM.search(before):
            return "recurring", None
        if _STARTS.search(before) and _OVER_THE_YEAR.search(after):
            return "range", _month_end(last.due.year + 1, last.due.month)
    joint = _RANGE_TO.search(before)
    # "June 2024 and May 2025" names two dates; only "between" makes one range of them.
    if joint and (joint["joint"] != "and" or "between " in before):
        return "range", max(found.due for found in dates)
    alone = not after.strip(" .") and _LEAD_IN.fullmatch(before)
    return (last.kind if alone else "prose"), last.due


def _dates(text: str) -> list[_Date]:
    """Find the dates in a plain text, in the order named, leaving out impossible ones."""
    found = []
    for match in _DATE.finditer(text):
        parts = {name.rstrip("1234567"): part for name, part in match.groupdict().items() if part}
        try:
            kind, due = _date_of(parts)
        except ValueError:  # a day, month or financial year that does not exist
            continue
        found.append(_Date(kind, due, match.start(), match.end()))
    return found


def _date_of(parts: dict[str, str]) -> tuple[Kind, date]:
    """Turn the parts of one date into its precision and last day; ValueError if there is none."""
    year = int(parts["year"]) % 100 + 2000
    if "month" in parts:
        name = parts["month"]
        month = int(name) if name.isdigit() else _MONTHS.index(name[:3]) + 1
        if "day" in parts:
            return "day", date(year, month, int(parts["day"]))
        return "month", _month_end(year, month)
    if "next" not in parts:
        return "range", date(year, 12, 31)
    if int(parts["next"]) % 100 != (year + 1) % 100:
        raise ValueError("a financial year spans two years running")
    quarter = int(parts.get("quarter", "4"))
    return "range", _month_end(year + (quarter == 4), (3 * quarter + 2) % 12 + 1)


def _month_end(year: int, month: int) -> date:
    """Give the last day of a month."""
    return date(year, month, monthrange(year, month)[1])
