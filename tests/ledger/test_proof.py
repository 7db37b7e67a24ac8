"""Proofs: the published ones, every small tree, and everything that is no proof."""

import json
from base64 import b64decode
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from ledger.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from ledger.note import ED25519, Verifier, new_signer
from ledger.proof import (
    MOST_HASHES,
    ConsistencyProof,
    InclusionProof,
    consistency_path,
    consistent,
    included,
    inclusion_path,
    parse_proof,
)
from ledger.tree import EMPTY_ROOT, Tree, leaf_hash
from tests.ledger.naive import naive_root
from tests.ledger.test_note import KNOWN

PUBLISHED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors" / "merkle.json").read_text("utf-8")
)
SIZES = 65
LEAVES = [b"leaf %d" % number for number in range(SIZES)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
ROOTS = [naive_root(LEAVES[:size]) for size in range(SIZES + 1)]
TREE = Tree()
KEPT = {position: TREE.append(leaf) for position, leaf in enumerate(LEAVES, start=1)}
OTHER = leaf_hash(b"other")


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 9162, section 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*naive_path(index, left), naive_root(right)]
    return [*naive_path(index - split, right), naive_root(left)]


def naive_proof(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 9162, section 2.1.4.1, word for word."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = leaves[:split], leaves[split:]
    if old <= split:
        return [*naive_proof(old, left, whole), naive_root(right)]
    return [*naive_proof(old - split, right, False), naive_root(left)]


def decoded(case: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [b64decode(one) for one in value or ()]
        if name == "proof"
        else b64decode(value)
        if name.startswith(("root", "leafHash"))
        else value
        for name, value in case.items()
    }


@pytest.mark.parametrize("case", PUBLISHED["inclusion"], ids=lambda case: case["desc"])
def test_published_inclusion_proofs(case: dict[str, Any]) -> None:
    """What transparency-dev/merkle publishes as good or broken inclusion proofs is so."""
    c = decoded(case)
    found = included(c["leafHash"], c["leafIdx"], c["treeSize"], c["proof"], c["root"])
    assert found is not c["wantErr"]


@pytest.mark.parametrize("case", PUBLISHED["consistency"], ids=lambda case: case["desc"])
def test_published_consistency_proofs(case: dict[str, Any]) -> None:
    """What transparency-dev/merkle publishes as good or broken consistency proofs is so."""
    c = decoded(case)
    found = consistent(c["size1"], c["size2"], c["root1"], c["root2"], c["proof"])
    assert found is not c["wantErr"]


def test_the_example_of_the_rfc() -> None:
    """The proofs that RFC 9162 (section 2.1.5) gives for its tree of seven leaves."""
    a, b, c, d, e, f, j = HASHES[:7]
    g, h, i = (naive_root(LEAVES[n : n + 2]) for n in (0, 2, 4))
    k, m = naive_root(LEAVES[:4]), naive_root(LEAVES[4:7])
    path = {n: inclusion_path(n, 7, KEPT.__getitem__) for n in (0, 3, 4, 6)}
    assert path == {0: [b, h, m], 3: [c, g, m], 4: [f, j, k], 6: [i, k]}
    proofs = {n: consistency_path(n, 7, KEPT.__getitem__) for n in (3, 4, 6)}
    assert proofs == {3: [c, d, g, m], 4: [m], 6: [i, j, k]}
    assert a != e


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_every_leaf_of_every_small_tree(size: int) -> None:
    """For each leaf of each tree up to 65 leaves the proof is the RFC's, and it holds."""
    for index in range(size):
        path = inclusion_path(index, size, KEPT.__getitem__)
        assert path == naive_path(index, LEAVES[:size])
        assert included(HASHES[index], index, size, path, ROOTS[size])


@pytest.mark.parametrize("new", range(SIZES + 1))
def test_every_pair_of_small_trees(new: int) -> None:
    """For each pair of trees up to 65 leaves the proof is the RFC's, and it holds."""
    for old in range(new + 1):
        path = consistency_path(old, new, KEPT.__getitem__)
        if old:
            assert path == naive_proof(old, LEAVES[:new])
        assert consistent(old, new, ROOTS[old], ROOTS[new], path)


def broken(path: list[bytes]) -> Iterator[list[bytes]]:
    """Paths that are not this one: bits turned, hashes dropped, added, doubled and swapped."""
    for at in range(len(path)):
        for bit in (0, 4, 131, 255):
            turned = bytearray(path[at])
            turned[bit // 8] ^= 1 << bit % 8
            yield [*path[:at], bytes(turned), *path[at + 1 :]]
        yield [*path[:at], *path[at + 1 :]]
        yield [*path[:at], path[at], *path[at:]]
        yield [*path[:at], path[at][:31], *path[at + 1 :]]
    for at in range(len(path) + 1):
        yield [*path[:at], OTHER, *path[at:]]
    for at, (one, two) in enumerate(pairwise(path)):
        if one != two:
            yield [*path[:at], two, one, *path[at + 2 :]]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 13, 21, 32, 33])
