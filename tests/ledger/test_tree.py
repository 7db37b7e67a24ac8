"""The Merkle tree: the one of RFC 9162, at every size, resumed from any point."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tree import EMPTY_ROOT, HASH_BYTES, Tree, leaf_hash, node_hash, peaks, root_at
from tests.ledger.naive import naive_root

# The leaves and roots of the reference tests of Certificate Transparency (RFC 6962, whose tree
# RFC 9162 keeps); also used by transparency-dev/merkle.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = 130
MANY = [b"leaf %d" % i for i in range(SIZES)]


def grown(leaves: list[bytes]) -> tuple[Tree, dict[int, bytes]]:
    """The tree over the leaves, and what the store keeps beside each."""
    tree = Tree()
    return tree, {position: tree.append(leaf) for position, leaf in enumerate(leaves, start=1)}


@pytest.mark.parametrize("size", range(9))
def test_reference_vectors(size: int) -> None:
    """The roots over the reference leaves are the published ones, and so are the oracle's."""
    tree, _kept = grown(LEAVES[:size])
    assert tree.root.hex() == ROOTS[size]
    assert naive_root(LEAVES[:size]).hex() == ROOTS[size]


def test_empty_tree() -> None:
    """The root of the empty tree is the hash of nothing."""
    assert Tree().root == EMPTY_ROOT == bytes.fromhex(ROOTS[0])
    assert Tree().frontier == b""
    assert root_at(0, lambda _position: b"") == EMPTY_ROOT


def test_leaves_and_nodes_are_told_apart() -> None:
    """A leaf that looks like two hashes does not hash as the node over them."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    assert node_hash(left, right) != leaf_hash(left + right)
    assert node_hash(left, right) != node_hash(right, left)


def test_every_small_size_equals_the_naive_root() -> None:
    """At each size from 0 to 130 the incremental root is that of the RFC's definition."""
    tree = Tree()
    for size in range(SIZES + 1):
        assert tree.size == size
        assert tree.root == naive_root(MANY[:size]), size
        if size < SIZES:
            tree.append(MANY[size])


def test_root_at_every_earlier_size() -> None:
    """From what is kept beside the leaves comes the root at every size that the tree had."""
    _tree, kept = grown(MANY)
    for size in range(SIZES + 1):
        assert root_at(size, kept.__getitem__) == naive_root(MANY[:size]), size


def test_kept_hashes_are_the_perfect_subtrees_that_end_there() -> None:
    """Beside leaf n stand the roots of the last 1, 2, 4 … leaves, as far as n is divisible."""
    _tree, kept = grown(MANY)
    for position, hashes in kept.items():
        widths = [1 << level for level in range(8) if position % (1 << level) == 0]
        expected = [naive_root(MANY[position - width : position]) for width in widths]
        assert hashes == b"".join(expected), position


def test_peaks_cover_the_tree_from_large_to_small() -> None:
    """The peaks are the binary digits of the size; together they cover every leaf once."""
    for size in range(SIZES + 1):
        found = peaks(size)
        assert [1 << level for _end, level in found] == [
            1 << bit for bit in reversed(range(8)) if size >> bit & 1
        ]
        begin = 0
        for end, level in found:
            assert end - begin == 1 << level
            begin = end
        assert begin == size


@pytest.mark.parametrize("stop", range(40))
def test_resumed_from_the_frontier(stop: int) -> None:
    """A tree that is put away at any size and taken up again goes on as if it had not been."""
    before, _kept = grown(MANY[:stop])
    resumed = Tree(before.size, before.frontier)
    assert resumed.root == before.root
    for size in range(stop + 1, 81):
        resumed.append(MANY[size - 1])
        assert resumed.root == naive_root(MANY[:size])
        assert len(resumed.frontier) == HASH_BYTES * size.bit_count()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 100])
def test_wrong_frontier_is_refused(size: int) -> None:
    """A frontier that is too short or too long for the size is refused, not guessed at."""
    right = HASH_BYTES * size.bit_count()
    for wrong in {0, right - HASH_BYTES, right - 1, right + 1, right + HASH_BYTES} - {right}:
        if wrong >= 0:
            with pytest.raises(ValueError, match="peaks"):
                Tree(size, bytes(wrong))


@given(
    leaves=st.lists(st.binary(max_size=8), min_size=1, max_size=40),
    at=st.integers(min_value=0),
    bit=st.integers(0, 7),
)
def test_any_flipped_leaf_changes_the_root(leaves: list[bytes], at: int, bit: int) -> None:
    """One bit of one leaf, or a leaf more or less, gives another root."""
    root = grown(leaves)[0].root
    at %= len(leaves)
    flipped = bytearray(leaves[at] or b"\x00")
    flipped[-1] ^= 1 << bit
    others = [*leaves[:at], bytes(flipped), *leaves[at + 1 :]]
    if others != leaves:
        assert grown(others)[0].root != root
    assert grown(leaves[:-1])[0].root != root
    assert grown([*leaves, leaves[-1]])[0].root != root


@given(
    leaves=st.lists(st.binary(max_size=4), min_size=2, max_size=40, unique=True),
    data=st.data(),
)
def test_order_matters(leaves: list[bytes], data: st.DataObject) -> None:
    """Two different leaves that change places give another root."""
    places = st.integers(0, len(leaves) - 1)
    one, other = data.draw(st.tuples(places, places).filter(lambda two: two[0] != two[1]))
    swapped = list(leaves)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert grown(swapped)[0].root != grown(leaves)[0].root


def test_an_outsider_can_run_it() -> None:
    """The tree imports neither a database nor anything else from outside the standard library."""
    script = (
        "import sys; import ledger.tree; "
        "print([m for m in ('sqlite3', 'sqlalchemy', 'eventsourcing') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
