"""The Open Inference Protocol v2 over gRPC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudAuthError,
    CloudBusyError,
    CloudRequest,
    CloudRequestError,
    CloudTimeoutError,
    CloudUnreachableError,
    ServedModel,
    TensorInfo,
)
from edge_ai.routing.cloud.credentials import Credentials
from edge_ai.routing.cloud.endpoint import Endpoint
from edge_ai.routing.cloud.faults import from_grpc
from edge_ai.routing.cloud.oip import LARGEST, OipClient
from edge_ai.routing.cloud.tensors import array_bytes, check_answer, datatype_of, from_raw, from_values

T = TypeVar("T")
_SILENCE = 1.0
_OPTIONS = [
    ("grpc.max_send_message_length", LARGEST),
    ("grpc.max_receive_message_length", LARGEST),
    # A new channel must have a connection of its own, see _Channel.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]
_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


class _Channel:
    """A connection, and since when it owes an answer.

    TCP holds on to a dead connection for minutes, and once the link is back waits as long again as it was away. A
    connection that has said nothing for a second while a request ran out of time is given up for a new one.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls = 0
        self.given_up = False
        self._owing: float | None = None

    def asked(self) -> None:
        self.calls += 1
        if self._owing is None:
            self._owing = time.monotonic()

    def heard(self) -> None:
        self._owing = None

    @property
    def silent(self) -> bool:
        return self._owing is not None and time.monotonic() - self._owing > _SILENCE


class GrpcClient(OipClient):
    """A client over gRPC; its calls share one HTTP/2 connection."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        super().__init__(endpoint, credentials)
        self._channel: _Channel | None = None
        self._closing: set[asyncio.Future[None]] = set()

    def _encode(self, request: CloudRequest, timeout: float) -> Any:
        from tritonclient.grpc import InferInput, InferRequestedOutput

        inputs = []
        for name, array in request.inputs.items():
            tensor = InferInput(name, list(array.shape), datatype_of(array))
            inputs.append(tensor.set_data_from_numpy(array))
        return inputs, [InferRequestedOutput(name) for name in request.outputs] or None

    async def _infer(self, request: CloudRequest, body: Any, served: ServedModel | None, timeout: float) -> CloudAnswer:
        inputs, outputs = body
        result = await self._call(
            lambda client, headers: client.infer(
                request.model,
                inputs,
                model_version=request.version,
                outputs=outputs,
                request_id=request.request_id,
                timeout=max(1, int(timeout * 1e6)),
                client_timeout=timeout,
                headers=headers,
            )
        )
        message = result.get_response()
        arrays, datatypes = {}, {}
        for index, output in enumerate(message.outputs):
            info = TensorInfo(output.name, output.datatype, tuple(output.shape))
            if index < len(message.raw_output_contents):
                arrays[info.name] = from_raw(info, message.raw_output_contents[index])
            else:
                arrays[info.name] = from_values(info, getattr(output.contents, _CONTENTS.get(info.datatype, ""), ()))
            datatypes[info.name] = info.datatype
        check_answer(arrays, datatypes, request.outputs, served)
        parameters = {
            key: getattr(value, value.WhichOneof("parameter_choice") or "", None)
            for key, value in message.parameters.items()
        }
        return CloudAnswer(arrays, sum(array_bytes(array) for array in request.inputs.values()), parameters)

    async def _server_ready(self, timeout: float) -> bool:
        return bool(await self._call(lambda c, headers: c.is_server_ready(headers=headers, client_timeout=timeout)))

    async def _model_ready(self, model: str, version: str, timeout: float) -> bool:
        def ask(client: Any, headers: dict[str, str]) -> Awaitable[Any]:
            answer: Awaitable[Any] = client.is_model_ready(model, version, headers=headers, client_timeout=timeout)
            return answer

        try:
            return bool(await self._call(ask))
        except (CloudRequestError, CloudBusyError):
            return False

    async def _metadata(self, model: str, version: str, timeout: float) -> ServedModel:
        said = await self._call(
            lambda c, headers: c.get_model_metadata(model, version, headers=headers, client_timeout=timeout)
        )
        inputs, outputs = (
            {t.name: TensorInfo(t.name, t.datatype, tuple(t.shape)) for t in tensors}
            for tensors in (said.inputs, said.outputs)
        )
        return ServedModel(said.name, version or (said.versions[-1] if said.versions else ""), inputs, outputs)

    async def _call(self, ask: Callable[[Any, dict[str, str]], Awaitable[T]]) -> T:
        from tritonclient.utils import InferenceServerException

        channel = self._connected()
        channel.asked()
        try:
            answer = await ask(channel.client, self._credentials.headers())
            channel.heard()
            return answer
        except InferenceServerException as error:
            fault = from_grpc(self.name, str(error.status()), str(error.message()), secure=self._endpoint.secure)
            if not isinstance(fault, CloudTimeoutError):
                channel.heard()
            if isinstance(fault, CloudUnreachableError | CloudAuthError):
                # gRPC would pause before it connects again; when to ask is for the breaker to say. And certificates are
                # read again.
                channel.given_up = True
            raise fault from None
        finally:
            channel.calls -= 1
            if channel.silent:
                channel.given_up = True
            if channel.given_up:
                self._let_go(channel)

    def _connected(self) -> _Channel:
        if self._channel is None:
            from tritonclient.grpc.aio import InferenceServerClient

            creds = None
            if self._endpoint.secure:
                import grpc

                creds = grpc.ssl_channel_credentials(*self._credentials.pem())
            client = InferenceServerClient(self._endpoint.authority, creds=creds, channel_args=_OPTIONS)
            self._channel = _Channel(client)
        return self._channel

    def _let_go(self, channel: _Channel) -> None:
        if self._channel is channel:
            self._channel = None
        if channel.calls == 0:
            closing = asyncio.ensure_future(channel.client.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _disconnect(self) -> None:
        channel, self._channel = self._channel, None
        closing = [*self._closing, *([channel.client.close()] if channel is not None else [])]
        await asyncio.gather(*closing, return_exceptions=True)
