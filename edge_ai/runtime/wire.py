"""What travels between a robot and a served model: settled once, from the card and the server's metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_ai.core.errors import CardError
from edge_ai.processing.card import ModelCard
from edge_ai.processing.serving import DETECTIONS, SERVICE, AnswerKind, InputKind, ServingSpec
from edge_ai.routing.cloud.base import ServedModel, TensorInfo

_TYPES = {"float32": "FP32", "float16": "FP16", "uint8": "UINT8", "int32": "INT32"}
_INPUTS = {
    "jpeg": "one BYTES element, a JPEG file",
    "image": "UINT8 [height, width, 3]",
    "tensor": "the card's own input",
}


@dataclass(frozen=True, slots=True)
class Wire:
    """What is sent to a served model and what comes back.

    Attributes:
        model: name on the server.
        version: to ask for; empty: the server's choice.
        served: what the server says of it.
        tensor: the input as the server describes it.
        sends: how an image is sent.
        answers: what comes back.
        outputs: names of the tensors to ask for.
    """

    model: str
    version: str
    served: ServedModel
    tensor: TensorInfo
    sends: InputKind
    answers: AnswerKind
    outputs: tuple[str, ...]


def wanted_model(card: ModelCard, model: str = "", version: str = "") -> tuple[str, str]:
    """Name and version to ask a server for; ``model`` and ``version``, where given, count more than the card."""
    spec = card.serving or ServingSpec()
    return model or spec.model or card.name, version or spec.version


def settle(
    card: ModelCard, served: ServedModel, asked: tuple[str, str], payload: Literal["auto", "jpeg", "raw"] = "auto"
) -> Wire:
    """How a card's model is asked on a server.

    Args:
        card: the model.
        served: what the server says of it.
        asked: name and version to ask for.
        payload: how the user wants images to travel.

    Raises:
        CardError: the two do not fit, or not what the user wants.
    """
    tensor = _only_input(card, served)
    sends = _sends(card, served, tensor, payload)
    answers = _answers(card, served, sends)
    outputs = tuple(DETECTIONS) if answers == "detections" else card.output_names
    if SERVICE in served.outputs:
        outputs = (*outputs, SERVICE)
    return Wire(*asked, served, tensor, sends, answers, outputs)


def _only_input(card: ModelCard, served: ServedModel) -> TensorInfo:
    if len(served.inputs) != 1:
        got = f"inputs {', '.join(map(_words, served.inputs.values())) or 'none'} on the server"
        raise CardError(_what(card, served), got=got, wanted="one input, for the image")
    return next(iter(served.inputs.values()))


def _sends(card: ModelCard, served: ServedModel, tensor: TensorInfo, payload: str) -> InputKind:
    fitting = _fitting(card, tensor)
    spec = card.serving or ServingSpec()
    allowed = [kind for kind in fitting if spec.input in ("auto", kind)]
    allowed = [kind for kind in allowed if payload == "auto" or (payload == "jpeg") == (kind == "jpeg")]
    if allowed:
        return allowed[0]
    wishes = [f"'serving.input' {spec.input} on the card"] * (spec.input != "auto")
    wishes += [f"'payload' {payload}"] * (payload != "auto")
    own = _words(TensorInfo(card.input.name, _TYPES[card.input.dtype], card.input.shape))
    kinds = " or ".join(f"{words} ({own})" if kind == "tensor" else words for kind, words in _INPUTS.items())
    got = f"an input {_words(tensor)} on the server" + "".join(f", {wish}" for wish in wishes)
    raise CardError(_what(card, served), got=got, wanted=kinds)


def _fitting(card: ModelCard, tensor: TensorInfo) -> list[InputKind]:
    """The ways in which an image may become this input, the best first."""
    fitting: list[InputKind] = []
    shape = tensor.shape
    if tensor.datatype == "BYTES" and shape and all(n in (-1, 1) for n in shape):
        fitting.append("jpeg")
    own = len(shape) == 4 and all(n in (-1, m) for n, m in zip(shape, card.input.shape, strict=True))
    if own and tensor.datatype == _TYPES[card.input.dtype]:
        fitting.append("tensor")
    batch = len(shape) == 3 or (len(shape) == 4 and shape[0] in (-1, 1))
    if tensor.datatype == "UINT8" and batch and shape[-1] in (-1, 3):
        # A tensor of whole pixels looks like an image where sizes are left open; its name tells which it is.
        fitting.insert(len(fitting) if tensor.name == card.input.name else 0, "image")
    return fitting


def _answers(card: ModelCard, served: ServedModel, sends: InputKind) -> AnswerKind:
    spec = card.serving or ServingSpec()
    types = {name: info.datatype for name, info in served.outputs.items()}
    fitting: list[AnswerKind] = []
    # A server that gets a prepared tensor does not know the image in whose pixels boxes would be.
    if DETECTIONS.items() <= types.items() and sends != "tensor" and card.task == "detection":
        fitting.append("detections")
    if set(card.output_names) <= set(types):
        fitting.append("tensors")
    allowed = [kind for kind in fitting if spec.answers in ("auto", kind)]
    if allowed:
        return allowed[0]
    wish = "" if spec.answers == "auto" else f", 'serving.answers' {spec.answers} on the card"
    said = ", ".join(map(_words, served.outputs.values()))
    boxes = ", ".join(f"{datatype} {name}" for name, datatype in DETECTIONS.items())
    got = f"outputs {said or 'none'} on the server for {sends} as input, task {card.task}{wish}"
    raise CardError(_what(card, served), got=got, wanted=f"{', '.join(card.output_names)}; or, of a detector, {boxes}")


def _what(card: ModelCard, served: ServedModel) -> str:
    return f"model card '{card.name}' and the server's model '{served.name}'"


def _words(tensor: TensorInfo) -> str:
    return f"{tensor.name} {tensor.datatype} {list(tensor.shape)}"
