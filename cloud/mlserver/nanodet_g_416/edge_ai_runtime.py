"""MLServer's side of a model card: a JPEG file in, boxes out; robots ask it over gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from mlserver import MLModel
from mlserver.errors import InferenceError, InvalidModelURI
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput

from edge_ai.core.errors import EdgeAIError, ImageError
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.served import ServedModel
from edge_ai.runtime.triton_model import served_params

_DATATYPES = {"float32": "FP32", "int32": "INT32"}


class EdgeAIRuntime(MLModel):
    """``parameters.extra`` of model-settings.json: ``card``, a path; ``parameters``, those of inference_node."""

    async def load(self) -> bool:
        """Load the card's model."""
        settings = self.settings.parameters
        extra: dict[str, Any] = (settings.extra if settings else None) or {}
        given = {name: str(value) for name, value in extra.get("parameters", {}).items()}
        try:
            params = served_params(given, extra.get("card") or shipped_card(), 1)
            self._served = await asyncio.to_thread(ServedModel, params, "jpeg")
        except EdgeAIError as error:
            raise InvalidModelURI(self.name, str(error)) from error
        self._turn = asyncio.Lock()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer one request; the event loop stays free meanwhile."""
        array = np.array([_bytes(payload.inputs[0])], object)
        async with self._turn:
            (answer,) = await asyncio.to_thread(self._served.answer, [array])
        if isinstance(answer, EdgeAIError):
            # MLServer tells clients of this one that it was theirs, and of everything else that it was its own.
            raise InferenceError(str(answer)) if isinstance(answer, ImageError) else answer
        outputs = [_output(name, one) for name, one in answer.items()]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)

    async def unload(self) -> bool:
        """Free the engine."""
        await asyncio.to_thread(self._served.close)
        return True


def _output(name: str, array: Any) -> ResponseOutput:
    datatype = _DATATYPES[array.dtype.name]
    return ResponseOutput(name=name, shape=list(array.shape), datatype=datatype, data=array.ravel().tolist())


def _bytes(tensor: RequestInput) -> bytes:
    """The one element of a BYTES tensor, however it travelled."""
    data: Any = tensor.data.root
    while isinstance(data, list) and len(data) == 1:
        (data,) = data
    if isinstance(data, str):
        data = data.encode()
    return data if isinstance(data, bytes) else b""
