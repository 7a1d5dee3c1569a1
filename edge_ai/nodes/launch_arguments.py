"""The arguments of the launch files, described once.

Needs the `launch` of a ROS installation.
"""

from __future__ import annotations

from collections.abc import Iterable

from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument

from edge_ai.runtime.targets import AUTO

SHARE = get_package_share_path("edge_ai")
_BOOL = ["false", "true"]

# Default, choices (None: free) and description of every argument.
ARGUMENTS: dict[str, tuple[str, list[str] | None, str]] = {
    "namespace": ("", None, "Namespace of nodes and topics."),
    "side": (
        "",
        None,
        "One of two robots on this machine that take turns, such as blue or green: nodes and topics are in a namespace "
        "of this name, but cmd_vel, control/emergency_stop and control/reset are those of both. Only one can have the "
        "ports of monitor and dashboard: start the other with monitor:=false dashboard:=false, or give it others. "
        "Empty: there is one.",
    ),
    "params_file": ("", None, "Parameter file (YAML) over profile and defaults; its keys are like /**/control."),
    "target": (
        AUTO,
        [AUTO, *sorted(path.stem for path in (SHARE / "config/profiles").glob("*.yaml"))],
        "Board profile, a file of config/profiles; auto: this machine's, and what edge-ai prepare has left for it.",
    ),
    "source": (
        "",
        None,
        "Camera source: device number or path, URL, file, folder, 'gst: PIPELINE', csi://0 or synthetic; "
        "empty: as the parameters say.",
    ),
    "cameras": (
        "",
        None,
        "Several cameras for one model, as 'front=SOURCE; rear=SOURCE': each has its topics in the namespace of its "
        "name, and the robot follows what the first one sees; empty: one camera.",
    ),
    "model": ("", None, "Model card (YAML); empty: as the parameters say."),
    "cloud": (
        "",
        None,
        "Server that may answer frames too: grpc://HOST:PORT, http://HOST:PORT (grpcs, https), or ros:SERVICE of a "
        "cloud_node; empty: none.",
    ),
    "policy": (
        "",
        None,
        "Who answers which frame where there is a server: rules, adaptive or cost; empty: as the parameters say.",
    ),
    "composed": ("false", _BOOL, "One process in which frames pass without DDS, instead of one process a node."),
    "monitor": (
        "true",
        _BOOL,
        "Watch the machine and the nodes, raise alerts, and do what the ladder says against overload.",
    ),
    "dashboard": ("true", _BOOL, "Serve a page that shows the robot, on http://127.0.0.1:8080 unless told otherwise."),
    "recorder": ("true", _BOOL, "Keep the last seconds in memory and write them when something happens."),
    "target_fps": (
        "",
        None,
        "Results a second that are wanted; with less there is an alert and the ladder works; empty: as the parameters "
        "say.",
    ),
    "autostart": (
        "true",
        _BOOL,
        "Configure and activate the nodes at once; false: when lifecycle_manager/start is called.",
    ),
    "log_level": ("info", ["debug", "info", "warn", "error", "fatal"], "Least severity that is logged."),
    "use_sim_time": ("false", _BOOL, "Stamp with /clock instead of the machine's clock."),
}
COMMON = ("namespace", "side", "params_file", "target", "log_level", "use_sim_time")
# The arguments that are parameters of a node, under the name they have there.
OVERRIDES: dict[str, dict[str, str]] = {
    "camera": {"source": "source"},
    "inference": {"model": "model"},
    "router": {"cloud": "cloud.url", "policy": "policy", "model": "cloud.card"},
    "cloud": {"cloud": "cloud.url", "model": "inference.model"},
    "control": {},
    "monitor": {"target_fps": "target_fps"},
    "recorder": {},
    "dashboard": {},
    "pipeline": {
        "source": "camera.source",
        "model": "inference.model",
        "cloud": "cloud.url",
        "policy": "router.policy",
    },
}


# Those that watch the robot, each with the launch argument of its name.
WATCHERS = ("monitor", "recorder", "dashboard")


def arguments(names: Iterable[str]) -> list[DeclareLaunchArgument]:
    """Declare launch arguments by name."""
    return [
        DeclareLaunchArgument(name, default_value=default, choices=choices, description=description)
        for name, (default, choices, description) in ((name, ARGUMENTS[name]) for name in names)
    ]
