"""Every node that loads a model refuses what is not signed, once a key is configured; and runs what is."""

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from edge_ai.cli.main import main
from edge_ai.core.errors import ArtifactError
from edge_ai.nodes.cloud_node import CloudNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.pipeline_node import PipelineNode
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.trusted import admission

NODES = [(InferenceNode, ""), (PipelineNode, "inference."), (CloudNode, "inference.")]


@pytest.fixture
def release(tmp_path):
    """The path of a new key, without .key and .pub."""
    assert main(["sign", "--new-key", str(tmp_path / "release")]) == 0
    return tmp_path / "release"


@pytest.fixture
def configured(ros, release, tmp_path):
    def make(node, prefix, model):
        values = {"trusted_keys": f"[{release}.pub]", "artifact_store": str(tmp_path / "store"), "model": str(model)}
        camera = {"camera.source": "synthetic://320x240@30"} if node is PipelineNode else {}
        one = ros(**{f"{prefix}{name}": value for name, value in values.items()}, **camera)
        made = one.add(node())
        return one.do(made, "configure"), made.fault

    return make


@pytest.mark.parametrize(("node", "prefix"), NODES)
def test_an_unsigned_model_is_refused_with_what_to_do(configured, node, prefix):
    done, fault = configured(node, prefix, shipped_card())
    assert not done
    assert "wanted a signed set" in fault
    assert "edge-ai sign CARD --into SET" in fault


@pytest.mark.parametrize(("node", "prefix"), NODES)
def test_a_signed_model_is_run_and_older_ones_are_refused_from_then_on(configured, release, tmp_path, node, prefix):
    for version in ("1", "2"):
        command = ["sign", str(shipped_card()), "--key", f"{release}.key", "--version", version, "--expires", "9d"]
        assert main([*command, "--target", "any", "--into", str(tmp_path / version)]) == 0
    done, fault = configured(node, prefix, tmp_path / "2")
    assert done, fault
    params = InferenceParams(trusted_keys=[f"{release}.pub"], artifact_store=str(tmp_path / "store"))
    with pytest.raises(ArtifactError, match="an older version; wanted 2"):
        admission(params)(tmp_path / "1")
