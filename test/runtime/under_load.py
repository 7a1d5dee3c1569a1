"""A pipeline that always has a next frame of a colour, and what became of every one of them."""

import threading
import time
from collections import Counter
from contextlib import contextmanager

from swap_models import LABELS, picture

from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.runtime.pipeline import Pipeline


def until(condition, timeout=20.0):
    """Wait for what nobody tells of."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)


class Load:
    """Feeds a model and collects its answers.

    Args:
        swap: a HotSwap, open.
        workers: of the pipeline.
    """

    def __init__(self, swap, workers=1):
        self.swap, self.marked, self.submitted = swap, False, 0
        self.results, self.errors = [], []
        self._pipeline = Pipeline(swap.model, self._result, self._error, workers=workers)
        self._end, self._more = threading.Event(), threading.Condition()
        self._feeder = threading.Thread(target=self._feed)

    @contextmanager
    def running(self):
        """Until the block ends; then every frame has to have ended, once."""
        self._pipeline.start()
        self._feeder.start()
        try:
            yield self
        finally:
            self._end.set()
            self._feeder.join()
            self.wait(lambda: len(self.results) + len(self.errors) + self._pipeline.counts.overtaken == self.submitted)
            self._pipeline.stop()

    def wait(self, condition, timeout=30):
        with self._more:
            assert self._more.wait_for(condition, timeout), "it does not happen"

    def more(self, count):
        """Wait for so many results more."""
        wanted = len(self.results) + count
        self.wait(lambda: len(self.results) >= wanted)

    @property
    def versions(self):
        """Frames by the version of who answered them."""
        return Counter(result.model_version for result, _ in self.results)

    def check(self):
        """Each frame was answered once, and rightly: its number tells its colour."""
        assert not self.errors
        indices = [result.header.index for result, _ in self.results]
        assert indices == sorted(set(indices))
        assert len(indices) + self._pipeline.counts.overtaken == self.submitted
        for result, frame in self.results:
            assert result.header is frame.header
            assert result.classification.name(0) == LABELS[frame.header.index % 3]

    def _feed(self):
        clock = SystemClock()
        while not self._end.wait(0.002):
            i = self.submitted
            marked = self.marked(i) if callable(self.marked) else self.marked
            image = picture(LABELS[i % 3], marked)
            header = FrameHeader(clock.stamp_ns(), clock.steady_ns(), "eye", i, *image.shape[1::-1])
            self.submitted += 1
            self._pipeline.submit(Frame(header, image), patience=30.0)

    def _result(self, result, frame):
        self.swap.result(result, frame)
        with self._more:
            self.results.append((result, frame))
            self._more.notify_all()

    def _error(self, frame, error):
        with self._more:
            self.errors.append((frame, error))
            self._more.notify_all()
