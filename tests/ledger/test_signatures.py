"""Signatures: what ssh-keygen signs with the right key is good, and nothing else is."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.errors import BadInput, Failed, GovledgerError, Refusal
from ledger import signatures
from ledger.keys import fingerprint, read_public_key
from ledger.signatures import allowed_signer, check, sign, verify_command
from tests.ledger.keys import (
    Terminal,
    agent,
    fields_of,
    key_of,
    make_key,
    public,
    script,
    sign_without_terminal,
)

STATEMENT = "govledger sign-off\nperson: chair-iib\naction: P7\nroot: 2f9d…\n"
ED25519 = "ssh-ed25519"
SK_ED25519 = "sk-ssh-ed25519@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
KINDS = {
    "ed25519": ("ed25519", 0),
    "ecdsa 256": ("ecdsa", 256),
    "ecdsa 384": ("ecdsa", 384),
    "ecdsa 521": ("ecdsa", 521),
    "rsa": ("rsa", 2048),
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No agent, no window that asks, no other ssh-keygen: whatever the developer has."""
    for name in (
        *("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"),
        "GOVLEDGER_SSH_KEYGEN",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A pair of each kind that needs no hardware."""
    folder = tmp_path_factory.mktemp("keys")
    return {
        name: make_key(folder / name.replace(" ", ""), kind, bits=bits)
        for name, (kind, bits) in KINDS.items()
    }


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key under the passphrase `open sesame`."""
    return make_key(tmp_path_factory.mktemp("locked") / "key", passphrase="open sesame")


@pytest.fixture(scope="module")
def good(keys: dict[str, Path]) -> str:
    """The signature of STATEMENT with the ed25519 key."""
    return _keygen_sign(keys["ed25519"], STATEMENT)


def _keygen_sign(key_file: Path, statement: str, namespace: str = "govledger") -> str:
    """A signature as anybody makes one, without our module."""
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key_file)]
    ran = subprocess.run(words, input=statement.encode(), capture_output=True, check=True)
    return ran.stdout.decode()


# --- public keys ------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_public_key_is_read_without_its_comment(keys: dict[str, Path], name: str) -> None:
    """The key is the first two words of the .pub file, and reading it again changes nothing."""
    written = Path(f"{keys[name]}.pub").read_text()
    assert "A. Name" in written
    key = read_public_key(written)
    assert key == " ".join(written.split()[:2])
    assert read_public_key(key) == key
    around = f"\ufeff# my key\r\n\r\n  {written.strip()}\r\n\n# its end"
    assert read_public_key(around) == key


@pytest.mark.parametrize("name", KINDS)
def test_fingerprints_are_those_of_ssh_keygen(keys: dict[str, Path], name: str) -> None:
    """Of each kind of key the fingerprint is the one that `ssh-keygen -lf` prints."""
    printed = subprocess.check_output(["ssh-keygen", "-lf", f"{keys[name]}.pub"], text=True)
    assert fingerprint(public(keys[name])) == printed.split()[1]


def test_keys_in_hardware_are_read(keys: dict[str, Path], tmp_path: Path) -> None:
    """Both kinds of hardware key are read, with the fingerprint that ssh-keygen prints."""
    for kind, like in ((SK_ED25519, "ed25519"), (SK_ECDSA, "ecdsa 256")):
        key = key_of(kind, *fields_of(public(keys[like])), b"ssh:")
        assert read_public_key(f"{key} A. Name") == key
        (tmp_path / "sk.pub").write_text(f"{key}\n")
        printed = subprocess.check_output(["ssh-keygen", "-lf", tmp_path / "sk.pub"], text=True)
        assert fingerprint(key) == printed.split()[1]


def test_a_private_key_is_refused_and_not_repeated(keys: dict[str, Path], locked: Path) -> None:
    """A private key of any form is refused with a warning, and none of it is in the message."""
    old = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"
    putty = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nMIIEow\n"
    both = Path(f"{keys['rsa']}.pub").read_text() + keys["rsa"].read_text()
    for written in (keys["ed25519"].read_text(), locked.read_text(), old, putty, both):
        with pytest.raises(BadInput) as refused:
            read_public_key(written)
        assert refused.value.rule == "bad-key"
        assert refused.value.message == "This is a private key, not a public one."
        assert "Never give out your private key" in refused.value.hint
        assert ".pub" in refused.value.hint


