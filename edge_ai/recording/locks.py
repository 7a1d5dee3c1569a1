"""Who writes a file holds a lock on it, so that nobody else takes it for a left-over or deletes it."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

_NONE = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)


def lock(file: int) -> bool:
    """Lock an open file until it is closed.

    Args:
        file: its descriptor, open for writing: NFS wants that.

    Returns:
        Whether it is locked now; not on a file system that has no locks, where nobody can tell who writes.

    Raises:
        BlockingIOError: somebody else holds it.
        OSError: it cannot be done though there are locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NONE:
            raise
        return False
    return True


def lock_folder(folder: Path) -> int:
    """Lock a folder by a file in it; closing the descriptor unlocks it.

    Raises:
        OSError: somebody else has it.
    """
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file
