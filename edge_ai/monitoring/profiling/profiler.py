"""Profiles on demand: for so many seconds, or while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.monitoring.profiling.bottlenecks import THRESHOLD
from edge_ai.monitoring.profiling.profile import Profile, Recording, StackRecording, TraceRecording, profile_folder
from edge_ai.monitoring.profiling.sampling import Sampler, sampler_for

SECONDS, LONGEST = 5.0, 600.0
"""How long a profile lasts where nobody says, and at most, s."""
_DAY, _MARGIN = 86_400.0, 5.0  # s after which a sampler ends that nobody has told to
KINDS = ("sampling", "trace")
"""Stacks of all threads as a flame graph, the default; or spans of stages and marked functions for Perfetto."""


class Profiler:
    """Profiles this process; one profile at a time.

    Args:
        name: of the node or program, for titles and the names of files.
        threshold: share of the time, 0 to 1, from which on something is called a bottleneck.
        rate: samples a second; 0: the sampler's own.
        sampler: who samples; default the one that slows a busy machine least.

    Example:
        >>> done = Profiler("inference").profile(5.0, "trace", "/tmp/profiles")     # doctest: +SKIP
        >>> done.message                                                            # doctest: +SKIP
        '148 frames in 5.0 s: infer 88 % (20.3 ms)'
    """

    def __init__(
        self,
        name: str = "edge_ai",
        *,
        threshold: float = THRESHOLD,
        rate: float = 0.0,
        sampler: Sampler | None = None,
    ) -> None:
        self._name, self._threshold, self._rate = name, threshold, rate
        self._sampler = sampler or sampler_for()
        self._busy = threading.Lock()
        self._end = threading.Event()

    def profile(self, seconds: float = 0.0, kind: str = "", folder: str | Path = "") -> Profile:
        """Profile for a time; takes that long, so call it on a thread that has nothing else to do.

        Args:
            seconds: how long; 0: 5 s.
            kind: one of `KINDS`; empty: sampling.
            folder: where files go; empty: edge_ai/profiles in the user's cache folder.

        Raises:
            ParameterError: no such kind, or a time out of range.
            EdgeAIError: a profile is under way, the sampler may not look, or files cannot be written.
        """
        seconds = seconds or SECONDS
        if not 0 < seconds <= LONGEST:
            raise ParameterError("seconds of a profile", got=seconds, wanted=f"above 0, at most {LONGEST:g}")
        with self._recording(kind, folder, seconds + _MARGIN) as done:
            self._end.wait(seconds)
        return done

    def stop(self) -> None:
        """End what `profile` is doing early; what it has is written."""
        self._end.set()

    def during(self, kind: str = "", folder: str | Path = "") -> AbstractContextManager[Profile]:
        """Profile while a block runs; what is given is filled in at the block's end, unless it fails.

        Raises:
            ParameterError, EdgeAIError: as `profile`.
        """
        return self._recording(kind, folder, _DAY)

    @contextmanager
    def _recording(self, kind: str, folder: str | Path, longest: float) -> Iterator[Profile]:
        done = Profile(_checked(kind))
        if not self._busy.acquire(blocking=False):
            raise EdgeAIError("a profile is under way", wanted="one at a time", mend="ask again when it has ended")
        try:
            self._end.clear()
            target, recording = profile_folder(folder), self._recordings(longest)[done.kind]()
            recording.start()
            try:
                yield done
            finally:
                recording.stop()
            recording.write(target, self._name, self._threshold, done)
        finally:
            self._busy.release()

    def _recordings(self, longest: float) -> dict[str, Callable[[], Recording]]:
        return {
            "sampling": lambda: StackRecording(self._sampler, self._rate, longest, self._end),
            "trace": TraceRecording,
        }


def _checked(kind: str) -> str:
    kind = kind or KINDS[0]
    if kind not in KINDS:
        raise ParameterError("kind of profile", got=repr(kind), wanted=f"one of {', '.join(KINDS)}")
    return kind
