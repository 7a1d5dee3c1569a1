"""How each side of topic `pipeline` is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import Side, executable, nodes
from benchmarks.sides.replay import address
from benchmarks.topic import Context, MeasurementError, Report
from edge_ai.runtime.params import InferenceParams

COMPOSED = ("pipeline",)
SEPARATE = ("control", "inference", "camera")
"""In the order of activation: whoever listens before whoever speaks."""


@dataclass(frozen=True)
class Bench:
    """What the parts of the topic share.

    Attributes:
        context: how to measure.
        report: takes the figures.
        video: whose pictures are replayed.
        log: file for the messages of all sides.
    """

    context: Context
    report: Report
    video: str
    log: Path

    def bare(self, *, spinning: str = InferenceParams().spinning) -> Side:
        """A bare loop; see `benchmarks.sides.bare`."""
        return Side("benchmarks.sides.bare", {"video": self.video, "spinning": spinning}, self.log)

    def robot(self, rate: float, *, realtime: bool) -> Side:
        """The composed robot without ROS; see `benchmarks.sides.composed`."""
        return Side("benchmarks.sides.composed", {"video": self.video, "rate": rate, "realtime": realtime}, self.log)

    def peer(self, rate: float) -> Side:
        """The queue-of-ten pipeline; see `benchmarks.peers`."""
        return Side("benchmarks.peers", {"video": self.video, "rate": rate}, self.log)

    def replay(self, rate: float) -> str:
        """The camera parameter ``source`` that replays the video."""
        return address(self.video, rate)

    @contextmanager
    def nodes(
        self, names: Sequence[str], topics: Sequence[str], camera: Mapping[str, Any], *, profile: bool = True
    ) -> Iterator[Side]:
        """Real nodes over DDS, and a probe that listens to them; see `benchmarks.sides.probe`.

        Args:
            names: nodes, in the order of activation.
            topics: what the probe subscribes to.
            camera: parameters of the camera.
            profile: with config/fastdds.xml, or with Fast DDS's defaults.

        Raises:
            MeasurementError: a side failed; says what the nodes complained of.
        """
        with nodes(self.context.folder / "nodes", profile=profile) as stack:
            for name in names:
                prefix = {"pipeline": "camera.", "camera": ""}.get(name)
                given = {} if prefix is None else {prefix + key: value for key, value in camera.items()}
                stack.start(executable(name), label=name, params=given)
            probe = Side("benchmarks.sides.probe", {"nodes": names, "topics": topics}, self.log, stack.env)
            try:
                with probe:
                    yield probe
            except MeasurementError as error:
                faults = [f"{node.label}: {fault}" for node in stack.nodes if (fault := node.fault())]
                raise MeasurementError("; ".join([str(error), *faults])) from None
