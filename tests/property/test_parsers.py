"""Every parser of bytes from outside takes any bytes: it reads them, or raises our own error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults.parsers import TARGETS, Target


def varied(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """True inputs with a part left out, doubled or put in the place of another; or any bytes."""

    def cut(parts: tuple[bytes, int, int, int, bytes]) -> bytes:
        seed, start, end, place, new = parts
        start, end = sorted((start % (len(seed) + 1), end % (len(seed) + 1)))
        place %= len(seed) + 1
        return seed[:place] + (new or seed[start:end]) + seed[max(place, end) :]

    number = st.integers(0, 10_000)
    one = st.tuples(st.sampled_from(seeds), number, number, number, st.binary(max_size=6)).map(cut)
    return st.one_of(one, one, st.binary(max_size=80))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_any_bytes(target: Target) -> None:
    """Whatever it is given, a parser raises nothing but what it says it may."""

    @settings(max_examples=80)
    @given(varied(target.seeds))
    def check(data: bytes) -> None:
        target.feed(data)

    check()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_seeds_are_read(target: Target) -> None:
    """The examples that are varied are true ones, so that variation begins where parsers accept."""
    for seed in target.seeds:
        target.parse(seed)
