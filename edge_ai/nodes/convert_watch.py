"""From the messages of the watch (monitor, recorder, router) to this package's own types."""

from __future__ import annotations

from typing import Any

from edge_ai.core.clock import Clock, to_steady
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.steps import StepState, StepStatus
from edge_ai.msg import Alert as AlertMessage
from edge_ai.msg import MitigationStatus as MitigationMessage
from edge_ai.msg import SystemStatus
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
