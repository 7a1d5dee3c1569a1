"""The robot's watch over itself: looks once a second, raises alerts, works the ladder, keeps a history."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol

from edge_ai.core.clock import NS, Clock
from edge_ai.monitoring.actions import Actuator
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.alerts import Alerts
from edge_ai.monitoring.history import History
from edge_ai.monitoring.kept_steps import KeptSteps
from edge_ai.monitoring.ladder_file import check_names, plan_of
from edge_ai.monitoring.mitigation import Mitigation, MitigationStatus
from edge_ai.monitoring.node_readings import NodeReadings
from edge_ai.monitoring.params import MonitorParams, named
from edge_ai.monitoring.readings import Readings, Sample
from edge_ai.monitoring.report import Report, report
from edge_ai.monitoring.robot_readings import RobotReadings, of_nodes
from edge_ai.monitoring.rules import own_rules
from edge_ai.monitoring.summary import METRICS, line

log = logging.getLogger(__name__)


class Source(Protocol):
    """Where the machine's readings come from, such as a `Sampler`."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def collect(self) -> Sample:
        """What is known now, within a moment."""


def _ignore(_: Any) -> None:
    pass


class Monitor:
    """Watches a machine and its nodes, on a thread of its own that nothing ends but `stop`.

    Args:
        params: limits, target, ladder.
        clock: stamps; all durations are on its steady side.
        sampler: the machine's readings; started and stopped with the monitor.
        actuator: does what the ladder wants; None: there is no ladder, only alerts.
        on_sample: takes each sample, with the nodes' and the derived readings, once a period.
        on_alert: takes each alert when it is raised and when it is over.
        on_mitigation: takes the ladder's state once a period, if there is a ladder.
        name: of this monitor among others of this user, such as a node's full name: the steps that it took are then
            remembered over a crash. Empty: they are not.

    The callbacks run on the monitor's thread one after the other, and should be quick; one that raises is logged.

    Raises:
        EdgeAIError: the mitigation file is missing or wrong, or a step is pinned or vetoed that it does not have.
    """

    def __init__(
        self,
        params: MonitorParams,
        clock: Clock,
        *,
        sampler: Source,
        actuator: Actuator | None = None,
        on_sample: Callable[[Sample], None] = _ignore,
        on_alert: Callable[[Alert], None] = _ignore,
        on_mitigation: Callable[[MitigationStatus], None] = _ignore,
        name: str = "",
    ) -> None:
        self._plan = plan_of(params.mitigation)
        check_names(self._plan, params)
        self._params, self._clock, self._sampler, self._actuator = params, clock, sampler, actuator
        self._on_sample, self._on_alert, self._on_mitigation = on_sample, on_alert, on_mitigation
        self._name = name
        self._lock = threading.RLock()
        self._nodes = NodeReadings(clock, kept=max(3 * params.period, 3.0))
        self._robot = RobotReadings()
        self._alerts = Alerts((*own_rules(params), *self._plan.rules), params.vanish_after)
        self._mitigation: Mitigation | None = None
        self._history = History(round(params.history / params.period))
        self._logged_ns = clock.steady_ns()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch; does nothing while it does."""
        if self._thread is None:
            self._sampler.start()
            self._end.clear()
            self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
            self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Undo the steps taken, last first, and end. What the operator keeps stays: an emergency stop, what is pinned.

        Waits up to ``patience`` seconds for the actuator's answers: not to be called from a thread that these need.
        """
        thread, self._thread = self._thread, None
        self._end.set()
        if thread is not None:
            thread.join(patience)
        if self._lock.acquire(timeout=patience):  # not if a look hangs
            try:
                mitigation, self._mitigation = self._mitigation, None
                if mitigation is not None:
                    mitigation.close(patience)
            finally:
                self._lock.release()
        else:
            log.error("a look at the robot does not end: the ladder's steps are left as they are")
        self._sampler.stop()

    def tell(self, node: str, readings: Readings) -> None:
        """Take what a node measured of itself; counts for three seconds, or three periods. From any thread.

        Args:
            node: its name, with its namespace if that is not the monitor's: "inference", "front/camera".
            readings: without the node's name: "rate", "age_p50".
        """
        self._nodes.tell(node, readings)

    def forget(self, node: str) -> None:
        """A node has ended of its own accord: its silence is no fault."""
        self._nodes.forget(node)

    def update(self, params: MonitorParams) -> None:
        """Take over live parameters. From any thread.

        Raises:
            ParameterError: a step is pinned or vetoed that the ladder does not have.
        """
        check_names(self._plan, params)
        with self._lock:
            self._params = params
            self._alerts.update((*own_rules(params), *self._plan.rules), params.vanish_after)

    def beat(self, late: float = 0.0) -> Sample:
        """Look once: what the thread does each period.

        Args:
            late: s after its time.
        """
        with self._lock:
            sample = self._look(late)
            self._history.add(sample)
            events = self._alerts.look(sample)
            if self._actuator is not None:
                self._mitigate(sample, self._actuator)
            status = self._mitigation.status if self._mitigation is not None else None
        self._call(self._on_sample, sample)
        for event in events:
            log.log(logging.WARNING if event.active else logging.INFO, "alert %s: %s", event.name, event.message)
            self._call(self._on_alert, _with_steps(event, status))
        if status is not None:
            self._call(self._on_mitigation, status)
        self._write(status)
        return sample

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that are raised now, with what was done about each, oldest first."""
        with self._lock:
            status = self.mitigation
            return tuple(_with_steps(alert, status) for alert in self._alerts.active)

    @property
    def mitigation(self) -> MitigationStatus:
        """How the ladder stands; without one, or while nobody watches, at level 0."""
        with self._lock:
            return self._mitigation.status if self._mitigation is not None else MitigationStatus()

    def report(self, window: float = 0.0, metrics: Iterable[str] = ()) -> Report:
        """Sum up the last while. From any thread.

        Args:
            window: seconds, back from now; 0: all that is kept.
            metrics: names, or beginnings of names that end with a slash; empty: all.
        """
        return report(self._history.last(window), metrics)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._end.wait(max(due - time.monotonic(), 0.0)):
            late = time.monotonic() - due
            try:
                self.beat(late)
            except Exception:
                log.exception("one look at the robot failed; the next one is due")
            period = self._params.period
            due += period * max(1, int((time.monotonic() - due) / period) + 1)  # what was missed is not made up for

    def _look(self, late: float) -> Sample:
        try:
            sample = self._sampler.collect()
        except Exception as error:
            log.exception("no readings of the machine")
            now = self._clock
            sample = Sample(now.stamp_ns(), now.steady_ns(), faults={"sampler": f"{type(error).__name__}: {error}"})
        nodes, silent = self._nodes.now()
        cap = self._mitigation.rate_cap if self._mitigation is not None else math.inf
        cameras = max(len(of_nodes(nodes, "camera/rate")), 1)
        whole = self._robot.readings(nodes, min(self._params.target_fps, cap * cameras))
        readings = {**sample.readings, **nodes, "monitor/late": late, **whole}
        return replace(sample, readings=readings, faults={**sample.faults, **silent})

    def _mitigate(self, sample: Sample, actuator: Actuator) -> None:
        params = self._params
        try:
            if self._mitigation is None:
                self._mitigation = Mitigation(self._plan, self._clock, actuator, KeptSteps.of(self._name))
            standings = self._alerts.standings()
            self._mitigation.beat(sample.readings, standings, named(params.pinned), named(params.vetoed))
        except Exception:  # alerts are told all the same
            log.exception("the ladder failed")

    def _write(self, status: MitigationStatus | None) -> None:
        now, period = self._clock.steady_ns(), self._params.log_period
        if not period or now - self._logged_ns < period * NS:
            return
        self._logged_ns = now
        steps = [step.name for step in status.steps if step.state in (1, 2, 5)] if status is not None else []
        log.info("%s", line(self.report(period, METRICS), [alert.name for alert in self.alerts], steps))

    def _call(self, callback: Callable[[Any], None], value: object) -> None:
        try:
            callback(value)
        except Exception:
            log.exception("whoever is told of %s failed", type(value).__name__)


def _with_steps(alert: Alert, status: MitigationStatus | None) -> Alert:
    return replace(alert, mitigation=status.done_for.get(alert.name, "")) if status is not None else alert
