"""The parameters of everything in the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_ai.capture.params import CameraParams
from edge_ai.control.params import ControlParams
from edge_ai.core.errors import ParameterError
from edge_ai.core.params import Params
from edge_ai.dashboard.params import DashboardParams
from edge_ai.monitoring.params import MonitorParams, PowerParams
from edge_ai.recording.params import RecorderParams
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.params import SwapParams

CLASSES: dict[str, type[Params]] = {
    "camera": CameraParams,
    "inference": InferenceParams,
    "swap": SwapParams,
    "control": ControlParams,
    "router": RouterParams,
    "cloud": CloudParams,
    "monitor": MonitorParams,
    "power": PowerParams,
    "dashboard": DashboardParams,
    "recorder": RecorderParams,
}
"""Parameter class by node."""


@dataclass(frozen=True, slots=True)
class WatchedParams:
    """One parameter object a node, by the node's name."""

    camera: CameraParams = field(default_factory=CameraParams)
    inference: InferenceParams = field(default_factory=InferenceParams)
    swap: SwapParams = field(default_factory=SwapParams)
    control: ControlParams = field(default_factory=ControlParams)
    router: RouterParams = field(default_factory=RouterParams)
    cloud: CloudParams = field(default_factory=CloudParams)
    monitor: MonitorParams = field(default_factory=MonitorParams)
    power: PowerParams = field(default_factory=PowerParams)
    dashboard: DashboardParams = field(default_factory=DashboardParams)
    recorder: RecorderParams = field(default_factory=RecorderParams)

    @classmethod
    def parse(cls, values: Mapping[str, Mapping[str, Any]]) -> WatchedParams:
        """Check values and make the parameters.

        Args:
            values: by node and parameter name; what is missing takes its default.

        Raises:
            ParameterError: there is no such node or parameter, a type is wrong or a value out of range.
        """
        unknown = [node for node in values if node not in CLASSES]
        if unknown:
            raise ParameterError(f"node '{unknown[0]}'", got="none", wanted=f"one of {', '.join(CLASSES)}")
        return cls(**{node: CLASSES[node].parse(given, owner=node) for node, given in values.items()})  # type: ignore[arg-type]
