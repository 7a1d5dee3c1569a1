"""What Triton's Python backend runs; `edge-ai serve-repository` writes the model.py that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.core.errors import EdgeAIError, ImageError, ModelError
from edge_ai.processing.serving import SERVICE
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.served import Arrays, ServedModel


class TritonModel:
    """The three methods that Triton calls, on one thread for each instance.

    The model's ``parameters`` in config.pbtxt are ``input``, what clients send, and those of the inference node.
    """

    def initialize(self, args: dict[str, str]) -> None:
        """Load the card that lies beside model.py.

        Raises:
            EdgeAIError: Triton then says so in its log, and the model does not become ready.
        """
        check_numpy(np.__version__)
        import triton_python_backend_utils as utils  # type: ignore[import-not-found]

        config = json.loads(args["model_config"])
        given = {name: value["string_value"] for name, value in config.get("parameters", {}).items()}
        kind = given.pop("input")
        folder = Path(args["model_repository"]) / args["model_version"]
        params = served_params(given, folder / "model.yaml", max(int(config["max_batch_size"]), 1))
        self._utils, self._served = utils, ServedModel(params, kind)
        self._input = str(config["input"][0]["name"])
        self._batched = int(config["max_batch_size"]) > 0

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer requests, each on its own."""
        arrays = [self._utils.get_input_tensor_by_name(request, self._input).as_numpy() for request in requests]
        return [self._response(answer) for answer in self._served.answer(arrays)]

    def finalize(self) -> None:
        """Free the engine."""
        self._served.close()

    def _response(self, answer: Arrays | EdgeAIError) -> Any:
        utils = self._utils
        if isinstance(answer, EdgeAIError):
            code = utils.TritonError.INVALID_ARG if isinstance(answer, ImageError) else utils.TritonError.INTERNAL
            return utils.InferenceResponse(output_tensors=[], error=utils.TritonError(str(answer), code))
        # Tensors are the model's own, with their axis for the batch.
        bare = {SERVICE} if self._served.kind == "tensor" else set(answer)
        tensors = {n: array[np.newaxis] if self._batched and n in bare else array for n, array in answer.items()}
        return utils.InferenceResponse([utils.Tensor(name, array) for name, array in tensors.items()])


def check_numpy(version: str) -> None:
    """Refuse the numpy with which Triton's Python backend gives outputs of 0 bytes, and no error.

    Raises:
        ModelError: it is 2 or newer.
    """
    if int(version.partition(".")[0]) >= 2:
        mend = "install numpy 1.26 for the server's Python; a newer one makes its outputs empty"
        raise ModelError("Triton's Python backend", got=f"numpy {version}", wanted="numpy below 2", mend=mend)


def served_params(given: dict[str, str], card: Path, most: int) -> InferenceParams:
    """Parameters of the inference node from words, as a server's configuration has them: "4", "cuda,cpu".

    Raises:
        ParameterError: one is unknown or wrong.
    """
    values: dict[str, Any] = {"model": str(card), "max_batch": most}
    for name, text in given.items():
        field = InferenceParams.model_fields.get(name)
        default = field.default if field is not None else ""
        if isinstance(default, list):
            values[name] = [word.strip() for word in text.split(",")]
        elif isinstance(default, (int, float)) and not isinstance(default, bool):
            values[name] = json.loads(text)
        else:
            values[name] = text
    return InferenceParams.parse(values, owner="the server's model parameters")
