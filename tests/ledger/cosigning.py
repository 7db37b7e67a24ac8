"""A cosigner in a process of its own: tries every checkpoint of a small ledger in some order.

Prints the size of each that it cosigned, in order.
"""

import random
import sys
from pathlib import Path

from domain.errors import GovledgerError
from ledger.checkpoint import Checkpoint, Held, read_checkpoint, sign_checkpoint
from ledger.cosigner import Memory, cosign
from ledger.keyfile import read_key
from ledger.note import ED25519, Signer
from ledger.proof import ConsistencyProof, consistency_path
from ledger.tree import Tree, root_at

ORIGIN = "govledger/abc"
SIZES = 40
LOG = Signer(ORIGIN, ED25519, bytes(range(32)))


def a_log(fork: str = "") -> dict[int, bytes]:
    """What is kept beside each leaf of a tree; a fork has other leaves from the eighth on."""
    tree = Tree()
    return {n: tree.append(b"%d%s" % (n, fork.encode() * (n > 7))) for n in range(1, SIZES + 1)}


def checkpoint(size: int, kept: dict[int, bytes]) -> Held:
    """The signed checkpoint at a size."""
    found = Checkpoint(ORIGIN, size, root_at(size, kept.__getitem__))
    return read_checkpoint(sign_checkpoint(found, LOG).encode())


def since(old: int, size: int, kept: dict[int, bytes]) -> ConsistencyProof:
    """The proof from one size to a later one."""
    path = tuple(consistency_path(old, size, kept.__getitem__))
    return ConsistencyProof(old, path, checkpoint(size, kept))


def main(key: Path, seed: int) -> None:
    """Try every size twice, in an order of one's own, each from what the memory then says."""
    memory, signer, kept = Memory(key), read_key(key), a_log()
    chance = random.Random(seed)
    order = sorted([*range(1, SIZES + 1)] * 2, key=lambda size: size // 6 + chance.random())
    for size in order:
        last = memory.read().get(ORIGIN)
        old = last.size if last else 0
        proof = since(old, size, kept) if 0 < old < size else None
        try:
            cosign(memory, signer, checkpoint(size, kept), 1, proof, LOG.verifier)
        except GovledgerError as error:
            if error.rule not in ("rolled-back", "stale-proof", "needs-proof"):
                raise
        else:
            print(size, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
