"""The launch files, read by the real `launch`. The ROS 2 wheels do not bring it: there, this is skipped."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

# Not "launch" alone: our own folder of that name would do for Python.
pytest.importorskip("launch.actions", reason="needs ROS's launch, which is not among the wheels: source a ROS")
pytest.importorskip("launch_ros.actions", reason="needs launch_ros: source a ROS installation")
pytest.importorskip("launch_testing.actions", reason="needs launch_testing: source a ROS installation")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run colcon build first")

from launch import LaunchContext
from launch.actions import OpaqueFunction
from launch.launch_description_sources import get_launch_description_from_python_launch_file

from edge_ai.core.errors import ParameterError
from edge_ai.nodes import launching
from edge_ai.optimization.prepare import prepare
from edge_ai.optimization.prepare_plan import Request, make_plan
from edge_ai.platforms.detect import detect
from edge_ai.runtime.targets import find_target

ROOT = Path(__file__).resolve().parents[2]
_SPEC = importlib.util.spec_from_file_location("tree", ROOT / "test/doubles/jetson/tree.py")
tree = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tree)
FILES = sorted((ROOT / "launch").glob("*.launch.py"))


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def description(request):
    """A launch file, loaded."""
    return get_launch_description_from_python_launch_file(str(request.param))


def started(description, **given):
    """The executables that a launch file starts with some arguments."""
    context = LaunchContext()
    context.launch_configurations.update(given)
    for argument in description.get_launch_arguments():
        argument.execute(context)
    actions = [entity for entity in description.entities if isinstance(entity, OpaqueFunction)]
    return [node.node_executable for action in actions for node in action.visit(context) or []]


def test_every_argument_says_what_it_is_for(description):
    arguments = description.get_launch_arguments()
    assert {"namespace", "params_file", "target", "log_level", "use_sim_time"} <= {a.name for a in arguments}
    for argument in arguments:
        words = argument.description.partition(" Valid choices are: ")[0]
        assert words.endswith("."), f"{argument.name}: {words}"


def test_every_choice_refuses_nonsense_and_takes_its_default(description):
    chosen = [a for a in description.get_launch_arguments() if a.choices]
    assert chosen
    for argument in chosen:
        context = LaunchContext()
        argument.execute(context)
        assert context.launch_configurations[argument.name] in argument.choices
        context.launch_configurations[argument.name] = "nonsense"
        with pytest.raises(RuntimeError, match=rf'"{argument.name}" provided value "nonsense" is not valid.*\['):
            argument.execute(context)


WATCH = ["monitor_node", "recorder_node", "dashboard_node", "lifecycle_manager_node"]


def test_each_file_starts_what_it_is_named_after(description, request):
    name = request.node.callspec.params["description"].name.removesuffix(".launch.py")
    nodes = ["camera_node", "inference_node", "control_node", "lifecycle_manager_node", *WATCH]
    assert started(description) == (nodes if name == "edge_ai" else [f"{name}_node"])


def test_composed_is_one_process_and_its_manager():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    assert started(description, composed="true") == ["pipeline_node", "lifecycle_manager_node", *WATCH]


def test_who_watches_is_a_matter_of_choice():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    robot = ["camera_node", "inference_node", "control_node", "lifecycle_manager_node"]
    off = {"monitor": "false", "recorder": "false", "dashboard": "false"}
    assert started(description, **off) == robot
    assert started(description, **{**off, "monitor": "true"}) == [*robot, "monitor_node", "lifecycle_manager_node"]


@pytest.fixture
def machine(tmp_path, own_folders, monkeypatch):
    """Launches look at a made-up Orin Nano."""
    root = tree.orin_nano(tmp_path / "orin")
    monkeypatch.setattr(launching, "find_target", lambda name: find_target(name, lambda: detect(root)))
    launching._target_files.cache_clear()
    yield detect(root)
    launching._target_files.cache_clear()


@pytest.fixture
def parameter_files(monkeypatch):
    """The parameter files that the inference node is started with, least important first."""

    def names(**given):
        nodes = []
        monkeypatch.setattr(launching, "Node", lambda **node: nodes.append(node) or SimpleNamespace(node_executable=""))
        started(get_launch_description_from_python_launch_file(str(ROOT / "launch/inference.launch.py")), **given)
        (node,) = nodes
        return [Path(one).name for one in node["parameters"] if isinstance(one, str)]

    return names


def test_the_target_is_this_machine_unless_told(machine, parameter_files, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("/**/inference: {ros__parameters: {workers: 2}}\n")
    assert parameter_files() == ["inference.yaml", "orin_nano.yaml"]
    assert parameter_files(target="thor") == ["inference.yaml", "thor.yaml"]
    prepare(make_plan(Request(), machine), say=lambda _: None)
    launching._target_files.cache_clear()
    assert parameter_files(params_file=str(mine)) == ["inference.yaml", "orin_nano.yaml", "prepared.yaml", "mine.yaml"]
    assert parameter_files(target="thor") == ["inference.yaml", "thor.yaml"]


def test_a_target_that_is_no_number_is_refused():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    with pytest.raises(ParameterError, match=r"'target_fps': got 'fast'; wanted a number"):
        started(description, target_fps="fast")


def test_a_parameter_file_that_is_not_there_is_refused(description, tmp_path):
    with pytest.raises(ParameterError, match=r"'params_file': got no file '.*none\.yaml'"):
        started(description, params_file=str(tmp_path / "none.yaml"))


def test_the_whole_robot_under_launch(tmp_path):
    command = [sys.executable, "-m", "launch_testing.launch_test", str(ROOT / "test/edge_ai_launch.py")]
    env = {**os.environ, "ROS_LOG_DIR": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_several_cameras_are_a_node_each_in_their_namespace():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    cameras = "front=synthetic://320x240@15; rear=gst: videotestsrc ! appsink"
    nodes = ["camera_node", "camera_node", "inference_node", "control_node", "lifecycle_manager_node", *WATCH]
    assert started(description, cameras=cameras) == nodes


@pytest.mark.parametrize("cameras", ["front", "front=", "=synthetic", "front=a; front=b", "a b=synthetic"])
def test_a_list_of_cameras_that_makes_no_sense_is_refused(cameras):
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    with pytest.raises(ParameterError, match=r"'cameras': got .* wanted 'front=SOURCE; rear=SOURCE'"):
        started(description, cameras=cameras)


def test_several_cameras_and_one_process_do_not_go_together():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    with pytest.raises(ParameterError, match="'cameras': got composed:=true"):
        started(description, cameras="front=synthetic", composed="true")


def test_with_a_server_a_router_comes_up_between_inference_and_control():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    nodes = ["camera_node", "inference_node", "control_node", "router_node", "lifecycle_manager_node", *WATCH]
    assert started(description, cloud="grpc://server:8001", policy="cost") == nodes
    managed = ["camera", "inference", "router", "control"]
    assert launching._with_router(["camera", "inference", "control"]) == managed


def test_one_process_needs_no_router_of_its_own():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/edge_ai.launch.py"))
    assert started(description, composed="true", cloud="grpc://server:8001") == [
        "pipeline_node",
        "lifecycle_manager_node",
        *WATCH,
    ]


def test_a_side_has_its_own_names_but_wheels_and_stop_are_those_of_the_robot():
    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/control.launch.py"))
    context = LaunchContext()
    context.launch_configurations.update({"namespace": "rover", "side": "green"})
    for argument in description.get_launch_arguments():
        argument.execute(context)
    action = next(entity for entity in description.entities if isinstance(entity, OpaqueFunction))
    (node,) = action.visit(context)
    node._perform_substitutions(context)
    assert node.node_name == "/rover/green/control"
    common = {"cmd_vel", "control/emergency_stop", "control/reset"}
    assert dict(node.expanded_remapping_rules) == {name: f"/rover/{name}" for name in common}
