"""The plan as at D, known at K, with ever longer histories behind it."""

import random
import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from benchmarks.changes import ACTIONS, BEGINS_ON, DAYS
from benchmarks.histories import CODE, PREPARED
from benchmarks.measure import Row
from ledger.service import Ledger
from projections.state import read_state

KINDS = {
    "D random, K now": (True, False),
    "D now, K random": (False, True),
    "D and K random": (True, True),
}


def asking(ledgers: Sequence[Ledger], questions: int) -> list[Row]:
    """The same number of random questions of each ledger, in turn, of three kinds."""
    pick = random.Random(7)
    counts = [ledger.size() - PREPARED for ledger in ledgers]
    times: dict[tuple[str, int], list[float]] = {}
    for number in range(-2, questions):
        for kind, (random_day, random_position) in KINDS.items():
            day = pick.randrange(1, DAYS) if random_day else DAYS
            share = pick.random() if random_position else 1.0
            for which, ledger in enumerate(ledgers):
                position = PREPARED + round(share * counts[which])
                taken, whole = ask(ledger, BEGINS_ON + timedelta(days=day), position)
                if number >= 0:
                    times.setdefault((kind, which), []).append(taken)
                    times.setdefault((f"{kind}; clocks and root too", which), []).append(whole)
    rows = []
    for kind in KINDS:
        for name, aim in ((kind, 1.5), (f"{kind}; clocks and root too", None)):
            for low, high in pairwise(range(len(ledgers))):
                what = f"{name}: {counts[high]:,} / {counts[low]:,} changes"
                medians = median(times[name, high]), median(times[name, low])
                rows.append(Row(what, *medians, aim=aim, strict=True))
    return rows


def ask(ledger: Ledger, day: date, position: int) -> tuple[float, float]:
    """Seconds for the state alone, and with resolving the moment."""
    start = time.perf_counter()
    moment = ledger.moment(day, position)
    resolved = time.perf_counter()
    with ledger.database.reading() as connection:
        state = read_state(connection, CODE, moment)
    done = time.perf_counter()
    assert len(state.actions) == len(ACTIONS)
    return done - resolved, done - start
