"""monitor_node: how the machine and the nodes fare, what is wrong, and what is done about it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.endpoint import Endpoint
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.ladder_file import plan_of
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.monitor import Monitor
from edge_ai.monitoring.params import MonitorParams, PowerParams
from edge_ai.monitoring.power import PowerControl
from edge_ai.monitoring.probes.registry import find
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.sampler import Sampler
from edge_ai.msg import Alert as AlertMessage
from edge_ai.msg import MitigationStatus as MitigationMessage
from edge_ai.msg import SystemStatus
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.monitor_sources import MonitorSources
from edge_ai.nodes.qos import ALERTS, STATUS
from edge_ai.nodes.runner import run
from edge_ai.nodes.service_actuator import ServiceActuator
from edge_ai.recording import messages
from edge_ai.srv import Report

_LEVELS = {Level.WARN: DiagnosticStatus.WARN, Level.ERROR: DiagnosticStatus.ERROR}
_TOLD = ("cpu", "gpu", "memory", "disk", "temperature", "power", "fps", "fps_share", "age", "monitor/load")


class MonitorNode(ManagedNode):
    """Publishes what it sees once a second, serves it to Prometheus, raises alerts and works the ladder."""

    def __init__(self) -> None:
        super().__init__("monitor", {"": MonitorParams, "power.": PowerParams}, rates=())
        self._health, self._prometheus = Health(self.clock), Metrics(self.clock)
        self._monitor: Monitor | None = None
        self._actuator: ServiceActuator | None = None
        self._sources: MonitorSources | None = None
        self._endpoint: Endpoint | None = None
        self._power = PowerControl()
        self._powering: threading.Thread | None = None
        self._refusals: list[str] = []
        self._sample: Sample | None = None
        self._topics: dict[str, Any] = {}
        self.create_service(Report, "monitor/report", self._on_report)

    def configure(self) -> None:
        plan_of(self.params[""].mitigation)  # says now what is wrong with it
        self._topics = {
            "status": self.publisher(SystemStatus, "monitor/status", STATUS),
            "alerts": self.publisher(AlertMessage, "monitor/alerts", ALERTS),
            "mitigation": self.publisher(MitigationMessage, "monitor/mitigation", STATUS),
        }

    def activate(self) -> None:
        params: MonitorParams = self.params[""]
        self._refusals = []
        self._prometheus, self._health = Metrics(self.clock), Health(self.clock)
        if params.metrics_port:
            self._endpoint = Endpoint(
                params.metrics_host, params.metrics_port, metrics=self._prometheus, health=self._health
            )
            try:
                self._endpoint.start()
            except EdgeAIError as error:  # such as another robot's on this machine: no reason not to watch
                self._endpoint = None
                self._refusals.append(str(error))
                self.get_logger().warning(str(error))
        self._actuator = ServiceActuator(self, self._power.set, plan_of(params.mitigation).deadline)
        self._sources = MonitorSources(self, Sampler(find().probes, self.clock, period=params.period), self._heard)
        self._monitor = Monitor(
            params,
            self.clock,
            sampler=self._sources,
            actuator=self._actuator,
            on_sample=self._on_sample,
            on_alert=self._on_alert,
            on_mitigation=self._on_mitigation,
            name=self.get_fully_qualified_name(),
        )
        self._sources.monitor = self._monitor
        self._powering = threading.Thread(target=self._apply_power, name="power", daemon=True)
        self._powering.start()
        self._monitor.start()

    def deactivate(self) -> None:
        if self._monitor is not None:
            self._monitor.stop()
        if self._sources is not None:
            self._sources.close()
        if self._actuator is not None:
            self._actuator.close()
        if self._endpoint is not None:
            self._endpoint.stop()
        if self._powering is not None:
            self._powering.join()
            self._power.restore()
        self._monitor = self._sources = self._actuator = self._endpoint = self._powering = self._sample = None

    def cleanup(self) -> None:
        self.deactivate()
        self.destroy_publishers(*self._topics.values())
        self._topics = {}

    def params_changed(self) -> None:
        if self._monitor is not None:
            self._monitor.update(self.params[""])

    def diagnose(self) -> Diagnosis:
        assert self._monitor is not None
        sample, alerts = self._sample, self._monitor.alerts
        if sample is None:
            return DiagnosticStatus.OK, "nothing measured yet", {}
        readings = sample.readings
        values: dict[str, object] = {name: f"{readings[name]:.3g}" for name in _TOLD if name in readings}
        values |= {f"without {source}": why for source, why in sample.faults.items()}
        values |= {f"refused {number}": why for number, why in enumerate(self._refusals, 1)}
        if alerts:
            worst = max(alerts, key=lambda alert: alert.level)
            return _LEVELS[worst.level], "; ".join(alert.message for alert in alerts), values
        if self._refusals:
            return DiagnosticStatus.WARN, self._refusals[0], values
        return DiagnosticStatus.OK, "all is well", values

    def _apply_power(self) -> None:
        power: PowerParams = self.params["power."]
        self._refusals += [f"power: {why}" for why in self._power.apply(power.mode, power.clocks, power.fan)]

    # On the monitor's thread ------------------------------------------------------------------------------------

    def _on_sample(self, sample: Sample) -> None:
        assert self._monitor is not None
        self._sample, alerts = sample, self._monitor.alerts
        self._prometheus.sample(sample)
        self._prometheus.alerts(alerts)
        self._health.update(sample)
        target = self.params[""].target_fps
        self._topics["status"].publish(messages.system_status(sample, alerts, target))

    def _on_alert(self, alert: Alert) -> None:
        self._topics["alerts"].publish(messages.alert(alert))

    def _on_mitigation(self, status: MitigationStatus) -> None:
        self._prometheus.mitigation({"level": status.level, "changes": status.changes})
        self._topics["mitigation"].publish(messages.mitigation_status(status, self.clock.stamp_ns()))

    def _heard(self, name: str, fields: Mapping[str, Any]) -> None:
        """What router, recorder and the model's updates say of themselves, for Prometheus."""
        told = self._prometheus
        {"router": told.router, "recorder": told.recorder, "model_update": told.model_update}[name](fields)

    # ------------------------------------------------------------------------------------------------------------

    def _on_report(self, request: Report.Request, response: Report.Response) -> Report.Response:
        if self._monitor is None:
            response.message = "the monitor is not active"
            return response
        report = self._monitor.report(request.window, [name for name in request.metrics if name])
        response.success, response.seconds, response.text = True, report.seconds, report.text
        response.message = "" if report.rows else "nothing of that was measured"
        response.names = [row.name for row in report.rows]
        response.means = [row.mean for row in report.rows]
        response.maxima = [row.maximum for row in report.rows]
        response.p50 = [row.p50 for row in report.rows]
        response.p95 = [row.p95 for row in report.rows]
        response.p99 = [row.p99 for row in report.rows]
        response.samples = [row.samples for row in report.rows]
        return response


def main() -> int:
    """Run the node; returns the exit status."""
    return run(MonitorNode)
