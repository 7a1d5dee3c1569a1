"""What the launch files share: their arguments, described once, and how a node is started with them.

Needs the `launch` and `launch_ros` of a ROS installation.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from launch.actions import OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.launch_context import LaunchContext
from launch.logging import get_logger
from launch.substitutions import EnvironmentVariable
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from edge_ai.core.errors import ParameterError
from edge_ai.nodes.launch_arguments import ARGUMENTS, COMMON, OVERRIDES, SHARE, WATCHERS, arguments
from edge_ai.runtime.targets import find_target

_SHARED = ("cmd_vel", "control/emergency_stop", "control/reset")


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


def watchers() -> list[OpaqueFunction]:
    """Start those that watch the robot, and a manager of their own: what is wrong with one of them never keeps the
    robot from driving."""
    started = [OpaqueFunction(function=_start, args=[name, OVERRIDES[name], {}, name]) for name in WATCHERS]
    return [*started, OpaqueFunction(function=_start_watch_manager)]


def _start_watch_manager(context: LaunchContext) -> list[Node]:
    given = {argument: context.launch_configurations.get(argument, "") for argument in ARGUMENTS}
    names = [name for name in WATCHERS if given[name] == "true"]
    values = {"node_names": names, "period": 1.0}
    return [_node("lifecycle_manager", given, values, called="watch_manager")] if names else []


def _start(
    context: LaunchContext, name: str, overrides: Mapping[str, str], fixed: Mapping[str, Any], needs: str = ""
) -> list[Node]:
    given = {argument: context.launch_configurations.get(argument, "") for argument in ARGUMENTS}
    if needs and given[needs] in ("", "false"):
        return []
    cameras = _cameras(given["cameras"])
    values = {there: _value(here, given[here]) for here, there in overrides.items() if given[here]} | dict(fixed)
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
        return [_node(name, given, values, remappings=_of_camera(next(iter(cameras)), "inference/results"))]
    elif name == "dashboard":
        shown = _of_camera(next(iter(cameras)), "inference/results", "camera/image_raw")
        return [_node(name, given, values, remappings=shown)]
    return [_node(name, given, values)]


def _node(
    name: str,
    given: Mapping[str, str],
    values: Mapping[str, Any],
    *,
    inside: str = "",
    called: str = "",
    remappings: Iterable[tuple[str, str]] = (),
) -> Node:
    """A node from the launch arguments; ``inside`` is a namespace below the given one, ``called`` another name."""
    parameters: list[Any] = [str(SHARE / f"config/{name}.yaml"), *_target_files(given["target"])]
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
        name=called or name,
        namespace="/".join(part for part in (given["namespace"], given["side"], inside) if part),
        parameters=parameters,
        remappings=[*remappings, *_common(given)],
        arguments=["--ros-args", "--log-level", given["log_level"]],
        output="screen",
        respawn=True,
        respawn_delay=2.0,
    )


@functools.cache
def _target_files(target: str) -> list[str]:
    """The parameter files of the launch argument; the machine is looked at once, and what came of it is said once."""
    found = find_target(target)
    get_logger("edge_ai").info(found.words)
    return [str(file) for file in found.files]


def _common(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """What both sides of a robot share: its wheels, and the stop that holds whichever side drives."""
    robot = f"/{given['namespace'].strip('/')}".rstrip("/")
    return [(name, f"{robot}/{name}") for name in _SHARED] if given["side"] else []


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


def _of_camera(camera: str, *topics: str) -> list[tuple[str, str]]:
    return [(topic, f"{camera}/{topic}") for topic in topics]


def _value(argument: str, text: str) -> ParameterValue | float:
    if argument != "target_fps":
        return _text(text)
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"launch argument '{argument}'", got=repr(text), wanted="a number") from None


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
