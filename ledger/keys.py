"""OpenSSH keys: a public key read strictly from its file, its fingerprint, and a new pair.

Imports nothing but the standard library and the errors.
"""

import base64
import hashlib
import re
import subprocess
from pathlib import Path

from domain.errors import BadInput

_RSA, _RSA_BITS = "ssh-rsa", range(2048, 16384 + 1)
_ED25519 = ("ssh-ed25519", "sk-ssh-ed25519@openssh.com")
_CURVES = {
    "ecdsa-sha2-nistp256": (b"nistp256", 65),
    "ecdsa-sha2-nistp384": (b"nistp384", 97),
    "ecdsa-sha2-nistp521": (b"nistp521", 133),
    "sk-ecdsa-sha2-nistp256@openssh.com": (b"nistp256", 65),
}
_LIKE_A_KIND = re.compile(r"(sk-)?(ssh|ecdsa|rsa|webauthn)-[a-z0-9.@-]{1,80}")
_PRIVATE = re.compile(r"BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File")
_ARMOR = re.compile(
    "-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]{1,50000})\n-----END SSH SIGNATURE-----\n?"
)
_GIVE_PUB = "Give the file that ends in .pub, for example ~/.ssh/id_ed25519.pub."
_MAKE_ONE = "Make one that is: ssh-keygen -t ed25519"


def read_public_key(written: str) -> str:
    """The key in the text of a public key file, as `type base64`, without its comment.

    Raises:
        BadInput: bad-key, unsupported-key.
    """
    if _PRIVATE.search(written):
        hint = f"Never give out your private key. {_GIVE_PUB}"
        raise BadInput("bad-key", "This is a private key, not a public one.", hint)
    lines = [line.strip() for line in written.removeprefix("\ufeff").split("\n")]
    keys = [line.split() for line in lines if line and not line.startswith("#")]
    if len(keys) != 1:
        what = "no key"
        if keys:
            several = all(_LIKE_A_KIND.fullmatch(words[0]) for words in keys)
            what = "several keys; give one" if several else "several lines; a public key is one"
        raise BadInput("bad-key", f"This text holds {what}.", _GIVE_PUB)
    kind, encoded = (*keys[0], "")[:2]
    if not _LIKE_A_KIND.fullmatch(kind):
        raise BadInput("bad-key", "This is no OpenSSH public key: it begins otherwise.", _GIVE_PUB)
    if kind not in (*_ED25519, *_CURVES, _RSA):
        raise BadInput("unsupported-key", f"A key of type {kind} is not accepted.", _MAKE_ONE)
    try:
        inner, *fields = _fields(_decoded(encoded))
        if inner != kind.encode():
            raise ValueError("the type within it is another")
        _check_fields(kind, fields)
    except ValueError as error:
        raise BadInput("bad-key", f"This {kind} key is damaged: {error}.", _GIVE_PUB) from None
    return f"{kind} {encoded}"


def fingerprint(key: str) -> str:
    """The fingerprint of a public key, `SHA256:...`, as `ssh-keygen -l` prints it.

    Raises:
        BadInput: bad-key, unsupported-key.
    """
    return _fingerprint(_decoded(read_public_key(key).split()[1]))


def make_key(path: Path) -> None:
    """Make a new pair without a passphrase, for examples: the private key, and `.pub` beside it."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(words, check=True)


# --- keys, field by field ---------------------------------------------------------------


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def signer_of(signature: str) -> str:
    """The fingerprint of the key that a signature names; or ValueError."""
    armour = _ARMOR.fullmatch(signature)
    if armour is None:
        raise ValueError("it is not as ssh-keygen writes one")
    blob = _decoded(armour[1].replace("\n", ""))
    if not blob.startswith(b"SSHSIG"):
        raise ValueError("it is none of SSH")
    return _fingerprint(_fields(blob[10:])[0])


def _decoded(encoded: str) -> bytes:
    """What the base64 stands for; ValueError unless this is the one way to write it."""
    blob = base64.b64decode(encoded.encode("ascii", "replace"), validate=True)
    if base64.b64encode(blob).decode() != encoded:
        raise ValueError("its base64 is not as usual")
    return blob


def _fields(blob: bytes) -> list[bytes]:
    """The strings that a blob consists of, each after its length (RFC 4251); or ValueError."""
    fields: list[bytes] = []
    at = 0
    while at < len(blob) or not fields:
        start = at + 4
        at = start + int.from_bytes(blob[at:start], "big")
        if at > len(blob):
            raise ValueError("it breaks off")
        fields.append(blob[start:at])
    return fields


def _check_fields(kind: str, fields: list[bytes]) -> None:
    """Hold the fields after the type to what such a key consists of; or ValueError."""
    if kind.startswith("sk-") and fields:
        fields = fields[:-1]  # the application that the hardware key was made for
    if kind in _ED25519 and [len(field) for field in fields] == [32]:
        return
    if kind in _CURVES and len(fields) == 2:
        curve, length = _CURVES[kind]
        if fields[0] == curve and len(fields[1]) == length and fields[1][0] == 4:
            return
    if kind == _RSA and len(fields) == 2:
        exponent, modulus = numbers = [int.from_bytes(field, "big") for field in fields]
        plain = [number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers]
        if fields == plain and exponent >= 3 and exponent % 2 and modulus % 2:
            if modulus.bit_length() in _RSA_BITS:
                return
            bits = f"An RSA key of {modulus.bit_length():,} bits is not accepted"
            raise BadInput("unsupported-key", f"{bits}; it needs 2,048 to 16,384.", _MAKE_ONE)
    raise ValueError("it does not hold what such a key holds")
