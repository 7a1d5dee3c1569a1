"""The floors of the house: each imports only from floors below, and only nodes/ knows ROS."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "edge_ai"
FLOORS = [
    {"core"},
    {"platforms"},
    {"capture", "processing", "backends", "routing", "control", "monitoring", "deployment"}
    | {"batching", "realtime", "evaluation"},
    {"runtime", "dashboard", "fleet", "recording"},
    {"optimization"},
    {"robot"},
    {"watched"},
    {"nodes", "cli"},
]
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
ROS = {"rclpy", "launch", "launch_ros", "ament_index_python", "sensor_msgs", "std_msgs", "geometry_msgs", "cv_bridge"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "edge_ai")


def test_every_room_has_a_floor():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert rooms <= set(HEIGHT), f"say on which floor: {rooms - set(HEIGHT)}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards(path):
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in modules(path):
        if not module.startswith("edge_ai.") or room(module) not in HEIGHT or room(module) == here:
            continue
        assert HEIGHT[room(module)] < HEIGHT[here], f"{here} imports {module}"


@pytest.mark.parametrize("path", [p for p in FILES if "nodes" not in p.parts], ids=lambda p: str(p.relative_to(ROOT)))
def test_only_nodes_know_ros(path):
    foreign = {module.split(".")[0] for module in modules(path)} & ROS
    generated = {module for module in modules(path) if module.startswith(("edge_ai.msg", "edge_ai.srv"))}
    assert not foreign | generated


def test_everything_outside_nodes_imports_without_ros_or_vendor_libraries():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
        if "nodes" not in path.parts
    ]
    blocked = [*ROS, "tensorrt", "pycuda", "cuda", "jtop", "pynvml", "gi", "vision_msgs"]
    blocked += ["onnx", "pycocotools", "torch", "rosbags"]
    blocked += ["tritonclient", "grpc", "aiohttp", "simpy", "matplotlib"]
    blocked += ["prometheus_client", "starlette", "uvicorn", "mcap", "mcap_ros2", "pyinstrument"]
    blocked += ["cryptography", "docker", "httpx"]
    script = (
        "import sys, importlib\n"
        f"sys.modules.update(dict.fromkeys({blocked!r}))\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_core_needs_neither_opencv_nor_an_engine():
    script = (
        "import sys, importlib, pkgutil, edge_ai.core\n"
        "sys.modules.update(dict.fromkeys(['cv2', 'onnxruntime', 'psutil', 'yaml']))\n"
        "for m in pkgutil.iter_modules(edge_ai.core.__path__): importlib.import_module('edge_ai.core.' + m.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