def test_no_mutation_of_an_inclusion_proof_holds(size: int) -> None:
    """An inclusion proof with any part changed proves nothing."""
    for index in range(size):
        path = inclusion_path(index, size, KEPT.__getitem__)
        root, leaf = ROOTS[size], HASHES[index]
        for bad in broken(path):
            assert not included(leaf, index, size, bad, root)
        for other in {index - 1, index + 1, index ^ 2, -1, size} - {index}:
            assert not included(leaf, other, size, path, root)
        assert not included(OTHER, index, size, path, root)
        assert not included(leaf, index, size, path, OTHER)
        assert not included(leaf, index, size, [*path, root], root)
        assert not included(leaf, index, size, path, ROOTS[size - 1])
        # The size itself is bound by its root, and where the path changes with it by the path.
        for wrong in (0, size * 2, 2**63):
            assert not included(leaf, index, wrong, path, root) or wrong == size


@pytest.mark.parametrize("new", [1, 2, 3, 5, 7, 8, 13, 21, 32, 33])
def test_no_mutation_of_a_consistency_proof_holds(new: int) -> None:
    """A consistency proof with any part changed proves nothing."""
    for old in range(1, new):
        path = consistency_path(old, new, KEPT.__getitem__)
        before, after = ROOTS[old], ROOTS[new]
        for bad in broken(path):
            assert not consistent(old, new, before, after, bad)
        for pair in ((after, before), (OTHER, after), (before, OTHER), (after, after)):
            assert not consistent(old, new, *pair, path)
        for bad in ([], [before, *path], [after, *path], [*path, before], [*path, after]):
            assert not consistent(old, new, before, after, bad)
        for wrong in {old - 1, old + 1} - {0}:
            assert not consistent(wrong, new, before, after, path)
        assert not consistent(new, old, after, before, path)
    assert not consistent(new, new, ROOTS[new], OTHER, [])
    assert not consistent(new, new, ROOTS[new], ROOTS[new], [OTHER])
    assert not consistent(0, new, OTHER, ROOTS[new], [])
    assert not consistent(0, new, EMPTY_ROOT, ROOTS[new], [OTHER])


def test_proofs_that_cannot_be_made() -> None:
    """There is no proof of a leaf that is not there, or that a tree continues a larger one."""
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="leaf"):
            inclusion_path(index, size, KEPT.__getitem__)
    with pytest.raises(ValueError, match="continue"):
        consistency_path(4, 3, KEPT.__getitem__)


SIGNER = new_signer("govledger/abc")


def note_at(size: int) -> str:
    return sign_checkpoint(Checkpoint("govledger/abc", size, ROOTS[size]), SIGNER)


