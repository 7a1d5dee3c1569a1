"""Serves from the first second, while the engine that is wanted is built, judged and put in place behind the scenes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from edge_ai.backends.base import Backend
from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.engine_key import environment, key_for
from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.backends.options import BackendOptions
from edge_ai.backends.tensors import Array, Shape, TensorSpec
from edge_ai.backends.trt import TensorRTBackend
from edge_ai.core.errors import DeviceLostError, EdgeAIError, InferenceError, ModelError
from edge_ai.runtime.engine_build import EngineBuild
from edge_ai.runtime.engine_job import EngineRequest

log = logging.getLogger(__name__)

_FAILURES = 5
"""So many inferences that fail one after the other mean that the engine will not do."""


class EngineSupply(Backend):
    """TensorRT where a good engine is at hand; until then the last good one, or ONNX Runtime.

    Where the cache has no engine that may serve, one is built in another process and takes over between two inferences
    once the gate has let it pass. An engine whose device is lost, or that keeps failing, is replaced by ONNX Runtime
    on the processor. `note` says so as long as it is so.

    Args:
        options: how to run and build.
        card: path of the model card, for the build process.
        warm_up: inferences before a new engine takes over.
        build: makes the build; given its request and what to tell of progress.
    """

    name = "tensorrt"
    concurrent = True

    def __init__(
        self,
        options: BackendOptions,
        card: Path,
        *,
        warm_up: int = 0,
        build: Callable[[EngineRequest, Callable[[str], None]], EngineBuild] | None = None,
    ) -> None:
        super().__init__(options)
        self._card, self._warm_up = card, warm_up
        self._make_build = build or self._usual_build
        self._inner: Backend | None = None
        self._build: EngineBuild | None = None
        self._worker: threading.Thread | None = None
        self._changing = threading.Lock()
        self._closing = False
        self._path = Path()
        self._failures = 0
        self._retreating = False
        self._note = ""

    @classmethod
    def unfit(cls, model_path: Path, options: BackendOptions) -> str:
        """See `Backend.unfit`."""
        return TensorRTBackend.unfit(model_path, options)

    @property
    def description(self) -> str:
        """See `Backend.description`: of what serves now."""
        inner = self._inner
        return inner.description if inner is not None else super().description

    @property
    def note(self) -> str:
        """See `Backend.note`."""
        return self._note

    def _activate(self, model_path: Path) -> tuple[list[TensorSpec], list[TensorSpec], str]:
        self._path, self._closing, self._failures, self._retreating = model_path, False, 0, False
        engine = TensorRTBackend(self.options)
        try:
            engine.activate(model_path)
        except ModelError:
            raise
        except EdgeAIError as error:
            inner, self._note = self._stand_in(), f"no engine yet: {error}"
            log.info("%s; %s serves meanwhile", error, inner.description)
            self._inner = inner
            self._start(self._upgrade)
        else:
            self._inner, self._note = engine, ""
        inner = self._inner
        return list(inner.inputs.values()), list(inner.outputs.values()), inner.description

    def _infer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        while True:
            inner = self._inner
            assert inner is not None
            try:
                outputs = inner.infer(feeds)
            except InferenceError as error:
                self._failed(inner, error)
                raise
            except EdgeAIError:
                if inner is self._inner:
                    raise
                continue  # replaced, and closed, after it was looked up
            self._failures = 0
            return outputs

    def _deactivate(self) -> None:
        self._closing = True
        if self._build is not None:
            self._build.stop()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join()
        inner, self._inner, self._worker, self._build = self._inner, None, None, None
        if inner is not None:
            inner.deactivate()

    def _buffer(self, spec: TensorSpec, shape: Shape) -> Array:
        assert self._inner is not None
        return self._inner.allocate(spec.name, shape=shape)

    def _stand_in(self) -> Backend:
        """The last good engine of this model, else ONNX Runtime."""
        try:
            if (path := self._last_good()) is not None:
                engine = TensorRTBackend(self.options)
                engine.activate(path)
                return engine
        except EdgeAIError as error:
            log.warning("the last good engine does not serve: %s", error)
        return self._onnx_runtime(self.options)

    def _onnx_runtime(self, options: BackendOptions) -> Backend:
        backend = OnnxRuntimeBackend(options)
        backend.activate(self._path)
        return backend

    def _last_good(self) -> Path | None:
        from edge_ai.backends import cuda_memory, trt_api

        engine = self.options.engine
        cuda = cuda_memory.bind(engine.cuda, engine.gpu)
        with cuda.current():
            info, version = cuda.info(), trt_api.load().__version__
        key = key_for(self._path, self.options, info, version)
        entry = EngineCache.at(engine.engine_cache).last_good(key, environment(info, version))
        return None if entry is None else entry.plan_path

    def _start(self, work: Callable[[], None]) -> None:
        self._worker = threading.Thread(target=work, name="engine supply", daemon=True)
        self._worker.start()

    def _upgrade(self) -> None:
        """Have the engine built and put it in place."""
        try:
            build = self._make_build(EngineRequest(card=str(self._card), options=self.options), self._progress)
            self._build = build
            if self._closing:
                return
            build.run()
            engine = TensorRTBackend(self.options)
            engine.activate(self._path)
            engine.warm_up(self._warm_up)
        except EdgeAIError as error:
            if not self._closing:
                self._note = f"{self.description} serves in place of a TensorRT engine: {error}"
                log.error("%s", self._note)
            return
        self._replace(engine, "")
        log.info("%s serves from now on", self.description)

    def _usual_build(self, request: EngineRequest, say: Callable[[str], None]) -> EngineBuild:
        return EngineBuild(request, say=say, memory_limit=self.options.engine.build_memory << 20)

    def _progress(self, words: str) -> None:
        self._note = f"{self.description} serves while a TensorRT engine is made: {words}"

    def _replace(self, new: Backend, note: str) -> None:
        """Serve from another engine; the old one ends when its inferences have."""
        with self._changing:
            old, self._inner, self._note, self._failures = self._inner, new, note, 0
            self._retreating = False
        if old is not None:
            old.deactivate()

    def _failed(self, inner: Backend, error: InferenceError) -> None:
        self._failures += 1
        lost = isinstance(error, DeviceLostError)
        if not isinstance(inner, TensorRTBackend) or not (lost or self._failures >= _FAILURES):
            return
        with self._changing:
            if self._closing or self._retreating or inner is not self._inner:
                return
            self._retreating = True
            self._note = f"TensorRT does not serve any more: {error}"
        log.error("%s", self._note)
        self._start(lambda: self._retreat(self._note))

    def _retreat(self, reason: str) -> None:
        """Go on without the GPU."""
        try:
            new = self._onnx_runtime(self.options.model_copy(update={"providers": ("cpu",)}))
        except EdgeAIError as error:
            self._note = f"{reason}; nor does ONNX Runtime: {error}"
            log.error("%s", self._note)
            return
        self._replace(new, f"{new.description} serves. {reason}")
        log.warning("%s", self._note)
