"""Proofs (RFC 9162, sections 2.1.3 and 2.1.4): made from the store's hashes, checked from nothing.

An inclusion proof shows that an entry is in the tree of a checkpoint. A consistency proof shows
that a later checkpoint only added to an earlier one. Each is written as text with the checkpoint
in it: C2SP tlog-proof, and the body of C2SP tlog-witness's add-checkpoint.

Imports nothing but the standard library, `cryptography` (through `ledger.note`) and the errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.errors import BadInput
from ledger.checkpoint import Held, parse_size, read_checkpoint
from ledger.note import from_base64, to_base64
from ledger.tree import EMPTY_ROOT, HASH_BYTES, node_hash, peaks, root_of

SubtreesAt = Callable[[int], bytes]
"""Gives what the store keeps beside the leaf at a position: see `ledger.tree`."""

HEADING = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63
"""In one proof: enough for any tree of fewer than 2^63 leaves."""
LONGEST_PROOF = 20_000_000
"""Bytes of a file; what is longer is not read."""


# --- making -------------------------------------------------------------------------------


def _range_root(start: int, length: int, subtrees_at: SubtreesAt) -> bytes:
    """The root over `length` leaves after the first `start`, as the RFC splits a tree.

    The RFC's splits begin every range at a multiple of a power of two that is no smaller than
    the range, so each of its peaks is a subtree that the store keeps.
    """
    hashes = []
    for end, level in peaks(length):
        kept = subtrees_at(start + end)
        hashes.append(kept[level * HASH_BYTES : (level + 1) * HASH_BYTES])
    return root_of(hashes)


def _split(size: int) -> int:
    """The largest power of two below a size of 2 or more (RFC 9162, section 2.1.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, subtrees_at: SubtreesAt) -> list[bytes]:
    """The hashes that lead from a leaf to the root (RFC 9162, section 2.1.3.1).

    Args:
        index: of the leaf, counted from 0: position less one.
        size: of the tree.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path, start = [], 0
    while size > 1:
        split = _split(size)
        if index < split:
            path.append(_range_root(start + split, size - split, subtrees_at))
            size = split
        else:
            path.append(_range_root(start, split, subtrees_at))
            start, index, size = start + split, index - split, size - split
    return path[::-1]


def consistency_path(old: int, new: int, subtrees_at: SubtreesAt) -> list[bytes]:
    """The hashes that show a tree to continue an earlier one (RFC 9162, section 2.1.4.1).

    Empty where the earlier one is empty or of the same size.

    Raises:
        ValueError: the earlier tree is the larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not continue one of {old}")
    if old == 0:
        return []
    path, start, whole = [], 0, True
    while old != new:
        split = _split(new)
        if old <= split:
            path.append(_range_root(start + split, new - split, subtrees_at))
            new = split
        else:
            path.append(_range_root(start, split, subtrees_at))
            start, old, new, whole = start + split, old - split, new - split, False
    if not whole:
        path.append(_range_root(start, new, subtrees_at))
    return path[::-1]


# --- checking -----------------------------------------------------------------------------


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from that leaf to that root (RFC 9162, section 2.1.3.2).

    Args:
        leaf: its hash.
        index: counted from 0.
        size: of the tree whose root it is.
    """
    if not 0 <= index < size or not _are_hashes((leaf, root, *path)):
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the new tree continues the old (RFC 9162, section 2.1.4.2).

    Trees of the same size have the same root and need no path; so does one after the empty tree,
    which every tree continues.
    """
    if not 0 <= old <= new or not _are_hashes((old_root, new_root, *path)):
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _are_hashes(values: Sequence[bytes]) -> bool:
    return len(values) <= MOST_HASHES + 2 and all(len(value) == HASH_BYTES for value in values)


# --- as text ------------------------------------------------------------------------------


@dataclass(frozen=True)
class InclusionProof:
    """That an entry is in the tree of a checkpoint (C2SP tlog-proof).

    Attributes:
        index: of the entry, counted from 0.
        path: the hashes from its sibling up.
        held: the checkpoint.
        extra: what came with it; proves nothing by itself.
    """

    index: int
    path: tuple[bytes, ...]
    held: Held
    extra: bytes = b""

    @property
    def text(self) -> str:
        """As its file holds it."""
        extra = [f"extra {to_base64(self.extra)}"] if self.extra else []
        lines = [HEADING, *extra, f"index {self.index}", *map(to_base64, self.path), ""]
        return "\n".join(lines) + "\n" + self.held.note.full

    def shows(self, leaf: bytes) -> bool:
        """Whether it leads from the entry with that leaf hash to the checkpoint's root."""
        checkpoint = self.held.checkpoint
        return included(leaf, self.index, checkpoint.size, self.path, checkpoint.root)


@dataclass(frozen=True)
class ConsistencyProof:
    """That a checkpoint continues an earlier one (the body of C2SP tlog-witness add-checkpoint).

    Attributes:
        old: the size of the earlier one.
        path: the hashes between the two.
        held: the later checkpoint.
    """

    old: int
    path: tuple[bytes, ...]
    held: Held

    @property
    def text(self) -> str:
        """As its file holds it."""
        lines = [f"old {self.old}", *map(to_base64, self.path), ""]
        return "\n".join(lines) + "\n" + self.held.note.full

    def continues(self, old_root: bytes) -> bool:
        """Whether the checkpoint continues the tree of `old` leaves with that root."""
        checkpoint = self.held.checkpoint
        return consistent(self.old, checkpoint.size, old_root, checkpoint.root, self.path)


def parse_proof(data: bytes) -> InclusionProof | ConsistencyProof:
    """Read a proof of either form; nothing of it is checked yet.

    Raises:
        BadInput: unreadable-proof, unreadable-note, unreadable-checkpoint.
    """
    if len(data) > LONGEST_PROOF:
        raise _unreadable(f"it is longer than {LONGEST_PROOF:,} bytes")
    above, gap, below = data.partition(b"\n\n")
    try:
        lines = above.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _unreadable("the part above its checkpoint is not plain text") from None
    if not gap:
        raise _unreadable("no empty line stands before a checkpoint")
    if lines[0] == HEADING:
        return _inclusion(lines[1:], below)
    if lines[0].startswith("old "):
        old = parse_size(lines[0].removeprefix("old "))
        if old is None:
            raise _unreadable("the size after 'old' is not a number")
        return ConsistencyProof(old, _hashes(lines[1:]), read_checkpoint(below))
    raise _unreadable(f"it begins neither with '{HEADING}' nor with 'old'")


def _inclusion(lines: list[str], below: bytes) -> InclusionProof:
    extra: bytes | None = b""
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra ")) or None
    if extra is None:
        raise _unreadable("what stands after 'extra' is not base64")
    if not lines or not lines[0].startswith("index "):
        raise _unreadable("it does not say which entry it is about")
    index = parse_size(lines[0].removeprefix("index "))
    if index is None:
        raise _unreadable("what stands after 'index' is not a number")
    return InclusionProof(index, _hashes(lines[1:]), read_checkpoint(below), extra)


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > MOST_HASHES:
        raise _unreadable(f"it has more than {MOST_HASHES} hashes")
    found = [from_base64(line) for line in lines]
    for one in found:
        if one is None or len(one) != HASH_BYTES:
            raise _unreadable("one of its lines is not a hash")
    return tuple(one for one in found if one is not None)


def _unreadable(why: str) -> BadInput:
    return BadInput(
        "unreadable-proof",
        f"This is not a proof: {why}.",
        "A proof is what 'govledger prove entry' or 'govledger prove since' wrote.",
    )
