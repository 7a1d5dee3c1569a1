"""The Dockerfiles: linted, every image ends as a plain user, and what they name is there."""

import configparser
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
IMAGES = yaml.safe_load((DOCKER / "images.yaml").read_text(encoding="utf-8"))["services"]
ROBOTS = ("pc", "pc-gpu", "jetpack5", "jetpack6", "jetpack7")


def stages(path):
    """From the name of each stage to what it begins with and its lines."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for part in re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]:
        base, name = re.match(r"FROM (\S+) AS (\S+)", part).groups()
        found[name] = (base, part)
    return found


def ancestry(path, name):
    """The lines of a stage and of those it is based on, the last first."""
    known = stages(path)
    while name in known:
        name, text = known[name]
        yield from reversed(text.splitlines())


def final(name):
    """The Dockerfile and the last stage of an image."""
    build = IMAGES[name]["build"]
    path = ROOT / build["dockerfile"]
    return path, build.get("target") or list(stages(path))[-1]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path):
    program = shutil.which("hadolint")
    if program is None:
        pytest.skip("needs hadolint: make lint brings it")
    command = [program, "--config", str(DOCKER / ".hadolint.yaml"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_ends_as_a_plain_user_with_a_health_check(name):
    lines = list(ancestry(*final(name)))
    user = next(line for line in lines if line.startswith("USER "))
    assert re.fullmatch(r"USER 1\d{3}:1\d{3}", user)
    assert any(line.startswith("HEALTHCHECK ") for line in lines)


@pytest.mark.parametrize("name", ROBOTS)
def test_a_robot_has_no_compilers(name):
    """Those are in stages of which only results are copied."""
    lines = "\n".join(ancestry(*final(name)))
    assert not re.search(r"build-essential|python3-dev|python3-pip|colcon|cmake|\bgit\b", lines)


@pytest.mark.parametrize("name", IMAGES)
def test_what_an_image_is_built_of_is_there(name):
    build = IMAGES[name]["build"]
    path, target = final(name)
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert target in stages(path)
    for argument in build.get("args", {}):
        assert re.search(rf"^ARG {argument}\b", path.read_text(encoding="utf-8"), re.MULTILINE), argument
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    for extra in build.get("args", {}).get("EXTRAS", "").split():
        assert extra in setup["options.extras_require"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_from_the_tree_is_there_and_not_ignored(path):
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", path.read_text(encoding="utf-8"), re.MULTILINE)
    names = [name for line in copies for name in line.split()]
    assert names
    for name in names:
        assert (ROOT / name).exists(), name
        assert name.split("/")[0] not in ignored


def test_ros_from_apt_is_what_the_package_depends_on():
    """rclpy, launch and ros2launch are in the base image; the command line of launch is what people use by hand."""
    text = stages(DOCKER / "ros.Dockerfile")["base"][1]
    installed = {word.replace("ros-${ROS_DISTRO}-", "").replace("-", "_") for word in text.split()}
    package = ElementTree.parse(ROOT / "package.xml")
    wanted = {element.text.replace("-", "_") for element in package.iter("exec_depend")}
    in_base = {"rclpy", "launch", "launch_ros", "ros2launch", "common_interfaces"}
    assert wanted - in_base <= installed


def test_wheels_of_ros_are_for_the_image_of_a_pc_only():
    assert "core ros2" in (DOCKER / "pc.Dockerfile").read_text(encoding="utf-8")
    assert "tools/bootstrap.py needs" in (DOCKER / "ros.Dockerfile").read_text(encoding="utf-8")
