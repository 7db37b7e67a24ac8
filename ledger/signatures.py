"""Signatures: OpenSSH's own, made and checked by the stock `ssh-keygen -Y`.

Nothing is computed here but fingerprints. A signature binds a text to a key and to nothing else:
whose key that is the ledger says, so the text has to name the person. Anyone can check one without
this program; see `verify_command`.

Imports nothing but the standard library and the errors.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from domain.errors import BadInput, Failed, Refusal
from ledger.keys import fingerprint, read_public_key, signer_of

NAMESPACE = "govledger"
"""What the signatures are for: one made in it is no login and no Git commit, nor the reverse."""
PATIENCE = 60
"""Seconds until ssh-keygen is given up, where there is no terminal on which to interrupt it."""

_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,199}")
_NAME_KEY = "Put the key into the agent with ssh-add, or name its file with --key FILE."


def sign(statement: str, public_key: str, key_file: Path | None) -> str:
    """Sign with the private key in a file, or with one that the ssh-agent holds.

    A passphrase is asked for by ssh-keygen itself, on the terminal or through SSH_ASKPASS.

    Args:
        statement: the text.
        public_key: the key that the signature has to be good for.
        key_file: a private key, or a `.pub` whose private key is beside it or in the agent; None
            to sign with `public_key` through the agent.

    Returns:
        The signature, in its armour.

    Raises:
        BadInput: bad-key, unsupported-key.
        Failed: no-ssh-keygen, cannot-sign.
        Refusal: wrong-key, where another key signed.
    """
    wanted, program = fingerprint(public_key), _program()
    try:
        with tempfile.TemporaryDirectory(prefix="govledger-") as folder:
            text, public = Path(folder, "statement"), Path(folder, "key.pub")
            text.write_bytes(statement.encode())
            public.write_text(read_public_key(public_key) + "\n", "ascii")
            key = str(public if key_file is None else key_file)
            code, said = _run_to_sign(
                [program, "-Y", "sign", "-n", NAMESPACE, "-f", key, str(text)]
            )
            if code:
                raise _not_signed(code, said, key_file, wanted)
            signature = Path(folder, "statement.sig").read_text("ascii")
        signer = signer_of(signature)
    except (OSError, ValueError) as error:
        raise Failed("cannot-sign", f"The statement cannot be signed: {error}.") from None
    if signer != wanted:
        raise Refusal(
            "wrong-key",
            f"This was signed with the key {signer}, but the key on record is {wanted}.",
            "Sign with the key on record: name its file with --key FILE.",
        )
    wrong = check(statement, signature, "signer", public_key)
    if wrong:
        raise Failed("cannot-sign", f"The signature that ssh-keygen made is not good. {wrong}")
    return signature


def check(statement: str, signature: str, person: str, public_key: str) -> str | None:
    """None where the key signed the statement, else a sentence that says what is wrong.

    Whatever the statement and the signature hold, the answer is one of the two.

    Args:
        statement: the text.
        signature: in its armour.
        person: in whose name ssh-keygen is asked; no signature depends on it.
        public_key: the key of that person.

    Raises:
        Failed: no-ssh-keygen.
    """
    try:
        text, signer = statement.encode(), signer_of(signature)
        wanted, allowed = fingerprint(public_key), allowed_signer(person, public_key)
    except BadInput as error:
        return error.message
    except UnicodeError:
        return "The statement holds half a character, so nobody can have signed it."
    except ValueError as error:
        return f"The signature cannot be read: {error}."
    program = _program()
    try:
        with tempfile.TemporaryDirectory(prefix="govledger-") as folder:
            signers, armoured = Path(folder, "allowed_signers"), Path(folder, "statement.sig")
            signers.write_bytes(f"{allowed}\n".encode())
            armoured.write_bytes(signature.encode())
            words = [program, "-Y", "verify", "-f", str(signers), "-I", person]
            words += ["-n", NAMESPACE, "-s", str(armoured)]
            with _starting(program) as environment:
                ran = subprocess.run(
                    words, input=text, capture_output=True, timeout=PATIENCE, env=environment
                )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"The signature could not be checked: {error}."
    if not ran.returncode and ran.stdout.startswith(f'Good "{NAMESPACE}" signature for '.encode()):
        return None
    said = ran.stderr.decode(errors="replace")
    verdict = _verdict(said)
    if signer != wanted:
        return f"The signature was made with another key, {signer}, not with {wanted}."
    if "namespace does not match" in said:
        return f"The signature was made for another purpose, not in the namespace {NAMESPACE}."
    if "incorrect signature" in said:
        return "The signature was made over another text, or it has been changed."
    return f"ssh-keygen does not accept the signature: {verdict}."


def allowed_signer(person: str, public_key: str) -> str:
    """The line that lets ssh-keygen accept the person's signatures, for an allowed signers file.

    Raises:
        BadInput: bad-person, bad-key, unsupported-key.
    """
    if not _PERSON.fullmatch(person):
        raise BadInput(
            "bad-person",
            f"{person[:200]!r} cannot stand in a list of allowed signers.",
            "Use a short code of letters, digits, dots and hyphens.",
        )
    return f'{person} namespaces="{NAMESPACE}" {read_public_key(public_key)}'


def verify_command(
    person: str, statement_file: str, signature_file: str, allowed_signers: str = "allowed_signers"
) -> str:
    """The shell command with which anyone checks a signature."""
    words = ["ssh-keygen", "-Y", "verify", "-f", allowed_signers, "-I", person]
    words += ["-n", NAMESPACE, "-s", signature_file]
    return f"{shlex.join(words)} < {shlex.quote(statement_file)}"


# --- ssh-keygen -------------------------------------------------------------------------


def _program() -> str:
    name = os.environ.get("GOVLEDGER_SSH_KEYGEN", "ssh-keygen")
    program = shutil.which(name)
    if program is None:
        raise _no_ssh_keygen(f"The program {name} is not there")
    return program


@contextmanager
def _starting(program: str) -> Iterator[dict[str, str]]:
    """The environment to start it in; its messages are then in English."""
    try:
        yield {**os.environ, "LC_ALL": "C"}
    except OSError as error:
        raise _no_ssh_keygen(f"{program} cannot be started ({error.strerror})") from None


def _no_ssh_keygen(what: str) -> Failed:
    return Failed(
        "no-ssh-keygen",
        f"{what}, and signatures are made and checked with it.",
        "Install OpenSSH 8.2 or newer: the package openssh-client (Debian, Ubuntu), "
        "openssh-clients (Fedora, Red Hat) or openssh (others). If it is elsewhere, set "
        "GOVLEDGER_SSH_KEYGEN to its ssh-keygen.",
    )


def _verdict(said: str) -> str:
    """The last thing that it said; raises no-ssh-keygen where it does not know signatures."""
    if "option -- " in said:
        raise _no_ssh_keygen("This ssh-keygen is too old")
    return (said.strip().splitlines() or ["it gives no reason"])[-1].rstrip(".")


def _run_to_sign(words: list[str]) -> tuple[int, str]:
    """Run it so that it can ask the person; returns its exit code and what it said.

    On a terminal it asks for the passphrase there by itself, and may take as long as the person
    does. What it says is kept, but that a hardware key waits to be touched is passed on at once.
    """
    try:
        terminal = open("/dev/tty", "r+b", buffering=0)  # noqa: SIM115
    except OSError:
        terminal = None
    said = b""
    with terminal or nullcontext():
        with _starting(words[0]) as environment:
            process = subprocess.Popen(
                words,
                stdin=None if terminal else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=terminal is None,
            )
        timer = threading.Timer(PATIENCE, _stop, [process])
        timer.daemon = True
        if terminal is None:
            timer.start()
        try:
            with process:
                for line in process.stderr or ():
                    said += line
                    if terminal and b"user presence" in line:
                        terminal.write(line)
        finally:
            timer.cancel()
    return process.returncode, said.decode(errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop it and what it has started, such as a window that asks for the passphrase."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _not_signed(code: int, said: str, key_file: Path | None, wanted: str) -> Failed:
    """Why there is no signature, from what ssh-keygen said."""
    what, hint = f"ssh-keygen could not sign: {_verdict(said)}.", _NAME_KEY
    not_found = any(words in said for words in ("private key", "load identity", "No such file"))
    if code == -9:
        what = f"There is no terminal, and ssh-keygen did not end within {PATIENCE} seconds."
    elif "Enter passphrase" in said or "ssh_askpass: " in said:
        what = "The key has a passphrase, and there is no terminal on which to ask for it."
        hint = "Put the key into the agent with ssh-add first."
    elif "incorrect passphrase" in said:
        what, hint = "The passphrase is wrong.", "Try again."
    elif "refused operation" in said:
        what = "The ssh-agent refused to sign."
        hint = "If it asks for a confirmation or a touch, give it."
    elif key_file is None:
        what = _agent_is_missing() or (
            f"The ssh-agent does not hold the key {wanted}." if not_found else what
        )
    elif not os.path.exists(key_file):
        what, hint = f"There is no key file {key_file}.", "Check the path after --key."
    elif not os.access(key_file, os.R_OK):
        what, hint = f"You may not read the key file {key_file}.", "It has to be your own."
    elif "UNPROTECTED" in said or "bad permissions" in said:
        what = f"Others may read the key file {key_file}, so ssh-keygen does not use it."
        hint = f"Make it yours alone: chmod 600 {shlex.quote(str(key_file))}"
    elif "load public key" in said:
        what, hint = f"{key_file} is no key of OpenSSH.", "Check the path after --key."
    elif not_found and key_file.suffix == ".pub":
        what = f"The private key of {key_file} is neither beside it nor in the ssh-agent."
    return Failed("cannot-sign", what, hint)


def _agent_is_missing() -> str | None:
    address = os.environ.get("SSH_AUTH_SOCK")
    if not address:
        return "No ssh-agent is there (SSH_AUTH_SOCK is not set), and no key file is named."
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(5)
            agent.connect(address)
    except OSError:
        return f"The ssh-agent at {address} does not answer, and no key file is named."
    return None
