"""One process at a time sends a message: a lock of the operating system's for each item.

It is held as long as the process lives and goes with it, however it ends; nothing has to be cleaned up or waited for,
as a lease in the database would have to be. `flock` belongs to the open file: two queues in one process keep each
other out, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

_TRIES: Final = 5
_PAUSE_S: Final = 0.02
"""Between them: whoever only looks whether an item is held holds it for a moment."""


class Locks:
    """The locks that this process holds, by the number of the item."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[int, int] = {}

    def __contains__(self, item: int) -> bool:
        return item in self._held

    def take(self, item: int) -> bool:
        """Takes the item's lock; False if another has it. Raises OSError."""
        if item in self._held:
            return True
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for left in reversed(range(_TRIES)):
            descriptor = os.open(self._name(item), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_there(item, descriptor):
                    self._held[item] = descriptor
                    return True
            except BlockingIOError:
                if left:
                    time.sleep(_PAUSE_S)
            finally:
                if self._held.get(item) != descriptor:
                    os.close(descriptor)
        return False

    def taken(self, item: int) -> bool:
        """Whether another holds the item's lock at this moment."""
        if item in self._held:
            return False
        try:
            descriptor = os.open(self._name(item), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def free(self, item: int, *, gone: bool = False) -> None:
        """Lets go of the item's lock; `gone`: and of the file, since the item is no more."""
        descriptor = self._held.pop(item, None)
        if descriptor is None:
            return
        if gone:
            with contextlib.suppress(OSError):
                self._name(item).unlink()
        os.close(descriptor)

    def close(self) -> None:
        """Lets go of them all."""
        for item in tuple(self._held):
            self.free(item)

    def _name(self, item: int) -> Path:
        return self._folder / str(item)

    def _is_there(self, item: int, descriptor: int) -> bool:
        """Whether the file that was locked still has its name: who removed it held its lock until then."""
        try:
            named = self._name(item).lstat()
        except FileNotFoundError:
            return False
        ours = os.fstat(descriptor)
        return (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)
