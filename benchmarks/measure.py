"""How everything here is measured: in turn, several times, by the median."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Prepared = Callable[[], object]
"""What is timed, once. What runs in another process returns the seconds that it took there."""
Prepare = Callable[[], Prepared]
"""Sets up one run, untimed, and returns what is timed."""


@dataclass(frozen=True)
class Row:
    """One comparison: ours against something else.

    Attributes:
        what: what is compared with what.
        ours, theirs: medians in seconds (or bytes, where `unit` says so).
        aim: the ratio that is aimed at, at most; None where the figure is for information.
        strict: the ratio must stay below the aim; reaching it is not enough.
        unit: of the two medians, `s` or `B`.
    """

    what: str
    ours: float
    theirs: float
    aim: float | None = None
    strict: bool = False
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        if self.aim is None:
            return None
        return self.ratio < self.aim if self.strict else self.ratio <= self.aim


def in_turn(
    rounds: int,
    *subjects: Prepare,
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The median time of each subject, run A B A B …, so that noise falls on all alike.

    Args:
        rounds: how often each is timed.
        warm_up: rounds before those, which are not counted.
        clock: `time.process_time` leaves out what was spent waiting for the disk.
    """
    times: list[list[float]] = [[] for _ in subjects]
    for n in range(-warm_up, rounds):
        for found, prepare in zip(times, subjects, strict=True):
            timed = prepare()
            gc.collect(1)
            start = clock()
            said = timed()
            taken = said if isinstance(said, float) else clock() - start
            if n >= 0:
                found.append(taken)
    return [median(found) for found in times]


def ready(timed: Prepared) -> Prepare:
    """A subject that needs nothing set up before each run."""
    return lambda: timed


def written(value: float, unit: str) -> str:
    """A median as people read it: three significant digits with a unit."""
    steps = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")] if unit == "s" else [(2.0**20, "MB")]
    for size, name in steps:
        if value >= size or name in ("µs", "MB"):
            scaled = value / size
            digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
            return f"{scaled:.{digits}f} {name}"
    raise AssertionError(unit)


def table(title: str, rows: Sequence[Row]) -> str:
    """The rows as text under a title."""
    lines = [title, f"  {'':66}{'ours':>9}{'theirs':>10}{'ratio':>8}  aim"]
    for row in rows:
        aim = ""
        if row.aim is not None:
            sign, said = ("<" if row.strict else "≤"), ("met" if row.met else "MISSED")
            aim = f"{sign} {row.aim:g}  {said}"
        ours, theirs = written(row.ours, row.unit), written(row.theirs, row.unit)
        lines.append(f"  {row.what:66}{ours:>9}{theirs:>10}{row.ratio:8.2f}  {aim}".rstrip())
    return "\n".join(lines)
