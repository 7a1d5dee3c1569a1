"""What is derived from the code stands in the repository as the code would write it."""

import re
from pathlib import Path

import pytest
import yaml

from edge_ai.cli.params import node_classes, reference, yaml_files
from edge_ai.platforms.document import BLOCKS, refresh

ROOT = Path(__file__).resolve().parents[2]
MEND = "run: edge-ai params yaml --into config && edge-ai params table --into doc"


@pytest.mark.parametrize("name", sorted(yaml_files()))
def test_parameter_files_are_current(name):
    assert (ROOT / "config" / name).read_text() == yaml_files()[name], MEND


def test_the_reference_page_is_current():
    assert (ROOT / "doc/parameters.md").read_text() == reference(), MEND


def test_the_page_on_platforms_is_current():
    page = (ROOT / "doc/platforms.md").read_text()
    assert refresh(page) == page, "run: edge-ai platforms document doc/platforms.md"
    assert set(re.findall(r"<!-- made: (\w+) -->", page)) == set(BLOCKS)


def flat(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def of_prefix(prefix, given, node):
    """The parameters under a prefix; under none, those that belong to no other."""
    others = tuple(other for other in node_classes()[node] if other and other != prefix)
    return {
        name.removeprefix(prefix): value
        for name, value in given.items()
        if name.startswith(prefix) and not name.startswith(others)
    }


@pytest.mark.parametrize("node", sorted(node_classes()))
def test_parameter_files_load_and_hold_the_defaults(node):
    (content,) = yaml.safe_load((ROOT / f"config/{node}.yaml").read_text()).values()
    given = dict(flat(content["ros__parameters"]))
    for prefix, cls in node_classes()[node].items():
        assert cls.parse(of_prefix(prefix, given, node), owner=node) == cls.parse({})


@pytest.mark.parametrize("profile", sorted((ROOT / "config/profiles").glob("*.yaml")), ids=lambda p: p.stem)
def test_profiles_set_only_parameters_that_exist_within_their_range(profile):
    for key, content in yaml.safe_load(profile.read_text()).items():
        node = key.rpartition("/")[2]
        given = dict(flat(content["ros__parameters"]))
        for prefix, cls in node_classes()[node].items():
            cls.parse(of_prefix(prefix, given, node), owner=node)


def test_every_node_is_listed_once_and_nothing_else_is():
    listed = re.search(r"set\(nodes ([^)]*)\)", (ROOT / "CMakeLists.txt").read_text()).group(1).split()
    found = {path.stem for path in (ROOT / "edge_ai/nodes").glob("*_node.py")}
    assert sorted(listed) == sorted(found)


@pytest.mark.parametrize(
    ("node", "rooms"),
    [
        ("camera", ["capture", "nodes/camera_node.py", "nodes/camera_topics.py"]),
        ("inference", ["runtime", "nodes/inference_node.py", "backends"]),
        ("control", ["control", "robot.py", "nodes/control_node.py", "nodes/command_topics.py"]),
        ("lifecycle_manager", ["runtime/supervision.py", "nodes/lifecycle_manager_node.py"]),
    ],
)
def test_every_parameter_is_read(node, rooms):
    paths = [path for room in rooms for path in ([ROOT / "edge_ai" / room, *(ROOT / "edge_ai" / room).rglob("*.py")])]
    text = "\n".join(path.read_text() for path in paths if path.suffix == ".py")
    unread = [name for name in node_classes()[node][""].model_fields if not re.search(rf"\.{name}\b", text)]
    assert not unread, f"{node} declares parameters that nothing reads: {unread}"
