"""What the control publishes: shared by control_node and pipeline_node."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.duration import Duration
from std_msgs.msg import Header

from edge_ai.control.command import Command
from edge_ai.control.params import ControlParams
from edge_ai.msg import ControlStatus
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import NEWEST, STATUS

_LAST_WORD = 1.0  # s


class CommandPublisher:
    """cmd_vel and control/status."""

    def __init__(self, node: ManagedNode, params: ControlParams) -> None:
        self._node, self._params = node, params
        self._velocity = node.publisher(TwistStamped if params.stamped else Twist, "cmd_vel", NEWEST)
        self._status = node.publisher(ControlStatus, "control/status", STATUS)

    def command(self, command: Command) -> None:
        """Publish one command, and why if somebody subscribes."""
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
        self._node.destroy_publishers(self._velocity, self._status)
