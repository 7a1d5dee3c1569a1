"""Memory that is never paged out. Linux only."""

from __future__ import annotations

import ctypes
import os
import resource

from edge_ai.core.errors import EdgeAIError

_CURRENT, _FUTURE, _ON_FAULT = 1, 2, 4  # MCL_* of sys/mman.h


class MemoryLock:
    """Locks every page that this process has touched or will touch.

    Pages are locked as they are first used (MCL_ONFAULT): locking whole mappings at once would make the stack of every
    thread and each reserve of the allocator resident, hundreds of MB that nobody uses.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._limits: tuple[int, int] | None = None

    def lock(self) -> None:
        """Lock.

        Raises:
            EdgeAIError: the privilege is missing; nothing has changed. A limited amount will not do: past it, every
                later allocation would fail.
        """
        limits = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        unlimited = limits[1] == resource.RLIM_INFINITY
        # At a limit of 0 only CAP_IPC_LOCK lets mlockall succeed, and then it holds for all that comes later, too.
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY if unlimited else 0, limits[1]))
        if self._libc.mlockall(_CURRENT | _FUTURE | _ON_FAULT):
            reason = os.strerror(ctypes.get_errno())
            resource.setrlimit(resource.RLIMIT_MEMLOCK, limits)
            raise EdgeAIError(
                "parameter 'lock_memory' has no effect",
                got=f"{reason}; a limit of {limits[1]} bytes",
                wanted="no limit, or CAP_IPC_LOCK",
                mend="lift the memlock limit, see doc/realtime.md",
            )
        if not unlimited:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, limits)
        self._limits = limits

    def unlock(self) -> None:
        """Undo `lock`; harmless without it."""
        if self._limits is not None:
            self._libc.munlockall()
            resource.setrlimit(resource.RLIMIT_MEMLOCK, self._limits)
            self._limits = None
