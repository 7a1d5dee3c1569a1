"""The demo's own node: it looks on, and never takes part."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from demo_record import NS, Commanded, Processed, Record
from geometry_msgs.msg import Twist
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from edge_ai.msg import CameraStatus, ControlStatus, InferenceResult

RELIABLE = QoSProfile(depth=200, reliability=ReliabilityPolicy.RELIABLE)
PICTURES = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
STATES = {
    getattr(ControlStatus, name): name
    for name in ("FOLLOWING", "NO_TARGET", "OBSTACLE", "STALE", "MALFORMED", "EMERGENCY_STOP")
}
Picture = NDArray[np.uint8]


class Probe:
    """Records every topic of the loop, on a thread of its own.

    The camera's state is `camera_state` (a constant of CameraStatus), in words `camera_detail`.

    Args:
        domain: ROS domain of the nodes.
        on_picture: given each annotated image (H, W, 3) uint8 BGR, its capture stamp in ns and the latest command.
    """

    FAILED = CameraStatus.FAILED
    CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
    DEACTIVATE = Transition.TRANSITION_DEACTIVATE

    def __init__(self, domain: int, on_picture: Callable[[Picture, int, Commanded | None], None]) -> None:
        self.record = Record()
        self.camera_state, self.camera_detail, self.model = CameraStatus.CONNECTING, "", ""
        self._on_picture = on_picture
        self._context = rclpy.Context()
        self._context.init(domain_id=domain)
        self._node = rclpy.create_node("demo_probe", context=self._context, start_parameter_services=False)
        self._ears = [
            self._node.create_subscription(kind, topic, callback, qos)
            for kind, topic, callback, qos in (
                (CameraStatus, "camera/status", self._camera, RELIABLE),
                (InferenceResult, "inference/results", self._result, RELIABLE),
                (ControlStatus, "control/status", self._control, RELIABLE),
                (Twist, "cmd_vel", self._velocity, RELIABLE),
                (Image, "inference/annotated", self._annotated, PICTURES),
            )
        ]
        self._camera_change = self._node.create_client(ChangeState, "camera/change_state")
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="probe", daemon=True)
        self._thread.start()

    def all_connected(self) -> bool:
        """Whether every topic has found its other end, so that the first frame will not go by unseen."""
        return bool(
            all(ear.get_publisher_count() for ear in self._ears)
            and self._node.count_subscribers("camera/image_raw")
            and self.record.commands
        )

    def camera_answers(self) -> bool:
        """Whether the camera node is there to be asked."""
        return bool(self._camera_change.service_is_ready())

    def ask_camera(self, transition: int) -> Any:
        """Ask the camera node for a lifecycle transition (a constant of Transition); the future answer."""
        request = ChangeState.Request()
        request.transition.id = transition
        return self._camera_change.call_async(request)

    @property
    def camera_gone(self) -> bool:
        """Whether the source ended or was given up."""
        return self.camera_state in (CameraStatus.ENDED, self.FAILED)

    @property
    def moving(self) -> bool:
        """Whether the latest command tells the robot to move."""
        latest = self.latest
        return latest is not None and not latest.is_zero

    def progress(self) -> str:
        """How it goes, in a few words."""
        latest, record = self.latest, self.record
        if latest is None:
            return "no command yet"
        move = f"{latest.linear:+.2f} m/s {latest.angular:+.2f} rad/s"
        rate, age = record.rate(), 1e3 * latest.age_s
        return f"{len(record.results)} frames, {rate:.1f}/s, age {age:.0f} ms, {latest.state} {move}"

    @property
    def latest(self) -> Commanded | None:
        """The latest command."""
        return self.record.commands[-1] if self.record.commands else None

    def close(self) -> None:
        """Leave the domain."""
        self._context.try_shutdown()
        self._thread.join(5.0)
        self._node.destroy_node()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def _camera(self, message: CameraStatus) -> None:
        self.camera_state, self.camera_detail = message.state, message.detail
        self.record.source = message.source
        if message.state == CameraStatus.STREAMING:  # a change of state has a stamp that no result has
            self.record.index_of[_ns(message.header.stamp)] = message.frame_index
        self.record.captured = max(self.record.captured, message.captured)

    def _result(self, message: InferenceResult) -> None:
        found = message.detections
        stamp = _ns(message.header.stamp)
        self.model = f"{message.model_name} {message.model_version}"
        self.record.results[stamp] = Processed(
            stamp_ns=stamp,
            infer_s=sum(timing.duration for timing in message.timings if timing.stage == "infer"),
            boxes=[[round(v, 2) for v in (d.x_min, d.y_min, d.x_max, d.y_max)] for d in found],
            scores=[round(d.score, 4) for d in found],
            classes=[d.class_name for d in found],
        )

    def _control(self, message: ControlStatus) -> None:
        self.record.commands.append(
            Commanded(
                stamp_ns=_ns(message.header.stamp),
                state=STATES.get(message.state, str(message.state)),
                linear=message.command.linear.x,
                angular=message.command.angular.z,
                result_stamp_ns=_ns(message.result_stamp) if message.has_result else 0,
                age_s=message.age,
                has_target=message.has_target,
            )
        )

    def _velocity(self, message: Twist) -> None:
        self.record.velocities.append((message.linear.x, message.angular.z))

    def _annotated(self, message: Image) -> None:
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        picture = rows[:, : message.width * 3].reshape(message.height, message.width, 3)
        self._on_picture(picture, _ns(message.header.stamp), self.latest)


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * NS + int(stamp.nanosec)
