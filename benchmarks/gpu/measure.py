"""Topic `gpu`: one engine, run by our backend and by trtexec (or Polygraphy) in turns."""

from __future__ import annotations

import contextlib
import math
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.goals import Goal
from benchmarks.gpu.peer import peer
from benchmarks.topic import Context, MeasurementError, Report
from edge_ai.backends import cuda_memory
from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.trt import TensorRTBackend
from edge_ai.core.errors import EdgeAIError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.engine_build import EngineBuild
from edge_ai.runtime.engine_job import EngineRequest
from edge_ai.runtime.model import backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card

_LEAST = 0.98
_PRECISIONS = ("fp16", "fp32")
_THREADS = (1, 2, 3)
_WARM = 20


def measure(context: Context, report: Report) -> None:
    """Fill in the report; without a GPU, or without a tool to compare with, it says what is missing."""
    for precision in _PRECISIONS:
        name = f"{precision}: our throughput over the peer's"
        try:
            values = _compare(context, precision)
        except (EdgeAIError, MeasurementError) as error:
            context.say(f"{precision} failed: {error}")
            report.failures.append(f"{precision}: {error}")
            report.goals.append(Goal(name, None, _LEAST, "higher"))
            continue
        report.results[precision] = values
        report.goals.append(Goal(f"{name} ({values['peer']})", values["throughput_ratio"], _LEAST, "higher"))


def _compare(context: Context, precision: str) -> dict[str, Any]:
    path = shipped_card()
    card = ModelCard.load(path)
    params = InferenceParams(precision=precision, engine_cache=str(context.folder / "engines"))
    options = backend_options(card, params)
    if reason := TensorRTBackend.unfit(card.model_path, options):
        raise MeasurementError(f"TensorRT: {reason}")
    folder = EngineBuild(EngineRequest(card=str(path), options=options), say=context.say).run()
    entry = EngineCache.at(params.engine_cache).read(folder)
    other = peer(entry.plan_path)
    seconds, rounds = context.pick(2.0, 5.0), int(context.pick(3, 7))
    backends = {threads: TensorRTBackend(options, lanes=threads) for threads in _THREADS}
    figures: dict[str, list[dict[str, float]]] = {"peer": [], **{f"{n} threads": [] for n in _THREADS}}
    try:
        for backend in backends.values():
            backend.activate(card.model_path)
        for number in range(rounds):
            figures["peer"].append(other.measure(seconds))
            for threads, backend in backends.items():
                figures[f"{threads} threads"].append(ours(backend, card.input.name, threads, seconds))
            last = {side: f"{values[-1]['per_s']:.0f}/s" for side, values in figures.items()}
            context.say(f"{precision} {number + 1}/{rounds}: {last}")
    finally:
        for backend in backends.values():
            backend.deactivate()
    ratios = {
        side: statistics.median(a["per_s"] / b["per_s"] for a, b in zip(values, figures["peer"], strict=True))
        for side, values in figures.items()
    }
    return {
        "device": _device(options.engine.cuda),
        "peer": other.name,
        "engine": entry.manifest.model_dump(),
        "figures": figures,
        "ratios": ratios,
        "throughput_ratio": max(ratios[f"{n} threads"] for n in _THREADS),
    }


def ours(backend: TensorRTBackend, name: str, threads: int, seconds: float) -> dict[str, float]:
    """Inferences from so many threads for so long; results a second and the times of one in ms."""
    times: list[list[float]] = [[] for _ in range(threads)]
    begin = threading.Barrier(threads + 1)
    ends = [math.inf]

    def work(mine: list[float]) -> None:
        try:
            tensor = backend.allocate(name)
            tensor[...] = np.random.default_rng(1).random(tensor.shape).astype(tensor.dtype)
            for _ in range(_WARM):
                backend.infer({name: tensor})
        except BaseException:
            begin.abort()
            raise
        _meet(begin)
        while time.perf_counter() < ends[0]:
            start = time.perf_counter()
            backend.infer({name: tensor})
            mine.append(time.perf_counter() - start)

    with ThreadPoolExecutor(threads) as pool:
        workers = [pool.submit(work, mine) for mine in times]
        _meet(begin)
        began = time.perf_counter()
        ends[0] = began + seconds
        for worker in workers:
            worker.result()
    took = time.perf_counter() - began
    every = sorted(one * 1e3 for mine in times for one in mine)
    return {
        "per_s": len(every) / took,
        "p50_ms": statistics.median(every),
        "p99_ms": every[min(len(every) - 1, int(len(every) * 0.99))],
    }


def _meet(begin: threading.Barrier) -> None:
    """Wait for the others, or for one of them to fail: then its own error is what tells."""
    with contextlib.suppress(threading.BrokenBarrierError):
        begin.wait()


def _device(binding: str) -> str:
    cuda = cuda_memory.bind(binding)
    with cuda.current():
        return f"{cuda.info()} through {cuda.name}"
