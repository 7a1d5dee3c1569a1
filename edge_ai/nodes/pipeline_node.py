"""pipeline_node: the whole robot in one process; frames pass as objects, topics carry what somebody subscribes to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from edge_ai.capture.capturer import CaptureStatus
from edge_ai.capture.params import CameraParams
from edge_ai.control.controller import Command
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import NS
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.performance import NodeStats, PerformanceLog
from edge_ai.monitoring.readings import Readings
from edge_ai.nodes.annotator import overlay_of_command
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.camera_topics import CameraPublisher
from edge_ai.nodes.cloud_side import cloud_side
from edge_ai.nodes.command_topics import CommandPublisher
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.emergency_stop import EmergencyStop
from edge_ai.nodes.model_update import ModelUpdates, swap_params
from edge_ai.nodes.result_topics import ResultPublisher
from edge_ai.nodes.robot_diagnosis import robot_diagnosis
from edge_ai.nodes.router_status import RouterStatusPublisher
from edge_ai.nodes.runner import run
from edge_ai.robot import Robot
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.status import SwapStatus
from edge_ai.runtime.told import PipelineTold, part, tell_command, tell_routing


class PipelineNode(ManagedNode):
    """Camera, inference and control with the topics, services and parameters of the three separate nodes."""

    def __init__(self) -> None:
        super().__init__(
            "pipeline",
            {
                "camera.": CameraParams,
                "inference.": InferenceParams,
                "swap.": SwapParams,
                "control.": ControlParams,
                "router.": RouterParams,
                "cloud.": CloudParams,
            },
            rates=("rate", "dropped", "failed"),
        )
        self._told = PipelineTold(self.stats)
        self._parts = {
            "camera": NodeStats(self.clock, rates=("rate", "dropped")),
            "control": NodeStats(self.clock, rates=("commands", "refused")),
            "inference": NodeStats(self.clock, rates=()),
            "router": NodeStats(self.clock, rates=()),
        }
        self._robot: Robot | None = None
        self._topics: tuple[CameraPublisher, ResultPublisher, CommandPublisher] | None = None
        self._updates: ModelUpdates | None = None
        self._router_status: RouterStatusPublisher | None = None
        self._performance = PerformanceLog(self.clock)
        self._report_timer: Any = None
        self._last: Command | None = None
        self._last_error = ""
        self._stop = EmergencyStop(self, self._emergency_stop, self._reset)

    def configure(self) -> None:
        camera, inference, control = self.params["camera."], self.params["inference."], self.params["control."]
        self._robot = robot = Robot(
            camera,
            inference,
            control,
            self.clock,
            on_command=self._on_command,
            on_frame=self._on_frame,
            on_result=self._on_result,
            on_status=self._on_status,
            on_error=self._on_error,
            router=self.params["router."],
            cloud=self.params["cloud."],
            connect=partial(cloud_side, self, router=lambda: self.params["router."]),
            swap=swap_params(self),
            on_update=self._on_update,
        )
        robot.prepare()
        self._stop.apply()
        self._topics = (
            CameraPublisher(self, camera, robot.capturer.name),
            ResultPublisher(self),
            CommandPublisher(self, control),
        )
        assert robot.swap is not None
        self._updates = ModelUpdates(self, robot.swap)
        if self.params["cloud."].url:
            self._router_status = RouterStatusPublisher(self, lambda: robot.routing)
        self.get_logger().info(f"ready: {robot.description}")

    def activate(self) -> None:
        assert self._robot is not None
        assert self._topics is not None
        self._topics[2].begin()
        if period := self.params["inference."].report_period:
            self._performance = PerformanceLog(self.clock)
            self._report_timer = self.every(period, self._report)
        self._robot.start()

    def deactivate(self) -> None:
        if self._report_timer is not None:
            self.destroy_timer(self._report_timer)
            self._report_timer = None
        if self._robot is not None:
            self._robot.stop()
        if self._topics is not None:
            self._topics[2].end()

    def cleanup(self) -> None:
        if self._updates is not None:
            self._updates.stop()
        if self._robot is not None:
            self._robot.close()
        if self._updates is not None:
            self._updates.close()
        for publisher in self._topics or ():
            publisher.destroy()
        if self._router_status is not None:
            self._router_status.destroy()
        self._robot = self._topics = self._updates = self._router_status = None

    def params_changed(self) -> None:
        if self._robot is not None:
            parts = ("inference.", "control.", "router.", "cloud.", "camera.")
            self._robot.update(*(self.params[part] for part in parts), swap_params(self))

    def diagnose(self) -> Diagnosis:
        assert self._robot is not None
        error, self._last_error = self._last_error, ""
        return robot_diagnosis(self._robot, self._last, error)

    def measure(self) -> Mapping[str, Readings]:
        assert self._robot is not None
        counts, capture = self._robot.counts, self._robot.capturer.status
        self._told.tell(counts)
        self._parts["inference"].gauge("variants", self.params["inference."].lighter)
        self._parts["camera"].total("dropped", capture.dropped)
        tell_command(self._parts["control"], self._last)
        if self._router_status is not None:
            tell_routing(self._parts["router"], self._router_status.report)
        if self._updates is not None:
            self._updates.refresh()
        return {name: readings for name, stats in self._parts.items() if (readings := part(stats))}

    def free_memory(self) -> int:
        return self._robot.free_memory() if self._robot is not None else super().free_memory()

    def _on_frame(self, frame: Frame) -> None:
        if self._topics is not None and self._robot is not None:
            self._topics[0].frame(frame, self._robot.capturer.status)
            self._parts["camera"].count("rate")

    def _on_status(self, status: CaptureStatus) -> None:
        self.get_logger().info(f"camera {status.state.name.lower()} {status.detail}")
        if self._topics is not None:
            self._topics[0].status(status)

    def _on_result(self, result: Result, frame: Frame) -> None:
        if self._topics is not None and self._robot is not None:
            self._topics[1].result(result, frame, self._robot.counts.dropped)
            age = (self.clock.steady_ns() - result.header.steady_ns) / NS
            self._performance.add(result.timings, age)
            self.stats.add(result.timings, age)

    def _on_update(self, _status: SwapStatus) -> None:
        if self._updates is not None:
            self._updates.publish()

    def _on_error(self, _frame: Frame, error: Exception) -> None:
        self._last_error = str(error) if isinstance(error, EdgeAIError) else f"{type(error).__name__}: {error}"
        self.get_logger().error(f"frame without a result: {self._last_error}", throttle_duration_sec=1.0)

    def _on_command(self, command: Command) -> None:
        before, self._last = self._last, command
        if before is None or before.state != command.state:
            self.get_logger().info(f"{command.state.name}: {command.reason}")
        if self._topics is not None:
            self._topics[2].command(command)
            self._topics[1].annotator.overlay(overlay_of_command(command))

    def destroy_node(self) -> None:
        """Take everything down."""
        self._stop.close()
        super().destroy_node()

    def _emergency_stop(self, reason: str) -> None:
        """On a thread of the service, as `_reset`."""
        robot = self._robot
        if robot is not None:
            robot.controller.emergency_stop(reason)
            robot.wake()

    def _reset(self) -> None:
        robot = self._robot
        if robot is not None:
            robot.controller.reset()

    def _report(self) -> None:
        if self._robot is not None:
            counts = self._robot.counts
            self.get_logger().info(self._performance.line(dropped=counts.dropped, failed=counts.failed))
            if (routing := self._robot.routing) is not None:
                self.get_logger().info(routing.line())


def main() -> int:
    """Run the node; returns the exit status."""
    return run(PipelineNode)
