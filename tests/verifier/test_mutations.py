"""Any change of an export is found by both verifiers, and neither ever stops with an error."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.broken.make import BASE, HERE, Draft
from tests.verifier.driving import ours, single

FILES = sorted(p.relative_to(HERE / BASE) for p in (HERE / BASE).rglob("*") if p.is_file())
LINED = [path for path in FILES if path.suffix in (".jsonl", ".txt")]
Draw = Callable[[st.SearchStrategy[Any]], Any]


def _flip(data: bytes, draw: Draw) -> bytes:
    at: int = draw(st.integers(0, len(data) - 1))
    flipped = bytes([data[at] ^ draw(st.integers(1, 255))])
    return data[:at] + flipped + data[at + 1 :]


def _cut(data: bytes, draw: Draw) -> bytes:
    end: int = draw(st.integers(0, len(data) - 1))
    return data[:end]


def _append(data: bytes, draw: Draw) -> bytes:
    more: bytes = draw(st.binary(min_size=1, max_size=40))
    return data + more


def _lines(data: bytes, draw: Draw) -> bytes:
    lines = data.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["drop", "swap", "duplicate"])):
        case "drop":
            lines.pop(at)
        case "duplicate":
            lines.insert(at, lines[at])
        case _:
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
    return b"".join(lines)


@settings(max_examples=60)
@given(data=st.data())
def test_any_change_of_a_file_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A byte, a line or the end of any file, changed, dropped, swapped or doubled, is found."""
    change = data.draw(st.sampled_from([_flip, _cut, _append, _lines]))
    name = data.draw(st.sampled_from(LINED if change is _lines else FILES))
    folder = tmp_path_factory.getbasetemp() / "mutated"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / BASE, folder)
    before = (folder / name).read_bytes()
    after = change(before, data.draw)
    (folder / name).write_bytes(after)
    expected = 0 if after == before else 5
    assert single(folder)[0] == expected
    assert ours(folder)[0] == expected


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=60)
@given(data=st.data())
def test_no_value_stops_them(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any value in any place, with every digest and count put right: an answer, and no error."""
    draft = Draft.of(HERE / BASE)
    draft.keeps_report = True
    holder: Any = data.draw(st.sampled_from([*draft.entries, *draft.texts]))
    while True:
        key = data.draw(st.sampled_from(sorted(holder)))
        if not (isinstance(holder[key], dict) and holder[key] and data.draw(st.booleans())):
            break
        holder = holder[key]
    holder[key] = data.draw(odd)
    folder = tmp_path_factory.getbasetemp() / "odd"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        files = draft.files()
    except Exception:  # such a value has no canonical form, so nobody can put it right
        return
    for name, written in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written)
    for ask in (single, ours):
        assert ask(folder)[0] in (0, 5)


@pytest.mark.parametrize("name", ["manifest.json", "entries.jsonl", "texts.jsonl"])
def test_a_file_that_is_gone_is_found(tmp_path: Path, name: str) -> None:
    """Without one of its files an export is not whole."""
    folder = Path(shutil.copytree(HERE / BASE, tmp_path / "export"))
    (folder / name).unlink()
    for ask in (single, ours):
        code, found, _ = ask(folder)
        assert code == 5
        kind = "manifest-changed" if name == "manifest.json" else "file-changed"
        assert (kind, None) in found
