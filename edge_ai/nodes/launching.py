"""What the launch files share: their arguments, described once, and how a node is started with them.

Needs the `launch` and `launch_ros` of a ROS installation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.launch_context import LaunchContext
from launch.substitutions import EnvironmentVariable
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from edge_ai.core.errors import ParameterError

SHARE = get_package_share_path("edge_ai")
_BOOL = ["false", "true"]

# Default, choices (None: free) and description of every argument.
_ARGUMENTS: dict[str, tuple[str, list[str] | None, str]] = {
    "namespace": ("", None, "Namespace of nodes and topics."),
    "params_file": ("", None, "Parameter file (YAML) over profile and defaults; its keys are like /**/control."),
    "target": (
        "generic_pc",
        sorted(path.stem for path in (SHARE / "config/profiles").glob("*.yaml")),
        "Board profile: a file of config/profiles.",
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
    "autostart": (
        "true",
        _BOOL,
        "Configure and activate the nodes at once; false: when lifecycle_manager/start is called.",
    ),
    "log_level": ("info", ["debug", "info", "warn", "error", "fatal"], "Least severity that is logged."),
    "use_sim_time": ("false", _BOOL, "Stamp with /clock instead of the machine's clock."),
}
COMMON = ("namespace", "params_file", "target", "log_level", "use_sim_time")
# The arguments that are parameters of a node, under the name they have there.
OVERRIDES: dict[str, dict[str, str]] = {
    "camera": {"source": "source"},
    "inference": {"model": "model"},
    "router": {"cloud": "cloud.url", "policy": "policy", "model": "cloud.card"},
    "cloud": {"cloud": "cloud.url", "model": "inference.model"},
    "control": {},
    "pipeline": {
        "source": "camera.source",
        "model": "inference.model",
        "cloud": "cloud.url",
        "policy": "router.policy",
    },
}


def arguments(names: Iterable[str]) -> list[DeclareLaunchArgument]:
    """Declare launch arguments by name."""
    return [
        DeclareLaunchArgument(name, default_value=default, choices=choices, description=description)
        for name, (default, choices, description) in ((name, _ARGUMENTS[name]) for name in names)
    ]


def transport() -> list[SetEnvironmentVariable]:
    """Shared memory large enough for images, unless the user's environment names a Fast DDS profile already."""
    profile = str(SHARE / "config/fastdds.xml")
    return [
        SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=profile))
        for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    ]


def alone(name: str) -> list[Any]:
    """The description of a launch file that starts one managed node."""
    return [*arguments((*COMMON, *OVERRIDES[name])), *transport(), managed(name)]


def managed(name: str, condition: IfCondition | None = None, *, needs: str = "") -> OpaqueFunction:
    """Start one managed node from the launch arguments; it comes back when it dies.

    Args:
        name: of the node.
        condition: whether at all.
        needs: launch argument without which it is not started.
    """
    return OpaqueFunction(function=_start, args=[name, OVERRIDES[name], {}, needs], condition=condition)


def manager(nodes: list[str], condition: IfCondition | None = None) -> OpaqueFunction:
    """Start the lifecycle manager of some nodes."""
    return OpaqueFunction(function=_start, args=["lifecycle_manager", {}, {"node_names": nodes}], condition=condition)


def _start(
    context: LaunchContext, name: str, overrides: Mapping[str, str], fixed: Mapping[str, Any], needs: str = ""
) -> list[Node]:
    given = {argument: context.launch_configurations.get(argument, "") for argument in _ARGUMENTS}
    if needs and not given[needs]:
        return []
    cameras = _cameras(given["cameras"])
    values = {there: _text(given[here]) for here, there in overrides.items() if given[here]} | dict(fixed)
    if given["cloud"]:
        values |= _beside_a_router(name, values, list(cameras))
    if not cameras:
        return [_node(name, given, values)]
    if name == "pipeline":
        raise ParameterError(
            "launch argument 'cameras'", got="composed:=true", wanted="separate processes: leave it out"
        )
    if name == "camera":
        sources = cameras.items()
        return [_node(name, given, {**values, "source": _text(source)}, inside=camera) for camera, source in sources]
    if name == "lifecycle_manager":
        values["node_names"] = [
            other for node in values["node_names"] for other in _each(node, cameras if node == "camera" else [])
        ]
    elif name in ("inference", "router"):
        values.setdefault("cameras", list(cameras))
    elif name == "control":
        return [
            _node(name, given, values, remappings=[("inference/results", f"{next(iter(cameras))}/inference/results")])
        ]
    return [_node(name, given, values)]


def _node(
    name: str,
    given: Mapping[str, str],
    values: Mapping[str, Any],
    *,
    inside: str = "",
    remappings: Iterable[tuple[str, str]] = (),
) -> Node:
    """A node from the launch arguments; ``inside`` is a namespace below the given one."""
    parameters: list[Any] = [
        str(SHARE / file) for file in (f"config/{name}.yaml", f"config/profiles/{given['target']}.yaml")
    ]
    if inside:
        parameters.append({"frame_id": f"{inside}_camera_optical_frame"})
    if given["params_file"]:
        parameters.append(str(_params_file(given["params_file"])))
    parameters.append({"use_sim_time": given["use_sim_time"] == "true", **values})
    if name == "lifecycle_manager":
        parameters.append({"autostart": given["autostart"] == "true"})
    return Node(
        package="edge_ai",
        executable=f"{name}_node",
        name=name,
        namespace="/".join(part for part in (given["namespace"], inside) if part),
        parameters=parameters,
        remappings=list(remappings),
        arguments=["--ros-args", "--log-level", given["log_level"]],
        output="screen",
        respawn=True,
        respawn_delay=2.0,
    )


def _beside_a_router(name: str, values: Mapping[str, Any], cameras: list[str]) -> dict[str, Any]:
    """What is different with a router: the inference node moves into the namespace ``edge``."""
    if name == "lifecycle_manager":
        return {"node_names": _with_router(values["node_names"])}
    if name == "inference":
        return {"cameras": [f"edge/{camera}" for camera in cameras] or ["edge"]}
    return {}


def _with_router(nodes: list[str]) -> list[str]:
    """The router comes up after the inference node, if that is among them."""
    return [name for node in nodes for name in ([node, "router"] if node == "inference" else [node])]


def _text(value: str) -> ParameterValue:
    return ParameterValue(value, value_type=str)


def _each(node: str, namespaces: Iterable[str]) -> list[str]:
    return [f"{namespace}/{node}" for namespace in namespaces] or [node]


def _cameras(text: str) -> dict[str, str]:
    """Sources by camera.

    Raises:
        ParameterError: the text is no list of cameras.
    """
    cameras: dict[str, str] = {}
    for part in filter(str.strip, text.split(";")):
        name, equals, source = (piece.strip() for piece in part.partition("="))
        if not (equals and source and name.isidentifier()) or name in cameras:
            wanted = "'front=SOURCE; rear=SOURCE', each name once"
            raise ParameterError("launch argument 'cameras'", got=repr(part.strip()), wanted=wanted)
        cameras[name] = source
    return cameras


def _params_file(name: str) -> Path:
    """The user's parameter file; without it, launch would only warn and the robot drive with other limits."""
    path = Path(name).expanduser()
    if not path.is_file():
        raise ParameterError("launch argument 'params_file'", got=f"no file '{name}'", wanted="a parameter file (YAML)")
    return path
