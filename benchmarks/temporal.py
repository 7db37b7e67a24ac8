"""The peer MariaDB: a system-versioned table, asked `FOR SYSTEM_TIME AS OF`. One clock."""

import sys
from datetime import date, datetime, time
from typing import Any

import pymysql

from benchmarks.apart import serve
from benchmarks.changes import ACTIONS
from benchmarks.continuum import ended, versions

COLUMNS = (
    "ref",
    "title",
    "section",
    "owners",
    "timescale",
    "rating",
    "progress",
    "effective_on",
    "recorded_by",
    "reason",
)


class MariaDB:
    """The peer, on the server behind that socket."""

    def __init__(self, socket: str, database: str) -> None:
        connection: Any = pymysql.connect(unix_socket=socket, user="root", autocommit=True)
        self.cursor = connection.cursor()
        self.cursor.execute("SET time_zone = '+00:00'")
        self.cursor.execute(f"CREATE DATABASE {database}")
        self.cursor.execute(f"USE {database}")
        self.cursor.execute(
            "CREATE TABLE action (ref VARCHAR(10) PRIMARY KEY, title TEXT, section VARCHAR(10), "
            "owners TEXT, timescale TEXT, rating VARCHAR(10), progress TEXT, effective_on DATE, "
            "recorded_by TEXT, reason TEXT, "
            "row_start TIMESTAMP(6) GENERATED ALWAYS AS ROW START, "
            "row_end TIMESTAMP(6) GENERATED ALWAYS AS ROW END, "
            "PERIOD FOR SYSTEM_TIME (row_start, row_end)) WITH SYSTEM VERSIONING"
        )

    def fill(self, count: int) -> None:
        """Write the rows, past ones too, with the times at which they held."""
        made = versions(count)
        forever = datetime(2038, 1, 19, 3, 14, 7, 999999)
        rows = [
            (
                *(row[name] for name in COLUMNS),
                at,
                forever if after is None else made[after][1],
            )
            for (_, at, row), after in zip(made, ended(made), strict=True)
        ]
        self.cursor.execute("SET system_versioning_insert_history = 1")
        marks = ", ".join(["%s"] * (len(COLUMNS) + 2))
        statement = (
            f"INSERT INTO action ({', '.join(COLUMNS)}, row_start, row_end) VALUES ({marks})"
        )
        self.cursor.execute("START TRANSACTION")
        for first in range(0, len(rows), 1000):
            self.cursor.executemany(statement, rows[first : first + 1000])
        self.cursor.execute("COMMIT")
        self.cursor.execute("SET system_versioning_insert_history = 0")

    def append(self, ref: str, rating: str) -> None:
        """One UPDATE, committed; MariaDB keeps what was there before."""
        self.cursor.execute(
            "UPDATE action SET rating = %s, effective_on = %s, reason = %s WHERE ref = %s",
            (rating, date.today(), "Discussed at the monthly meeting of the board", ref),
        )

    def as_at(self, day: date) -> int:
        """How many actions were red at the end of that day."""
        self.cursor.execute(
            "SELECT * FROM action FOR SYSTEM_TIME AS OF %s", (datetime.combine(day, time.max),)
        )
        rows = self.cursor.fetchall()
        assert len(rows) == len(ACTIONS)
        return sum(row[COLUMNS.index("rating")] == "red" for row in rows)


if __name__ == "__main__":
    serve(MariaDB(*sys.argv[1:]))
