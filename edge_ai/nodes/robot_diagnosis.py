"""What a composed robot says of itself on /diagnostics."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.capture.capturer import CaptureState
from edge_ai.control.controller import Command, ControlState
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.model_update import update_words
from edge_ai.robot import Robot

_STOPPED = (ControlState.STALE, ControlState.MALFORMED, ControlState.EMERGENCY_STOP)


def robot_diagnosis(robot: Robot, command: Command | None, error: str) -> Diagnosis:
    """The worst there is to say, and how all parts fare.

    Args:
        robot: prepared.
        command: its last one; None: none yet.
        error: what befell a frame since the last call; empty: nothing.
    """
    counts, capture, model = robot.counts, robot.capturer.status, robot.model
    values = {
        "model": f"{model.card.name} {model.card.version}" if model is not None else "",
        "engine": model.backend.description if model is not None else "",
        "captured": capture.captured,
        "processed": counts.processed,
        "dropped": counts.dropped + capture.dropped,
        "failed": counts.failed,
        "state": command.state.name if command else "",
        **{f"dropped, {reason}": count for reason, count in counts.reasons.items()},
        **(update_words(robot.swap.status) if robot.swap is not None else {}),
    }
    if error:
        return DiagnosticStatus.ERROR, error, values
    if capture.state != CaptureState.STREAMING:
        return DiagnosticStatus.ERROR, f"camera {capture.state.name.lower()}: {capture.detail}", values
    if command and command.state in _STOPPED:
        return DiagnosticStatus.ERROR, command.reason, values
    if fault := robot.cloud_fault:
        return DiagnosticStatus.WARN, f"cloud: {fault}", values
    if note := robot.note:
        return DiagnosticStatus.WARN, note, values
    return DiagnosticStatus.OK, "active", values
