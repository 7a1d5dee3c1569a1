"""Settings of the operating system and the interpreter that make a process's threads prompt."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.realtime.collector import Collector
from edge_ai.realtime.params import RealtimeParams
from edge_ai.realtime.scheduling import confine, normal_priority, raise_priority, release


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one setting that was asked for.

    Attributes:
        setting: name of the parameter.
        applied: it has its effect.
        words: what was done, or what was got, what was wanted and how to mend it.
    """

    setting: str
    applied: bool
    words: str


class RealtimeSettings:
    """Applies the settings to this process. What cannot be had, for lack of a privilege, is reported and left out.

    Args:
        params: the settings.
        spinning: the process has threads that spin for long while they wait.

    Raises:
        ParameterError: real-time priority and spinning threads: together they would starve the machine.

    Example:
        >>> settings = RealtimeSettings(RealtimeParams(gc="freeze"))
        >>> settings.apply()
        [Outcome(setting='gc', applied=True, words='freeze')]
        >>> settings.undo()
    """

    def __init__(self, params: RealtimeParams, *, spinning: bool = False) -> None:
        if params.priority and spinning:
            raise ParameterError(
                "parameter 'priority'",
                got=f"{params.priority} together with spinning",
                wanted="one of the two: a real-time thread that spins takes its CPU from everybody else",
                mend="set spinning to short or none, or priority to 0",
            )
        self._params = params
        self._undo: list[Callable[[], None]] = []

    def apply(self, load: Callable[[], None] = lambda: None) -> list[Outcome]:
        """Apply the settings around the loading of everything that is to live long.

        The CPUs come first, because engines count them when they choose how many threads to start. Loading is no work
        for real-time priority, so that comes last.

        Args:
            load: loads; what it raises is raised, with nothing applied.

        Returns:
            What became of each setting that differs from its default.
        """
        params = self._params
        try:
            before = [self._attempt("cpu_affinity", self._confine)] if params.cpus else []
            load()
            after = [
                self._attempt(name, action)
                for name, wanted, action in (
                    ("gc", params.gc != "default", self._collect),
                    ("lock_memory", params.lock_memory, self._lock),
                    ("priority", params.priority, self._prioritise),
                )
                if wanted
            ]
        except BaseException:
            self.undo()
            raise
        return before + after

    def undo(self) -> None:
        """Bring everything back to how `apply` found it; harmless when called twice."""
        while self._undo:
            self._undo.pop()()

    def _attempt(self, name: str, action: Callable[[], str]) -> Outcome:
        if name != "gc" and sys.platform != "linux":
            return Outcome(name, False, f"parameter '{name}' has no effect: got {sys.platform}; wanted Linux")
        try:
            return Outcome(name, True, action())
        except EdgeAIError as error:
            return Outcome(name, False, str(error))

    def _confine(self) -> str:
        before = confine(self._params.cpus)
        self._undo.append(lambda: release(before))
        return f"CPUs {self._params.cpu_affinity}"

    def _collect(self) -> str:
        collector = Collector(manual=self._params.gc == "manual")
        collector.start()
        self._undo.append(collector.stop)
        return self._params.gc

    def _lock(self) -> str:
        from edge_ai.realtime.memory_lock import MemoryLock  # Unix only

        memory = MemoryLock()
        memory.lock()
        self._undo.append(memory.unlock)
        return "memory is locked"

    def _prioritise(self) -> str:
        raise_priority(self._params.priority)
        self._undo.append(normal_priority)
        return f"SCHED_FIFO {self._params.priority}"
