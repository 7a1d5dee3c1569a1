"""What the nodes tell, put together to what the robot as a whole does."""

from __future__ import annotations

import math
from collections.abc import Mapping

from edge_ai.monitoring.readings import Readings

_ANSWERING = ("router", "pipeline", "inference")  # who gives the results that count, first that is there


class RobotReadings:
    """Derives them look by look: a robot that is still starting misses no target."""

    def __init__(self) -> None:
        self._awake = False

    def readings(self, nodes: Readings, target_fps: float = 0.0) -> dict[str, float]:
        """As `readings_of_robot`, with `fps_share` only from the first result on, until there is no `fps` any more."""
        derived = readings_of_robot(nodes, target_fps)
        fps = derived.get("fps")
        self._awake = fps is not None and (self._awake or fps > 0)
        if not self._awake:
            derived.pop("fps_share", None)
        return derived


def readings_of_robot(readings: Readings, target_fps: float = 0.0) -> dict[str, float]:
    """Derive `fps`, `age`, `processing`, `fps_share` and `kept_share` from the nodes' readings.

    Args:
        readings: of the nodes, by the names of doc/watching.md.
        target_fps: results a second wanted now; 0: none are.
    """
    derived: dict[str, float] = {}
    answering = next((node for node in _ANSWERING if of_nodes(readings, f"{node}/rate")), "")
    if answering:
        fps = derived["fps"] = sum(of_nodes(readings, f"{answering}/rate").values())
        if target_fps:
            derived["fps_share"] = fps / target_fps
        if cameras := of_nodes(readings, "camera/rate"):
            offered = sum(cameras.values())
            # A camera that gives nothing loses nothing: no lighter model would help it.
            derived["kept_share"] = min(fps / offered, 1.0) if offered else 1.0
        _worst(derived, "age", of_nodes(readings, f"{answering}/age_p50"))
    for node in ("inference", "pipeline", "router"):
        if processing := of_nodes(readings, f"{node}/processing_p50"):
            _worst(derived, "processing", processing)
            break
    return derived


def of_nodes(readings: Readings, name: str) -> Mapping[str, float]:
    """The readings "<node>/<what>" of that node in every namespace, by full name; those that are NaN are left out."""
    end = f"/{name}"
    return {
        full: value
        for full, value in readings.items()
        if (full == name or full.endswith(end)) and not math.isnan(value)
    }


def _worst(derived: dict[str, float], name: str, values: Mapping[str, float]) -> None:
    if values:
        derived[name] = max(values.values())
