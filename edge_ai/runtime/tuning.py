"""Which number of workers and threads serves a model best on this machine: measured, not guessed."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from edge_ai.backends.options import Spinning
from edge_ai.core.types import Frame
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

Aim = Literal["latency", "throughput"]
_SPINNING: tuple[Spinning, ...] = ("none", "short")
"""Not "long": it takes the processors from cameras, control and whoever listens."""
_ALIKE = 0.05
"""Settings closer than this to the best are as good; the one with fewer workers is then chosen."""


@dataclass(frozen=True, order=True)
class Setting:
    """Inference parameters that decide how a processor is used."""

    workers: int
    threads: int
    spinning: Spinning


@dataclass
class Measured:
    """How a model ran with a setting.

    Attributes:
        setting: with which.
        rates: frames a second, by round.
        frame_s: seconds of each frame from image to detections.
        cpu_s: seconds of processor time for a frame, by round.
    """

    setting: Setting
    rates: list[float] = field(default_factory=list)
    frame_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Frames a second: the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def latency(self) -> float:
        """Seconds of a frame: the median."""
        return statistics.median(self.frame_s)

    @property
    def cpu(self) -> float:
        """Seconds of processor time for a frame: the median of the rounds."""
        return statistics.median(self.cpu_s)


def candidates(cores: int) -> list[Setting]:
    """The settings worth trying: workers that divide the cores among them, one core to spare, and one worker too many.

    Args:
        cores: physical cores.
    """
    found = set()
    for workers in {1, 2, *(count for count in (3, 4, 6, 8, 12, 16) if count <= cores + 1), min(cores, 16)}:
        share = max(1, cores // workers)
        for threads in {share, max(1, share - 1), *([max(1, share // 2)] if share > 3 else [])}:
            found |= {Setting(workers, threads, spinning) for spinning in (_SPINNING if threads > 1 else _SPINNING[:1])}
    return sorted(found)


def sweep(
    params: InferenceParams,
    frames: Sequence[Frame],
    settings: Iterable[Setting],
    *,
    seconds: float,
    rounds: int,
    say: Callable[[int, Measured], None] = lambda _round, _measured: None,
) -> list[Measured]:
    """Run a model with each setting in turn, several times over, so that the machine's moods meet all alike.

    One engine at a time is loaded: threads of an idle one that spin would steal the processors from the others.

    Args:
        params: the model and its engine; workers, threads and spinning are those of the settings.
        frames: at least one, taken over and over.
        settings: what to try.
        seconds: of each turn.
        rounds: turns of each setting.
        say: called after each turn with the number of the round and what is known of the setting so far.

    Raises:
        EdgeAIError: the model cannot be loaded or run.
    """
    measured = {setting: Measured(setting) for setting in settings}
    for number in range(rounds):
        for setting, known in measured.items():
            changes = {name: getattr(setting, name) for name in ("workers", "threads", "spinning")}
            model = Model.load(params.changed(**changes))
            try:
                _turn(model, frames, known, seconds)
            finally:
                model.close()
            say(number, known)
    return list(measured.values())


def best(measured: Iterable[Measured], aim: Aim) -> Measured:
    """The setting to use: shortest frames or most frames a second.

    Of those about as good, the one with the fewest workers, whose results are the freshest, then one whose threads spin
    for a moment rather than sleep: a node has other threads, behind which a sleeper is woken late at every operator.
    Then the one that costs the least processor time.
    """

    def cost(one: Measured) -> float:
        return one.latency if aim == "latency" else 1 / one.rate

    known = list(measured)
    bound = min(cost(one) for one in known) * (1 + _ALIKE)
    return min((one for one in known if cost(one) <= bound), key=_preference)


def _preference(one: Measured) -> tuple[int, bool, float]:
    sleeps = one.setting.threads > 1 and one.setting.spinning != "short"
    return one.setting.workers, sleeps, one.cpu


def parameter_file(setting: Setting, about: str) -> str:
    """A ROS parameter file with a setting, for inference_node and pipeline_node.

    Args:
        setting: what to use.
        about: where it comes from, for the file's first line.
    """
    values: Mapping[str, Any] = {name: getattr(setting, name) for name in ("workers", "threads", "spinning")}
    nodes = {
        "/**/inference": {"ros__parameters": values},
        "/**/pipeline": {"ros__parameters": {"inference": dict(values)}},
    }
    return f"# {about}\n{yaml.safe_dump(nodes, sort_keys=False)}"


def _turn(model: Model, frames: Sequence[Frame], known: Measured, seconds: float) -> None:
    workers = known.setting.workers
    taken: list[list[float]] = [[] for _ in range(workers)]
    faults: list[Exception] = []
    begun, used = time.perf_counter(), time.process_time()
    end = begun + seconds

    def loop(number: int) -> None:
        request = model.request()
        index, before = number * len(frames) // workers, time.perf_counter()
        try:
            while before < end or not taken[number]:  # one at least, however busy the machine
                model.detect([frames[index % len(frames)]], request)
                now = time.perf_counter()
                taken[number].append(now - before)
                index, before = index + 1, now
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=loop, args=(number,), name=f"tune-{number}") for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    count = sum(map(len, taken))
    known.rates.append(count / (time.perf_counter() - begun))
    known.cpu_s.append((time.process_time() - used) / count)
    known.frame_s += [duration for durations in taken for duration in durations]
