"""Which topics the flight recorder listens to, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from edge_ai.recording import messages

CAMERA_STATUS = "edge_ai/msg/CameraStatus"
_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic to record.

    Attributes:
        kind: of its messages; empty: whatever it is.
        newest: only the newest message is of interest: hundreds may come a second.
        latched: holds until the next one, though nobody publishes it so.
        volatile: what was said before does not count, though it is kept for those who come late.
    """

    kind: str = ""
    newest: bool = False
    latched: bool = False
    volatile: bool = False


IMAGE, RESULTS = "camera/image_raw", "inference/results"
IMAGE_KIND = "sensor_msgs/msg/Image"
# In the namespace of the node, and of its cameras.
TOPICS = {
    IMAGE: Wanted(IMAGE_KIND, newest=True),
    "camera/camera_info": Wanted(messages.CAMERA_INFO, newest=True, latched=True),
    "camera/status": Wanted(CAMERA_STATUS),
    RESULTS: Wanted(messages.RESULT),
    "inference/card": Wanted(messages.STRING),
    "inference/model_update": Wanted(messages.MODEL_UPDATE),
    "control/status": Wanted(messages.CONTROL_STATUS),
    "router/status": Wanted(messages.ROUTER_STATUS),
    "node_metrics": Wanted("edge_ai/msg/NodeMetrics"),
    "monitor/status": Wanted(messages.SYSTEM_STATUS),
    "monitor/alerts": Wanted(messages.ALERT, volatile=True),
    "monitor/mitigation": Wanted(messages.MITIGATION_STATUS),
}
# Of the whole system.
SHARED = {
    "/diagnostics": Wanted("diagnostic_msgs/msg/DiagnosticArray"),
    "/tf_static": Wanted("tf2_msgs/msg/TFMessage"),
}


def fitting(offered: Sequence[QoSProfile], how: Wanted) -> QoSProfile:
    """What all publishers of a topic offer."""
    reliable = all(profile.reliability == ReliabilityPolicy.RELIABLE for profile in offered) and not how.newest
    kept = kept_for_late(offered) and not how.volatile
    return QoSProfile(
        depth=1 if how.newest else _DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE,
    )


def hears(qos: QoSProfile, fit: QoSProfile) -> bool:
    """Whether a subscription hears every publisher whom one with ``fit``, of `fitting`, would hear.

    One that asks for less than all offer hears them as well: to ask for more once somebody has gone is not worth it.
    """
    reliable = qos.reliability == ReliabilityPolicy.RELIABLE and fit.reliability != ReliabilityPolicy.RELIABLE
    kept = qos.durability == DurabilityPolicy.TRANSIENT_LOCAL and fit.durability != DurabilityPolicy.TRANSIENT_LOCAL
    return not (reliable or kept)


def kept_for_late(offered: Sequence[QoSProfile]) -> bool:
    """Whether those who come late get what was said before."""
    return all(profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile in offered)
