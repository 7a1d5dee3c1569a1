"""One frame's way to a cloud_node and back."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from builtin_interfaces.msg import Duration

from edge_ai.core.clock import NS, Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import FrameHeader, Result
from edge_ai.msg import InferenceRequest, InferenceResponse
from edge_ai.nodes import convert
from edge_ai.routing.alarms import Alarm, Alarms
from edge_ai.routing.cloud.base import (
    CloudAnswerError,
    CloudBusyError,
    CloudError,
    CloudRequestError,
    CloudTimeoutError,
)
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import Outcome, Source
from edge_ai.srv import CloudInference

_ERRORS: dict[int, type[CloudError]] = {
    InferenceResponse.INVALID_REQUEST: CloudRequestError,
    InferenceResponse.UNKNOWN_MODEL: CloudRequestError,
    InferenceResponse.DEADLINE_EXCEEDED: CloudTimeoutError,
    InferenceResponse.OVERLOADED: CloudBusyError,
}


class Asker(Protocol):
    """What a call needs of the side that it is for, such as `edge_ai.nodes.ros_side.RosSide`."""

    name: str
    params: CloudParams
    clock: Clock
    client: Any
    alarms: Alarms
    under_way: set[RosCall]
    threshold: float
    classes: frozenset[str]

    def fault(self) -> CloudError | None:
        """Why nothing can be sent just now."""

    def next_id(self) -> str:
        """A request id of one's own."""

    def fill(self, message: InferenceRequest, frame: Source, seconds: float) -> int:
        """Put in the image and its priority, for an answer of use for so many seconds; returns the image's bytes."""

    def transferred(self, sent: int, seconds: float, service: float) -> None:
        """Learn from an answer how fast the link is."""


