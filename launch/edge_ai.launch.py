"""The whole robot: camera, inference and control, as separate processes or composed into one, and their manager."""

from launch import LaunchDescription
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration

from edge_ai.nodes.launching import COMMON, arguments, managed, manager, transport


def generate_launch_description():
    composed, separate = (kind(LaunchConfiguration("composed")) for kind in (IfCondition, UnlessCondition))
    nodes = ["camera", "inference", "control"]
    return LaunchDescription(
        [
            *arguments((*COMMON, "source", "cameras", "model", "cloud", "policy", "composed", "autostart")),
            *transport(),
            *(managed(name, separate) for name in nodes),
            managed("router", separate, needs="cloud"),
            manager(nodes, separate),
            managed("pipeline", composed),
            manager(["pipeline"], composed),
        ]
    )
