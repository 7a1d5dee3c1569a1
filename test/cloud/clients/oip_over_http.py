"""A server of the Open Inference Protocol v2 over HTTP that misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from oip_behaviour import Behaviour, Running, datatype, unpacked
from tritonclient.utils import serialize_byte_tensor


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
            inputs[tensor["name"]] = unpacked(raw, tensor["datatype"], tensor["shape"])
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
