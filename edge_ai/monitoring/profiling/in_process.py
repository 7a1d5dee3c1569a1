"""Samples this process from within: stacks by the interpreter, weighed by the kernel's clock of each thread.

A sample looks at the clocks of threads, and walks the stacks of those that have worked since the last one: of 150
threads that wait, none. What a thread used is exact; which of its functions used it is estimated from where it was
found. The interpreter lets a sample through when a thread waits, calls into a library that lets go of it, or has held
it for 5 ms.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType

from edge_ai.monitoring.profiling.stacks import NATIVE, UNSEEN, Stack, Stacks
from edge_ai.monitoring.profiling.thread_times import thread_ids, thread_name, thread_ns

_LEAST_NS = 20_000  # of processor time since the last sample for a thread to be looked at
_ROUND = 10  # samples from one in which all threads are looked at to the next
_DEEPEST = 128
_WAITS = {
    "threading.py": {"wait", "acquire", "join", "_wait_for_tstate_lock"},
    "queue.py": {"get", "put"},
    "selectors.py": {"select"},
    "socket.py": {"accept", "readinto"},
    "subprocess.py": {"_try_wait", "_wait"},
}
"""Functions of the standard library in which a thread sleeps: what it has used, it used elsewhere."""
_TELLS_NOTHING = {"threading.py": {"_bootstrap", "_bootstrap_inner"}, "spans.py": {"run"}}
"""Between a thread and its work, and between a marked function and its caller."""


class InProcessSampler:
    """Looks at all threads of this process, on the calling thread, which is left out."""

    name = "in-process"
    rate = 37.0  # no camera's: one in step with the work would always find the same stage of it

    def sample(self, seconds: float, rate: float = 0.0, stop: threading.Event | None = None) -> Stacks:
        """Look for a time.

        Args:
            seconds: how long.
            rate: samples a second, at least 1; 0: its own.
            stop: ends it early.
        """
        stop, period = stop or threading.Event(), 1 / max(1.0, rate or self.rate)
        used, begun, known = time.thread_time(), time.monotonic(), _Threads()
        samples, due = 0, begun
        while (due := due + period) <= begun + seconds:
            time.sleep(max(0.0, due - time.monotonic()))  # half the price of waiting for the event
            if stop.is_set():
                break
            known.look()
            samples += 1
            due = max(due, time.monotonic() - period)  # samples that were missed are not made up for
        weights = known.weights()
        took, own = time.monotonic() - begun, time.thread_time() - used
        notes = (
            "Processor time by the kernel's clocks: each thread's is exact, and what only waits is not seen.",
            "A sample waits for the interpreter: short work that holds it shows in what lets it go next.",
        )
        return Stacks(took, weights, samples, self.name, threading.active_count(), own, notes)


class _Threads:
    """What each thread has used, and where it was found."""

    def __init__(self) -> None:
        self._own = threading.get_native_id()
        self._first = {native_id: thread_ns(native_id) or 0 for native_id in thread_ids()}
        self._used = dict(self._first)
        self._names: dict[int, str] = {}
        self._found: dict[int, dict[tuple[int, ...], int]] = {}
        self._asleep: dict[int, dict[tuple[int, ...], int]] = {}
        self._stacks: dict[tuple[int, ...], tuple[CodeType, ...]] = {}
        self._turn, self._worked = 0, dict[threading.Thread, int]()

    def look(self) -> None:
        """Take one sample."""
        frames: dict[int, FrameType] | None = None
        used, own = self._used, self._own
        for thread in self._candidates():
            native_id = thread.native_id
            if native_id is None or native_id == own:
                continue
            now = thread_ns(native_id)
            if now is None:
                continue
            spent, used[native_id] = now - used.get(native_id, 0), now
            if spent < _LEAST_NS:
                continue
            self._worked[thread] = self._turn
            if frames is None:
                frames = sys._current_frames()
            frame = frames.get(thread.ident or 0)
            if frame is not None:
                self._names[native_id] = thread.name
                self._note(native_id, frame, spent)

    def _candidates(self) -> Sequence[threading.Thread]:
        """All threads in every tenth sample, else those that have worked lately: a clock costs half a microsecond."""
        self._turn += 1
        if self._turn % _ROUND != 1:
            return list(self._worked)
        self._worked = {thread: turn for thread, turn in self._worked.items() if turn > self._turn - _ROUND}
        return threading.enumerate()

    def _note(self, native_id: int, frame: FrameType, spent: int) -> None:
        found = self._asleep if _sleeps(frame.f_code) else self._found
        codes: list[CodeType] = []
        at: FrameType | None = frame
        while at is not None and len(codes) < _DEEPEST:
            codes.append(at.f_code)
            at = at.f_back
        # Comparing codes compares what is in them; their addresses are enough, as long as somebody holds them.
        key = tuple(map(id, codes))
        self._stacks.setdefault(key, tuple(codes))
        stacks = found.setdefault(native_id, {})
        stacks[key] = stacks.get(key, 0) + spent

    def weights(self) -> dict[Stack, float]:
        """Processor seconds by stack: each thread's own, shared out over where it was found at work."""
        weights: dict[Stack, float] = {}
        python = {thread.native_id: thread.name for thread in threading.enumerate()}
        native = {native_id: _native_name(native_id) for native_id in set(thread_ids()).difference(python)}
        names = {**native, **{k: v for k, v in python.items() if k is not None}, **self._names}
        for native_id, name in names.items():
            if native_id == self._own:
                continue
            spent = (thread_ns(native_id) or self._used.get(native_id, 0)) - self._first.get(native_id, 0)
            stacks = self._found.get(native_id) or self._asleep.get(native_id) or {}
            whole = sum(stacks.values())
            for key, part in stacks.items():
                stack = (name, *_labels(self._stacks[key]))
                weights[stack] = weights.get(stack, 0.0) + spent * part / whole / 1e9
            if not stacks and spent > _LEAST_NS:
                stack = (name, UNSEEN if native_id in python else NATIVE)
                weights[stack] = weights.get(stack, 0.0) + spent / 1e9
        return weights


def _native_name(native_id: int) -> str:
    """A library's thread has the name of the one that started it, unless the library gives it another."""
    name = thread_name(native_id)
    return name if name != thread_name(os.getpid()) else "of libraries"


def _sleeps(code: CodeType) -> bool:
    return code.co_name in _WAITS.get(_file(code), ())


def _labels(codes: Sequence[CodeType]) -> Iterator[str]:
    """Outermost first and as py-spy words them, function (file:first line), without what tells nothing."""
    for code in reversed(codes):
        if not code.co_filename.startswith("<frozen ") and code.co_name not in _TELLS_NOTHING.get(_file(code), ()):
            yield _label(code)


def _file(code: CodeType) -> str:
    return code.co_filename.rpartition("/")[2]


def _label(code: CodeType) -> str:
    return f"{getattr(code, 'co_qualname', code.co_name)} ({short_path(code.co_filename)}:{code.co_firstlineno})"


def short_path(path: str) -> str:
    """The part of a file's path that tells it apart: from its package on, or its name."""
    for root in sorted(sys.path, key=len, reverse=True):
        if root and path.startswith(root.rstrip("/") + "/"):
            return path[len(root.rstrip("/")) + 1 :]
    return path.rpartition("/")[2]
