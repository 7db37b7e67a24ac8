"""The export that a first version made verifies in this one, and comes back to the same root."""

import hashlib
import json
from pathlib import Path

from domain.event import REGISTRY
from projections.restoring import check_restorable, restore
from projections.upkeep import open_ledger
from tests.golden import make
from tests.verifier.driving import ours, single

FOLDER = Path(make.__file__).parent / "export-1"
ROOT = "55e85e65e6234a0ccd677043201fcc66d50cee9e930e3e7ea36ed1a4e099485f"
MANIFEST = "ed4f4a3ae97812a197e081ab58b1797438f16905040ae19a8ad8669f50fa1314"
SIZE = 76


def test_its_bytes_are_untouched() -> None:
    """The manifest is the one that was written, and each file the one that it names."""
    data = (FOLDER / "manifest.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == MANIFEST
    listed = json.loads(data)["files"]
    there = {p.relative_to(FOLDER).as_posix(): p for p in FOLDER.rglob("*") if p.is_file()}
    assert there.keys() - {"manifest.json"} == listed.keys()
    for name, said in listed.items():
        assert hashlib.sha256(there[name].read_bytes()).hexdigest() == said["sha256"]


def test_it_holds_every_type_of_its_day() -> None:
    """Each of the 48 types that there were is in it, and this version knows them all."""
    lines = (FOLDER / "entries.jsonl").read_text("utf-8").splitlines()
    held = {json.loads(line)["type"] for line in lines}
    assert len(held) == 48
    assert held <= REGISTRY.keys()


def test_both_verifiers_pass_it() -> None:
    """So does the verifier that it carries."""
    code, found, answer = ours(FOLDER)
    assert (code, found, answer["root"], answer["position"]) == (0, set(), ROOT, SIZE)
    assert (answer["data"]["signatures_checked"], answer["data"]["withheld"]) == (2, 1)
    for program in (None, FOLDER / "verify.py"):
        code, found, said = single(FOLDER, program=program) if program else single(FOLDER)
        assert (code, found) == (0, set())
        assert f"Root {ROOT} over {SIZE} entries\n" in said


def test_it_is_restored_to_its_root(tmp_path: Path) -> None:
    """The ledger that is made of it has its root, and verifies."""
    path = str(tmp_path / "restored.sqlite")
    found = check_restorable(FOLDER)
    assert (found.size, found.root) == (SIZE, ROOT)
    restore(FOLDER, path)
    with open_ledger(path) as ledger:
        assert ledger.moment().root == ROOT
    assert ours(None, before=("--ledger", path))[:2] == (0, set())