POINT = b"\x04" + bytes(64)
ODD = (1 << 2047 | 1).to_bytes(257, "big")
BAD = {
    "nothing": ("", "no key"),
    "only comments": ("# a\n\n  # b\n", "no key"),
    "a sentence": ("this is no key", "begins otherwise"),
    "PEM": ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", "several lines"),
    "several": (f"{key_of(ED25519, bytes(32))}\n{key_of(ED25519, bytes(32))}", "several keys"),
    "wrapped": (f"{key_of(ED25519, bytes(32))[:40]}\nAAAA", "several lines"),
    "with options": (f"restrict {key_of(ED25519, bytes(32))}", "begins otherwise"),
    "type alone": ("ssh-ed25519", "damaged: it breaks off"),
    "no base64": ("ssh-ed25519 A. Name", "damaged"),
    "not ASCII": ("ssh-ed25519 ÄÖÜ\ud800=", "damaged"),
    "padding left out": (key_of(SK_ED25519, bytes(32), b"").rstrip("="), "damaged"),
    "spare bits": (key_of(ED25519, bytes(31)).replace("A=", "B="), "base64 is not as usual"),
    "another type within": (key_of(ED25519, bytes(32)).replace("ssh-ed25519 ", "ssh-rsa "), "type"),
    "cut": (key_of(ED25519, bytes(32))[:-4], "breaks off"),
    "short": (key_of(ED25519, bytes(31)), "does not hold"),
    "long": (key_of(ED25519, bytes(33)), "does not hold"),
    "more behind": (key_of(ED25519, bytes(32), b""), "does not hold"),
    "nothing within": (key_of(ED25519), "does not hold"),
    "sk without application": (key_of(SK_ED25519, bytes(32)), "does not hold"),
    "sk with nothing": (key_of(SK_ECDSA), "does not hold"),
    "another curve": (key_of("ecdsa-sha2-nistp256", b"nistp384", POINT), "does not hold"),
    "compressed": (key_of("ecdsa-sha2-nistp256", b"nistp256", b"\x02" + POINT[1:]), "not hold"),
    "half a point": (key_of("ecdsa-sha2-nistp384", b"nistp384", POINT), "does not hold"),
    "rsa, exponent 1": (key_of("ssh-rsa", b"\x01", ODD), "does not hold"),
    "rsa, even exponent": (key_of("ssh-rsa", b"\x04", ODD), "does not hold"),
    "rsa, even modulus": (key_of("ssh-rsa", b"\x03", ODD[:-1] + b"\x00"), "does not hold"),
    "rsa, negative": (key_of("ssh-rsa", b"\x03", ODD[1:]), "does not hold"),
    "rsa, leading zero": (key_of("ssh-rsa", b"\x00\x03", ODD), "does not hold"),
    "rsa, empty": (key_of("ssh-rsa", b"", b""), "does not hold"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_key_is_refused(what: str) -> None:
    """A text that is not one whole public key is refused as such, with a way on."""
    written, because = BAD[what]
    with pytest.raises(BadInput) as refused:
        read_public_key(written)
    assert refused.value.rule == "bad-key"
    assert because in refused.value.message
    assert ".pub" in refused.value.hint
    assert "A. Name" not in refused.value.message


def test_weak_and_foreign_keys_are_refused(keys: dict[str, Path], tmp_path: Path) -> None:
    """DSA, certificates, unknown types and RSA keys that are too short are refused by name."""
    ca, short = make_key(tmp_path / "ca"), make_key(tmp_path / "short", "rsa", bits=1024)
    subprocess.run(
        ["ssh-keygen", "-q", "-s", ca, "-I", "id", "-n", "me", f"{keys['ed25519']}.pub"], check=True
    )
    certificate = Path(f"{keys['ed25519']}-cert.pub")
    huge = (1 << 16384 | 1).to_bytes(2049, "big")
    for written, said in (
        (certificate.read_text(), "ssh-ed25519-cert-v01@openssh.com"),
        (key_of("ssh-dss", b"p", b"q", b"g", b"y"), "ssh-dss"),
        (key_of("ssh-ed448", bytes(57)), "ssh-ed448"),
        (public(short), "RSA key of 1,024 bits"),
        (key_of("ssh-rsa", b"\x03", (1 << 2046 | 1).to_bytes(256, "big")), "RSA key of 2,047 bits"),
        (key_of("ssh-rsa", b"\x03", huge), "RSA key of 16,385 bits"),
    ):
        with pytest.raises(BadInput) as refused:
            read_public_key(written)
        assert refused.value.rule == "unsupported-key"
        assert said in refused.value.message
        assert "ssh-keygen -t ed25519" in refused.value.hint
    certificate.unlink()
    assert read_public_key(key_of("ssh-rsa", b"\x03", ODD))


kinds = st.sampled_from(
    [ED25519, SK_ED25519, SK_ECDSA, "ecdsa-sha2-nistp256", "ssh-rsa", "ssh-dss"]
)
like_keys = st.builds(
    lambda kind, fields: key_of(kind, *fields),
    kinds,
    st.lists(st.binary(max_size=40) | st.sampled_from([b"nistp256", POINT, ODD]), max_size=4),
)
mutated = st.builds(
    lambda key, at, other: key[: at % len(key)] + other + key[at % len(key) + 1 :],
    like_keys,
    st.integers(0, 10_000),
    st.text(max_size=2),
)


@given(st.text() | st.text(st.characters()) | like_keys | mutated)
@example("ssh-rsa " + "A" * 100_000)
@example("\ud800")
@example("ssh-ed25519\x00 AAAA")
def test_anything_at_all_is_read_or_refused(written: str) -> None:
    """Whatever is given, the answer is a key of two words or BadInput; fingerprints likewise."""
    try:
        key = read_public_key(written)
    except BadInput:
        with pytest.raises(BadInput) as refused:
            fingerprint(written)
        assert refused.value.rule in ("bad-key", "unsupported-key")
        return
    assert key.isascii()
    assert len(key.split(" ")) == 2
    assert read_public_key(key) == key
    assert fingerprint(written).startswith("SHA256:")


# --- signing and checking ---------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_what_is_signed_is_good(keys: dict[str, Path], name: str) -> None:
    """A signature by each kind of key is in ssh-keygen's armour, and is good."""
    key = public(keys[name])
    signature = sign(STATEMENT, key, keys[name])
    assert signature.startswith("-----BEGIN SSH SIGNATURE-----\n")
    assert signature.endswith("\n-----END SSH SIGNATURE-----\n")
    assert check(STATEMENT, signature, "chair-iib", key) is None


@pytest.mark.parametrize("statement", ["", "\n", "\r\n", "a\x00b", "Zoë 😀", "x" * 3_000_000])
def test_any_text_can_be_signed(keys: dict[str, Path], statement: str) -> None:
    """The bytes that are signed are the text in UTF-8, whatever its line ends and its length."""
    key_file = keys["ed25519"]
    signature = sign(statement, public(key_file), key_file)
    assert check(statement, signature, "chair-iib", public(key_file)) is None
    assert check(statement + "\n", signature, "chair-iib", public(key_file))
    assert signature == _keygen_sign(key_file, statement)


def test_a_changed_statement_is_told(keys: dict[str, Path], good: str) -> None:
    """A flipped bit at any of the places tried, an added or a lost character: another text."""
    plain = STATEMENT.replace("…", "")
    signature = _keygen_sign(keys["ed25519"], plain)
    flipped = [
        plain[:at] + chr(ord(plain[at]) ^ 1 << at % 7) + plain[at + 1 :]
        for at in range(0, len(plain), 3)
    ]
    for statement in (*flipped, plain + " ", plain[:-1], plain.replace("\n", "\r\n"), ""):
        wrong = check(statement, signature, "chair-iib", public(keys["ed25519"]))
        assert wrong == "The signature was made over another text, or it has been changed."


@pytest.mark.parametrize("name", ["ed25519", "ecdsa 256", "rsa"])
def test_a_changed_signature_is_told(keys: dict[str, Path], name: str) -> None:
    """Another character at any of the places tried makes the signature bad, with a sentence."""
    signature, key = _keygen_sign(keys[name], STATEMENT), public(keys[name])
    step = len(signature) // 60
    for at in range(0, len(signature), step):
        other = "B" if signature[at] == "A" else "A"
        wrong = check(STATEMENT, signature[:at] + other + signature[at + 1 :], "chair-iib", key)
        assert wrong
        assert wrong.endswith(".")


def test_a_signature_with_another_key_is_told(keys: dict[str, Path]) -> None:
    """Signed with another key of any kind: both fingerprints are named."""
    key = public(keys["ed25519"])
    for name in ("ecdsa 256", "rsa"):
        wrong = check(STATEMENT, _keygen_sign(keys[name], STATEMENT), "chair-iib", key)
        other = fingerprint(public(keys[name]))
        expected = f"The signature was made with another key, {other}, not with {fingerprint(key)}."
        assert wrong == expected


def test_a_signature_for_another_purpose_is_told(keys: dict[str, Path]) -> None:
    """A signature in another namespace, such as that of Git, is good for nothing here."""
    for namespace in ("git", "file", "govledger2", "Govledger"):
        signature = _keygen_sign(keys["ed25519"], STATEMENT, namespace)
        wrong = check(STATEMENT, signature, "chair-iib", public(keys["ed25519"]))
        assert wrong is not None
        assert "another purpose" in wrong


def test_what_is_no_signature_is_told(keys: dict[str, Path], good: str) -> None:
    """Text that is not one whole signature, and nothing around it, cannot be read."""
    body = good.splitlines()[1:-1]
    for signature in (
        *("", "\x00", "\ud800", "A" * 1_000_000, good * 2, good + "with a note\n", f"\n{good}"),
        *(good[:200], good.replace("\n", "\r\n"), good.replace(body[1], ""), good + "\x00"),
        *(good.replace("SSH", "PGP"), good.replace(body[0], "é" + body[0][1:])),
        good.replace(body[0], "QUFB" + body[0][4:]),
        "-----BEGIN SSH SIGNATURE-----\n====\n-----END SSH SIGNATURE-----\n",
    ):
        wrong = check(STATEMENT, signature, "chair-iib", public(keys["ed25519"]))
        assert wrong
        assert wrong.startswith(("The signature cannot be read: ", "ssh-keygen does not accept"))


def test_half_a_character_is_told(keys: dict[str, Path], good: str) -> None:
    """Half a character is no text: no signature over it is good, and none can be made."""
    key_file = keys["ed25519"]
    wrong = check("\ud800", good, "chair-iib", public(key_file))
    assert wrong == "The statement holds half a character, so nobody can have signed it."
    with pytest.raises(Failed) as failed:
        sign("\ud800", public(key_file), key_file)
    assert failed.value.rule == "cannot-sign"


def test_a_bad_key_or_person_is_told(good: str) -> None:
    """Where the key or the person cannot stand in a list of signers, `check` says so."""
    assert check(STATEMENT, good, "chair-iib", "nonsense") == (
        "This is no OpenSSH public key: it begins otherwise."
    )
    wrong = check(STATEMENT, good, "A. Chair", key_of(ED25519, bytes(32)))
    assert wrong == "'A. Chair' cannot stand in a list of allowed signers."


armoured = st.builds(
    "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n".format,
    st.text("ABU1NIU0lH+/=\n", max_size=80) | st.text(max_size=20),
)


@settings(max_examples=150)
@given(st.text(st.characters()), st.text(st.characters()) | armoured)
@example("", "-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAAAA=\n-----END SSH SIGNATURE-----\n")
@example("x" * 5_000_000, "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n")
def test_anything_at_all_is_checked(statement: str, signature: str) -> None:
    """Whatever the two texts are, the answer is a sentence; nothing is raised."""
    wrong = check(statement, signature, "chair-iib", key_of(ED25519, bytes(32)))
    assert wrong
    assert wrong.endswith(".")


def test_the_wrong_key_is_refused(keys: dict[str, Path]) -> None:
    """Signing with a key other than the one on record is refused, and both are named."""
    with pytest.raises(Refusal) as refused:
        sign(STATEMENT, public(keys["rsa"]), keys["ed25519"])
    assert refused.value.rule == "wrong-key"
    for name in ("rsa", "ed25519"):
        assert fingerprint(public(keys[name])) in refused.value.message


def test_nothing_is_left_behind(
    keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing, checking and failing leave no temporary file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    key_file = keys["ed25519"]
    signature = sign(STATEMENT, public(key_file), key_file)
    assert check(STATEMENT, signature, "chair-iib", public(key_file)) is None
    assert check("", signature, "chair-iib", public(key_file))
    with pytest.raises(Failed):
        sign(STATEMENT, public(key_file), None)
    assert list(tmp_path.iterdir()) == []
    assert sorted(path.name for path in key_file.parent.glob("ed25519*")) == [
        "ed25519",
        "ed25519.pub",
    ]


# --- what outsiders do ------------------------------------------------------------------


def test_an_outsider_checks_with_ssh_keygen_alone(keys: dict[str, Path], tmp_path: Path) -> None:
    """The command, copied into a shell, finds each person's signature good and no other's."""
    text, signature = tmp_path / "the board's text", tmp_path / "a; b.sig"
    people = {"chair-iib": keys["ed25519"], "chair.2": keys["rsa"]}
    lines = [allowed_signer(person, public(key)) for person, key in people.items()]
    (tmp_path / "allowed_signers").write_text("\n".join(lines))
    text.write_bytes(STATEMENT.encode())
    for person, key in people.items():
        signature.write_text(sign(STATEMENT, public(key), key))
        for named in (*people, "chair", "nobody"):
            command = verify_command(named, str(text), str(signature))
            ran = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True)
            assert (ran.returncode == 0) is (named == person)
        signature.write_text(_keygen_sign(key, STATEMENT, "git"))
        words = shlex.split(verify_command(person, str(text), str(signature)).split(" < ")[0])
        as_git = [
            word.replace("govledger", "git") if word == "govledger" else word for word in words
        ]
        ran = subprocess.run(as_git, input=STATEMENT.encode(), cwd=tmp_path, capture_output=True)
        assert ran.returncode, "the line lets its key sign for govledger only"


def test_the_line_and_the_command_in_full() -> None:
    """The allowed signer's line and the command are exactly these."""
    key = key_of(ED25519, bytes(32))
    assert (
        allowed_signer("chair-iib", f"{key} A. Name") == f'chair-iib namespaces="govledger" {key}'
    )
    assert verify_command("chair-iib", "7.txt", "my 7.sig", "signers") == (
        "ssh-keygen -Y verify -f signers -I chair-iib -n govledger -s 'my 7.sig' < 7.txt"
    )


@pytest.mark.parametrize(
    "person", ["", "*", "a,b", "!a", "a b", "a\nb", "#a", '"a"', "é", "a?", "-a"]
)
def test_a_person_is_one_person(person: str) -> None:
    """A wildcard, a list, a second line: what would let others sign too is refused."""
    with pytest.raises(BadInput) as refused:
        allowed_signer(person, key_of(ED25519, bytes(32)))
    assert refused.value.rule == "bad-person"


def test_a_key_cannot_bring_in_another_line() -> None:
    """A second line smuggled in with a key is refused."""
    key = key_of(ED25519, bytes(32))
    with pytest.raises(BadInput):
        allowed_signer("chair-iib", f"{key}\n* {key}")


# --- passphrases, agents and terminals --------------------------------------------------


def test_a_passphrase_is_asked_for_through_askpass(
    locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right passphrase from SSH_ASKPASS it signs; with a wrong one it says so."""
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    monkeypatch.setenv("SSH_ASKPASS", str(script(tmp_path / "right", "echo 'open sesame'")))
    signature = sign(STATEMENT, public(locked), locked)
    assert check(STATEMENT, signature, "chair-iib", public(locked)) is None
    for name, line in (("wrong", "echo sesame"), ("cancelled", "exit 1")):
        monkeypatch.setenv("SSH_ASKPASS", str(script(tmp_path / name, line)))
        with pytest.raises(Failed) as failed:
            sign(STATEMENT, public(locked), locked)
        assert (failed.value.rule, failed.value.message) == (
            "cannot-sign",
            "The passphrase is wrong.",
        )


def test_without_a_terminal_it_fails_and_does_not_hang(locked: Path) -> None:
    """Where there is nobody to ask for the passphrase, that is said at once."""
    began = time.monotonic()
    answer = sign_without_terminal(STATEMENT, public(locked), str(locked), "60")
    assert answer.startswith("cannot-sign: The key has a passphrase, and there is no terminal")
    assert time.monotonic() - began < 30


def test_without_a_terminal_patience_ends(
    locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that nobody answers is closed when the time is up, and that is said."""
    beats = tmp_path / "beats"
    asks = script(tmp_path / "asks", f"while :; do echo >> {beats}; sleep 0.1; done")
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    monkeypatch.setenv("SSH_ASKPASS", str(asks))
    answer = sign_without_terminal(STATEMENT, public(locked), str(locked), "2")
    assert answer.startswith("cannot-sign: There is no terminal, and ssh-keygen did not end within")
    time.sleep(0.5)
    size = beats.stat().st_size
    time.sleep(0.5)
    assert size == beats.stat().st_size > 0


def test_on_a_terminal_the_passphrase_is_asked_for_there(locked: Path) -> None:
    """The prompt appears on the terminal, what is typed does not, and then it signs."""
    with Terminal(STATEMENT, public(locked), str(locked), "1") as at:
        at.read_until("passphrase")
        at.wait_for_no_echo()
        time.sleep(1.5)  # on a terminal the person may take longer than the patience
        at.type("open sesame")
        signature, left = at.end()
        assert check(STATEMENT, signature, "chair-iib", public(locked)) is None
        assert "sesame" not in left


def test_on_a_terminal_a_wrong_passphrase_is_told(locked: Path) -> None:
    """A wrong passphrase typed at the terminal ends in a plain sentence."""
    with Terminal(STATEMENT, public(locked), str(locked), "60") as at:
        at.read_until("passphrase")
        at.wait_for_no_echo()
        at.type("sesame")
        assert at.end()[0] == "cannot-sign: The passphrase is wrong.\n"


def test_on_a_terminal_the_person_is_told_to_touch_the_key(
    keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a hardware key waits to be touched appears while it waits; other chatter does not."""
    fake = script(
        tmp_path / "fake-keygen",
        *('echo "Signing file" >&2', 'echo "Confirm user presence for key X" >&2'),
        *("read -r line < /dev/tty", f'echo "$line" > {tmp_path}/typed', "exit 1"),
    )
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", str(fake))
    with Terminal(STATEMENT, public(keys["rsa"]), str(keys["rsa"]), "60") as at:
        assert "Signing" not in at.read_until("Confirm user presence for key X")
        at.type("touched")
        assert at.end()[0].startswith("cannot-sign: ssh-keygen could not sign: ")
        assert (tmp_path / "typed").read_text() == "touched\n"


def test_the_agent_signs(
    keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent signs with the key on record, or with a .pub file; else it is said what lacks."""
    key_file = keys["ecdsa 256"]
    key, alone = public(key_file), tmp_path / "alone.pub"
    alone.write_text(f"{key}\n")
    with pytest.raises(Failed) as failed:
        sign(STATEMENT, key, None)
    assert failed.value.rule == "cannot-sign"
    assert "SSH_AUTH_SOCK is not set" in failed.value.message
    with agent() as address:
        monkeypatch.setenv("SSH_AUTH_SOCK", address)
        with pytest.raises(Failed) as failed:
            sign(STATEMENT, key, None)
        assert failed.value.message == f"The ssh-agent does not hold the key {fingerprint(key)}."
        assert "ssh-add" in failed.value.hint
        assert "--key FILE" in failed.value.hint
        with pytest.raises(Failed) as failed:
            sign(STATEMENT, key, alone)
        assert "neither beside it nor in the ssh-agent" in failed.value.message

        subprocess.run(["ssh-add", "-q", key_file], check=True)
        for named in (None, alone):
            assert check(STATEMENT, sign(STATEMENT, key, named), "chair-iib", key) is None
        with pytest.raises(Refusal) as refused:
            sign(STATEMENT, public(keys["rsa"]), alone)
        assert refused.value.rule == "wrong-key"
    with pytest.raises(Failed) as failed:
        sign(STATEMENT, key, None)
    assert failed.value.message.endswith("does not answer, and no key file is named.")


def test_a_refusal_of_the_agent_is_told(
    keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that is to ask for a confirmation, and does not get it, refuses: that is said."""
    monkeypatch.setenv("SSH_ASKPASS", str(script(tmp_path / "no", "exit 1")))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    with agent() as address:
        monkeypatch.setenv("SSH_AUTH_SOCK", address)
        subprocess.run(["ssh-add", "-q", "-c", keys["ed25519"]], check=True, capture_output=True)
        with pytest.raises(Failed) as failed:
            sign(STATEMENT, public(keys["ed25519"]), None)
    assert failed.value.message == "The ssh-agent refused to sign."


def test_key_files_that_cannot_be_used_are_told_apart(
    keys: dict[str, Path], tmp_path: Path
) -> None:
    """Missing, open to others, no key at all, a folder, an impossible name: each has its words."""
    shared, junk = tmp_path / "shared", tmp_path / "junk"
    shared.write_bytes(keys["ed25519"].read_bytes())
    shared.chmod(0o644)
    junk.write_text("junk\n")
    junk.chmod(0o600)
    for key_file, said in (
        (tmp_path / "missing", "There is no key file "),
        (shared, "Others may read the key file "),
        (junk, "is no key of OpenSSH."),
        (tmp_path, "is no key of OpenSSH."),
        (Path("nul\x00"), "cannot be signed"),
    ):
        with pytest.raises(Failed) as failed:
            sign(STATEMENT, public(keys["ed25519"]), key_file)
        assert failed.value.rule == "cannot-sign"
        assert said in failed.value.message
        assert failed.value.message.endswith(".")


@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root may read all")
def test_a_key_file_that_may_not_be_read_is_told(keys: dict[str, Path], tmp_path: Path) -> None:
    """A key file of another's is named as such."""
    theirs = tmp_path / "theirs"
    theirs.write_bytes(keys["ed25519"].read_bytes())
    theirs.chmod(0)
    with pytest.raises(Failed) as failed:
        sign(STATEMENT, public(keys["ed25519"]), theirs)
    assert failed.value.message.startswith("You may not read the key file ")


# --- the program ------------------------------------------------------------------------


def test_without_ssh_keygen_it_is_said_how_to_get_it(
    keys: dict[str, Path], good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, not startable or too old: both ways fail with how to get OpenSSH."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x00junk")
    broken.chmod(0o700)
    old = script(tmp_path / "old", "echo 'unknown option -- Y' >&2; exit 1")
    key_file = keys["ed25519"]

    def attempt_to_sign() -> object:
        return sign(STATEMENT, public(key_file), key_file)

    def attempt_to_check() -> object:
        return check(STATEMENT, good, "chair-iib", public(key_file))

    for program in (tmp_path / "nowhere", broken, old):
        monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", str(program))
        for attempt in (attempt_to_sign, attempt_to_check):
            with pytest.raises(Failed) as failed:
                attempt()
            assert failed.value.rule == "no-ssh-keygen"
            assert "openssh-client" in failed.value.hint


def test_a_program_that_only_ends_well_proves_nothing(
    keys: dict[str, Path], good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that exits with 0 and says nothing, such as `true`, neither checks nor signs."""
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "true")
    assert check(STATEMENT, good, "chair-iib", public(keys["ed25519"]))
    with pytest.raises(GovledgerError) as failed:
        sign(STATEMENT, public(keys["ed25519"]), keys["ed25519"])
    assert failed.value.rule == "cannot-sign"


def test_a_program_that_hangs_is_given_up(
    keys: dict[str, Path], good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that does not end is given up, and the signature is not called good."""
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", str(script(tmp_path / "hangs", "exec sleep 600")))
    monkeypatch.setattr(signatures, "PATIENCE", 0.5)
    wrong = check(STATEMENT, good, "chair-iib", public(keys["ed25519"]))
    assert wrong
    assert wrong.startswith("The signature could not be checked: ")
