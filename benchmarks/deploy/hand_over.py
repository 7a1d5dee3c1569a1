"""Part `hand_over`: how long the robot stands when one of its sides takes the place of the other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks import processes
from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.topic import Context, MeasurementError, Report

GOALS = {
    "stood": Goal("hand-over between two sides: s until the other one drives, median", None, 1.0, "lower"),
    "failed": Goal("hand-over between two sides: failures", None, 0.0, "lower"),
}
_SIDES = ("blue", "green")
_PATIENCE = 60.0


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Sides that take turns; the values of the goals."""
    turns = int(context.pick(4, 20))
    with processes.nodes(context.folder / "hand_over") as stack:
        for side in _SIDES:
            _start(stack, side)
        _agent(stack, "start", "blue")
        _agent(stack, "standby", "green")
        said = [_hand_over(stack, *(_SIDES if turn % 2 == 0 else reversed(_SIDES))) for turn in range(turns)]
    good = [one["stood"] for one in said if one["ok"]]
    failed = [one["message"] for one in said if not one["ok"]]
    report.results["hand_over"] = {"stood_s": good, "failed": failed}
    context.say(f"hand-over: the robot stands for {median(good):.2f} s (longest {max(good):.2f}), {len(failed)} failed")
    return {"stood": median(good), "failed": len(failed)}


def _start(stack: Any, side: str) -> None:
    """A whole robot in a namespace of its own, whose wheels and stop are those of both."""
    shared = ("cmd_vel", "control/emergency_stop", "control/reset")
    names = {"__ns": f"/{side}", **{name: f"/{name}" for name in shared}}
    own = {
        "camera": {"source": "synthetic://640x480@15"},
        "inference": {},
        "control": {},
        "lifecycle_manager": {"autostart": False},
    }
    for name, params in own.items():
        stack.start(f"{name}_node", label=f"{side}_{name}", remaps=names, params=params)


def _hand_over(stack: Any, old: str, new: str) -> dict[str, Any]:
    alive = ("--topic", "/cmd_vel", "--topic", f"/{new}/inference/results")
    return _ask(stack, "hand-over", new, "--from", f"/{old}/lifecycle_manager", *alive)


def _agent(stack: Any, verb: str, side: str) -> None:
    told = _ask(stack, verb, side)
    if not told["ok"]:
        raise MeasurementError(f"{verb} of {side}: {told['message']}")


def _ask(stack: Any, verb: str, side: str, *more: str) -> dict[str, Any]:
    manager = ("--manager", f"/{side}/lifecycle_manager", "--timeout", str(_PATIENCE))
    command = [sys.executable, "-m", "edge_ai.nodes.side_agent", verb, *manager, *more]
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise MeasurementError(f"{verb} of {side}: {done.stderr.strip()[-300:]}") from None
    return told
