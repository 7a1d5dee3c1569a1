"""Record a trace: ``python -m benchmarks.cloud.record``. Needs root, for a link of real packets (tools/impairment).

For each frame of the demo's video, one after the other: the round trip to a real Triton in a network namespace, an
inference here, and the same picture answered by the server, while the link goes through `SCHEDULE` and other processes
take the processors for a while. The robot has one thread and the server all there are, as if it were the stronger one.
What an answer took beyond its round trip and the server's work is the transfer.
"""

from __future__ import annotations

import math
import multiprocessing
import os
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
_SPELL = 0.004  # s that a busy neighbour works, and then rests
LATE = 0.6  # s after which there is no answer
SCHEDULE: tuple[tuple[int, dict[str, float | bool], bool], ...] = (
    # frames, link, whether other processes are busy
    (100, {"delay": 0.0003}, False),
    (120, {"delay": 0.002, "jitter": 0.004, "rate": 5e6, "loss": 0.002}, False),
    (40, {"delay": 0.008, "jitter": 0.030, "rate": 8e5, "loss": 0.03}, False),
    (15, {"blackhole": True}, False),
    (60, {"delay": 0.0003}, False),
    (60, {"delay": 0.002, "jitter": 0.004, "rate": 5e6, "loss": 0.002}, True),
    (80, {"delay": 0.022, "jitter": 0.015, "rate": 1.2e6, "loss": 0.001}, False),
    (30, {"delay": 0.040, "jitter": 0.040, "rate": 4e5, "loss": 0.02}, False),
    (15, {"blackhole": True}, False),
    (120, {"delay": 0.0003}, False),
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
        model = Model.load(InferenceParams(threads=1), clock)
        cloud = remote(CloudParams(url=server.grpc, attempts=1, jpeg_quality=70), clock, model.card)
        cloud.open()
        rows: list[tuple[float, float, float]] = []
        sent: list[int] = []
        pictures = _pictures(find_video(print))
        request = model.request()
        for count, conditions, busy in SCHEDULE:
            link.set(Conditions(**conditions))  # type: ignore[arg-type]
            with _neighbours(busy):
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
    rtt = np.where(answered & ~np.isfinite(rtt), np.median(rtt[np.isfinite(rtt)]), rtt)  # the next packet got through
    transfer = np.full(len(total), math.inf)
    transfer[answered] = np.maximum(total[answered] - rtt[answered] - service, 1e-5)
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
def _neighbours(busy: bool) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)] if busy else []
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _spin() -> None:
    while True:
        end = time.monotonic() + _SPELL
        while time.monotonic() < end:
            pass
        time.sleep(_SPELL)


def _words(rows: list[tuple[float, float, float]]) -> str:
    edge, rtt, total = (np.array(column) for column in zip(*rows, strict=True))
    lost = float(np.mean(~np.isfinite(total)))
    middles = [np.median(column) * 1e3 for column in (edge, rtt, total)]
    return "edge {:.1f} ms, round trip {:.1f} ms, cloud {:.1f} ms".format(*middles) + f", {lost:.0%} lost"


if __name__ == "__main__":
    sys.exit(main())
