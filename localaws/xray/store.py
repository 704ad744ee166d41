"""X-Ray's data of all accounts and regions, in one SQLite file of the state folder.

It is bounded as X-Ray's is, and by what a machine should give it: segments are kept for 30 days, and of more than
`MOST_TRACES` traces or `MOST_BYTES` of documents the oldest tenth is dropped. A trace takes no more documents once it
holds `MOST_BYTES_OF_A_TRACE`.

Any number of threads may use it: one connection writes, behind a lock; each read has a connection of its own and sees
what was committed when it began (write-ahead log). A crash of the machine may lose the last writes, not the file.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.xray.documents import OLDEST_SECONDS, Received

MOST_TRACES = 200_000
MOST_BYTES = 512 * 1024 * 1024
MOST_BYTES_OF_A_TRACE = 500 * 1024  # X-Ray's quota
_PRUNED_AFTER = 2_000  # documents
_KEPT_SHARE = 0.9
_BUSY_SECONDS = 30
_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS traces (
    key INTEGER PRIMARY KEY, scope TEXT NOT NULL, id TEXT NOT NULL,
    start REAL NOT NULL, end REAL NOT NULL, bytes INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1, exceeded INTEGER NOT NULL DEFAULT 0, UNIQUE (scope, id));
CREATE INDEX IF NOT EXISTS traces_by_start ON traces (scope, start, key);
CREATE INDEX IF NOT EXISTS traces_by_end ON traces (scope, end, key);
CREATE TABLE IF NOT EXISTS segments (
    trace INTEGER NOT NULL, id TEXT NOT NULL, in_progress INTEGER NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (trace, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    scope TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (scope, kind, name)) WITHOUT ROWID;
"""
# A trace's row grows by each document; a segment's is replaced, but no complete one by one in progress.
_PUT_TRACE = """
INSERT INTO traces (scope, id, start, end, bytes) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope, id) DO UPDATE SET start = min(start, excluded.start), end = max(end, excluded.end),
    bytes = bytes + excluded.bytes, revision = revision + 1
RETURNING key, bytes
"""
_PUT_SEGMENT = """
INSERT INTO segments (trace, id, in_progress, document) VALUES (?, ?, ?, ?)
ON CONFLICT (trace, id) DO UPDATE SET in_progress = excluded.in_progress, document = excluded.document
    WHERE segments.in_progress OR NOT excluded.in_progress
"""


class StoreError(Exception):
    """The file can't be used: which, and why."""


@dataclass(frozen=True, slots=True)
class TraceRow:
    """What is known of a trace without its documents. Times in seconds since the epoch."""

    key: int
    id: str
    start: float
    end: float
    revision: int
    exceeded: bool  # the limit of its size

    @property
    def duration(self) -> float:
        """Return the seconds from its first start to its last end, to the microsecond."""
        return round(self.end - self.start, 6)


