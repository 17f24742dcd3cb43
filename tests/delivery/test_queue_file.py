"""The queue's file: where it is, what is refused, and one clear line for each."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from deliverkit.delivery import queue_file
from deliverkit.delivery.queue import Queue, QueueError, QueueItem, Recipient
from deliverkit.delivery.queue_file import VERSION, default_path


def refused(path: Path) -> str:
    with pytest.raises(QueueError) as caught:
        Queue.open(path)
    words = str(caught.value)
    assert "\n" not in words
    assert str(path) in words
    return words


def changed(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize(
    ("state", "place"),
    [("/var/state", "/var/state"), ("", "/home/me/.local/state"), ("relative", "/home/me/.local/state")],
)
def test_where_it_is(monkeypatch: pytest.MonkeyPatch, state: str, place: str):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", state)
    assert default_path() == Path(place, "deliverkit", "queue.sqlite")


def test_without_a_path_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    old = os.umask(0)
    try:
        Queue.open().close()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "deliverkit").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "deliverkit" / "queue.sqlite").stat().st_mode) == 0o600


def test_no_home(monkeypatch: pytest.MonkeyPatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(QueueError, match="no place for the queue"):
        default_path()


@pytest.mark.parametrize("name", ["queue?mode=ro", "queue#1", "50%25 off", "a b", "jörg"])
def test_odd_names(tmp_path: Path, name: str):
    Queue.open(tmp_path / name).close()
    assert (tmp_path / name).stat().st_size


def test_it_is_safe_against_a_power_cut(tmp_path: Path):
    with Queue.open(tmp_path / "queue") as queue:
        values = {
            name: queue._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert values == {"journal_mode": "delete", "synchronous": 3, "foreign_keys": 1, "secure_delete": 1}


def test_a_write_ahead_log_is_turned_off(tmp_path: Path):
    path = tmp_path / "queue"
    Queue.open(path).close()
    changed(path, "PRAGMA journal_mode=WAL")
    with Queue.open(path) as queue:
        assert queue._database.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_newer_one_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "queue"
    Queue.open(path).close()
    changed(path, f"PRAGMA user_version={VERSION + 1}")
    before = path.read_bytes()
    assert f"written by a newer deliverkit (version {VERSION + 1}; this one knows {VERSION})" in refused(path)
    assert path.read_bytes() == before


def test_an_older_one_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "queue"
    with Queue.open(path) as queue:
        item = QueueItem(
            created_at=1.0, give_up_at=2.0, sender="", message=b"x", recipients=(Recipient(address="a@b.example"),)
        )
        number = queue.add(item)
    steps = (*queue_file._MIGRATIONS, "ALTER TABLE item ADD COLUMN later TEXT; CREATE TABLE more (x INTEGER)")
    monkeypatch.setattr(queue_file, "_MIGRATIONS", steps)
    monkeypatch.setattr(queue_file, "VERSION", len(steps))
    with Queue.open(path) as queue:
        assert queue.get(number) is not None
        assert queue._database.execute("PRAGMA user_version").fetchone() == (2,)
        assert queue._database.execute("SELECT count(*) FROM more").fetchone() == (0,)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "queue"
    Queue.open(path).close()
    steps = (*queue_file._MIGRATIONS, "CREATE TABLE more (x INTEGER); CREATE TABLE item (x INTEGER)")
    monkeypatch.setattr(queue_file, "_MIGRATIONS", steps)
    monkeypatch.setattr(queue_file, "VERSION", len(steps))
    assert "already exists" in refused(path)
    database = sqlite3.connect(path)
    assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    database.close()


def test_somebody_elses_database(tmp_path: Path):
    path = tmp_path / "other"
    changed(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert "a database of another program" in refused(path)
    assert path.read_bytes() == before


def test_no_database_at_all(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk\n" * 500)
    assert "it is no SQLite file: move it away" in refused(path)


def test_a_damaged_one(tmp_path: Path):
    path = tmp_path / "queue"
    with Queue.open(path) as queue:
        for _ in range(40):
            queue.add(
                QueueItem(
                    created_at=1.0,
                    give_up_at=2.0,
                    sender="me@example.com",
                    message=b"x" * 3000,
                    recipients=(Recipient(address="a@example.net"),),
                )
            )
    octets = bytearray(path.read_bytes())
    for place in range(4096, len(octets), 64):
        octets[place : place + 32] = b"\xa5" * 32
    path.write_bytes(octets)
    assert "it is damaged: move it away" in refused(path)


def test_a_cut_one(tmp_path: Path):
    path = tmp_path / "queue"
    Queue.open(path).close()
    path.write_bytes(path.read_bytes()[:5000])
    assert "it is damaged" in refused(path)


def test_rows_that_say_nonsense(tmp_path: Path):
    path = tmp_path / "queue"
    with Queue.open(path) as queue:
        number = queue.add(
            QueueItem(
                created_at=1.0, give_up_at=2.0, sender="", message=b"", recipients=(Recipient(address="a@b.example"),)
            )
        )
    changed(path, "UPDATE item SET options = x'5b5d'")
    with Queue.open(path) as queue:
        with pytest.raises(QueueError, match=f"message {number} cannot be read back"):
            queue.get(number)
        with pytest.raises(QueueError, match="cannot be read back"):
            queue.list()
        with pytest.raises(QueueError, match="cannot be read back"):
            queue.claim(number)
    changed(path, "UPDATE item SET sender = CAST(x'ff' AS TEXT)")
    with Queue.open(path) as queue, pytest.raises(QueueError, match="UTF-8"):
        queue.get(number)


def test_a_lock_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queue_file, "BUSY_S", 0.05)
    path = tmp_path / "queue"
    with Queue.open(path) as queue:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            with pytest.raises(QueueError, match="another process has kept it locked"):
                queue.add(
                    QueueItem(
                        created_at=1.0, give_up_at=2.0, sender="", message=b"", recipients=(Recipient(address="a@b.c"),)
                    )
                )
            assert "another process has kept it locked" in refused(path)
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert queue.list() == ()


def test_what_is_no_file(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    assert "no regular file" in refused(tmp_path / "folder")
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert "no regular file" in refused(tmp_path / "link")
    assert "Not a directory" in refused(tmp_path / "target" / "queue")


def test_a_directory_that_others_may_write_to(tmp_path: Path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    assert "others may write to its directory" in refused(folder / "queue")
    assert not (folder / "queue").exists()


def test_what_others_could_read_is_closed(tmp_path: Path):
    path = tmp_path / "queue"
    path.touch(mode=0o644)
    path.chmod(0o644)
    Queue.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "queue"
    path.touch(mode=0o600)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert "belongs to somebody else" in refused(path)


def test_it_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    assert "cannot be opened: Permission denied" in refused(tmp_path / "queue")
