"""What a monitor node looks at: the machine's sources, and topics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_ai.monitoring.monitor import Monitor
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.sampler import Sampler
from edge_ai.msg import ModelUpdate, RecorderStatus, RouterStatus
from edge_ai.nodes.convert_watch import fields_of
from edge_ai.nodes.mailbox import Mailbox
from edge_ai.nodes.metrics_inbox import MetricsInbox
from edge_ai.nodes.qos import LATCHED, STATUS


class MonitorSources:
    """The machine's sources, and what the nodes tell, which is handed on just before the machine is looked at.

    Args:
        node: listens.
        sampler: of the machine.
        heard: takes what these say of themselves: "router", "recorder" or "model_update", and the message's fields.

    Attributes:
        monitor: is told what the nodes tell.
    """

    def __init__(self, node: Any, sampler: Sampler, heard: Callable[[str, dict[str, Any]], None]) -> None:
        self._sampler, self._heard = sampler, heard
        self.monitor: Monitor | None = None
        self._inbox = MetricsInbox(node)
        self._beside = {
            "router": Mailbox(node, RouterStatus, "router/status", STATUS),
            "recorder": Mailbox(node, RecorderStatus, "recorder/status", STATUS),
            "model_update": Mailbox(node, ModelUpdate, "inference/model_update", LATCHED),
        }

    def start(self) -> None:
        """See `Sampler`."""
        self._sampler.start()

    def stop(self) -> None:
        """See `Sampler`."""
        self._sampler.stop()

    def collect(self) -> Sample:
        """See `Sampler`."""
        for name, readings in self._inbox.take():
            if self.monitor is None:
                continue
            if readings is None:
                self.monitor.forget(name)
            else:
                self.monitor.tell(name, readings)
        for name, box in self._beside.items():
            if (message := box.newest()) is not None:
                self._heard(name, fields_of(message))
        return self._sampler.collect()

    def close(self) -> None:
        """Listen no more."""
        self._inbox.close()
        for box in self._beside.values():
            box.close()
