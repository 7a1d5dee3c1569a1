"""The right to drive: of all controllers that speak to the same wheels, one has it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from pathlib import Path
from typing import IO

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import plain_name, runtime_folder

_MEND = "set XDG_RUNTIME_DIR to a folder that can be written, the same one for all that may drive this robot"


class DriveLease:
    """A lock on a file and a name among this machine's sockets; the kernel takes both back from a process that dies.

    The name excludes whoever shares the network of this process, whatever user or folder: a service and a shell. The
    file excludes containers with a network of their own, if they see the same one: `identity` tells whether they do.

    Args:
        path: of the file; its folder is made.
        wheels: what the name is made of; empty: there is only the file.
    """

    def __init__(self, path: Path, wheels: str = "") -> None:
        self.path, self._wheels = path, wheels
        self._file: IO[str] | None = None
        self._name: socket.socket | None = None

    @classmethod
    def of(cls, wheels: str) -> DriveLease:
        """That of some wheels.

        Args:
            wheels: tells them from others on this machine, such as a ROS domain and the full name of a topic.

        Raises:
            EdgeAIError: this user has neither a runtime folder nor a home.
        """
        return cls(runtime_folder() / f"drive{plain_name(f'/{wheels}')}.lock", wheels)

    @property
    def held(self) -> bool:
        """Whether this process may drive."""
        return self._file is not None

    def take(self) -> None:
        """Have it from now on; harmless where it is held already.

        Raises:
            EdgeAIError: another controller has it, or the file cannot be had; nobody may drive then but that one.
        """
        if self._file is not None:
            return
        name = _claim(self._wheels) if self._wheels else None
        try:
            self._file = self._lock()
        except BaseException:
            if name is not None:
                name.close()
            raise
        self._name = name

    def _lock(self) -> IO[str]:
        what = f"the right to drive ('{self.path}')"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self.path.open("a+")
        except OSError as error:
            raise EdgeAIError(what, got=error.strerror, mend=_MEND) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            got = f"another controller that has it (process {holder})"
            raise EdgeAIError(what, got=got, mend="deactivate that one first") from None
        if not self._is_found(file):  # removed since it was opened: the next driver would lock another one
            file.close()
            raise EdgeAIError(what, got="a file that was removed just now", mend="try again")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file

    def keep(self) -> bool:
        """Whether it is held still, before each command.

        Who removes the file, as logging out does with a runtime folder, lets another controller lock a new one: this
        one takes the new one, or stops driving.
        """
        if self._file is None or self._is_found(self._file):
            return self._file is not None
        self.release()
        try:
            self.take()
        except EdgeAIError:
            return False
        return True

    def release(self) -> None:
        """Let others have it; harmless where it is not held."""
        file, self._file = self._file, None
        name, self._name = self._name, None
        if name is not None:
            name.close()
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing would not do while a child that is being started has it, too
            file.close()

    @property
    def identity(self) -> str:
        """The same text on all sides that exclude each other, and nowhere else; empty before anybody has taken it."""
        try:
            status = self.path.stat()
        except OSError:
            return ""
        return f"{status.st_dev}:{status.st_ino}"

    def _is_found(self, file: IO[str]) -> bool:
        """Whether a file is the one that others find under the path."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except OSError:
            return False


def _claim(wheels: str) -> socket.socket:
    """Bind a name of Linux's abstract namespace, see unix(7); it is free again when its last holder is gone.

    Raises:
        EdgeAIError: it is taken.
    """
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0edge_ai/drive/{hashlib.sha256(wheels.encode()).hexdigest()}")
    except OSError:
        name.close()
        got = f"another controller that has it, on this machine ({wheels})"
        raise EdgeAIError("the right to drive", got=got, mend="deactivate that one first") from None
    return name
