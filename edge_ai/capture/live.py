"""A thread that keeps reading a live source so that nothing grows stale in buffers, and keeps only the newest frame."""

from __future__ import annotations

import logging
import threading
import time
from abc import abstractmethod
from typing import Generic, Protocol, TypeVar

from edge_ai.capture.base import CameraSource, Captured
from edge_ai.core.errors import SourceError

T = TypeVar("T", covariant=True)
V = TypeVar("V")
_log = logging.getLogger(__name__)


class Feed(Protocol[T]):
    """A blocking source of raw frames; all but `interrupt` are called on the reader's thread."""

    def start(self) -> None:
        """Connect.

        Raises:
            SourceError: could not.
        """

    def grab(self) -> T:
        """Wait for the next raw frame.

        Raises:
            SourceError: the source is lost.
        """

    def interrupt(self) -> None:
        """Make a waiting `start` or `grab` return soon, if there is a way; called from any thread."""

    def finish(self) -> None:
        """Let go of everything; called once, after `start` was tried."""


class NewestReader(Generic[V]):
    """Reads a feed on its own daemon thread and hands out its newest frame.

    Waiting here is always bounded, even where the library below blocks for longer; the thread then ends by itself as
    soon as the library lets go.

    Args:
        feed: what to read.
        name: of the source, for messages.
    """

    def __init__(self, feed: Feed[V], name: str) -> None:
        self._feed, self._name = feed, name
        self._change = threading.Condition()
        self._newest: tuple[V, int] | None = None
        self._count = 0
        self._error: SourceError | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="camera-reader", daemon=True)
        self._thread.start()

    def wait_first(self, timeout_s: float) -> None:
        """Wait until a frame is there, without taking it.

        Raises:
            SourceError: lost, closed, or nothing within the time.
        """
        with self._change:
            self._await_frame(timeout_s)

    def take(self, timeout_s: float) -> tuple[V, int]:
        """The newest raw frame not taken before, and its 0-based number in the stream.

        Raises:
            SourceError: lost, closed, or nothing within the time.
        """
        with self._change:
            newest = self._await_frame(timeout_s)
            self._newest = None
            return newest

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread, waiting at most so long for it."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._feed.interrupt()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _await_frame(self, timeout_s: float) -> tuple[V, int]:
        deadline = time.monotonic() + timeout_s
        while self._newest is None:
            if self._error:
                raise self._error
            if self._closed:
                raise SourceError(f"camera '{self._name}' was closed")
            left = deadline - time.monotonic()
            if left <= 0:
                raise SourceError(
                    f"camera '{self._name}' is silent",
                    got=f"no frame within {timeout_s:g} s",
                    mend="check the cable, the network or the sender",
                )
            self._change.wait(left)
        return self._newest

    def _run(self) -> None:
        try:
            self._feed.start()
            while not self._closed:
                self._put(self._feed.grab())
        except SourceError as error:
            self._fail(error)
        except Exception as error:
            _log.exception("reading camera '%s' failed", self._name)
            self._fail(SourceError(f"camera '{self._name}' failed", got=f"{type(error).__name__}: {error}"))
        finally:
            self._feed.finish()

    def _put(self, frame: V) -> None:
        with self._change:
            self._newest = (frame, self._count)
            self._count += 1
            self._change.notify_all()

    def _fail(self, error: SourceError) -> None:
        with self._change:
            self._error = error
            self._change.notify_all()


class LiveSource(CameraSource, Generic[V]):
    """A live camera read through a `NewestReader`; a kind of camera adds its feed and how raw frames become images."""

    live = True
    _reader: NewestReader[V] | None = None

    @abstractmethod
    def _make_feed(self) -> Feed[V]:
        """A feed not yet started."""

    @abstractmethod
    def _develop(self, raw: V, index: int) -> Captured:
        """The frame of a raw one; on the thread that called `read`."""

    def open(self) -> None:
        self.close()
        reader = self._reader = NewestReader(self._make_feed(), self.name)
        try:
            reader.wait_first(self.params.open_timeout)
        except SourceError:
            self.close()
            raise

    def read(self) -> Captured:
        reader = self._reader
        if reader is None:
            raise SourceError(f"camera '{self.name}' is not open")
        raw, index = reader.take(self.params.read_timeout)
        return self._develop(raw, index)

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
