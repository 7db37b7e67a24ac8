"""Random commands in words that a machine can aim: days by kind, actions by where they stand."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from hypothesis import strategies as st

from domain.importing import PlannedAction, PlannedMilestone
from domain.scale import STANDING_LABELS

WhenKind = Literal["today", "recent", "open", "closed", "future", "before"]

CODE = "Plan-1"
BEGINS = date(2025, 2, 20)
REFS = ("A1", "A2", "A3", "B1", "B2", "B3")
MORE_REFS = ("C1", "C2", "C3")
TIMESCALES = ("March 2025", "Sept 25", "TBC", "Qrtly review", "31/03/2026", "By June 2025 – latest")
RATINGS = ("Grey", "red", "Delayed", "Amber", "on  TRACK", "Amber E", "Green", "completed")
STANDINGS = (*STANDING_LABELS.values(), "Not rated")
OWNERS = ("Head of Service", "Director; Head of Service", "Team manager")
TITLES = ("Visit every home", "Visit every home monthly", "Train “all” staff\nin 2025", "Ø 😀")
SECTIONS = ("1.1", "1.2", "Quality", "Practice", "New section")

FIRST_SNAPSHOT = [
    PlannedAction(
        ref="A1",
        line=2,
        chapter="One",
        section="Quality",
        title="Visit every home",
        owners="Head of Service",
        timescale="March 2025",
        rating="Amber",
        milestones=(
            PlannedMilestone(1, 2, "March 2025", "Green"),
            PlannedMilestone(2, 3, "TBC", None),
        ),
    ),
    *(
        PlannedAction(ref, line, "One", "Practice", f"Do {ref}", "Director", "July 2025", rating)
        for line, (ref, rating) in enumerate(
            zip(REFS[1:], ("Red", "Green", "Amber E", "Grey", "Amber"), strict=True), start=4
        )
    ),
]
"""Two sections of one chapter; five actions, and one more with two milestones."""


@dataclass(frozen=True)
class When:
    """A day, said so that it can be found in any ledger: see `Bench.day`."""

    kind: WhenKind
    days: int


@dataclass(frozen=True)
class Wording:
    """What a command says about itself, and how it is given.

    Attributes:
        replaces: None; "first" or "last" for that live entry on the same subject; else a position.
        rehearse: give it as a dry run first.
    """

    when: When
    reason: str | None
    authority: bool
    source: str | None
    correction: bool
    replaces: Literal["first", "last"] | int | None
    rehearse: bool


_kinds: list[WhenKind] = ["recent", "recent", "today", "open", "closed"]
_flaws = st.sampled_from((None,) * 16 + ("no reason", "no authority", "future", "before"))
_reasons = st.sampled_from(("Agreed.", "Typed wrongly – “sorry”", "Out of date", "x" * 300))
_sources = st.sampled_from((None, None, None, "CF/23/25-26", "Ofsted letter, § 3"))
likely = st.sampled_from((True, True, True, True, False))


def _wording(flaw: str | None, when: When, reason: str, **others: Any) -> Wording:
    """At most one thing is wrong with what a command says about itself; often nothing is."""
    kinds: dict[str | None, WhenKind] = {"future": "future", "before": "before"}
    return Wording(
        when=When(kinds.get(flaw, when.kind), when.days),
        reason=None if flaw == "no reason" else reason,
        authority=flaw != "no authority",
        **others,
    )


whens = st.builds(When, st.sampled_from(_kinds), st.integers(0, 40))
wordings = st.builds(
    _wording,
    flaw=_flaws,
    when=whens,
    reason=_reasons,
    source=_sources,
    correction=st.booleans(),
    replaces=st.sampled_from((None,) * 12 + ("first", "last", "last", "last", 21)),
    rehearse=st.sampled_from((False,) * 5 + (True,)),
)
printable = st.characters(exclude_categories=("C", "Zl", "Zp"))
refs = st.sampled_from((*REFS, *REFS, *REFS, *MORE_REFS, "a1"))
"""Mostly there from the start; some join later or never do, and one is only mistyped."""
milestones = st.sampled_from((None, None, None, 1, 2, 3))
timescales = st.one_of(st.sampled_from(TIMESCALES), st.text(printable, max_size=12))
ratings = st.sampled_from((*RATINGS, *RATINGS, "Purple", "Reviewing"))
titles = st.one_of(st.sampled_from(TITLES), st.text(printable, max_size=20))
owners = st.one_of(st.sampled_from(OWNERS), st.text(printable, max_size=12))
sections = st.sampled_from((*SECTIONS[:4], *SECTIONS, "No such section"))
notes = st.one_of(st.sampled_from(TITLES), st.text(max_size=40))

_planned_milestones = st.builds(
    PlannedMilestone,
    number=st.integers(1, 3),
    line=st.just(9),
    timescale=st.none() | st.sampled_from(TIMESCALES),
    rating=st.none() | st.sampled_from((*RATINGS, *STANDINGS)),
)
_rows = st.builds(
    PlannedAction,
    ref=refs,
    line=st.just(7),
    chapter=st.sampled_from(("One", "One", "Two", None)),
    section=st.sampled_from(("Quality", "Practice", "New section", None)),
    title=st.none() | st.sampled_from(TITLES),
    owners=st.none() | st.sampled_from(OWNERS),
    timescale=st.none() | st.sampled_from(TIMESCALES),
    rating=st.none() | st.sampled_from((*RATINGS, *STANDINGS)),
    milestones=st.lists(_planned_milestones, max_size=2).map(tuple),
)
snapshots = st.lists(_rows, max_size=3)
