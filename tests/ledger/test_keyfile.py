"""The files of checkpoint keys."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput, Failed, Refusal
from ledger.keyfile import default_path, read_key, write_key
from ledger.note import new_signer

SIGNER = new_signer("govledger/abc")


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    """A key is read from its file as it was; only its owner can read that file."""
    path = tmp_path / "settings" / "govledger" / "abc.key"
    write_key(path, SIGNER)
    assert read_key(path) == SIGNER
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert os.listdir(path.parent) == ["abc.key"], "something was left beside it"


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Where a file is there already, whatever it holds, it stays."""
    path = tmp_path / "abc.key"
    path.write_text("mine")
    with pytest.raises(Failed) as refused:
        write_key(path, SIGNER)
    assert (refused.value.rule, path.read_text()) == ("already-there", "mine")
    assert os.listdir(tmp_path) == ["abc.key"]


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    """A key open to others is refused, with the command that closes it."""
    path = tmp_path / "abc.key"
    write_key(path, SIGNER)
    path.chmod(0o640)
    with pytest.raises(Refusal) as refused:
        read_key(path)
    assert refused.value.rule == "open-key"
    assert "chmod 600" in refused.value.hint


def test_where_the_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable wins, then the settings folder, then the home; never beside the ledger."""
    monkeypatch.setenv("GOVLEDGER_CHECKPOINT_KEY", "here.key")
    assert default_path("abc") == Path("here.key")
    monkeypatch.delenv("GOVLEDGER_CHECKPOINT_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path("abc") == tmp_path / "govledger" / "abc.key"
    monkeypatch.setenv("HOME", "/home/somebody")
    for none in ("", "not/absolute"):
        monkeypatch.setenv("XDG_CONFIG_HOME", none)
        assert default_path("abc") == Path("/home/somebody/.config/govledger/abc.key")


@given(st.binary(max_size=200))
def test_any_file_is_a_key_or_bad_input(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Whatever a key file holds is a key, or bad input."""
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(BadInput) as refused:
        read_key(path)
    assert refused.value.rule == "unreadable-key"
