"""The robot of this process with everything that watches it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from edge_ai.capture.status import CaptureStatus
from edge_ai.control.command import Command
from edge_ai.core.clock import Clock
from edge_ai.core.params import Params
from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.monitor import Monitor
from edge_ai.monitoring.power import PowerControl
from edge_ai.monitoring.probes.registry import find
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.sampler import Sampler
from edge_ai.robot import Robot
from edge_ai.routing.report import RouterReporter
from edge_ai.runtime.swap.status import SwapState, SwapStatus
from edge_ai.runtime.told import update_fields
from edge_ai.watched.actuator import DirectActuator
from edge_ai.watched.figures import Figures
from edge_ai.watched.looks import Looks
from edge_ai.watched.page import Page
from edge_ai.watched.params import WatchedParams
from edge_ai.watched.recording import Recording
from edge_ai.watched.scrape import Scrape
from edge_ai.watched.watcher import Watcher
from edge_ai.watched.watchers import Watchers

log = logging.getLogger(__name__)

_LADDERS = ("inference", "control", "router", "cloud", "camera")
"""The nodes whose parameters a ladder may change, as `Robot.update` takes them."""
_ROUTED = ("router", "cloud")  # there only with a server


class WatchedRobot:
    """Starts and ends robot, monitor, page and recorder in the order that suits all of them.

    Args:
        params: of all parts.
        clock: stamps and ages.
        watchers: told of everything as well.
        page: whether the dashboard is served.
        record: whether the flight recorder listens.

    Raises:
        EdgeAIError: the mitigation file is missing or wrong.

    Attributes:
        robot: camera, model and control.
        monitor: what is measured, and what is done about it.
        page: the dashboard; None: there is none.
    """

    def __init__(
        self,
        params: WatchedParams,
        clock: Clock,
        watchers: Sequence[Watcher] = (),
        *,
        page: bool = True,
        record: bool = True,
    ) -> None:
        self._params, self._updating = params, threading.Lock()
        self.robot = Robot(
            params.camera,
            params.inference,
            params.control,
            clock,
            on_command=self._commanded,
            on_frame=self._captured,
            on_result=self._answered,
            on_status=self._changed,
            on_error=_failed,
            router=params.router,
            cloud=params.cloud,
            swap=params.swap,
            on_update=self._updated,
        )
        self._figures = Figures(clock, params.inference.lighter, routed=bool(params.cloud.url))
        self._reporter = RouterReporter()
        self._power = PowerControl()
        live: dict[str, Params] = {
            node: getattr(params, node) for node in _LADDERS if params.cloud.url or node not in _ROUTED
        }
        self._actuator = DirectActuator(live, self._apply, self._services(), self._power.set)
        self.monitor = Monitor(
            params.monitor,
            clock,
            sampler=Looks(Sampler(find().probes, clock, period=params.monitor.period), self._tell),
            actuator=self._actuator,
            on_sample=self._sampled,
            on_alert=self._alerted,
            on_mitigation=self._mitigated,
        )
        self._scrape = Scrape(clock)
        self.page = Page(params.dashboard, clock, self._scrape.metrics, self._scrape.health) if page else None
        self._recording = Recording(params, clock) if record else None
        ours = (self._figures, self._scrape, self._recording, self.page)
        self._watchers = Watchers((*(watcher for watcher in ours if watcher is not None), *watchers))

    def prepare(self) -> None:
        """Open the camera, load the model, serve the page: what cannot work fails now and says why.

        Raises:
            EdgeAIError: the camera, the model or the page's address cannot be had.
        """
        self.robot.prepare()
        if self.page is not None:
            record = self._recording.request if self._recording is not None else None
            self.page.buttons(self.emergency_stop, self.robot.controller.reset, record)
            self.page.start()

    def start(self) -> None:
        """Begin to see, to move, and to watch; call `prepare` first."""
        power = self._params.power
        self._power.apply(mode=power.mode, clocks=power.clocks, fan=power.fan)
        self._updated()
        if self._recording is not None:
            self._recording.start()
        self.robot.start()
        self.monitor.start()

    def close(self) -> None:
        """Stop moving, put back what was changed, write what is being recorded, and end; all of it, if a part fails."""
        with ExitStack() as last_first:
            if self.page is not None:
                last_first.callback(self.page.stop)
            if self._recording is not None:
                last_first.callback(self._recording.stop)
            last_first.callback(self._power.restore)
            last_first.callback(self.robot.close)
            last_first.callback(self._actuator.close)
            last_first.callback(self.monitor.stop)
            self.robot.controller.deactivate()

    def emergency_stop(self, reason: str = "the operator pressed the emergency stop") -> str:
        """Stand still until the controller is reset; says so."""
        self.robot.controller.emergency_stop(reason)
        self.robot.wake()
        return "stopped until it is reset"

    # What the robot's parts say --------------------------------------------------------------------------------------

    def _captured(self, frame: Frame) -> None:
        self._watchers.tell("frame", frame)

    def _answered(self, result: Result, frame: Frame) -> None:
        self._watchers.tell("result", result, frame)

    def _commanded(self, command: Command) -> None:
        self._watchers.tell("command", command)

    def _changed(self, status: CaptureStatus) -> None:
        self._watchers.tell("camera", status)

    def _updated(self, _status: SwapStatus | None = None) -> None:
        swap = self.robot.swap
        if swap is None:  # being opened
            return
        with self._updating:  # whoever comes last tells the newest
            self._watchers.tell("update", update_fields(swap.status))
            if self._recording is not None:
                self._recording.model(swap.card)

    # What the monitor says -------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        status = self.robot.routing
        report = self._reporter.report(status) if status is not None else None
        told = self._figures.readings(self.robot.capturer.status, self.robot.counts, report)
        for node, readings in told.items():
            self.monitor.tell(node, readings)
        if report is not None:
            self._watchers.tell("routing", report)

    def _sampled(self, sample: Sample) -> None:
        alerts, swap = self.monitor.alerts, self.robot.swap
        self._watchers.tell("sample", sample, alerts)
        if swap is not None and swap.status.state is SwapState.PROBATION:
            self._updated()  # how far it is
        model = self.robot.model
        if self.page is not None and model is not None:
            self.page.deployment(model.card, model.backend.description, self.robot.serving, self.robot.note)
        if self._recording is not None:
            state = self._recording.state
            self._scrape.metrics.recorder(asdict(state))
            if self.page is not None:
                self.page.recorder(state)

    def _alerted(self, alert: Alert) -> None:
        self._watchers.tell("alert", alert)

    def _mitigated(self, status: MitigationStatus) -> None:
        self._watchers.tell("mitigation", status)

    # What the ladder may do ------------------------------------------------------------------------------------------

    def _apply(self, params: Mapping[str, Any]) -> None:
        self.robot.update(*(params.get(node, getattr(self._params, node)) for node in _LADDERS))

    def _services(self) -> dict[str, Callable[[], object]]:
        def stop() -> None:
            self.emergency_stop("the monitor stopped the robot: its alerts say why")

        def free() -> None:
            log.info("%.0f MiB given back", self.robot.free_memory() / 2**20)

        every = dict.fromkeys((f"{node}/free_memory" for node in ("camera", "inference", "control")), free)
        return {**every, "control/emergency_stop": stop}


def _failed(_frame: Frame | PendingFrame, error: Exception) -> None:
    log.error("frame without a result: %s", error)
