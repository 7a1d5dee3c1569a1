"""What a node in a container is started with: as launch would, by variables."""

import ast
import importlib.util
import itertools
from pathlib import Path

import pytest

from edge_ai.core.errors import EdgeAIError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def module():
    spec = importlib.util.spec_from_file_location("node_arguments", ROOT / "docker" / "node_arguments.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_the_profile_comes_first_and_the_robots_own_parameters_override_it(module, tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text("{}")
    words = module.arguments({"EDGE_AI_TARGET": "orin_nano", "EDGE_AI_PARAMS": str(params)})
    files = [word for before, word in itertools.pairwise(words) if before == "--params-file"]
    assert [Path(file).name for file in files] == ["orin_nano.yaml", "params.yaml"]
    assert "__ns:=/" in words


def test_a_side_has_a_namespace_but_shares_the_wheels_and_the_stop(module):
    words = module.arguments({"EDGE_AI_TARGET": "generic_pc", "EDGE_AI_SIDE": "green", "EDGE_AI_NAMESPACE": "robot1"})
    assert "__ns:=/robot1/green" in words
    assert {"cmd_vel:=/robot1/cmd_vel", "control/emergency_stop:=/robot1/control/emergency_stop"} <= set(words)
    words = module.arguments({"EDGE_AI_TARGET": "generic_pc", "EDGE_AI_SIDE": "green"})
    assert "cmd_vel:=/cmd_vel" in words


def test_what_sides_share_is_what_launch_says(module):
    tree = ast.parse((ROOT / "edge_ai" / "nodes" / "launching.py").read_text(encoding="utf-8"))
    (shared,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "_SHARED"
    )
    assert shared == module.SHARED


def test_the_port_is_the_monitors_alone(module):
    words = module.arguments({"EDGE_AI_TARGET": "generic_pc", "EDGE_AI_METRICS_PORT": "9470"})
    assert words[-2:] == ["-p", "monitor:metrics_port:=9470"]


@pytest.mark.parametrize(("name", "value"), [("EDGE_AI_TARGET", "orin_nono"), ("EDGE_AI_PARAMS", "/nowhere.yaml")])
def test_what_is_not_there_is_refused_by_name(module, name, value):
    with pytest.raises(EdgeAIError, match=value):
        module.arguments({"EDGE_AI_TARGET": "generic_pc", name: value})
