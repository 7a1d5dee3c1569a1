"""The compose files and the systemd unit: valid by their own tools, as closed as they claim, and they fit the rest."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[2] / "docker"
FILES = ("compose.yaml", "compose.jetson.yaml", "compose.gpu.yaml", "compose.camera.yaml", "images.yaml")
SERVICES = ("robot", "monitor", "foxglove", "zenoh")
EXPOSURE = 1.0  # of 10, by systemd's own count


def load(name):
    return yaml.safe_load((DOCKER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_it_is_valid_compose(name):
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("needs check-jsonschema: make lint brings it")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DOCKER / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_no_more_than_it_needs(name):
    service = load("compose.yaml")["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert not {"privileged", "pid", "devices", "userns_mode"} & set(service)
    assert {"mem_limit", "pids_limit"} <= set(service)


@pytest.mark.parametrize("name", FILES)
def test_nothing_gets_the_engines_socket_or_all_of_the_machine(name):
    text = (DOCKER / name).read_text(encoding="utf-8")
    assert not re.search(r"docker\.sock|podman\.sock|privileged|cap_add|pid: *host|seccomp:unconfined", text)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_and_fills_no_disk(name):
    service = load("compose.yaml")["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_robot_is_healthy_while_it_is_ready_and_the_monitor_while_it_lives():
    services = load("compose.yaml")["services"]
    assert services["robot"]["healthcheck"]["test"][-1] == "/readyz"
    assert services["monitor"]["healthcheck"]["test"][-1] == "/livez"


def test_only_bridges_have_to_be_asked_for():
    services = load("compose.yaml")["services"]
    assert [name for name, service in services.items() if "profiles" in service] == ["foxglove", "zenoh"]


def test_bridges_see_nothing_that_the_robot_keeps():
    services = load("compose.yaml")["services"]
    holders = [name for name, one in services.items() if any(what.startswith("state:") for what in one["volumes"])]
    assert holders == ["robot", "monitor"]


def test_every_target_gets_only_devices_that_are_named():
    given = {name: load(name)["services"] for name in FILES[1:4]}
    assert [name for name, services in given.items() if services["robot"].get("devices")] == ["compose.camera.yaml"]
    assert given["compose.camera.yaml"]["robot"]["devices"] == ["${EDGE_AI_CAMERA:-/dev/video0}:/dev/video0"]
    assert all(list(services) == ["robot"] for services in given.values())


def test_the_example_of_variables_has_those_of_the_files_and_no_others():
    text = "".join((DOCKER / name).read_text(encoding="utf-8") for name in FILES[:4])
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    example = dict(re.findall(r"^(\w+)=(.*)$", (DOCKER / "robot.env").read_text(encoding="utf-8"), re.MULTILINE))
    for name in example.keys() - {"COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "COMPOSE_PROFILES"}:
        assert example[name] == defaults[name], name


def test_the_shipped_parameters_are_those_of_the_pipeline():
    from edge_ai.capture.params import CameraParams

    values = load("config/params.yaml")["/**/pipeline"]["ros__parameters"]["camera"]
    assert CameraParams.parse(values).source.startswith("synthetic://")


def systemd(tmp_path, *words):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    text = (DOCKER / "edge-ai.service").read_text(encoding="utf-8")
    (tmp_path / "edge-ai.service").write_text(text.replace("/usr/bin/docker", shutil.which("true")), encoding="utf-8")
    (tmp_path / "docker.service").write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:", "SYSTEMD_COLORS": "0"}
    command = ["systemd-analyze", *words, str(tmp_path / "edge-ai.service")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_unit_is_valid(tmp_path):
    done = systemd(tmp_path, "verify", "--man=no")
    assert done.returncode == 0, done.stderr
    assert "edge-ai.service" not in done.stderr, done.stderr


def test_the_unit_exposes_little(tmp_path):
    done = systemd(tmp_path, "security", "--offline=true", f"--threshold={10 * EXPOSURE:.0f}")
    assert done.returncode == 0, done.stdout[-200:]


def test_the_unit_and_the_example_fit_each_other():
    unit = (DOCKER / "edge-ai.service").read_text(encoding="utf-8")
    assert "EnvironmentFile=/etc/edge_ai/robot.env" in unit
    first = (DOCKER / "robot.env").read_text(encoding="utf-8").splitlines()[0]
    assert "/etc/edge_ai/robot.env" in first