class RosCall:
    """A frame that a service is to answer. Thread-safe; ``done`` is called once, and not after a `cancel`.

    Args:
        side: whose it is.
        frame: the image; None: there is none, to see whether somebody answers.
        deadline_ns: steady time after which the answer is of no use.
        done: gets the outcome.
    """

    def __init__(self, side: Asker, frame: Source | None, deadline_ns: int, done: Callable[[Outcome], None]) -> None:
        self._side, self._frame, self._deadline_ns = side, frame, deadline_ns
        self._lock = threading.Lock()
        self._done: Callable[[Outcome], None] | None = done
        self._future: Any = None
        self._alarm: Alarm | None = None
        self._timings: dict[str, float] = {}
        self._bytes = 0

    def cancel(self) -> None:
        """Give it up; harmless when it has ended."""
        self._take()

    def drop(self) -> None:
        """A newer frame took its place."""
        self.end(Outcome(dropped=True))

    def end(self, outcome: Outcome) -> None:
        """Hand over the outcome, unless it has ended."""
        done = self._take()
        if done is not None:
            done(replace(outcome, sent=self._bytes))

    def begin(self) -> None:
        """Encode the image and send it; on a thread of the side."""
        if self._done is None:
            return
        try:
            request = self._request()
            if fault := self._side.fault():
                raise fault
            self._send(request)
        except EdgeAIError as error:
            self.end(Outcome(error=error))
        except Exception as error:
            self.end(Outcome(error=CloudError(self._side.name, got=f"{type(error).__name__}: {error}")))

    def _take(self) -> Callable[[Outcome], None] | None:
        with self._lock:
            done, self._done = self._done, None
            future, self._future = self._future, None
            alarm, self._alarm = self._alarm, None
            self._side.under_way.discard(self)
        if alarm is not None:
            alarm.cancel()
        if future is not None:
            self._side.client.remove_pending_request(future)
        return done

    def _request(self) -> CloudInference.Request:
        side, frame, begun = self._side, self._frame, self._side.clock.steady_ns()
        if self._deadline_ns <= begun:
            raise CloudTimeoutError(side.name, got="no time left to send the image")
        params = side.params
        message = InferenceRequest(request_id=side.next_id(), priority=InferenceRequest.PRIORITY_NORMAL)
        message.model_name, message.model_version = params.model, params.version
        if frame is not None:
            self._timings["wait"] = (begun - frame.header.steady_ns) / NS
            message.header = convert.header_to_msg(frame.header)
            message.deadline = _duration(self._deadline_ns - frame.header.steady_ns)
            self._bytes = side.fill(message, frame, (self._deadline_ns - begun) / NS)
            self._timings["encode"] = (side.clock.steady_ns() - begun) / NS
        return CloudInference.Request(request=message)

    def _send(self, request: CloudInference.Request) -> None:
        side = self._side
        self._sent_ns, self._id = side.clock.steady_ns(), request.request.request_id
        with self._lock:
            if self._done is None:
                return
            self._alarm = side.alarms.at(self._deadline_ns, self._late)
            self._future = future = side.client.call_async(request)
            side.under_way.add(self)
        future.add_done_callback(self._answered)

    def _late(self) -> None:
        self.end(Outcome(error=CloudTimeoutError(self._side.name, got="no answer in time")))

    def _answered(self, future: Any) -> None:
        """On the executor's thread."""
        if self._done is None:
            return
        took = self._timings["cloud"] = (self._side.clock.steady_ns() - self._sent_ns) / NS
        try:
            response = future.result().response
            outcome = self._outcome(response)
            self._side.transferred(self._bytes, took, outcome.service)
            self.end(outcome)
        except Exception as error:
            known = isinstance(error, CloudError)
            self.end(Outcome(error=error if known else CloudAnswerError(self._side.name, got=str(error))))

    def _outcome(self, response: InferenceResponse) -> Outcome:
        name = self._side.name
        if response.request_id != self._id:
            raise CloudAnswerError(name, got="the answer to another request")
        if response.status != InferenceResponse.OK or self._frame is None:
            raise _ERRORS.get(response.status, CloudAnswerError)(name, got=response.message)
        result = convert.result_from_msg(response.result, self._side.clock)
        service = sum(result.timings.values()) if result.timings else math.nan
        header = replace(self._frame.header, width=result.header.width, height=result.header.height)
        check(result, self._frame.header)
        detections = self._reported(result)
        result = replace(result, header=header, source=name, timings=self._timings, detections=detections)
        return Outcome(result, service=service)

    def _reported(self, result: Result) -> Any:
        found, side = result.detections, self._side
        wanted = found.scores >= side.threshold
        if side.classes:
            wanted &= np.array([found.name(i) in side.classes for i in range(len(found))], bool)
        if wanted.all():
            return found
        points = None if found.keypoints is None else found.keypoints[wanted]
        return replace(
            found,
            boxes=found.boxes[wanted],
            scores=found.scores[wanted],
            class_ids=found.class_ids[wanted],
            keypoints=points,
        )


def check(result: Result, asked: FrameHeader) -> None:
    """Refuse an answer that is nonsense.

    Raises:
        CloudAnswerError: says what is.
    """
    header, found = result.header, result.detections
    size, of = (header.width, header.height), (asked.width, asked.height)
    limit = np.array([*size, *size], np.float32) + 1.0
    checks = (
        ("of another image", header.stamp_ns == asked.stamp_ns, "the stamp of the request"),
        (f"of an image of {size[0]} x {size[1]}", size == of or of == (0, 0), f"{of[0]} x {of[1]}"),
        ("with a score out of range", ((found.scores >= 0) & (found.scores <= 1)).all(), "0 to 1"),
        ("with a box outside the image", ((found.boxes >= -1) & (found.boxes <= limit)).all(), "pixels of the image"),
        ("with a box without an inside", (found.boxes[:, :2] < found.boxes[:, 2:]).all(), "x_min < x_max"),
        ("out of order", (np.diff(found.scores) <= 0).all(), "the best score first"),
    )
    for got, good, wanted in checks:
        if not good:
            raise CloudAnswerError("answer of a cloud_node", got=f"one {got}", wanted=wanted)


def _duration(ns: int) -> Duration:
    return Duration(sec=ns // NS, nanosec=ns % NS)
