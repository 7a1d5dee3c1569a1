"""Model repositories: what a server is told about a card, and what is in the repository of this package."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge_ai.cli.main import main
from edge_ai.core.errors import CardError, ImageError, ModelError, ParameterError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.model_repository import ServerOptions, config, outputs, write_model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.served import ServedModel, as_image
from edge_ai.runtime.triton_model import TritonModel, check_numpy, served_params

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "cloud" / "model_repository"


@pytest.fixture(scope="module")
def card():
    return ModelCard.load(shipped_card())


def test_the_committed_repository_is_what_the_command_writes(tmp_path):
    words = ["serve-repository", "--into", str(tmp_path), "--no-files"]
    assert main(words) == 0
    assert main([*words, "--backend", "onnxruntime"]) == 0
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(made) == 3
    for path, text in made.items():
        assert (COMMITTED / path).read_text() == text, "run both commands of cloud/compose.yaml with --no-files"


def test_with_its_files_it_serves_itself(card, tmp_path):
    folder = write_model(card, shipped_card(), ServerOptions(), tmp_path)
    assert folder.name == card.name
    served = ServedModel(served_params({}, folder / "1" / "model.yaml", 1), "jpeg")
    assert served.card.sha256 == card.sha256
    assert served.card.labels == card.labels
    served.close()


def test_tensors_have_the_shapes_of_the_model(card):
    how = ServerOptions(backend="tensorrt", takes="tensor", name="fast")
    text = config(card, how, outputs(card, shipped_card(), how))
    assert 'name: "fast"' in text
    assert 'name: "images" data_type: TYPE_FP32 dims: [ 1, 3, 416, 416 ]' in text
    assert 'name: "dist" data_type: TYPE_FP32 dims: [ 1, 3549, 44 ]' in text
    assert 'name: "tensorrt"' in text
    assert "service_seconds" not in text, "Triton's own backends say nothing of it"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ServerOptions(backend="onnxruntime", takes="jpeg"), "--input tensor"),
        (ServerOptions(takes="tensor", max_batch=4), "batch dimension"),
    ],
)
def test_what_cannot_be_served_is_refused(card, tmp_path, options, words):
    with pytest.raises(CardError, match=words):
        write_model(card, shipped_card(), options, tmp_path)


def test_the_commands_mistakes_are_told(tmp_path, capsys):
    words = ["serve-repository", "--into", str(tmp_path), "--no-files"]
    assert main([*words, "--parameter", "providers"]) == 1
    assert "NAME=VALUE" in capsys.readouterr().err
    assert main([*words, "--parameter", "colour=red"]) == 1
    assert "colour" in capsys.readouterr().err
    assert main([*words, "--name", "a", "--input", "jpeg", "--input", "image"]) == 1
    assert not list(tmp_path.iterdir())


def test_parameters_come_as_words():
    params = served_params({"threads": "3", "providers": "cuda, cpu", "backend": "onnxruntime"}, Path("m.yaml"), 4)
    assert (params.threads, params.providers, params.max_batch) == (3, ["cuda", "cpu"], 4)
    with pytest.raises(ParameterError, match="threads"):
        served_params({"threads": "999"}, Path("m.yaml"), 1)


def test_the_numpy_that_makes_tritons_outputs_empty_is_refused():
    check_numpy("1.26.4")
    with pytest.raises(ModelError, match=r"numpy 2\.4\.6"):
        check_numpy("2.4.6")


def test_one_bad_request_fails_no_other(card):
    served = ServedModel(InferenceParams(), "image")
    dark = np.zeros((40, 60, 3), np.uint8)
    good, bad, whole = served.answer([dark, np.zeros((0, 3), np.uint8), dark[np.newaxis]])
    assert good["boxes"].shape == whole["boxes"].shape == (0, 4)
    assert isinstance(bad, ImageError)
    served.close()


def test_tensors_are_the_models_own():
    served = ServedModel(InferenceParams(), "tensor")
    first, second, wrong = served.answer(
        [np.zeros((1, 3, 416, 416), np.float32), np.ones((1, 3, 416, 416), np.float32), np.zeros((1, 3), np.float32)]
    )
    assert set(first) == {"scores", "dist", "service_seconds"}
    assert first["service_seconds"] > 0
    assert not np.array_equal(first["scores"], second["scores"]), "each has memory of its own"
    assert "wanted float32 [1, 3, 416, 416]" in str(wrong)
    served.close()


@pytest.mark.parametrize(("kind", "boxes"), [("image", (1, 3, 4)), ("tensor", (3, 4))])
def test_in_batches_tritons_outputs_have_an_axis_more_but_those_of_the_model(kind, boxes):
    model = TritonModel()
    model._served, model._batched = SimpleNamespace(kind=kind), True
    model._utils = SimpleNamespace(InferenceResponse=dict, Tensor=lambda name, array: (name, array.shape))
    answer = {"boxes": np.zeros((3, 4), np.float32), "service_seconds": np.zeros(1, np.float32)}
    assert model._response(answer) == {"boxes": boxes, "service_seconds": (1, 1)}


@pytest.mark.parametrize("array", [np.array([b"a", b"b"], object), np.array(["text"], object), np.zeros(0, object)])
def test_what_is_no_jpeg_is_an_image_error(array):
    with pytest.raises(ImageError):
        as_image(array, "jpeg")
