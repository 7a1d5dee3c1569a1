"""All sources of metrics together: what is known now, from which source, and which sources are left out."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence

from edge_ai.core.clock import NS, Clock
from edge_ai.monitoring.probes.base import Probe
from edge_ai.monitoring.readings import Readings, Sample
from edge_ai.monitoring.source import Source

log = logging.getLogger(__name__)

_KEPT = 3  # periods that a reading counts


class Sampler:
    """Asks every source at once, each on a thread of its own, and merges what they say.

    A source that hangs, fails or is not there costs nothing but its readings: the others go on, and it is tried again
    after 1, 2, 4 … 60 s. Only the steady clock counts; the stamp is the only thing that is taken from the other one.

    Args:
        probes: in order of preference: what two of them measure is taken from the first that has it.
        clock: stamps samples, measures ages and pauses.
        period: seconds between two calls of `collect`; readings that are three of them old are forgotten.
        patience: seconds after which a source that does not answer is said to hang.
        wait: seconds that a look may take at most; an answer that comes later counts in the next one.

    Example:
        >>> sampler = Sampler(find().probes, SystemClock())
        >>> sampler.collect().readings["memory"]
        0.42
    """

    def __init__(
        self, probes: Sequence[Probe], clock: Clock, *, period: float = 1.0, patience: float = 3.0, wait: float = 0.05
    ) -> None:
        self._clock, self._wait = clock, wait
        self._answered = threading.Condition()
        self._sources = tuple(Source(probe, clock, patience, wait, self._answered) for probe in probes)
        self._kept_ns = round(_KEPT * period * NS)
        self._turn = threading.Lock()
        self._running = False
        self._faults: frozenset[str] = frozenset()
        self._cost = _Cost()

    def start(self) -> None:
        """Have the threads ready; `collect` does so as well."""
        if not self._running:
            self._running = True
            for source in self._sources:
                source.start()

    def stop(self, patience: float = 1.0) -> None:
        """Let go of the sources; one that hangs is left behind. May be started again."""
        self._running = False
        threads = [source.stop() for source in self._sources]
        end = time.monotonic() + patience
        for thread in threads:
            if thread is not None:
                thread.join(max(end - time.monotonic(), 0.0))

    def collect(self) -> Sample:
        """Have a look at everything; takes as long as the sources do, at most ``wait``.

        Returns:
            The newest of each reading, ``temperature`` as the hottest of all, ``monitor/load`` as the cores that the
            sources and the calling thread have taken since the last call, and the faults by the names of the sources.
        """
        with self._turn:
            self.start()
            for source in self._sources:
                source.ask()
            with self._answered:
                self._answered.wait_for(lambda: not any(source.expected for source in self._sources), self._wait)
            sample = self._merge()
            self._tell(sample.faults)
            return sample

    def by_source(self) -> Mapping[str, Readings]:
        """What each source said last, whether it is used or not; one that said nothing of late has nothing."""
        now = self._clock.steady_ns()
        return {source.name: source.answer.readings if self._fresh(source, now) else {} for source in self._sources}

    def _merge(self) -> Sample:
        now = self._clock.steady_ns()
        readings: dict[str, float] = {}
        texts: dict[str, str] = {}
        throttled: list[float] = []
        for source in reversed([source for source in self._sources if self._fresh(source, now)]):
            known = {name: value for name, value in source.answer.readings.items() if not math.isnan(value)}
            readings.update(known)
            texts.update(source.answer.texts)
            throttled += [known["throttled"]] if "throttled" in known else []
        hot = [value for name, value in readings.items() if name.startswith("temperature/")]
        if hot:
            readings["temperature"] = max(hot)
        if throttled:
            readings["throttled"] = max(throttled)
        load = self._cost.cores(self._sources, now)
        if load is not None:
            readings["monitor/load"] = load
        faults = {source.name: fault for source in self._sources if (fault := source.fault)}
        return Sample(self._clock.stamp_ns(), now, readings, texts, faults)

    def _fresh(self, source: Source, now: int) -> bool:
        return bool(source.answer.steady_ns) and now - source.answer.steady_ns <= self._kept_ns

    def _tell(self, faults: Mapping[str, str]) -> None:
        """Say once that a source is left out, and once that it is back."""
        now = frozenset(faults)
        for name in sorted(now - self._faults):
            log.warning("source of metrics left out: %s: %s", name, faults[name])
        for name in sorted(self._faults - now):
            log.info("source of metrics is back: %s", name)
        self._faults = now


class _Cost:
    """What watching takes: the threads of the sources, and the thread that collects with all that it does between."""

    def __init__(self) -> None:
        self._thread = 0
        self._taken_ns = self._since_ns = 0

    def cores(self, sources: Sequence[Source], now_ns: int) -> float | None:
        """CPU time over time since the last call; None the first time, and when another thread asks."""
        thread = threading.get_ident()
        taken_ns = time.thread_time_ns() + sum(source.cpu_ns for source in sources)
        known = self._thread == thread and now_ns > self._since_ns
        cores = (taken_ns - self._taken_ns) / (now_ns - self._since_ns) if known else None
        self._thread, self._taken_ns, self._since_ns = thread, taken_ns, now_ns
        return None if cores is None else max(cores, 0.0)
