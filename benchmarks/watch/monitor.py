"""Part `monitor`: what the monitor node takes of a core at 1 Hz, beside a robot of separate nodes."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psutil

from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.processes import NodeError, nodes
from benchmarks.topic import Context, MeasurementError, Report

GOALS = {"cores": Goal("monitor_node at 1 Hz: % of a core", None, 1.0, "lower")}
_ROBOT = ("camera", "inference", "control")
_SOURCE = "synthetic://640x480@15"
_START, _SETTLE = 60.0, 5.0  # s for all to be active; s before it counts
_TURNS, _TURN = (2, 8), 10.0


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Start a robot and its monitor; the values of the goals."""
    try:
        found = _measure(context)
    except NodeError as error:
        raise MeasurementError(str(error)) from None
    context.say(f"monitor: {median(found):.2f} % of a core ({', '.join(f'{one:.2f}' for one in found)})")
    report.results["monitor"] = {
        "what": f"monitor_node at 1 Hz beside {', '.join(_ROBOT)} at {_SOURCE}: its whole process",
        "percent_of_a_core": found,
    }
    return {"cores": median(found)}


def _measure(context: Context) -> list[float]:
    with nodes(context.folder / "monitor") as stack:
        stack.start("camera_node", params={"source": _SOURCE})
        for name in _ROBOT[1:]:
            stack.start(f"{name}_node")
        monitor = stack.start("monitor_node", params={"metrics_port": 0, "log_period": 10.0})
        names = [*_ROBOT, "monitor"]
        manager = stack.start("lifecycle_manager_node", params={"node_names": names, "autostart": True})
        stack.wait(lambda: "all active" in manager.output(), "all nodes to be active", _START)
        time.sleep(_SETTLE)
        process = psutil.Process(monitor.pid)
        return [_turn(process) for _ in range(int(context.pick(*_TURNS)))]


def _turn(process: psutil.Process) -> float:
    before, begun = process.cpu_times(), time.monotonic()
    time.sleep(_TURN)
    after, took = process.cpu_times(), time.monotonic() - begun
    return (after.user + after.system - before.user - before.system) / took * 100
