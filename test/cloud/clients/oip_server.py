"""A server of the Open Inference Protocol v2 that misbehaves on demand, over HTTP and gRPC, for tests of clients."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from aiohttp import web
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor

NUMPY = {"FP32": np.float32, "INT32": np.int32, "UINT8": np.uint8, "FP16": np.float16, "INT64": np.int64}
Tensors = dict[str, np.ndarray]


def datatype(array: np.ndarray) -> str:
    return next((name for name, dtype in NUMPY.items() if array.dtype == dtype), "BYTES")


def unpacked(raw: bytes, kind: str, shape: Any) -> np.ndarray:
    flat = deserialize_bytes_tensor(raw) if kind == "BYTES" else np.frombuffer(raw, NUMPY[kind])
    return flat.reshape(shape)


@dataclass
class Served:
    """A model: its metadata as (datatype, shape) by name, and what it does with its inputs."""

    inputs: dict[str, tuple[str, list[int]]]
    outputs: dict[str, tuple[str, list[int]]]
    run: Callable[[Tensors], Tensors]
    versions: list[str] = field(default_factory=lambda: ["1"])


@dataclass
class Behaviour:
    """What the server does; change it at any time.

    Attributes:
        models: by name.
        ready: what it says of itself.
        token: what it wants in "authorization"; empty: nothing.
        status: of HTTP to answer an inference with instead; 0: none.
        code: of gRPC to answer an inference with instead, by name.
        hold: seconds before an inference is answered.
        mode: of HTTP: "reset" or "dribble" in mid-response, "garbage", "redirect"; of both: "truncated" outputs.
        seen: number of inferences asked for.
        inputs: of the newest one.
        metadata: of its request: headers.
        cancelled: inferences that the client gave up.
    """

    models: dict[str, Served] = field(default_factory=dict)
    ready: bool = True
    token: str = ""
    status: int = 0
    code: str = ""
    words: str = "told to"
    hold: float = 0.0
    mode: str = ""
    seen: int = 0
    inputs: Tensors = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    cancelled: int = 0

    def authorised(self, metadata: dict[str, str]) -> bool:
        return not self.token or metadata.get("authorization") == f"Bearer {self.token}"


@dataclass
class Running:
    """A server that runs: its port, its behaviour, how often clients connected, and its end."""

    port: int
    behaviour: Behaviour
    connections: list[int]
    stop: Callable[[], None]


class _Grpc(service_pb2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, behaviour: Behaviour, peers: list[str]) -> None:
        self.behaviour, self.peers = behaviour, peers

    def _enter(self, context: grpc.ServicerContext) -> None:
        if context.peer() not in self.peers:
            self.peers.append(context.peer())
        if not self.behaviour.authorised(dict(context.invocation_metadata())):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong token")

    def _model(self, name: str, context: grpc.ServicerContext) -> Served:
        if name not in self.behaviour.models:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{name}' is not found")
        return self.behaviour.models[name]

    def ServerReady(self, request, context):  # noqa: N802
        self._enter(context)
        return pb.ServerReadyResponse(ready=self.behaviour.ready)

    def ModelReady(self, request, context):  # noqa: N802
        self._enter(context)
        return pb.ModelReadyResponse(ready=request.name in self.behaviour.models)

    def ModelMetadata(self, request, context):  # noqa: N802
        self._enter(context)
        model = self._model(request.name, context)
        answer = pb.ModelMetadataResponse(name=request.name, versions=model.versions)
        for name, (kind, shape) in model.inputs.items():
            answer.inputs.add(name=name, datatype=kind, shape=shape)
        for name, (kind, shape) in model.outputs.items():
            answer.outputs.add(name=name, datatype=kind, shape=shape)
        return answer

    def ModelInfer(self, request, context):  # noqa: N802
        behaviour = self.behaviour
        self._enter(context)
        behaviour.seen += 1
        behaviour.metadata = dict(context.invocation_metadata())
        model = self._model(request.model_name, context)
        gone = threading.Event()
        if not context.add_callback(gone.set):
            gone.set()
        if behaviour.hold and gone.wait(behaviour.hold):
            behaviour.cancelled += 1
            return pb.ModelInferResponse()
        if behaviour.code:
            context.abort(grpc.StatusCode[behaviour.code], behaviour.words)
        inputs = {}
        for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True):
            flat = (
                deserialize_bytes_tensor(raw)
                if tensor.datatype == "BYTES"
                else np.frombuffer(raw, NUMPY[tensor.datatype])
            )
            inputs[tensor.name] = flat.reshape(tuple(tensor.shape))
        behaviour.inputs = inputs
        answer = pb.ModelInferResponse(model_name=request.model_name, id=request.id)
        for key, value in behaviour.parameters.items():
            answer.parameters[key].double_param = value
        for name, array in model.run(inputs).items():
            answer.outputs.add(name=name, datatype=datatype(array), shape=array.shape)
            raw = serialize_byte_tensor(array).item() if array.dtype == object else array.tobytes()
            answer.raw_output_contents.append(b"" if behaviour.mode == "truncated" else raw)
        return answer


@contextmanager
def grpc_server(behaviour: Behaviour, credentials: Any = None, port: int = 0) -> Iterator[Running]:
    peers: list[str] = []
    pool = ThreadPoolExecutor(8)
    server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_Grpc(behaviour, peers), server)
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()

    def stop() -> None:
        server.stop(0).wait()
        pool.shutdown()

    try:
        yield Running(bound, behaviour, peers, stop)
    finally:
        stop()


class _Http:
    def __init__(self, behaviour: Behaviour, peers: list[Any]) -> None:
        self.behaviour, self.peers = behaviour, peers

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**28)
        app.router.add_get("/v2/health/ready", self.ready)
        app.router.add_get("/v2/models/{name}", self.metadata)
        app.router.add_get("/v2/models/{name}/ready", self.model_ready)
        app.router.add_post("/v2/models/{name}/infer", self.infer)
        return app

    def _enter(self, request: web.Request) -> web.Response | None:
        peer = request.transport.get_extra_info("peername")
        if peer not in self.peers:
            self.peers.append(peer)
        if not self.behaviour.authorised({k.lower(): v for k, v in request.headers.items()}):
            return web.json_response({"error": "wrong token"}, status=401)
        return None

    def _unknown(self, request: web.Request) -> web.Response | None:
        name = request.match_info["name"]
        if name in self.behaviour.models:
            return None
        return web.json_response({"error": f"Request for unknown model: '{name}' is not found"}, status=404)

    async def ready(self, request: web.Request) -> web.StreamResponse:
        return self._enter(request) or web.Response(status=200 if self.behaviour.ready else 503)

    async def model_ready(self, request: web.Request) -> web.StreamResponse:
        return self._enter(request) or self._unknown(request) or web.Response()

    async def metadata(self, request: web.Request) -> web.StreamResponse:
        if refused := self._enter(request) or self._unknown(request):
            return refused
        model = self.behaviour.models[request.match_info["name"]]
        said = {"name": request.match_info["name"], "versions": model.versions, "platform": "fake"}
        for key, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
            said[key] = [{"name": n, "datatype": kind, "shape": shape} for n, (kind, shape) in tensors.items()]
        return web.json_response(said)

    async def infer(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.behaviour
        if refused := self._enter(request) or self._unknown(request):
            return refused
        behaviour.seen += 1
        behaviour.metadata = {k.lower(): v for k, v in request.headers.items()}
        body = await request.read()
        try:
            await asyncio.sleep(behaviour.hold)
        except asyncio.CancelledError:
            behaviour.cancelled += 1
            raise
        if behaviour.status:
            return web.json_response({"error": behaviour.words}, status=behaviour.status)
        if behaviour.mode == "redirect":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        if behaviour.mode == "garbage":
            return web.Response(body=b"\xff\x00 this is no answer")
        head, raws = self._answer(
            request.match_info["name"], body, int(request.headers["Inference-Header-Content-Length"])
        )
        return await self._send(request, head, b"".join(raws))

    def _answer(self, name: str, body: bytes, length: int) -> tuple[bytes, list[bytes]]:
        behaviour, inputs, at = self.behaviour, {}, length
        for tensor in json.loads(body[:length])["inputs"]:
            size = tensor["parameters"]["binary_data_size"]
            raw = body[at : at + size]
            at += size
            flat = (
                deserialize_bytes_tensor(raw)
                if tensor["datatype"] == "BYTES"
                else np.frombuffer(raw, NUMPY[tensor["datatype"]])
            )
            inputs[tensor["name"]] = flat.reshape(tensor["shape"])
        behaviour.inputs = inputs
        head: dict[str, Any] = {"model_name": name, "outputs": [], "parameters": dict(behaviour.parameters)}
        raws = []
        for key, array in behaviour.models[name].run(inputs).items():
            raw = serialize_byte_tensor(array).item() if array.dtype == object else array.tobytes()
            raws.append(b"" if behaviour.mode == "truncated" else raw)
            said = {"name": key, "datatype": datatype(array), "shape": list(array.shape)}
            head["outputs"].append({**said, "parameters": {"binary_data_size": len(raws[-1])}})
        return json.dumps(head).encode(), raws

    async def _send(self, request: web.Request, head: bytes, raw: bytes) -> web.StreamResponse:
        mode = self.behaviour.mode
        response = web.StreamResponse(headers={"Inference-Header-Content-Length": str(len(head))})
        response.content_length = len(head) + len(raw)
        await response.prepare(request)
        if mode == "reset":
            await response.write(head[: len(head) // 2])
            request.transport.abort()
        elif mode == "dribble":
            for byte in head + raw:
                await response.write(bytes([byte]))
                await asyncio.sleep(1)
        else:
            await response.write(head + raw)
        return response


@contextmanager
def http_server(behaviour: Behaviour, context: Any = None, port: int = 0) -> Iterator[Running]:
    loop, peers, ports = asyncio.new_event_loop(), list[Any](), list[int]()
    started, ending = threading.Event(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(_Http(behaviour, peers).app(), handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
        await site.start()
        ports.append(site._server.sockets[0].getsockname()[1])
        started.set()
        await ending.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="http-server")
    thread.start()
    assert started.wait(10)

    def stop() -> None:
        if thread.is_alive():
            loop.call_soon_threadsafe(ending.set)
            thread.join(10)
            loop.close()

    try:
        yield Running(ports[0], behaviour, peers, stop)
    finally:
        stop()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()
