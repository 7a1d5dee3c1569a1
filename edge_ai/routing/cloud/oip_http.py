"""The Open Inference Protocol v2 over HTTP, with its extension for binary tensors."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudAnswerError,
    CloudError,
    CloudRequest,
    CloudTimeoutError,
    ServedModel,
    TensorInfo,
)
from edge_ai.routing.cloud.credentials import Credentials
from edge_ai.routing.cloud.endpoint import Endpoint
from edge_ai.routing.cloud.faults import from_connection, from_http
from edge_ai.routing.cloud.oip import LARGEST, OipClient
from edge_ai.routing.cloud.tensors import array_bytes, check_answer, datatype_of, from_raw, from_values

_HEADER_LENGTH = "Inference-Header-Content-Length"
_IDLE = 4.0
"""Seconds after which an idle connection is closed by us: servers do so after 5 and more, perhaps just as we send."""


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient(OipClient):
    """A client over HTTP/1.1 with a pool of kept connections."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        super().__init__(endpoint, credentials)
        self._session: Any = None
        self._stamp: tuple[int, ...] = ()

    def _encode(self, request: CloudRequest, timeout: float) -> Any:
        from tritonclient.http import InferInput, InferRequestedOutput
        from tritonclient.http.aio import InferenceServerClient

        inputs = []
        for name, array in request.inputs.items():
            tensor = InferInput(name, list(array.shape), datatype_of(array))
            inputs.append(tensor.set_data_from_numpy(array))
        return InferenceServerClient.generate_request_body(
            inputs,
            outputs=[InferRequestedOutput(name) for name in request.outputs] or None,
            request_id=request.request_id,
            timeout=max(1, int(timeout * 1e6)),
        )

    async def _infer(self, request: CloudRequest, body: Any, served: ServedModel | None, timeout: float) -> CloudAnswer:
        data, length = body
        headers = {} if length is None else {_HEADER_LENGTH: str(length)}
        response = await self._ask("POST", f"{_path(request.model, request.version)}/infer", data, headers)
        self._check_status(response)
        head, arrays, datatypes = _read_answer(response)
        check_answer(arrays, datatypes, request.outputs, served)
        parameters = head.get("parameters")
        sent = sum(array_bytes(array) for array in request.inputs.values())
        return CloudAnswer(arrays, sent, parameters if isinstance(parameters, dict) else {})

    async def _server_ready(self, timeout: float) -> bool:
        return self._ready(await self._ask("GET", "health/ready"))

    async def _model_ready(self, model: str, version: str, timeout: float) -> bool:
        return self._ready(await self._ask("GET", f"{_path(model, version)}/ready"))

    async def _metadata(self, model: str, version: str, timeout: float) -> ServedModel:
        response = await self._ask("GET", _path(model, version))
        self._check_status(response)
        try:
            said = json.loads(response.body)
            inputs, outputs = (
                {t["name"]: TensorInfo(t["name"], t["datatype"], tuple(t["shape"])) for t in said[key]}
                for key in ("inputs", "outputs")
            )
            versions = said.get("versions") or [""]
            return ServedModel(said["name"], version or str(versions[-1]), inputs, outputs)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            got = "metadata of a model that cannot be read"
            raise CloudAnswerError(f"server {self.name}", got=got, wanted="an Open Inference Protocol v2") from None

    def _ready(self, response: _Response) -> bool:
        if response.status in (200, 204):
            return True
        # Servers say "not ready" with 400, 404 or 503 and little else.
        if response.status in (400, 404, 503):
            return False
        raise from_http(self.name, response.status, _words(response))

    def _check_status(self, response: _Response) -> None:
        if response.status != 200:
            raise from_http(self.name, response.status, _words(response))

    async def _ask(
        self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> _Response:
        """One exchange; however it ends but well, its connection is closed."""
        import aiohttp

        session = await self._connected()
        url = f"{self._endpoint.name}/v2/{path}"
        try:
            async with session.request(
                method,
                url,
                # As a file, since aiohttp warns of long bytes.
                data=None if data is None else io.BytesIO(data),
                headers={**(headers or {}), **self._credentials.headers()},
                allow_redirects=False,  # a token is for this server only
            ) as response:
                return _Response(response.status, response.headers, await _read(response, self.name))
        except asyncio.TimeoutError:
            raise CloudTimeoutError(f"server {self.name}", got="no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> CloudError:
        import aiohttp

        # A certificate that fails the check is a ValueError, too.
        if isinstance(error, (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError)):
            return from_connection(self.name, error, secure=self._endpoint.secure)
        got = f"an answer that is no HTTP: {type(error).__name__}"
        return CloudAnswerError(f"server {self.name}", got=got, mend="check the port of 'url'")

    async def _connected(self) -> Any:
        stamp = self._credentials.stamp()
        if stamp != self._stamp:
            await self._disconnect()
        if self._session is None:
            import aiohttp

            tls: dict[str, Any] = {"ssl": self._credentials.ssl_context()} if self._endpoint.secure else {}
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE, **tls)
            self._stamp = stamp
            # Deadlines are the loop's; cookies of a server are not kept.
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            await asyncio.sleep(0)  # the transports' own callbacks


async def _read(response: Any, server: str) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST:
            response.close()
            raise CloudAnswerError(f"server {server}", got=f"more than {LARGEST} bytes", wanted="an answer")
    return b"".join(chunks)


def _path(model: str, version: str) -> str:
    path = f"models/{quote(model, safe='')}"
    return f"{path}/versions/{quote(version, safe='')}" if version else path


def _words(response: _Response) -> str:
    try:
        said = json.loads(response.body)
        return str(said.get("error") or said.get("detail") or said)
    except (ValueError, AttributeError):
        return response.body[:300].decode(errors="replace")


def _read_answer(response: _Response) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Head, outputs and their datatypes."""
    try:
        length = int(response.headers.get(_HEADER_LENGTH, len(response.body)))
        head, rest = json.loads(response.body[:length]), memoryview(response.body)[length:]
        arrays, datatypes, at = {}, {}, 0
        for output in head["outputs"]:
            info = TensorInfo(str(output["name"]), str(output["datatype"]), tuple(int(n) for n in output["shape"]))
            size = (output.get("parameters") or {}).get("binary_data_size")
            if size is None:
                arrays[info.name] = from_values(info, output["data"])
            else:
                arrays[info.name] = from_raw(info, bytes(rest[at : at + size]))
                at += size
            datatypes[info.name] = info.datatype
        return head, arrays, datatypes
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        got = f"an answer that cannot be read: {type(error).__name__} {error}"
        raise CloudAnswerError("a server", got=got, wanted="outputs of the Open Inference Protocol v2") from None
