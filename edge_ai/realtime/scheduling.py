"""CPUs and priority of every thread of this process, and through inheritance of those it starts later. Linux only."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from edge_ai.core.errors import EdgeAIError

_TASKS = "/proc/self/task"
_KERNEL = Path("/proc/sys/kernel")


def confine(cpus: Collection[int]) -> frozenset[int]:
    """Let this process run on some CPUs only.

    Returns:
        The CPUs it could run on before.

    Raises:
        EdgeAIError: one of them does not exist or is not this process's to use; nothing has changed.
    """
    before = os.sched_getaffinity(0)
    try:
        _each_thread(lambda thread: os.sched_setaffinity(thread, cpus))
        got = os.sched_getaffinity(0)
    except (OSError, ValueError):
        got = set()
    if got != set(cpus):
        # The kernel passes over a CPU that is not to be had as long as another one is.
        _each_thread(lambda thread: os.sched_setaffinity(thread, before))
        raise EdgeAIError(
            "parameter 'cpu_affinity' has no effect",
            got=f"CPUs {_listed(cpus)}",
            wanted=f"some of those this process is given, now {_listed(before)}",
            mend="correct the list, or give the process (container, cpuset) those CPUs",
        )
    return frozenset(before)


def release(cpus: Collection[int]) -> None:
    """Let this process run on these CPUs again, as `confine` found it."""
    _each_thread(lambda thread: os.sched_setaffinity(thread, cpus))


def raise_priority(priority: int) -> None:
    """Schedule every thread first in, first out (SCHED_FIFO), before all normal threads of the machine.

    All of them, because they share the interpreter's lock and the engine's work: a thread of normal priority that has
    been preempted while it holds the lock would keep the urgent ones waiting. Threads that somebody else gave a
    scheduling of their own keep it.

    Args:
        priority: 1 to 99.

    Raises:
        EdgeAIError: the privilege is missing, or the kernel's guard against a real-time thread that takes the whole
            machine is off; nothing has changed.
    """
    what = "parameter 'priority' has no effect"
    if not _guarded():
        raise EdgeAIError(
            what,
            got="a kernel without its guard against runaway real-time threads",
            wanted="sched_rt_runtime_us below its period",
            mend="sysctl kernel.sched_rt_runtime_us=950000",
        )
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        raise EdgeAIError(
            what, got="a process that was started with another scheduling", wanted="normal scheduling (SCHED_OTHER)"
        )
    try:
        _each_thread(lambda thread: _move(thread, os.SCHED_OTHER, os.SCHED_FIFO, priority))
    except OSError as error:
        normal_priority()
        raise EdgeAIError(
            what,
            got=error.strerror,
            wanted=f"the privilege to take SCHED_FIFO {priority}",
            mend="allow it with an rtprio limit or CAP_SYS_NICE, see doc/realtime.md",
        ) from None


def normal_priority() -> None:
    """Schedule every thread that is SCHED_FIFO normally again; needs no privilege."""
    _each_thread(lambda thread: _move(thread, os.SCHED_FIFO, os.SCHED_OTHER, 0))


def _move(thread: int, before: int, after: int, priority: int) -> None:
    if os.sched_getscheduler(thread) == before:
        os.sched_setscheduler(thread, after, os.sched_param(priority))


def _each_thread(act: Callable[[int], None]) -> None:
    """Repeated until no new thread is found: one started meanwhile may have inherited what was before."""
    done: set[int] = set()
    while fresh := {int(name) for name in os.listdir(_TASKS)} - done:
        for thread in fresh:
            with suppress(ProcessLookupError):  # it has ended
                act(thread)
        done |= fresh


def _guarded() -> bool:
    try:
        most, period = (int((_KERNEL / f"sched_rt_{name}_us").read_text()) for name in ("runtime", "period"))
        return 0 <= most < period
    except (OSError, ValueError):
        return True  # a kernel that does not have this setting leaves time to normal threads by other means


def _listed(cpus: Collection[int]) -> str:
    return ",".join(map(str, sorted(cpus)))
