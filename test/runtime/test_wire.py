import pytest

from edge_ai.core.errors import CardError
from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.base import ServedModel, TensorInfo
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.wire import settle, wanted_model

CARD = ModelCard.load(shipped_card())
BOXES = {"boxes": ("FP32", (-1, 4)), "scores": ("FP32", (-1,)), "class_ids": ("INT32", (-1,))}
TENSORS = {"scores": ("FP32", (1, 3549, 80)), "dist": ("FP32", (1, 3549, 44))}
JPEG = {"jpeg": ("BYTES", (-1, 1))}
IMAGE = {"image": ("UINT8", (-1, -1, 3))}
OWN = {"images": ("FP32", (-1, 3, 416, 416))}


def served(inputs, outputs):
    inputs, outputs = ({name: TensorInfo(name, *rest) for name, rest in side.items()} for side in (inputs, outputs))
    return ServedModel("on_server", "1", inputs, outputs)


def settled(inputs, outputs, card=CARD, payload="auto"):
    return settle(card, served(inputs, outputs), ("m", ""), payload)


@pytest.mark.parametrize(
    ("inputs", "outputs", "sends", "answers"),
    [
        (JPEG, BOXES, "jpeg", "detections"),
        (JPEG, TENSORS, "jpeg", "tensors"),
        ({"x": ("BYTES", (1,))}, BOXES, "jpeg", "detections"),
        (IMAGE, BOXES, "image", "detections"),
        ({"x": ("UINT8", (-1, -1, -1, 3))}, TENSORS, "image", "tensors"),
        (OWN, TENSORS, "tensor", "tensors"),
        ({"INPUT__0": ("FP32", (1, 3, 416, 416))}, TENSORS, "tensor", "tensors"),
    ],
)
def test_metadata_say_what_travels(inputs, outputs, sends, answers):
    wire = settled(inputs, outputs)
    assert (wire.sends, wire.answers) == (sends, answers)
    assert wire.outputs == (("boxes", "scores", "class_ids") if answers == "detections" else CARD.output_names)
    assert wire.tensor.name == next(iter(inputs))


def test_a_server_that_can_say_how_long_it_worked_is_asked():
    said = {"service_seconds": ("FP32", (1,))}
    assert settled(JPEG, BOXES | said).outputs == ("boxes", "scores", "class_ids", "service_seconds")
    assert settled(OWN, TENSORS | said).outputs == ("scores", "dist", "service_seconds")


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ({}, BOXES, "one input"),
        (JPEG | IMAGE, BOXES, "one input"),
        ({"x": ("FP16", (1, 3, 416, 416))}, TENSORS, "FP16"),
        ({"x": ("FP32", (1, 3, 320, 320))}, TENSORS, "320"),
        ({"x": ("BYTES", (-1, 2))}, BOXES, "BYTES"),
        (JPEG, {}, "none"),
        (JPEG, BOXES | {"boxes": ("FP64", (-1, 4))}, "FP64"),
        (JPEG, {"scores": ("FP32", (1, 3549, 80))}, "dist"),
        (OWN, BOXES, "tensor"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides(inputs, outputs, words):
    with pytest.raises(CardError, match=words) as refused:
        settled(inputs, outputs)
    assert "nanodet_g_416" in str(refused.value)
    assert "on_server" in str(refused.value)


def test_the_card_decides_where_both_would_do():
    both = BOXES | {"scores": ("FP32", (-1,)), "dist": ("FP32", (1, 3549, 44))}
    assert settled(JPEG, both).answers == "detections"
    card = CARD.changed(serving={"answers": "tensors"})
    assert settled(JPEG, both, card).answers == "tensors"
    with pytest.raises(CardError, match=r"serving\.answers"):
        settled(JPEG, BOXES, card)
    with pytest.raises(CardError, match=r"serving\.input"):
        settled(JPEG, BOXES, CARD.changed(serving={"input": "image"}))


def test_the_user_decides_how_images_travel():
    assert settled(JPEG, BOXES, payload="jpeg").sends == "jpeg"
    assert settled(IMAGE, BOXES, payload="raw").sends == "image"
    assert settled(OWN, TENSORS, payload="raw").sends == "tensor"
    with pytest.raises(CardError, match="'payload' raw"):
        settled(JPEG, BOXES, payload="raw")
    with pytest.raises(CardError, match="'payload' jpeg"):
        settled(IMAGE, BOXES, payload="jpeg")


def test_a_tensor_of_pixels_is_told_from_an_image_by_its_name():
    spec = CARD.input.model_dump(mode="json") | {"layout": "nhwc", "dtype": "uint8", "mean": [0.0], "std": [1.0]}
    card = CARD.changed(input=spec)
    assert settled({"images": ("UINT8", (-1, 416, 416, 3))}, TENSORS, card).sends == "tensor"
    assert settled({"picture": ("UINT8", (-1, -1, -1, 3))}, TENSORS, card).sends == "image"


def test_names_of_the_parameters_count_more_than_those_of_the_card():
    card = CARD.changed(serving={"model": "there", "version": "3"})
    assert wanted_model(CARD) == ("nanodet_g_416", "")
    assert wanted_model(card) == ("there", "3")
    assert wanted_model(card, "mine", "4") == ("mine", "4")
