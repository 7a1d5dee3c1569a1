"""How variants of a model run on this machine: in turns, so that its moods meet all of them alike."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import Frame, Result
from edge_ai.evaluation.compare import Estimate
from edge_ai.optimization.judging.energy import EnergyMeter
from edge_ai.optimization.onnx_file import model_bytes
from edge_ai.optimization.progress import Progress, silent
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.model import Model, backend_for
from edge_ai.runtime.params import InferenceParams

ROUNDS = 12
TURN_S = 0.4
"""A turn: long enough that caches are warm for most of it, short enough that the machine's moods meet everyone."""
_LEAST = 4
_CONFIDENCE = 0.95
_RESAMPLES = 2000


@dataclass
class Measured:
    """How a variant ran.

    Attributes:
        name: of the variant.
        size: bytes of its file.
        rounds: seconds of each inference, by round.
        cpu_s: processor seconds of an inference, by round.
        energy_j: joules of an inference, by round; empty where the machine does not tell.
    """

    name: str
    size: int
    rounds: list[list[float]] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    energy_j: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """Milliseconds that so many percent of the inferences took at most."""
        return float(np.percentile(np.concatenate([np.asarray(r) for r in self.rounds]), percent)) * 1e3

    @property
    def latency_ms(self) -> Estimate:
        """Median time of an inference with the interval of that median over the rounds."""
        return _estimate([float(np.median(r)) * 1e3 for r in self.rounds])

    @property
    def cpu_ms(self) -> float:
        """Processor time of an inference."""
        return float(np.median(self.cpu_s)) * 1e3

    @property
    def energy_mj(self) -> float | None:
        """Energy of an inference in millijoules, all of the processor's; None: not measured."""
        return float(np.median(self.energy_j)) * 1e3 if self.energy_j else None

    def saving(self, original: Measured) -> Estimate | None:
        """What part less energy it takes than another that ran in the same rounds; None: not measured."""
        if not self.energy_j or len(self.energy_j) != len(original.energy_j):
            return None
        return _estimate([1 - mine / theirs for mine, theirs in zip(self.energy_j, original.energy_j, strict=True)])

    def speedup(self, original: Measured) -> Estimate:
        """How many times as fast as another that ran in the same rounds; the median over the rounds."""
        pairs = zip(original.rounds, self.rounds, strict=True)
        return _estimate([float(np.median(a)) / float(np.median(b)) for a, b in pairs])


def open_model(card: ModelCard, *, score_threshold: float = 0.0) -> Model:
    """A card's model on ONNX Runtime and the processor, as the inference node would run it here. To be closed."""
    card.check_file()
    params = InferenceParams.parse({"backend": "onnxruntime"}, owner="measuring")
    model = Model(card, backend_for(card.model_path, card, params), score_threshold=score_threshold)
    model.open(warm_up=1)
    return model


def answers(
    model: Model, frames: Iterable[Frame], ids: Mapping[int, int], progress: Progress = silent, what: str = "answering"
) -> dict[int, Result]:
    """What a model says of pictures, by the id that belongs to each picture's number."""
    request, found = model.request(), {}
    for count, frame in enumerate(frames, 1):
        found[ids[frame.header.index]] = model.detect([frame], request)[0]
        progress(what, count, len(ids))
    return found


def measure(
    models: Mapping[str, Model],
    frame: Frame,
    *,
    rounds: int = ROUNDS,
    turn_s: float | None = None,
    progress: Progress = silent,
) -> dict[str, Measured]:
    """Time the inference of one picture by several models in turns.

    Args:
        models: open models, by the name of their variant.
        frame: the picture.
        rounds: turns of each.
        turn_s: seconds of a turn; default `TURN_S`.
        progress: told of each turn.
    """
    meter, feeds, found = EnergyMeter(), {}, {}
    length = TURN_S if turn_s is None else turn_s
    for name, model in models.items():
        request = model.request()
        request.fill(frame.image, frame.encoding, 0)
        feeds[name] = request.feeds(1)
        found[name] = Measured(name, model_bytes(model.card.model_path))
    order = list(models)
    for number in range(rounds):
        for place, name in enumerate(order[number % len(order) :] + order[: number % len(order)]):
            _turn(models[name], feeds[name], found[name], length, meter)
            progress("timing", number * len(order) + place + 1, rounds * len(order))
    return found


def _turn(model: Model, feeds: Mapping[str, NDArray[Any]], into: Measured, turn_s: float, meter: EnergyMeter) -> None:
    model.backend.infer(feeds)  # the first after another model's turn finds cold caches
    times: list[float] = []
    energy, cpu, begun = meter.joules(), time.process_time(), time.perf_counter()
    while len(times) < _LEAST or time.perf_counter() - begun < turn_s:
        start = time.perf_counter()
        model.backend.infer(feeds)
        times.append(time.perf_counter() - start)
    into.rounds.append(times)
    into.cpu_s.append((time.process_time() - cpu) / len(times))
    if energy is not None and (now := meter.joules()) is not None and now > energy:
        into.energy_j.append((now - energy) / len(times))


def _estimate(values: Sequence[float]) -> Estimate:
    """Median and its interval by the bootstrap over rounds."""
    data = np.asarray(values)
    random = np.random.default_rng(0)
    medians = np.median(data[random.integers(0, len(data), (_RESAMPLES, len(data)))], axis=1)
    low, high = np.quantile(medians, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Estimate(float(np.median(data)), float(low), float(high))
