"""How journeys end: in the order of capture, each once, with all it holds set free."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError, InferenceError
from edge_ai.core.types import Result
from edge_ai.routing.alarms import Alarm, Alarms
from edge_ai.routing.decision import Where
from edge_ai.routing.journey import Journey
from edge_ai.routing.lane import Lane
from edge_ai.routing.side import Call, Source
from edge_ai.routing.status import RouterCounts
from edge_ai.routing.watch import SideWatch

log = logging.getLogger(__name__)

OnResult = Callable[[Result, Source], None]
OnError = Callable[[Source, Exception], None]


class Departures:
    """Closes journeys under the router's lock, and tells of them afterwards, without it.

    Args:
        watches: told of requests that are given up.
        counts: of the router.
        lock: the router's.
        alarms: the router's.
        clock: for steady time.
        on_result: called with each answer and its frame, by one thread at a time.
        on_error: called with each frame that has none, and why; None logs it.

    Attributes:
        turn: held by whoever ends a journey, so that answers leave one after the other; taken before the lock.
        patience: seconds an answer that is ready waits for older ones.
    """

    def __init__(
        self,
        watches: Mapping[Where, SideWatch],
        counts: RouterCounts,
        lock: threading.Lock,
        alarms: Alarms,
        clock: Clock,
        on_result: OnResult,
        on_error: OnError | None,
    ) -> None:
        self._watches, self._counts, self._lock, self._alarms, self._clock = watches, counts, lock, alarms, clock
        self._on_result, self._on_error = on_result, on_error or _log_failure
        self.turn = threading.RLock()
        self.patience = 0.0
        self._lanes: dict[str, Lane] = {}
        self._failed: list[tuple[Source, Exception]] = []
        self._given_up: list[Call] = []
        self._wakers: dict[str, Alarm] = {}
        self._spares: set[Journey] = set()

    def lane(self, camera: str) -> Lane:
        """The frames of a camera."""
        lane = self._lanes.get(camera)
        if lane is None:
            lane = self._lanes[camera] = Lane()
        return lane

    def fail(self, journey: Journey, *, late: bool = False, dropped: bool = False) -> None:
        """A frame ends without an answer; with the lock held. ``dropped``: the edge took a newer one instead."""
        self.close(journey)
        self.lane(journey.frame.camera).leave(journey)
        if dropped:
            self._counts.dropped += 1
            return
        self._counts.expired += late
        self._counts.failed += not late
        words = "no answer in time" if late else "no side answered"
        causes = [f"{where.value}: {error}" for where, error in journey.errors.items()]
        self._failed.append((journey.frame, InferenceError("; ".join((journey.decision.words, words, *causes)))))

    def close(self, journey: Journey) -> None:
        """Nothing more will become of a frame; with the lock held. Trials of a side go on until they end."""
        journey.closed = True
        if journey.spare and journey.pending():
            self._spares.add(journey)
        if not journey.spare:
            for where in journey.requests:
                self.give_up(journey, where)
            for alarm in journey.alarms:
                alarm.cancel()

    def close_all(self) -> None:
        """End everything, trials too."""
        with self.turn:
            with self._lock:
                for lane in self._lanes.values():
                    for journey in lane.all():
                        journey.spare = False
                        self.close(journey)
                        lane.leave(journey)
                for journey in self._spares:
                    journey.spare = False
                    self.close(journey)
                self._spares.clear()
                for camera in self._lanes:
                    self._wake(camera, None)
            self._cancel()

    def spent(self, journey: Journey) -> None:
        """A trial has told what it could; with the lock held."""
        if not journey.pending():
            self._spares.discard(journey)

    def give_up(self, journey: Journey, where: Where, *, late: bool = False) -> None:
        """Wait no longer for a side; with the lock held. ``late``: through its own fault."""
        request = journey.requests.get(where)
        if request is None or request.ended:
            return
        request.ended = True
        if late:
            self._watches[where].late(request.at_ns, self._clock.steady_ns())
        else:
            self._watches[where].cancelled(request.at_ns)
        if request.call is not None:
            self._given_up.append(request.call)

    def release(self, camera: str) -> None:
        """Hand on what may leave now; with the turn held and without the lock: whoever is told may take his time."""
        with self._lock:
            now = self._clock.steady_ns()
            ready, overtaken, again = self.lane(camera).release(now, self.patience)
            for journey in (*ready, *overtaken):
                if not journey.closed:
                    self._judge_overtaken(journey, now)
                    self.close(journey)
            self._counts.overtaken += len(overtaken)
            for journey in ready:
                self._counts.answers[journey.answered_by] += 1
            failed, self._failed = self._failed, []
            self._wake(camera, again)
        for journey in ready:
            _tell(self._on_result, journey.answer, journey.frame)
        for frame, error in failed:
            _tell(self._on_error, frame, error)
        self._cancel()

    def _judge_overtaken(self, journey: Journey, now: int) -> None:
        """A cloud that was merely slower than a newer frame is not to blame, but one that took longer than usual is: a
        server that swallows requests must not go unnoticed because the edge answers every other frame.
        """
        request = journey.requests.get(Where.CLOUD)
        if request is not None and not journey.spare and self._watches[Where.CLOUD].overdue(request.at_ns, now):
            self.give_up(journey, Where.CLOUD, late=True)

    def _wake(self, camera: str, at_ns: int | None) -> None:
        """Look again at that time; one alarm a camera."""
        before = self._wakers.get(camera)
        if before is not None and at_ns is not None and before.when_ns == at_ns:
            return
        if before is not None:
            before.cancel()
            del self._wakers[camera]
        if at_ns is not None:
            self._wakers[camera] = self._alarms.at(at_ns, partial(self._release_later, camera))

    def _release_later(self, camera: str) -> None:
        with self.turn:
            with self._lock:
                self._wakers.pop(camera, None)
            self.release(camera)

    def _cancel(self) -> None:
        """Without the lock: a side may tell us at once that a request has ended."""
        if not self._given_up:
            return
        with self._lock:
            calls, self._given_up = self._given_up, []
        for call in calls:
            call.cancel()


def _tell(listener: Callable[..., None], *what: object) -> None:
    try:
        listener(*what)
    except Exception:
        log.exception("handing on a result failed")


def _log_failure(frame: Source, error: Exception) -> None:
    log.error("frame of %d ns: %s", frame.header.stamp_ns, error, exc_info=not isinstance(error, EdgeAIError))
