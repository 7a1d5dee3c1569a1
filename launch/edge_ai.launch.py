"""The whole robot: camera, inference and control, as separate processes or composed into one, their manager, and those
that watch it."""

from launch import LaunchDescription
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration

from edge_ai.nodes.launching import COMMON, WATCHERS, arguments, managed, manager, transport, watchers


def generate_launch_description():
    composed, separate = (kind(LaunchConfiguration("composed")) for kind in (IfCondition, UnlessCondition))
    nodes = ["camera", "inference", "control"]
    own = ("source", "cameras", "model", "cloud", "policy", "composed", *WATCHERS, "target_fps", "autostart")
    return LaunchDescription(
        [
            *arguments((*COMMON, *own)),
            *transport(),
            *(managed(name, separate) for name in nodes),
            managed("router", separate, needs="cloud"),
            manager(nodes, separate),
            managed("pipeline", composed),
            manager(["pipeline"], composed),
            *watchers(),
        ]
    )
