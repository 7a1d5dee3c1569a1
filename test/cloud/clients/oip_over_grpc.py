"""A server of the Open Inference Protocol v2 over gRPC that misbehaves on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from oip_behaviour import Behaviour, Running, Served, datatype, unpacked
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import serialize_byte_tensor


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
            inputs[tensor.name] = unpacked(raw, tensor.datatype, tuple(tensor.shape))
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
