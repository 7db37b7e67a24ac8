"""The Merkle tree over the entries (RFC 9162, section 2.1), SHA-256.

Position n of the ledger is leaf n-1 of the tree. Beside leaf n the store keeps the hashes of
every perfect subtree that ends with it, smallest first: the leaf's own, then as many parents as
n has trailing zero bits. From those the root at any size, and any proof, is a few look-ups away.

Imports nothing but the standard library, so that an outsider can run it.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of the empty tree (RFC 9162, section 2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): the hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> list[tuple[int, int]]:
    """The perfect subtrees that a tree of that size consists of, largest first.

    Returns:
        (end, level) of each: it covers 2^level leaves up to position `end`.
    """
    found, end = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            end += 1 << level
            found.append((end, level))
    return found


def root_of(frontier: Sequence[bytes]) -> bytes:
    """The root of the tree whose peaks, largest first, have these hashes."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def root_at(size: int, subtrees_at: Callable[[int], bytes]) -> bytes:
    """The root at an earlier size.

    Args:
        size: how many leaves.
        subtrees_at: gives what the store keeps beside the leaf at a position.
    """
    frontier = []
    for end, level in peaks(size):
        kept = subtrees_at(end)
        frontier.append(kept[level * HASH_BYTES : (level + 1) * HASH_BYTES])
    return root_of(frontier)


class Tree:
    """A growing tree, of which only the frontier (the hashes of the peaks) is held.

    Attributes:
        size: number of leaves.
    """

    def __init__(self, size: int = 0, frontier: bytes = b"") -> None:
        if len(frontier) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks")
        self.size = size
        self._peaks = [frontier[i : i + HASH_BYTES] for i in range(0, len(frontier), HASH_BYTES)]

    @property
    def frontier(self) -> bytes:
        """The hashes of the peaks, largest first."""
        return b"".join(self._peaks)

    @property
    def root(self) -> bytes:
        """The root at the present size."""
        return root_of(self._peaks)

    def append(self, data: bytes) -> bytes:
        """Add a leaf; see `append_hash`."""
        return self.append_hash(leaf_hash(data))

    def append_hash(self, leaf: bytes) -> bytes:
        """Add a leaf by its hash.

        Returns:
            The hashes of the perfect subtrees that end with it, smallest first.
        """
        kept = [leaf]
        self.size += 1
        for _ in range((self.size & -self.size).bit_length() - 1):
            kept.append(node_hash(self._peaks.pop(), kept[-1]))
        self._peaks.append(kept[-1])
        return b"".join(kept)
