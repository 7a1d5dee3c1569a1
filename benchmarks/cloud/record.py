"""Record a trace: ``python -m benchmarks.cloud.record``. Needs root, for a link of real packets (tools/impairment).

For each frame of the demo's video, one after the other: the round trip to a real Triton in a network namespace, an
inference here, and the same picture answered by the server, while the link goes through `SCHEDULE` and another process
takes a processor now and then. What an answer took beyond its round trip and the server's work is the transfer.
"""

from __future__ import annotations

import math
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from benchmarks.cloud.traces import RECORDED, Trace, write
from benchmarks.topic import ROOT
from benchmarks.video import find_video
from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import Outcome
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.uplink import remote

PERIOD = 0.2  # s between frames of the trace
LATE = 0.6  # s after which there is no answer
SCHEDULE: tuple[tuple[int, dict[str, float | bool], bool], ...] = (
    # frames, link, whether another process is busy
    (125, {"delay": 0.0003}, False),
    (125, {"delay": 0.002, "jitter": 0.004, "rate": 2e6, "loss": 0.002}, False),
    (75, {"delay": 0.008, "jitter": 0.030, "rate": 3e5, "loss": 0.03}, False),
    (25, {"blackhole": True}, False),
    (100, {"delay": 0.002, "jitter": 0.004, "rate": 2e6, "loss": 0.002}, True),
    (150, {"delay": 0.022, "jitter": 0.015, "rate": 1.2e6, "loss": 0.001}, False),
    (60, {"delay": 0.040, "jitter": 0.040, "rate": 1.5e5, "loss": 0.02}, False),
    (25, {"blackhole": True}, False),
    (100, {"delay": 0.022, "jitter": 0.015, "rate": 1.2e6, "loss": 0.001}, True),
    (125, {"delay": 0.0003}, False),
)


def main() -> int:
    """Record and write the trace of the repository."""
    sys.path.append(str(ROOT / "tools"))
    from impairment.link import Link
    from impairment.schedule import Conditions
    from serving.repository import shipped_repository
    from serving.server import TritonServer

    folder = ROOT / "out" / "bench" / "record"
    repository = shipped_repository(folder / "models", ("jpeg",))
    clock = SystemClock()
    with (
        Link() as link,
        TritonServer(repository, host=link.host, wrap=link.server_command, log=folder / "log") as server,
    ):
        model = Model.load(InferenceParams(), clock)
        cloud = remote(CloudParams(url=server.grpc, attempts=1), clock, model.card)
        cloud.open()
        rows: list[tuple[float, float, float]] = []
        sent: list[int] = []
        pictures = _pictures(find_video(print))
        request = model.request()
        for count, conditions, busy in SCHEDULE:
            link.set(Conditions(**conditions))  # type: ignore[arg-type]
            with _neighbour(busy):
                for _ in range(count):
                    frame = _frame(next(pictures), clock)
                    rtt = _wait(cloud.ping)
                    began = time.monotonic()
                    model.detect([frame], request)
                    edge = time.monotonic() - began
                    outcome, total = _ask(cloud, frame, clock)
                    sent += [outcome.sent] * (outcome.result is not None)
                    rows.append((edge, rtt, total))
            print(f"{len(rows)} frames, {conditions}: {_words(rows[-count:])}", flush=True)
        cloud.close()
        model.close()
    write(_trace(np.array(rows), statistics.fmean(sent)), RECORDED)
    return 0


def _trace(rows: Any, payload: float) -> Trace:
    edge, rtt, total = rows.T
    calm = slice(5, SCHEDULE[0][0])
    service = float(np.median(total[calm] - rtt[calm]))  # with a link that takes no time
    answered = np.isfinite(total)
    rtt = np.where(answered & ~np.isfinite(rtt), np.nanmedian(rtt[np.isfinite(rtt)]), rtt)
    transfer = np.where(answered, np.maximum(total - rtt - service, 1e-5), math.inf)
    return Trace("recorded", PERIOD, round(payload), edge, rtt, transfer, np.full(len(edge), service))


def _pictures(video: str) -> Iterator[Any]:
    while True:
        capture = cv2.VideoCapture(video)
        while True:
            there, picture = capture.read()
            if not there:
                break
            yield picture
        capture.release()


def _frame(picture: Any, clock: SystemClock) -> Frame:
    height, width = picture.shape[:2]
    return Frame(FrameHeader(clock.stamp_ns(), clock.steady_ns(), "camera", 0, width, height), picture)


def _wait(ping: Callable[[Callable[[float | Exception], None]], None]) -> float:
    answers: list[float | Exception] = []
    there = threading.Event()

    def done(answer: float | Exception) -> None:
        answers.append(answer)
        there.set()

    ping(done)
    there.wait(LATE)
    return answers[0] if answers and isinstance(answers[0], float) else math.inf


def _ask(cloud: Any, frame: Frame, clock: SystemClock) -> tuple[Outcome, float]:
    outcomes: list[Outcome] = []
    there = threading.Event()

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        there.set()

    began = clock.steady_ns()
    call = cloud.ask(frame, began + round(LATE * NS), done)
    there.wait(LATE + 0.1)
    took = (clock.steady_ns() - began) / NS
    call.cancel()
    outcome = outcomes[0] if outcomes else Outcome(dropped=True)
    return outcome, took if outcome.result is not None else math.inf


@contextmanager
def _neighbour(busy: bool) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
    if busy:
        process.start()
    try:
        yield
    finally:
        if busy:
            process.kill()
            process.join()


def _spin() -> None:
    while True:
        pass


def _words(rows: list[tuple[float, float, float]]) -> str:
    edge, rtt, total = (np.array(column) for column in zip(*rows, strict=True))
    lost = float(np.mean(~np.isfinite(total)))
    middles = [np.median(column) * 1e3 for column in (edge, rtt, total)]
    return "edge {:.1f} ms, round trip {:.1f} ms, cloud {:.1f} ms".format(*middles) + f", {lost:.0%} lost"


if __name__ == "__main__":
    sys.exit(main())
