"""One engine, from the ONNX model to the verdict: what the build process does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from edge_ai.backends import cuda_memory, trt_api
from edge_ai.backends.cuda_memory import Cuda
from edge_ai.backends.engine_cache import EngineCache, Entry
from edge_ai.backends.engine_key import environment, key_for
from edge_ai.backends.engine_manifest import EngineKey, Verdict
from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.backends.options import BackendOptions
from edge_ai.backends.trt import TensorRTBackend
from edge_ai.backends.trt_build import build
from edge_ai.backends.trt_progress import Progress
from edge_ai.core.errors import BackendError, EdgeAIError, EngineRefusedError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.agreement import card_feeds, gate


class EngineRequest(BaseModel):
    """What to build.

    Attributes:
        card: path of the model card.
        options: how.
        again: build anew even what the gate has refused or what does not verify.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: str
    options: BackendOptions
    again: bool = False


def make_engine(request: EngineRequest, progress: Progress) -> Entry:
    """Build the engine that is asked for unless the cache has it, and have it judged unless it was.

    Args:
        request: what is wanted.
        progress: told of each step.

    Returns:
        An engine that has passed the gate in this environment.

    Raises:
        EdgeAIError: it cannot be built, or the gate refuses it; the cache then says so, too.
    """
    card = ModelCard.load(Path(request.card))
    card.check_file()
    options = request.options
    cuda = cuda_memory.bind(options.engine.cuda, options.engine.gpu)
    cache = EngineCache.at(options.engine.engine_cache)
    with cuda.current():
        info, version = cuda.info(), trt_api.load().__version__
        key, here = key_for(card.model_path, options, info, version), environment(info, version)
        entry = None if request.again else cache.find(key)
        if entry is not None and entry.manifest.accepted(here):
            return entry
        if entry is not None and entry.manifest.refused(here):
            raise _refused(entry)
        if entry is None:
            entry = _build(card, request, cuda, cache, key, progress)
    progress("asking the gate", 0, 0)
    entry = cache.judge(entry, _judge(card, options, here))
    if not entry.manifest.accepted(here):
        raise _refused(entry)
    return entry


def _build(
    card: ModelCard, request: EngineRequest, cuda: Cuda, cache: EngineCache, key: EngineKey, progress: Progress
) -> Entry:
    begun = time.monotonic()
    timings = cache.timing_path(key)
    built = build(
        card.model_path,
        request.options,
        cuda,
        progress=progress,
        calibration=card_feeds(card, request.options.engine.engine_calibration),
        timings=timings.read_bytes() if timings.is_file() else b"",
    )
    progress("storing the engine", 0, 0)
    entry = cache.store(key, built.plan, seconds=time.monotonic() - begun, notes=built.notes)
    cache.keep_timings(key, built.timings)
    return entry


def _judge(card: ModelCard, options: BackendOptions, here: Mapping[str, str]) -> Verdict:
    """Run the gate; an engine that fails in it is refused, not an error."""
    engine = options.engine
    reference = OnnxRuntimeBackend(options.model_copy(update={"providers": ("cpu",)}))
    judge = gate(engine.engine_gate, card, engine.precision, engine.engine_calibration)
    try:
        with TensorRTBackend(options, lanes=1, unjudged=True) as candidate, reference:
            candidate.activate(card.model_path)
            reference.activate(card.model_path)
            verdict = judge.judge(candidate, reference)
    except EdgeAIError as error:
        verdict = Verdict(passed=False, reason=str(error), gate=engine.engine_gate)
    return verdict.model_copy(update={"environment": dict(here)})


def _refused(entry: Entry) -> EngineRefusedError:
    assert entry.manifest.verdict is not None
    return EngineRefusedError(
        f"the gate refuses engine '{entry.folder}'",
        got=entry.manifest.verdict.reason,
        mend="try precision fp32, or build it again after an update: edge-ai compile CARD --again",
    )


def describe_error(error: EdgeAIError) -> dict[str, Any]:
    """An error as plain data, to cross from one process to another."""
    got, wanted = (None if value is None else str(value) for value in (error.got, error.wanted))
    return {"kind": type(error).__name__, "what": error.what, "got": got, "wanted": wanted, "mend": error.mend}


def error_from(values: Mapping[str, Any]) -> EdgeAIError:
    """The error that `describe_error` described."""
    from edge_ai.core import errors

    kind = getattr(errors, str(values["kind"]), BackendError)
    error: EdgeAIError = kind(values["what"], got=values["got"], wanted=values["wanted"], mend=values["mend"])
    return error