class Reading:
    """A connection that reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def traces(
        self, scope: str, start: float, end: float, *, by: str = "start", before: tuple[float, int] | None = None
    ) -> Iterator[TraceRow]:
        """Yield the traces whose start (or end) lies within [start, end), the latest first.

        `before`: the start (or end) and key of the last one that was read earlier.
        """
        given: list[object] = [scope, start, end, *(before or (end, 0))]
        query = f"{by} >= ? AND {by} < ? AND ({by}, key) < (?, ?) ORDER BY {by} DESC, key DESC"
        yield from self._rows(f"scope = ? AND {query}", given)

    def active(self, scope: str, start: float, end: float) -> Iterator[TraceRow]:
        """Yield the traces of which some part lies within [start, end), the earliest first."""
        yield from self._rows("scope = ? AND end >= ? AND start < ? ORDER BY start, key", [scope, start, end])

    def named(self, scope: str, ids: Sequence[str]) -> Iterator[TraceRow]:
        """Yield the traces of these ids that there are."""
        marks = ", ".join("?" * len(ids))
        yield from self._rows(f"scope = ? AND id IN ({marks})", [scope, *ids])

    def documents(self, row: TraceRow) -> list[str]:
        """Return all documents of a trace."""
        query = "SELECT document FROM segments WHERE trace = ?"
        return [text for (text,) in self._connection.execute(query, [row.key])]

    def records(self, scope: str, kind: str) -> dict[str, Any]:
        """Return all records of a kind by name, sorted."""
        query = "SELECT name, content FROM records WHERE scope = ? AND kind = ? ORDER BY name"
        return {name: json.loads(content) for name, content in self._connection.execute(query, [scope, kind])}

    def _rows(self, condition: str, given: Sequence[object]) -> Iterator[TraceRow]:
        query = f"SELECT key, id, start, end, revision, exceeded FROM traces WHERE {condition}"  # noqa: S608 - all ours
        for key, trace_id, start, end, revision, exceeded in self._connection.execute(query, given):
            yield TraceRow(key, trace_id, start, end, revision, bool(exceeded))


class Writing(Reading):
    """The connection that writes, within a transaction."""

    def put(self, scope: str, documents: Iterable[Received]) -> list[Received]:
        """Keep documents; return those whose trace has become too large for them."""
        refused = []
        for document in documents:
            given = [scope, document.trace_id, document.start, document.end, document.size]
            key, size = self._connection.execute(_PUT_TRACE, given).fetchone()
            if size > MOST_BYTES_OF_A_TRACE:
                query = "UPDATE traces SET bytes = bytes - ?, exceeded = 1 WHERE key = ?"
                self._connection.execute(query, [document.size, key])
                refused.append(document)
            else:
                segment = [key, document.id, document.in_progress, document.text]
                self._connection.execute(_PUT_SEGMENT, segment)
        return refused

    def record(self, scope: str, kind: str, name: str, content: object) -> None:
        """Keep a record, in place of the one of this name."""
        query = "REPLACE INTO records (scope, kind, name, content) VALUES (?, ?, ?, ?)"
        self._connection.execute(query, [scope, kind, name, json.dumps(content)])

    def forget(self, scope: str, kind: str, name: str) -> None:
        """Drop a record."""
        self._connection.execute("DELETE FROM records WHERE scope = ? AND kind = ? AND name = ?", [scope, kind, name])

    def prune(self, now: float) -> None:
        """Drop what is too old, and the oldest of what is too much."""
        self._drop("end < ?", now - OLDEST_SECONDS)
        count, size = self._connection.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM traces").fetchone()
        share = max(count / MOST_TRACES, size / MOST_BYTES)
        if share > 1:
            surplus = int(count * (1 - _KEPT_SHARE / share))
            query = "SELECT key FROM traces ORDER BY end LIMIT 1 OFFSET ?"
            (key,) = self._connection.execute(query, [surplus]).fetchone()
            self._drop("end < (SELECT end FROM traces WHERE key = ?)", key)

    def _drop(self, condition: str, given: object) -> None:
        query = f"DELETE FROM segments WHERE trace IN (SELECT key FROM traces WHERE {condition})"  # noqa: S608 - ours
        self._connection.execute(query, [given])
        self._connection.execute(f"DELETE FROM traces WHERE {condition}", [given])  # noqa: S608 - ours


class Store:
    """The file of one instance. It is opened when it is first used, since no connection survives a fork."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._unpruned = _PRUNED_AFTER  # so that the first write of a server drops what became too old meanwhile

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Read.

        Raises:
            StoreError: the file can't be read.

        """
        with self._told():
            if self._writer is None:
                with self._lock:
                    self._open()
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection:
                yield Reading(connection)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Write, all or nothing; one thread at a time.

        Raises:
            StoreError: the file can't be written.

        """
        with self._told(), self._lock, self._open() as connection:
            connection.execute("BEGIN")
            yield Writing(connection)

    def put(self, scope: str, documents: Sequence[Received], now: float) -> list[Received]:
        """Keep documents, and drop what has become too old or too much; return those whose trace is too large."""
        with self.writing() as writing:
            refused = writing.put(scope, documents)
            self._unpruned += len(documents)
            if self._unpruned >= _PRUNED_AFTER:
                self._unpruned = 0
                writing.prune(now)
        return refused

    def _open(self) -> sqlite3.Connection:
        if self._writer is None:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                connection.close()
                message = f"it was written by version {version}, and this is {_VERSION}"
                raise sqlite3.DatabaseError(message)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(f"{_SCHEMA} PRAGMA user_version = {_VERSION};")
            self._writer = connection
        return self._writer

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            message = f"X-Ray's file {self._path} can't be used: {error}"
            raise StoreError(message) from error
