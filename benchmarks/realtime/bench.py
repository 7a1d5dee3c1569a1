"""How each side of topic `realtime` is run; every side answers alike, whatever it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pipeline.bench import COMPOSED, SEPARATE
from benchmarks.pipeline.bench import Bench as PipelineBench
from benchmarks.processes import Side, executable, nodes
from benchmarks.sides.replay import address, sized
from benchmarks.topic import MeasurementError

VGA, FULL_HD = "640x480", "1920x1080"
COMMANDS, RESULTS = "raw_commands", "raw_results"
_PREFIXES = {"camera": {"pipeline": "camera.", "camera": ""}, "inference": {"pipeline": "inference.", "inference": ""}}

# A publisher's defaults, for a subscriber that has the defaults, too.
_DEFAULT_QOS = {
    "qos_overrides./camera/image_raw.publisher.reliability": "reliable",
    "qos_overrides./camera/image_raw.publisher.depth": 10,
}

Answer = dict[str, Any]
"""What a side answers: ``instants`` of its results and ``ages`` or ``durations`` of them in seconds, ``cpu_s`` that it
used for them, and where there are nodes the ages they ``said`` themselves."""
Turn = Callable[[float, float], Answer]
"""Has a side work for so many seconds after so many others to warm up: ``turn(warm, seconds)``."""


@dataclass(frozen=True)
class Setting:
    """How an engine is set.

    Attributes:
        workers: frames in inference at once.
        threads: of one inference.
        spinning: "none", "short" or "long".
    """

    workers: int
    threads: int
    spinning: str

    @property
    def params(self) -> dict[str, Any]:
        """The same as parameters of the inference node."""
        return {"workers": self.workers, "threads": self.threads, "spinning": self.spinning}

    def __str__(self) -> str:
        spinning = "" if self.spinning == "none" else f", {self.spinning} spinning"
        return f"{self.workers} x {self.threads} threads{spinning}"


@dataclass(frozen=True)
class Bench(PipelineBench):
    """What the parts of the topic share.

    Attributes:
        settings: what the sweep has found to be best, by mode: "latency" and "throughput".
        bounds: of goals whose bound follows from other figures, by the goal's key.
        charts: pictures of the report; see `benchmarks.realtime.page`.
        stacks: numbers the folders for the logs of nodes, since several stacks stand at once.
    """

    settings: dict[str, Setting] = field(default_factory=dict)
    bounds: dict[str, float] = field(default_factory=dict)
    charts: list[dict[str, Any]] = field(default_factory=list)
    stacks: Iterator[int] = field(default_factory=itertools.count)

    def draw(self, *charts: dict[str, Any]) -> None:
        """Add charts to the page of the report."""
        self.charts.extend(charts)

    def source(self, rate: float, size: str) -> str:
        """The camera parameter ``source`` that replays the video in this size."""
        return address(sized(self.video, size), rate)

    @contextmanager
    def limit(self, size: str = VGA) -> Iterator[Callable[[Setting], Turn]]:
        """The bare loop in a process of its own, to be run at any setting; see `benchmarks.sides.limit`."""
        with Side("benchmarks.sides.limit", {"video": sized(self.video, size)}, self.log) as side:
            yield (
                lambda setting: (
                    lambda warm, seconds: side.measure(
                        warm=warm,
                        seconds=seconds,
                        workers=setting.workers,
                        threads=setting.threads,
                        spinning=setting.spinning,
                    )
                )
            )

    @contextmanager
    def naive(self, rate: float, size: str = VGA) -> Iterator[Turn]:
        """The threaded pipeline of tutorials, queues of ten polled once a millisecond; see `benchmarks.peers`."""
        setup = {"video": sized(self.video, size), "rate": rate, "poll": 0.001}
        with Side("benchmarks.peers", setup, self.log) as side:
            yield lambda warm, seconds: side.measure(warm=warm, seconds=seconds)

    @contextmanager
    def composed(self, rate: float, setting: Setting, size: str = VGA) -> Iterator[Turn]:
        """pipeline_node; results are those that a command heeds, aged from capture to that command."""
        with self.real_nodes(COMPOSED, rate, size, setting, (COMMANDS,)) as (probe, pids):
            yield _listening(probe, pids, COMMANDS)

    @contextmanager
    def separate(self, rate: float, setting: Setting, size: str = VGA) -> Iterator[Turn]:
        """Camera, inference and control node; results and ages as for `composed`."""
        with self.real_nodes(SEPARATE, rate, size, setting, (COMMANDS,)) as (probe, pids):
            yield _listening(probe, pids, COMMANDS)

    @contextmanager
    def detector(self, rate: float, setting: Setting, size: str = VGA) -> Iterator[Turn]:
        """Camera and inference node alone; ages from capture to the results' arrival at a listener."""
        with self.real_nodes(("inference", "camera"), rate, size, setting, (RESULTS,)) as (probe, pids):
            yield _listening(probe, pids, RESULTS)

    @contextmanager
    def wrapper(self, rate: float, size: str = VGA, *, tuned: bool) -> Iterator[Turn]:
        """A camera node and the single-callback node; see `benchmarks.sides.wrapper`."""
        camera = {"source": self.source(rate, size), **({} if tuned else _DEFAULT_QOS)}
        with nodes(self._folder("peer"), profile=tuned) as stack:
            peer = stack.start(executable("peer"), label="peer", params={"tuned": tuned})
            stack.start(executable("camera"), label="camera", params=camera)
            with self._probe(stack, ("camera",), ("raw_results",)) as probe:
                yield _listening(probe, [node.pid for node in stack.nodes], RESULTS, peer)

    @contextmanager
    def real_nodes(
        self, names: Sequence[str], rate: float, size: str, setting: Setting, topics: Sequence[str] = ("raw_results",)
    ) -> Iterator[tuple[Side, list[int]]]:
        """Our nodes over DDS with config/fastdds.xml, whoever listens to them, and their process ids."""
        values = {"camera": {"source": self.source(rate, size)}, "inference": setting.params}
        with nodes(self._folder("composed" if names == COMPOSED else "separate")) as stack:
            for name in names:
                stack.start(executable(name), label=name, params=_params(name, values))
            with self._probe(stack, names, topics) as probe:
                yield probe, [node.pid for node in stack.nodes]

    def _folder(self, kind: str) -> Path:
        return self.context.folder / "nodes" / f"{next(self.stacks):02d}_{kind}"

    @contextmanager
    def _probe(self, stack: Any, names: Sequence[str], topics: Sequence[str]) -> Iterator[Side]:
        side = Side("benchmarks.sides.probe", {"nodes": names, "topics": topics}, self.log, stack.env)
        try:
            with side:
                yield side
        except MeasurementError as error:
            faults = [f"{node.label}: {fault}" for node in stack.nodes if (fault := node.fault())]
            raise MeasurementError("; ".join([str(error), *faults])) from None


def _params(name: str, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        prefix[name] + key: value
        for kind, prefix in _PREFIXES.items()
        if name in prefix
        for key, value in values[kind].items()
    }


def _listening(probe: Side, pids: Sequence[int], heard: str, peer: Any = None) -> Turn:
    def turn(warm: float, seconds: float) -> Answer:
        if peer is not None and (fault := peer.fault()):
            raise MeasurementError(f"{peer.label}: {fault}")
        answer = probe.measure(warm=warm, seconds=seconds, pids=pids)
        results = answer[heard]
        return {
            "instants": [one["at"] for one in results],
            "ages": [one["age"] for one in results],
            "said": [one["said"] for one in results if one.get("said")],
            "cpu_s": answer["cpu_s"],
            "others_cores": answer["others_cores"],
        }

    return turn