def an_inclusion(index: int = 4, size: int = 7, extra: bytes = b"") -> InclusionProof:
    path = tuple(inclusion_path(index, size, KEPT.__getitem__))
    return InclusionProof(index, path, read_checkpoint(note_at(size).encode()), extra)


def a_consistency(old: int = 3, new: int = 7) -> ConsistencyProof:
    path = tuple(consistency_path(old, new, KEPT.__getitem__))
    return ConsistencyProof(old, path, read_checkpoint(note_at(new).encode()))


@pytest.mark.parametrize("extra", [b"", b"\x00\xff", b"x" * 200_000])
def test_an_inclusion_proof_as_text(extra: bytes) -> None:
    """A proof comes back from its text as it was, and still shows its entry and no other."""
    for index, size in ((0, 1), (4, 7), (6, 7)):
        proof = an_inclusion(index, size, extra)
        read = parse_proof(proof.text.encode())
        assert read == proof
        assert isinstance(read, InclusionProof)
        assert read.shows(HASHES[index])
        assert not read.shows(OTHER)


def test_a_consistency_proof_as_text() -> None:
    """A proof comes back from its text as it was, and still shows what it showed."""
    for old, new in ((0, 7), (3, 7), (7, 7), (4, 8)):
        read = parse_proof(a_consistency(old, new).text.encode())
        assert isinstance(read, ConsistencyProof)
        assert read == a_consistency(old, new)
        assert read.continues(ROOTS[old])
        assert not read.continues(OTHER)


def test_published_requests_to_a_witness() -> None:
    """Requests to witnesses of others are read, and come back byte for byte."""
    for whole in [*KNOWN["add_checkpoint"].values(), KNOWN["litewitness"]["request"]]:
        found = parse_proof(whole.encode())
        assert isinstance(found, ConsistencyProof)
        assert found.text == whole


def test_a_published_checkpoint_is_signed_by_its_published_key() -> None:
    """The checkpoint in a witness's test data holds by the log's key given there."""
    found = parse_proof(KNOWN["litewitness"]["request"].encode())
    key = bytes.fromhex(KNOWN["litewitness"]["log_public_key"])
    verifier = Verifier(found.held.checkpoint.origin, ED25519, key)
    assert found.held.opened_with(verifier)[0].verifier == verifier


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 4", "index 04"),
        ("index 4", "index -4"),
        ("index 4", "index +4"),
        ("index 4", "index 4 "),
        ("index 4", "index \uff14"),
        ("index 4", f"index {2**63}"),
        ("index 4", "extra \nindex 4"),
        ("index 4", "extra !!!!\nindex 4"),
        ("index 4", "index 4\n" + "AAAA"),
        ("index 4", "index 4\n" + "\n".join(["A" * 43 + "="] * (MOST_HASHES + 1))),
        ("index 4\n", ""),
    ],
)
def test_texts_that_are_no_proof(old: str, new: str) -> None:
    """What departs from the form is bad input, with a way on."""
    whole = an_inclusion().text
    assert old in whole
    with pytest.raises(BadInput) as refused:
        parse_proof(whole.replace(old, new, 1).encode())
    assert refused.value.hint


def bent(whole: bytes) -> st.SearchStrategy[bytes]:
    """The text with something put in or taken out."""
    return st.tuples(st.integers(0, len(whole)), st.integers(0, 60), st.binary(max_size=12)).map(
        lambda cut: whole[: cut[0]] + cut[2] + whole[cut[0] + cut[1] :]
    )


@given(
    st.one_of(
        st.binary(max_size=300),
        bent(an_inclusion(extra=b"seen").text.encode()),
        bent(a_consistency().text.encode()),
    )
)
def test_any_bytes_are_a_proof_or_bad_input(data: bytes) -> None:
    """Whatever arrives is read as a proof that comes back byte for byte, or is bad input."""
    try:
        proof = parse_proof(data)
    except BadInput:
        return
    assert proof.text.encode() == data
