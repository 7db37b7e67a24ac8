"""The verifier of a single file: short, on its own, and as strict as ssh-keygen."""

import ast
import base64
import hashlib
import importlib
import pkgutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import domain
from domain.content import claims_of, statement
from domain.signoff import SignOffConfirmed, SignOffVoted
from ledger import signatures
from tests.broken.make import BASE, HERE
from tests.ledger.keys import blob, key_of, make_key, public
from tests.verifier.driving import SINGLE

for _module in pkgutil.iter_modules(domain.__path__, "domain."):
    importlib.import_module(_module.name)

SOURCE = SINGLE.read_text("utf-8")


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    """What the file defines, without running it."""
    found: dict[str, Any] = {}
    exec(compile(SOURCE.rsplit("\nmain()\n", 1)[0], str(SINGLE), "exec"), found)
    return found


def test_it_can_be_read_whole() -> None:
    """It has fewer than 300 lines."""
    assert len(SOURCE.splitlines()) < 300


def test_it_stands_alone() -> None:
    """It imports the standard library and `cryptography`, and nothing of ours."""
    names = set()
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}


def test_it_runs_elsewhere(tmp_path: Path) -> None:
    """From a folder of its own, without our packages on the path, it verifies the export."""
    program = tmp_path / "verify.py"
    program.write_text(SOURCE, "utf-8")
    words = [sys.executable, "-P", str(program), str(HERE / BASE)]
    ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("Verified: everything here is as it was recorded.\n")
    for given, code in (([], 2), (["--unknown"], 2), (["."], 1)):
        words = [sys.executable, str(program), *given]
        ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == code
    assert ran.stderr == "This cannot be read: there is no export in .\n"


def test_it_knows_every_type_of_entry(parts: dict[str, Any]) -> None:
    """Its list of types is that of the ledger."""
    kinds = domain.event.REGISTRY.values()
    known = {kind.tag for kind in kinds if kind.__module__.startswith("domain.")}
    assert parts["TYPES"] == known


def test_it_knows_every_text(parts: dict[str, Any]) -> None:
    """Its names of texts are those of the vault, and name nothing else but in one type."""
    known, plain = set(), set()
    for kind in domain.event.REGISTRY.values():
        if kind.__module__.startswith("domain."):
            for name, path in kind.vault.items():
                known.add(name)
                assert path == () or (name, path) == ("timescale", ("written",))
            both = parts["TEXTS"] & kind.model_fields.keys() - kind.vault.keys()
            plain |= {(name, kind.tag) for name in both}
    assert parts["TEXTS"] == known
    assert plain == {("name", "body.established/1")}


@pytest.mark.parametrize("said", ["approve", "decline", "confirm"])
@pytest.mark.parametrize("phase", [1, 2])
def test_it_knows_what_is_signed(parts: dict[str, Any], said: str, phase: int) -> None:
    """A statement is word for word the one that members are given to sign."""
    about: dict[str, Any] = {
        "phase": phase,
        "round": 3,
        "body": "iib",
        "meeting": "2025-10-09",
        "signed_at": "2025-10-09T19:25:00Z",
        "statement": "",
        "signature": "",
    }
    event: SignOffVoted | SignOffConfirmed
    if said == "confirm":
        about |= {"confirmation": 1, "confirmed_by": "chair", "shown": "What was shown."}
        event = SignOffConfirmed.model_validate(about)
    else:
        about |= {"vote": said, "person": "chair"}
        event = SignOffVoted.model_validate(about)
    due = statement(claims_of("id", "P", "C1", event, "What was shown."))
    digest = hashlib.sha256(b"What was shown.").hexdigest()
    assert parts["statement"]("id", "signoff/P/C1", "chair", about, digest) == due


def _agree(parts: dict[str, Any], text: str, signature: str, key: str) -> bool:
    """Whether the signature is good, on which ssh-keygen and the file must agree."""
    theirs = signatures.check(text, signature, "somebody", key) is None
    try:
        parts["check_ssh"](text.encode(), signature, key)
    except Exception:
        assert not theirs
        return False
    assert theirs
    return True


@pytest.mark.parametrize(
    ("kind", "bits"),
    [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048)],
)
def test_signatures_of_every_kind(
    parts: dict[str, Any], tmp_path: Path, kind: str, bits: int
) -> None:
    """It accepts what ssh-keygen signed with a key of any kind, and for no other text or key."""
    key = make_key(tmp_path / "key", kind, bits=bits)
    signature = signatures.sign("What was said.\n", public(key), key)
    assert _agree(parts, "What was said.\n", signature, public(key))
    assert not _agree(parts, "What was not.\n", signature, public(key))
    other = make_key(tmp_path / "other", kind, bits=bits)
    assert not _agree(parts, "What was said.\n", signature, public(other))
    lines = signature.split("\n")
    lines[-4] = lines[-4].swapcase()
    assert not _agree(parts, "What was said.\n", "\n".join(lines), public(key))


def _armoured(public_key: str, text: str, sign: Any, namespace: bytes = b"govledger") -> str:
    """A signature as a hardware key makes it, with `sign` in the key's place."""
    kind, written = public_key.split()
    digest = hashlib.sha512(text.encode()).digest()
    signed = b"SSHSIG" + blob(namespace, b"", b"sha512", digest)
    flags = struct.pack(">BI", 1, 7)
    raw = sign(hashlib.sha256(b"ssh:").digest() + flags + hashlib.sha256(signed).digest())
    key = base64.b64decode(written)
    whole = (
        b"SSHSIG"
        + struct.pack(">I", 1)
        + blob(key, namespace, b"", b"sha512", blob(kind.encode(), raw) + flags)
    )
    encoded = base64.b64encode(whole).decode()
    lines = [encoded[i : i + 70] for i in range(0, len(encoded), 70)]
    begin, end = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
    return "\n".join([begin, *lines, end, ""])


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def test_signatures_of_hardware_keys(parts: dict[str, Any]) -> None:
    """It accepts what keys in hardware sign, of both kinds, as far as ssh-keygen does."""
    one = ed25519.Ed25519PrivateKey.generate()
    raw = one.public_key().public_bytes_raw()
    keys: list[tuple[str, Any]] = [(key_of("sk-ssh-ed25519@openssh.com", raw, b"ssh:"), one.sign)]
    two = ec.generate_private_key(ec.SECP256R1())
    point = two.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(two.sign(data, ec.ECDSA(hashes.SHA256())))
        return blob(_mpint(r), _mpint(s))

    kind = "sk-ecdsa-sha2-nistp256@openssh.com"
    keys.append((key_of(kind, b"nistp256", point, b"ssh:"), sign))
    for key, by in keys:
        signature = _armoured(key, "What was said.\n", by)
        assert _agree(parts, "What was said.\n", signature, key)
        assert not _agree(parts, "What was not.\n", signature, key)
        other = _armoured(key, "What was said.\n", by, namespace=b"git")
        assert not _agree(parts, "What was said.\n", other, key)
