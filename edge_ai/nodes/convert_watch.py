"""From the messages of those that are watched and that watch to this package's own types."""

from __future__ import annotations

from typing import Any

from edge_ai.control.command import Command, ControlState
from edge_ai.control.tracker import Target
from edge_ai.core.clock import Clock, to_steady
from edge_ai.core.types import Velocity
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.steps import StepState, StepStatus
from edge_ai.msg import Alert as AlertMessage
from edge_ai.msg import ControlStatus, SystemStatus
from edge_ai.msg import MitigationStatus as MitigationMessage
from edge_ai.nodes.convert import time_to_ns
from edge_ai.nodes.node_metrics import readings_from_msg


def fields_of(message: Any) -> dict[str, Any]:
    """The fields of a message by name, as they are, its header left out."""
    return {name: getattr(message, name) for name in message.get_fields_and_field_types() if name != "header"}


def alert_from_msg(message: AlertMessage) -> Alert:
    """One alert."""
    fields = fields_of(message)
    level, since = Level(fields.pop("level")), time_to_ns(fields.pop("since"))
    return Alert(level=level, since_ns=since, **fields)


def mitigation_from_msg(message: MitigationMessage) -> MitigationStatus:
    """How the ladder stands."""
    steps = tuple(
        StepStatus(
            step.name,
            StepState(step.state),
            step.detail,
            time_to_ns(step.since),
            readings_from_msg(step.before),
            readings_from_msg(step.after),
        )
        for step in message.steps
    )
    return MitigationStatus(message.level, message.changes, message.message, steps)


def sample_from_msg(message: SystemStatus, clock: Clock) -> Sample:
    """What was measured; its age counts from its stamp."""
    stamp = time_to_ns(message.header.stamp)
    return Sample(
        stamp,
        to_steady(stamp, clock),
        readings_from_msg(message.readings),
        {"board": message.board, "power_mode": message.power_mode},
        {name: why for name, _, why in (fault.partition(": ") for fault in message.faults)},
    )


def command_from_msg(message: ControlStatus) -> Command:
    """A command as far as its message has it: neither the header of the result behind it nor what was stale."""
    found = message.target
    box = (found.x_min, found.y_min, found.x_max, found.y_max)
    target = Target(-1, box, found.score, found.class_id, found.class_name, found.track_id)
    known = message.state in ControlState.__members__.values()
    return Command(
        velocity=Velocity(message.command.linear.x, message.command.angular.z),
        state=ControlState(message.state) if known else ControlState.MALFORMED,
        reason=message.reason,
        age_s=message.age if message.has_result else None,
        header=None,
        target=target if message.has_target else None,
        commands=message.commands,
        refused=message.refused,
        stale=0,
    )
