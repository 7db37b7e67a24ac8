"""Signed notes (C2SP signed-note), and cosignatures on them (C2SP tlog-cosignature).

A note is a text with one signature line or more under it. Two kinds of signature are known here,
both Ed25519 (RFC 8032): a plain one over the text, and a cosignature, which also says when it was
given. Signatures by keys that nobody asked about are kept, and never looked into.

Imports nothing but the standard library, `cryptography` and the errors, so that an outsider can
run it. Whatever bytes arrive, reading them ends in a value or in `BadInput`.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.errors import BadInput, IntegrityBroken, Refusal

ED25519 = 0x01
"""A plain signature over the note's text (C2SP signed-note, "Signature types")."""
COSIGNATURE = 0x04
"""A signature over the text and the time at which it was given (C2SP tlog-cosignature)."""
ALGORITHMS = {ED25519: "a signing key", COSIGNATURE: "a cosigner's key"}

KEY_BYTES = 32
SIGNATURE_BYTES = 64
TIME_BYTES = 8
LONGEST_NOTE = 1_000_000
"""Bytes of a note; what is longer is not read."""
MOST_SIGNATURES = 100
LONGEST_NAME = 255
DASH = "\N{EM DASH} "
PRIVATE = "PRIVATE+KEY+"


def to_base64(data: bytes) -> str:
    """Standard base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(written: str) -> bytes | None:
    """The bytes; None for anything that `to_base64` would not have written so."""
    try:
        data = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == written else None


def is_key_name(name: str) -> bool:
    """Whether it can name a key: some characters, no space of any kind, no plus, no control."""
    return 0 < len(name) <= LONGEST_NAME and not any(
        character.isspace() or character == "+" or character < " " or _is_lone(character)
        for character in name
    )


def _is_lone(character: str) -> bool:
    """Whether it is half of a character, which no UTF-8 can hold."""
    return "\ud800" <= character <= "\udfff"


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """Four bytes that tell keys of one name apart; they prove nothing.

    SHA-256(name || newline || algorithm || public key), cut to four bytes (C2SP signed-note).
    """
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


@dataclass(frozen=True)
class Signature:
    """A signature line of a note.

    Attributes:
        name: of the key that is said to have signed.
        key_id: four bytes that tell keys of that name apart.
        data: the signature, in the form of its algorithm.
    """

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """As it stands in the note, with its line feed."""
        return f"{DASH}{self.name} {to_base64(self.key_id + self.data)}\n"


@dataclass(frozen=True)
class Verifier:
    """A public key with the name it goes by: what others need to check a note.

    Attributes:
        name: of the key.
        algorithm: `ED25519` or `COSIGNATURE`.
        public: 32 bytes (RFC 8032).
    """

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """See `key_id`."""
        return key_id(self.name, self.algorithm, self.public)

    @property
    def text(self) -> str:
        """The verifier key as it is given out: `name+hash+base64(algorithm || public key)`."""
        key = to_base64(bytes([self.algorithm]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @property
    def is_cosigner(self) -> bool:
        """Whether its signatures are cosignatures."""
        return self.algorithm == COSIGNATURE

    def holds(self, text: str, data: bytes) -> bool:
        """Whether the signature is by this key, over that text."""
        message = text.encode()
        if self.is_cosigner:
            seconds = int.from_bytes(data[:TIME_BYTES], "big")
            if len(data) != TIME_BYTES + SIGNATURE_BYTES or seconds >= 2**63:
                return False
            message, data = _cosigned(seconds, text), data[TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(data, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Verified:
    """A signature of a note that was checked, and holds.

    Attributes:
        verifier: the key.
        seconds: when it was given, in seconds since 1970 (UTC), as the cosigner says; None for a
            plain signature, which says nothing about time.
    """

    verifier: Verifier
    seconds: int | None


@dataclass(frozen=True)
class Note:
    """A text and the signatures under it, checked or not.

    Attributes:
        text: with its last line feed.
        signatures: every line, in order.
    """

    text: str
    signatures: tuple[Signature, ...]

    @property
    def full(self) -> str:
        """The whole note, as it is kept and sent."""
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    def signed(self, signature: Signature) -> "Note":
        """The note with one more signature; one by the same key gives way to it."""
        same = (signature.name, signature.key_id)
        others = [one for one in self.signatures if (one.name, one.key_id) != same]
        return Note(self.text, (*others, signature))

    def check(self, verifiers: Iterable[Verifier]) -> tuple[Verified, ...]:
        """Check the signatures by these keys; those by other keys are passed over.

        Returns:
            The signatures that hold, in the order of the note; perhaps none.

        Raises:
            IntegrityBroken: bad-signature, where one by such a key does not hold.
            BadInput: ambiguous-key, for two different keys with the same name and identifier.
        """
        known: dict[tuple[str, bytes], Verifier] = {}
        for verifier in verifiers:
            if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
                raise BadInput(
                    "ambiguous-key",
                    f"Two different keys look alike: {verifier.name}+{verifier.key_id.hex()}.",
                    "Ask their holder which of the two is real.",
                )
        found = []
        for signature in self.signatures:
            by = known.get((signature.name, signature.key_id))
            if by is None:
                continue
            if not by.holds(self.text, signature.data):
                raise IntegrityBroken(
                    "bad-signature",
                    f"The signature of {by.name} does not fit the text: text or signature was "
                    "changed after it was signed.",
                    "Ask for the file again, from whoever holds the original.",
                )
            seconds = int.from_bytes(signature.data[:TIME_BYTES], "big")
            found.append(Verified(by, seconds if by.is_cosigner else None))
        return tuple(found)


def parse_note(data: bytes) -> Note:
    """Read a note; its signatures are not checked.

    Raises:
        BadInput: unreadable-note.
    """
    if len(data) > LONGEST_NOTE:
        raise _unreadable(f"it is longer than {LONGEST_NOTE:,} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8 text") from None
    if any(character < " " and character != "\n" for character in whole):
        raise _unreadable("it holds a character that cannot be printed, such as a tab")
    at = whole.rfind("\n\n")
    if at < 0:
        raise _unreadable("no empty line stands between a text and its signatures")
    text, below = whole[: at + 1], whole[at + 2 :]
    if not below.endswith("\n"):
        raise _unreadable("it does not end with a signature on a line of its own")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise _unreadable(f"it has more than {MOST_SIGNATURES} signatures")
    return Note(text, tuple(_signature(line) for line in lines))


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> tuple[Note, tuple[Verified, ...]]:
    """Read a note that has to be signed by one of these keys at least.

    Raises:
        BadInput: unreadable-note, ambiguous-key.
        IntegrityBroken: bad-signature.
        Refusal: not-signed, where none of the keys has signed it.
    """
    note, wanted = parse_note(data), list(verifiers)
    found = note.check(wanted)
    if not found:
        names = ", ".join(f"{one.name}+{one.key_id.hex()}" for one in wanted) or "no key at all"
        raise Refusal(
            "not-signed",
            f"It is not signed by the key that you hold ({names}).",
            "Check which key its publisher gave out, and that this is the right file.",
        )
    return note, found


def _signature(line: str) -> Signature:
    name, _, written = line.removeprefix(DASH).partition(" ")
    data = from_base64(written)
    if not line.startswith(DASH) or not is_key_name(name) or data is None or len(data) < 5:
        raise _unreadable("a line below the text is not a signature")
    return Signature(name, data[:4], data[4:])


def parse_verifier(written: str) -> Verifier:
    """Read a verifier key, `name+hash+key`, as `checkpoint key show` prints it.

    Raises:
        BadInput: unreadable-key.
    """
    name, algorithm, public, said = _parse_key(written, "a verifier key")
    found = Verifier(name, algorithm, public)
    if said != found.key_id:
        raise _not_a_key("a verifier key", "its parts do not fit together, so a slip has crept in")
    return found


@dataclass(frozen=True, repr=False)
class Signer:
    """A private key with the name it goes by.

    Attributes:
        name: of the key; for a ledger's own key the origin of its checkpoints.
        algorithm: `ED25519` or `COSIGNATURE`.
        seed: 32 secret bytes (RFC 8032).
    """

    name: str
    algorithm: int
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return Verifier(self.name, self.algorithm, public.public_bytes_raw())

    @property
    def text(self) -> str:
        """The key as its file holds it; whoever has it can sign.

        `PRIVATE+KEY+name+hash+base64(algorithm || seed)`, as Go's sumdb note writes it.
        """
        key = to_base64(bytes([self.algorithm]) + self.seed)
        return f"{PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{key}"

    def sign(self, text: str, seconds: int | None = None) -> Signature:
        """Sign the text of a note.

        Args:
            text: ends with a line feed.
            seconds: since 1970 (UTC), for a cosigner's key and for no other.

        Raises:
            ValueError: a time where there should be none, or none where there should be one.
        """
        if (seconds is None) == (self.algorithm == COSIGNATURE):
            raise ValueError("a cosignature says when it was given, and nothing else does")
        stamp = b"" if seconds is None else seconds.to_bytes(TIME_BYTES, "big")
        message = text.encode() if seconds is None else _cosigned(seconds, text)
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)
        return Signature(self.name, self.verifier.key_id, stamp + signature)


def new_signer(name: str, algorithm: int = ED25519) -> Signer:
    """A key that nobody else has.

    Raises:
        BadInput: bad-key-name.
    """
    if not is_key_name(name):
        raise BadInput(
            "bad-key-name",
            f"'{name}' cannot name a key.",
            "Use a name without spaces or plus signs, such as scrutiny.council.example/2025.",
        )
    return Signer(name, algorithm, Ed25519PrivateKey.generate().private_bytes_raw())


def parse_signer(written: str) -> Signer:
    """Read a private key, as `Signer.text` writes it. No message repeats any part of it.

    Raises:
        BadInput: unreadable-key.
    """
    if not written.startswith(PRIVATE):
        raise _not_a_key("a private key", f"it does not begin with {PRIVATE}")
    name, algorithm, seed, said = _parse_key(written.removeprefix(PRIVATE), "a private key")
    found = Signer(name, algorithm, seed)
    if said != found.verifier.key_id:
        raise _not_a_key("a private key", "its parts do not fit together")
    return found


def sign_note(text: str, signer: Signer) -> str:
    """A text with a plain signature under it, as a whole note.

    Raises:
        BadInput: unreadable-note, for a text that cannot stand in a note.
    """
    return parse_note(Note(text, (signer.sign(text),)).full.encode()).full


def _cosigned(seconds: int, text: str) -> bytes:
    """What a cosigner signs: two lines of its own, then the text (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _parse_key(written: str, what: str) -> tuple[str, int, bytes, bytes]:
    """(name, algorithm, key, identifier as written)."""
    name, _, rest = written.partition("+")
    said, _, key = rest.partition("+")
    data = from_base64(key)
    if not is_key_name(name) or data is None or len(data) != 1 + KEY_BYTES:
        raise _not_a_key(what, "it is not of the form name+hash+key")
    if len(said) != 8 or not set(said) <= set("0123456789abcdef"):
        raise _not_a_key(what, "its middle part is not eight hexadecimal digits")
    if data[0] not in ALGORITHMS:
        raise _not_a_key(what, f"it is of a kind ({data[0]}) that this version does not know")
    return name, data[0], data[1:], bytes.fromhex(said)


def _unreadable(why: str) -> BadInput:
    return BadInput(
        "unreadable-note",
        f"This is not a signed note: {why}.",
        "Give the file exactly as it was published; copying it out of a letter may change it.",
    )


def _not_a_key(what: str, why: str) -> BadInput:
    return BadInput(
        "unreadable-key",
        f"This is not {what}: {why}.",
        "Copy the whole line, as 'govledger checkpoint key show' printed it."
        if what == "a verifier key"
        else "Name the file that 'govledger checkpoint key new' made.",
    )
