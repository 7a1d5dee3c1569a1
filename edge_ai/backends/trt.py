"""TensorRT: runs built engines. Building is `trt_build`'s; here a frame never waits for it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_ai.backends import cuda_memory, trt_api
from edge_ai.backends.base import Backend
from edge_ai.backends.cuda_memory import Cuda, CudaError, DeviceInfo
from edge_ai.backends.engine_cache import MANIFEST, EngineCache, Entry
from edge_ai.backends.engine_key import environment, key_for
from edge_ai.backends.options import BackendOptions
from edge_ai.backends.pinned import PinnedArrays
from edge_ai.backends.tensors import Array, Shape, TensorSpec
from edge_ai.backends.trt_lane import Lane
from edge_ai.backends.trt_lanes import Lanes
from edge_ai.core.errors import BackendError, DeviceLostError, EngineError, InferenceError, ModelError

if TYPE_CHECKING:
    import tensorrt as trt

log = logging.getLogger(__name__)

ENGINES = (".engine", ".plan", ".trt")


class TensorRTBackend(Backend):
    """TensorRT behind the common contract.

    Given an ONNX model it takes the engine that the cache holds for this model, these options, this TensorRT and this
    GPU, if the gate has let it pass; given an engine it wants the manifest beside it. Neither is deserialised before
    its signature and its bytes have been checked.

    Args:
        options: how to run.
        lanes: inferences at once at most; more wait.
        unjudged: take an engine that no gate has let pass yet, to judge it.
    """

    name = "tensorrt"
    concurrent = True

    def __init__(self, options: BackendOptions, *, lanes: int = 2, unjudged: bool = False) -> None:
        super().__init__(options)
        self._most, self._unjudged = lanes, unjudged
        self._loaded: _Loaded | None = None

    @classmethod
    def unfit(cls, model_path: Path, options: BackendOptions) -> str:
        """See `Backend.unfit`."""
        if model_path.suffix not in (".onnx", *ENGINES):
            return f"runs .onnx files and engines ({', '.join(ENGINES)}), not '{model_path.suffix}'"
        return trt_api.unfit() or cuda_memory.unfit(options.engine.cuda, options.engine.gpu)

    def find(self, model_path: Path) -> Entry | None:
        """The engine in the cache for an ONNX model, judged or not; None if it must be built first.

        Raises:
            EngineError: there is one that does not verify.
            BackendError: there is no GPU.
        """
        cuda = cuda_memory.bind(self.options.engine.cuda, self.options.engine.gpu)
        with cuda.current():
            key = key_for(model_path, self.options, cuda.info(), trt_api.load().__version__)
        return EngineCache.at(self.options.engine.engine_cache).find(key)

    def _activate(self, model_path: Path) -> tuple[list[TensorSpec], list[TensorSpec], str]:
        if reason := self.unfit(model_path, self.options):
            raise BackendError(f"backend {self.name} cannot run '{model_path}'", got=reason)
        cuda = cuda_memory.bind(self.options.engine.cuda, self.options.engine.gpu)
        said = trt_api.Log(trt_api.load())
        with cuda.current():
            info = cuda.info()
            plan, entry = self._plan(model_path, info)
            runtime, engine = _deserialize(plan, entry, said)
            inputs, outputs = _tensors(engine)
            pinned = PinnedArrays(cuda, mapped=info.integrated)
            graphs = self.options.engine.cuda_graphs
            lanes = Lanes(lambda: Lane(cuda, engine, inputs, outputs, pinned, graphs=graphs), self._most)
        self._loaded = _Loaded(cuda, said, runtime, engine, pinned, lanes)
        version = entry.manifest.key.tensorrt
        precision = entry.manifest.key.options.get("precision", "unknown precision")
        return inputs, outputs, f"TensorRT {version}, {precision}, {info.name} through {cuda.name}"

    def _plan(self, model_path: Path, info: DeviceInfo) -> tuple[bytes, Entry]:
        cache = EngineCache.at(self.options.engine.engine_cache)
        if model_path.suffix in ENGINES:
            entry = cache.read(model_path.parent)
            if entry.plan_path.name != model_path.name:
                raise EngineError(
                    f"engine '{model_path}'", got=f"{MANIFEST} of another file", wanted=entry.plan_path.name
                )
        else:
            found = self.find(model_path)
            if found is None:
                raise EngineError(
                    f"no engine of '{model_path}' for this machine and these options",
                    mend="edge-ai compile CARD, or let a node build it while ONNX Runtime serves (backend: auto)",
                )
            entry = found
        if not self._unjudged:
            _require_verdict(entry, environment(info))
        return cache.plan(entry), entry

    def _infer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        loaded = self._require_loaded()
        loaded.log.clear()
        with _explained(loaded), loaded.cuda.current(), loaded.lanes.lane() as lane:
            return lane.run(feeds)

    def _buffer(self, spec: TensorSpec, shape: Shape) -> Array:
        loaded = self._require_loaded()
        with loaded.cuda.current():
            return loaded.pinned.make(shape, spec.dtype)

    def _deactivate(self) -> None:
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            return
        try:
            with loaded.cuda.current():
                loaded.lanes.close()
        except CudaError as error:
            log.warning("memory on the GPU was not freed: %s", error)

    def _require_loaded(self) -> _Loaded:
        assert self._loaded is not None  # the contract of `Backend`
        return self._loaded


@dataclass
class _Loaded:
    """What an active backend holds. It ends in order, engine, runtime, log: each needs the next."""

    cuda: Cuda
    log: trt_api.Log
    runtime: trt.Runtime
    engine: trt.ICudaEngine
    pinned: PinnedArrays
    lanes: Lanes

    def __del__(self) -> None:
        del self.lanes, self.engine, self.runtime


def _require_verdict(entry: Entry, here: dict[str, str]) -> None:
    if entry.manifest.accepted(here):
        return
    verdict = entry.manifest.verdict
    got = "not judged yet" if verdict is None else verdict.reason
    if verdict is not None and verdict.environment != here:
        got = f"judged under {_words(verdict.environment)}, not under {_words(here)}"
    raise EngineError(
        f"engine '{entry.folder}'", got=got, wanted="one that has passed the gate", mend="edge-ai compile CARD"
    )


def _deserialize(plan: bytes, entry: Entry, said: trt_api.Log) -> tuple[trt.Runtime, trt.ICudaEngine]:
    module = trt_api.load()
    runtime: trt.Runtime = module.Runtime(said.logger)
    built = entry.manifest.key.options
    if (core := int(built.get("dla_core", -1))) >= 0:
        runtime.DLA_core = core
    if built.get("engine_version_compatible"):
        # Such a plan carries host code; its signature has just been checked.
        runtime.engine_host_code_allowed = True
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise EngineError(
            f"engine '{entry.plan_path}'",
            got=said.last or "TensorRT refuses it",
            wanted=f"one for TensorRT {module.__version__} on this GPU",
            mend=f"remove '{entry.folder}', and it is built again",
        )
    return runtime, engine


@contextlib.contextmanager
def _explained(loaded: _Loaded) -> Iterator[None]:
    """Tell a device that is gone from one bad inference, and add what TensorRT has said."""
    try:
        yield
    except CudaError as error:
        kind = DeviceLostError if error.lost else InferenceError
        got = _join(error.what, error.got, loaded.log.last)
        raise kind("TensorRT failed", got=got, mend=error.mend) from error
    except InferenceError as error:
        if lost := _lost(loaded.cuda):
            got = _join(lost.got, loaded.log.last)
            raise DeviceLostError("TensorRT failed", got=got, mend=lost.mend) from error
        raise InferenceError(error.what, got=_join(error.got, loaded.log.last)) from error


def _tensors(engine: trt.ICudaEngine) -> tuple[list[TensorSpec], list[TensorSpec]]:
    inputs: list[TensorSpec] = []
    outputs: list[TensorSpec] = []
    module = trt_api.load()
    for i in range(engine.num_io_tensors):
        name = engine.get_tensor_name(i)
        kind = engine.get_tensor_dtype(name)
        dtype = trt_api.dtype_of(kind)
        if dtype is None:
            raise ModelError(f"tensor {name!r} of the engine", got=kind, wanted="a type that numpy has")
        shape = tuple(size if size >= 0 else None for size in engine.get_tensor_shape(name))
        side = inputs if engine.get_tensor_mode(name) == module.TensorIOMode.INPUT else outputs
        side.append(TensorSpec(name, dtype, shape))
    return inputs, outputs


def _words(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _join(*parts: object) -> str:
    return "; ".join(str(part) for part in parts if part)


def _lost(cuda: Cuda) -> CudaError | None:
    """Why the device does not answer any more; None if it does."""
    try:
        with cuda.current():
            cuda.free_memory()
    except CudaError as error:
        return error if error.lost else None
    return None
