"""What is asked of files everywhere."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from edge_ai.core.errors import EdgeAIError

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def runtime_folder() -> Path:
    """Where a process leaves what its next life is to know: this user's runtime folder, else that of states.

    Raises:
        EdgeAIError: a user without a home.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "edge_ai" if runtime else state_folder()


def state_folder() -> Path:
    """Where this user's programs leave what outlives a start of the machine.

    Raises:
        EdgeAIError: a user without a home.
    """
    return user_folder("XDG_STATE_HOME", ".local/state")


def user_folder(variable: str, default: str) -> Path:
    """Where this user's files of one kind are, such as configuration or data.

    Args:
        variable: of the environment that names the folder of all programs.
        default: that folder without the variable, below the user's home.

    Raises:
        EdgeAIError: a user without a home.
    """
    try:
        return Path(os.environ.get(variable) or Path.home() / default) / "edge_ai"
    except RuntimeError:
        raise EdgeAIError("this user", got="no home", mend=f"set HOME or {variable}") from None


def plain_name(text: str) -> str:
    """A part of a file's name that tells what it belongs to, such as a node by its full name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text)


def boot_id() -> str:
    """What tells this start of the machine from others; empty where nothing does."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes in hexadecimal digits, read piece by piece.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put a file in place, whole or not at all; it is on the disk when this returns.

    Args:
        path: of the file; its folder is made.
        data: all of it.
        mode: who may read and write it; default this user only.

    Raises:
        OSError: it cannot be written; what was there before stays, and nothing else is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until what was renamed in it is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
