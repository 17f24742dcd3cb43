"""The file of the queue: where it is, who may read it, how it is opened, and what is said when it cannot be.

It is SQLite with a rollback journal and `synchronous=EXTRA`. Killing a process loses nothing in any mode of SQLite's;
a power cut may undo the last commit, unless the journal's removal is synced too, which EXTRA alone does. That
commit may be the note that the final dot is about to be sent, and undone, it would have the message sent twice. A
write-ahead log with FULL would do as well, but needs shared memory, which a home on a network has not got.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

APPLICATION: Final = 0x646B7131
"""`dkq1`: what SQLite's header says whose file it is."""
BUSY_S: Final = 5.0
"""Seconds to wait for another process that writes."""

_TABLES: Final = """
CREATE TABLE item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at REAL NOT NULL,
    give_up_at REAL NOT NULL,
    next_at REAL NOT NULL,
    first_deferred_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    rounds INTEGER NOT NULL DEFAULT 0,
    sender TEXT NOT NULL,
    options BLOB NOT NULL,
    message BLOB NOT NULL
);
CREATE TABLE recipient (
    item INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('queued', 'in-doubt', 'accepted', 'refused', 'unknown', 'failed', 'expired')),
    stage TEXT,
    reply BLOB NOT NULL DEFAULT x'',
    why TEXT NOT NULL DEFAULT '',
    at REAL,
    host TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (item, place),
    UNIQUE (item, address)
);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    body BLOB NOT NULL
);
CREATE INDEX attempt_item ON attempt (item);
"""

_MIGRATIONS: Final = (_TABLES,)
"""Each leads from the version of its place to the next one."""
VERSION: Final = len(_MIGRATIONS)

_WORDS: Final = {
    sqlite3.SQLITE_BUSY: f"another process has kept it locked for {BUSY_S:.0f} s",
    sqlite3.SQLITE_LOCKED: f"another process has kept it locked for {BUSY_S:.0f} s",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file: move it away, and a new queue is begun",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away, and a new queue is begun",
    sqlite3.SQLITE_FULL: "there is no room left on the disk",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_PERM: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk does not read or write",
}
_PRIMARY: Final = 0xFF
"""The bits of a result code that are not SQLite's details."""


class QueueError(Exception):
    """The queue cannot be used, or was asked for what it must not do. One line."""


def default_path() -> Path:
    """`$XDG_STATE_HOME/deliverkit/queue.sqlite`; a relative XDG_STATE_HOME does not count (XDG Base Directory)."""
    state = os.environ.get("XDG_STATE_HOME", "")
    try:
        home = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise QueueError("no place for the queue: neither XDG_STATE_HOME nor a home directory is known") from error
    return home / "deliverkit" / "queue.sqlite"


def opened(path: Path) -> sqlite3.Connection:
    """The queue's database, made where there is none: the file 0600, directories that are made 0700."""
    try:
        _make(path)
    except OSError as error:
        raise QueueError(f"the queue {path} cannot be opened: {error.strerror or error}") from error
    with told(path):
        name = urllib.parse.quote(os.fsencode(path.absolute()))
        database = sqlite3.connect(f"file:{name}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            _prepare(database, path)
        except BaseException:
            database.close()
            raise
        return database


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Says in one line what SQLite ran into."""
    try:
        yield
    except sqlite3.Error as error:
        words = _WORDS.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
        said = " ".join(str(error).split())[:120]
        raise QueueError(f"the queue {path}: {words or said}") from error
    except UnicodeError as error:
        raise QueueError(f"the queue {path}: what is no Unicode text cannot be stored") from error


@contextlib.contextmanager
def writing(database: sqlite3.Connection, path: Path) -> Iterator[None]:
    """One transaction: durable when it ends, undone when anything is raised."""
    with told(path):
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
            database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise


def _make(path: Path) -> None:
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            _sync(folder.parent)
    folder_mode = path.parent.stat().st_mode
    if folder_mode & (stat.S_IWGRP | stat.S_IWOTH) and not folder_mode & stat.S_ISVTX:
        raise QueueError(f"the queue {path} is not safe: others may write to its directory")
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    # Opened by SQLite alone from here on: closing another descriptor of the file would drop its locks (POSIX).
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise QueueError(f"the queue {path} is no regular file")
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise QueueError(f"the queue {path} belongs to somebody else")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o600)


def _sync(folder: Path) -> None:
    """Has the directory's new entry outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    for pragma in ("trusted_schema=OFF", "foreign_keys=ON", "secure_delete=ON", "fullfsync=ON", "synchronous=EXTRA"):
        database.execute(f"PRAGMA {pragma}")
    _check_version(database, path)
    mode = _number_or_word(database, "PRAGMA journal_mode=DELETE")
    if mode != "delete":
        raise QueueError(f"the queue {path} cannot be made safe against a power cut: journal mode {mode}")
    if _number_or_word(database, "PRAGMA quick_check(1)") != "ok":
        raise QueueError(f"the queue {path}: {_WORDS[sqlite3.SQLITE_CORRUPT]}")
    if _version(database) < VERSION:
        _migrate(database, path)


def _check_version(database: sqlite3.Connection, path: Path) -> None:
    version = _version(database)
    whose = _number_or_word(database, "PRAGMA application_id")
    tables = _number_or_word(database, "SELECT count(*) FROM sqlite_master")
    if whose != APPLICATION and (version or tables or whose):
        raise QueueError(f"the queue {path}: it is a database of another program")
    if version > VERSION:
        raise QueueError(
            f"the queue {path} was written by a newer deliverkit (version {version}; this one knows {VERSION})"
        )


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    with writing(database, path):
        _check_version(database, path)
        for number in range(_version(database), VERSION):
            for statement in _MIGRATIONS[number].split(";"):
                if statement.strip():
                    database.execute(statement)
        database.execute(f"PRAGMA user_version={VERSION}")
        database.execute(f"PRAGMA application_id={APPLICATION}")


def _version(database: sqlite3.Connection) -> int:
    return int(_number_or_word(database, "PRAGMA user_version"))


def _number_or_word(database: sqlite3.Connection, statement: str) -> int | str:
    row = database.execute(statement).fetchone()
    value: int | str = row[0]
    return value
