"""What comes back arrives as it was sent, or is refused."""

import threading

import numpy as np
import pytest

from edge_ai.routing.cloud.base import CloudAnswerError, CloudRequest

oip = pytest.importorskip("oip_server")


def test_every_type_of_tensor_arrives_as_it_was_sent(serve, connect, behaviour):
    arrays = {
        "u": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        "f": np.linspace(-1, 1, 6, dtype=np.float32).reshape(1, 6),
        "h": np.linspace(-1, 1, 5).astype(np.float16),
        "i": np.array([[-3]], np.int32),
        "b": np.array([b"one", b"", b"\x00three"], object),
        "none": np.zeros((0, 4), np.float32),
    }
    shapes = {name: ("", list(array.shape)) for name, array in arrays.items()}
    kinds = {"u": "UINT8", "f": "FP32", "h": "FP16", "i": "INT32", "b": "BYTES", "none": "FP32"}
    metadata = {name: (kinds[name], shape) for name, (_, shape) in shapes.items()}
    behaviour.models["echo"] = oip.Served(metadata, metadata, dict)
    client = connect(serve().port)
    client.open("echo", "", 5)
    outcomes, done = [], threading.Event()
    client.infer(CloudRequest("echo", arrays), 5, lambda outcome: (outcomes.append(outcome), done.set()))
    assert done.wait(10)
    for name, array in arrays.items():
        np.testing.assert_array_equal(outcomes[0].outputs[name], array)
        assert outcomes[0].outputs[name].shape == array.shape


def answer_with(behaviour, **outputs):
    behaviour.models["m"].run = lambda inputs: outputs


@pytest.mark.parametrize(
    "outputs",
    [
        {"size": np.array([3], np.int32)},
        {},
        {"length": np.array([3], np.float32)},
        {"length": np.array([[3]], np.int32)},
        {"length": np.array(3, np.int32)},
    ],
    ids=["another name", "no output", "another type", "another shape", "no shape"],
)
def test_an_answer_that_is_not_as_promised_is_refused(serve, connect, ask, answers, behaviour, outputs):
    client = connect(serve().port)
    client.open("m", "", 5)
    run = behaviour.models["m"].run
    answer_with(behaviour, **outputs)
    assert type(ask(client)) is CloudAnswerError
    behaviour.models["m"].run = run
    assert answers(client)


def test_empty_outputs_are_not_taken_for_none(serve, connect, ask, behaviour):
    """As Triton's Python backend gives them with numpy 2."""
    client = connect(serve().port)
    client.open("m", "", 5)
    behaviour.mode = "truncated"
    error = ask(client)
    assert type(error) is CloudAnswerError
    assert "0 bytes" in str(error)
    assert "numpy" in str(error)
