"""A new model with the one before behind it: what the new one cannot answer, the other does."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from edge_ai.backends.base import Backend
from edge_ai.core.types import Frame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.swap.lane import HungError, Lane
from edge_ai.runtime.swap.probation import Probation
from edge_ai.runtime.switchable import Leasable


class Guarded:
    """Serves as the new model does during its probation, see `SwitchableModel`.

    Each worker has the new model run on a lane beside it, and waits no longer than the deadline: a frame on which it
    raises, answers NaN or hangs is answered by the model before, and its result says so. What a hung inference says
    later is thrown away, so no frame is answered twice. A frame that neither can answer is no fault of the new model.

    Args:
        new: on probation.
        before: stands by; both are open, and stay so when this is closed.
        probation: told of everything.
    """

    def __init__(self, new: Leasable, before: Leasable, probation: Probation) -> None:
        self._new, self._before, self._probation = new, before, probation
        self._lanes: list[Lane] = []
        self._lock = threading.Lock()

    @property
    def card(self) -> ModelCard:
        """Of the new model."""
        return self._new.card

    @property
    def backend(self) -> Backend:
        """Of the new model."""
        return self._new.backend

    @property
    def single(self) -> str:
        """As of `Model`: whether either takes single images only."""
        return self._new.single or self._before.single

    def request(self, size: int = 1) -> GuardedRequest:
        """Buffers of a worker thread for both, and its lane."""
        lane = Lane("probation")
        with self._lock:
            self._lanes.append(lane)
        return GuardedRequest(size, self._new.request(size), self._before.request(size), lane)

    def detect(self, frames: Sequence[Frame], request: GuardedRequest) -> list[Result]:
        """As `Model.detect`: all frames by the new model, or all by the one before."""
        begun = time.monotonic()
        deadline = self._probation.deadline * len(frames)
        try:
            results = request.lane.call("an inference", lambda: self._new.detect(frames, request.new), deadline)
        except HungError as error:
            self._probation.hung(error)
            return self._before.detect(frames, request.before)
        except Exception as error:
            results = self._before.detect(frames, request.before)
            self._probation.failed(len(frames), error)
            return results
        self._probation.answered(len(frames), time.monotonic() - begun)
        return results

    def close(self) -> None:
        """End the lanes after the calls under way; returns at once."""
        with self._lock:
            for lane in self._lanes:
                lane.close()

    def join(self) -> None:
        """Wait until they have ended: for ever, if an inference hangs for ever."""
        for lane in self._lanes:
            lane.join()


class GuardedRequest:
    """The buffers of one worker thread.

    Args:
        size: images in one inference at most.
        new: buffers of the new model.
        before: of the one before.
        lane: where the new model runs.
    """

    def __init__(self, size: int, new: Any, before: Any, lane: Lane) -> None:
        self.size, self.new, self.before, self.lane = size, new, before, lane
