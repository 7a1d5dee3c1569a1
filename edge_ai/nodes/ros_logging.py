"""What the parts without ROS log, in the log of the node that runs them."""

from __future__ import annotations

import logging

from rclpy.node import Node


class _Bridge(logging.Handler):
    """Hands records on to a node's logger; rclpy ties each calling line to one severity."""

    def __init__(self, node: Node) -> None:
        super().__init__(logging.INFO)
        self._log = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            words = self.format(record)
            if record.levelno >= logging.ERROR:
                self._log.error(words)
            elif record.levelno >= logging.WARNING:
                self._log.warning(words)
            else:
                self._log.info(words)
        except Exception:
            self.handleError(record)


def bridge_logs(node: Node) -> None:
    """From now on what this package logs goes to the node's log, from INFO on."""
    logger = logging.getLogger("edge_ai")
    logger.setLevel(logging.INFO)
    logger.addHandler(_Bridge(node))
    logger.propagate = False
