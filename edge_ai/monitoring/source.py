"""A source of metrics and the thread that asks it, so that nobody else waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes.base import Probe
from edge_ai.monitoring.readings import Readings

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # s, before a source that failed is tried again


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said last.

    Attributes:
        steady_ns: when, on the steady clock; 0: it has not said anything that holds.
    """

    steady_ns: int = 0
    readings: Readings = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


class Source:
    """Asks a probe when told to, and keeps its answer, or why there is none.

    Args:
        probe: opened, read and closed by this source's thread alone.
        clock: whose steady side measures pauses and ages.
        patience: seconds that an answer may take; a later one is thrown away.
        prompt: seconds within which a source has answered that is worth waiting for.
        answered: notified after each answer; guards everything here.
    """

    def __init__(
        self, probe: Probe, clock: Clock, patience: float, prompt: float, answered: threading.Condition
    ) -> None:
        self.name = probe.name
        self._probe, self._clock, self._answered = probe, clock, answered
        self._patience, self._prompt_within = patience, prompt
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._wanted = self._open = False
        self._asked_ns = 0
        self._retry_ns, self._pause = 0, _FIRST_PAUSE
        self._prompt = True
        self._cpu_ns = 0
        self.answer = Answer()
        self.failure = ""

    def start(self) -> None:
        """Have a thread ready. One that still hangs from before goes on, should it ever come back."""
        with self._answered:
            self._wanted = True
            if self._thread is None:
                self._asked_ns, self._retry_ns, self._pause = 0, 0, _FIRST_PAUSE
                self._thread = threading.Thread(target=self._run, name=f"probe {self.name}", daemon=True)
                self._thread.start()

    def stop(self) -> threading.Thread | None:
        """Let the thread close the probe and end, as soon as it can; returns it."""
        with self._answered:
            self._wanted = False
            self._wake.set()
            return self._thread

    def ask(self) -> None:
        """Begin a look, unless one is under way, or the source rests after a failure."""
        with self._answered:
            now = self._clock.steady_ns()
            if self._thread is not None and not self._asked_ns and now >= self._retry_ns:
                self._asked_ns = now
                self._wake.set()

    @property
    def expected(self) -> bool:
        """Whether an answer is under way that is worth waiting for."""
        return bool(self._asked_ns) and self._prompt

    @property
    def fault(self) -> str:
        """Why nothing is known from it, in words; empty: all is well."""
        asked_ns = self._asked_ns
        waited = (self._clock.steady_ns() - asked_ns) / 1e9 if asked_ns else 0.0
        return f"no answer for {waited:.0f} s" if waited > self._patience else self.failure

    @property
    def cpu_ns(self) -> int:
        """CPU time that it has taken so far."""
        return self._cpu_ns + int(getattr(self._probe, "cpu_ns", 0))

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._answered:
                if not self._wanted:
                    self._thread = None
                    break
            if self._asked_ns:
                self._look()
        self._close()

    def _look(self) -> None:
        began_ns = self._clock.steady_ns()
        cpu_ns = time.thread_time_ns()
        answer, failure = Answer(), ""
        try:
            if not self._open:
                self._probe.open()
                self._open = True
            readings = {name: float(value) for name, value in self._probe.read().items()}
            texts = dict(self._probe.texts())
            answer = Answer(self._clock.steady_ns(), readings, texts)
        except (Exception, SystemExit) as error:  # whatever a driver, a service or its library does
            words = str(error) if isinstance(error, EdgeAIError) else f"{type(error).__name__}: {error}"
            failure = words.removeprefix(f"{self.name}: ")
            self._close()
        with self._answered:
            took = (self._clock.steady_ns() - began_ns) / 1e9
            self._prompt = took <= self._prompt_within
            self._settle(answer, failure, took)
            self._cpu_ns += time.thread_time_ns() - cpu_ns
            self._asked_ns = 0
            self._answered.notify_all()

    def _settle(self, answer: Answer, failure: str, took: float) -> None:
        self.failure = failure
        if failure:
            self._retry_ns = self._clock.steady_ns() + round(self._pause * 1e9)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        elif took <= self._patience:
            self.answer, self._pause = answer, _FIRST_PAUSE

    def _close(self) -> None:
        self._open = False
        try:
            self._probe.close()
        except (Exception, SystemExit) as error:
            self.failure = self.failure or f"{type(error).__name__}: {error}"
