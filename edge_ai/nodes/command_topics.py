"""What the control publishes: shared by control_node and pipeline_node."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.duration import Duration
from std_msgs.msg import Header

from edge_ai.control.command import Command
from edge_ai.control.drive_lease import DriveLease
from edge_ai.control.params import ControlParams
from edge_ai.msg import ControlStatus
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import NEWEST, STATUS

_LAST_WORD = 1.0  # s


class CommandPublisher:
    """cmd_vel and control/status, and the right to drive: of all controllers on one cmd_vel a single one has it."""

    def __init__(self, node: ManagedNode, params: ControlParams) -> None:
        self._node, self._params = node, params
        self._velocity = node.publisher(TwistStamped if params.stamped else Twist, "cmd_vel", NEWEST)
        self._status = node.publisher(ControlStatus, "control/status", STATUS)
        self._lease = DriveLease.of(f"{node.context.get_domain_id()}{self._velocity.topic_name}")

    def begin(self) -> None:
        """Take the right to drive, before the first command.

        Raises:
            EdgeAIError: another controller on this machine drives these wheels.
        """
        self._lease.take()

    def end(self) -> None:
        """Let others drive, after the last command."""
        self._lease.release()

    def command(self, command: Command) -> None:
        """Publish one command, and why if somebody subscribes; nothing without the right to drive, not even a stop."""
        held = self._lease.held
        if not self._lease.keep():
            if held:
                self._node.get_logger().error(f"'{self._lease.path}' was removed, and another controller drives now")
            return
        stamp, frame_id = self._node.get_clock().now().to_msg(), self._params.base_frame_id
        velocity: Any = convert.twist(command.velocity)
        if self._params.stamped:
            velocity = TwistStamped(header=Header(stamp=stamp, frame_id=frame_id), twist=velocity)
        self._velocity.publish(velocity)
        if self._status.get_subscription_count():
            self._status.publish(convert.command_to_status(command, stamp, frame_id))

    def destroy(self) -> None:
        """Take the topics down once every reliable reader has the last command: a stop must not die with its writer."""
        if not self._velocity.wait_for_all_acked(Duration(seconds=_LAST_WORD)):
            self._node.get_logger().error(f"somebody on cmd_vel has not taken the last command in {_LAST_WORD:g} s")
        self.end()
        self._node.destroy_publishers(self._velocity, self._status)
