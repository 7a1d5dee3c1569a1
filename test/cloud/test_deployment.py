"""The files with which servers are set up: they are valid, and they fit the model and each other."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from edge_ai.processing.card import ModelCard

CLOUD = Path(__file__).resolve().parents[2] / "cloud"
COMPOSE = CLOUD / "compose.yaml"


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_the_compose_file_is_valid():
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("needs check-jsonschema: make lint brings it")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_services_are_safe_by_default(services):
    for name, service in services.items():
        if "extends" in service:
            continue
        assert not service.get("privileged"), name
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"]
        assert all(volume["read_only"] for volume in service["volumes"])
        assert all(port.startswith(("127.0.0.1:", "${EDGE_AI_BIND:-127.0.0.1}:")) for port in service["ports"])
        assert service["healthcheck"]["test"][0] == "CMD"
        assert "docker.sock" not in str(service)


def test_what_they_mount_and_build_is_there(services):
    for service in services.values():
        for volume in service.get("volumes", []):
            assert (CLOUD / volume["source"]).is_dir()
        if "build" in service:
            assert (CLOUD.parent / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("path", sorted(CLOUD.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_images_are_pinned_and_end_as_a_plain_user(path):
    text = path.read_text()
    (image,) = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert re.search(r":\d+\.\d+", image), image
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)


def test_mlserver_is_told_what_triton_is(triton_card):
    card = ModelCard.load(triton_card)
    settings = json.loads((CLOUD / "mlserver" / card.name / "model-settings.json").read_text())
    pbtxt = (CLOUD / "model_repository" / card.name / "config.pbtxt").read_text()
    assert settings["name"] == card.name
    for tensor in (*settings["inputs"], *settings["outputs"]):
        kind = {"BYTES": "STRING"}.get(tensor["datatype"], tensor["datatype"])
        dims = ", ".join(map(str, tensor["shape"]))
        assert f'name: "{tensor["name"]}" data_type: TYPE_{kind} dims: [ {dims} ]' in pbtxt
