"""Samples a process from outside with py-spy, which reads its memory and does not stop it."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.profiling.stacks import Stack, Stacks

_PATIENCE = 15.0  # s beyond the profile's own for it to start, read symbols and write
_PR_SET_PTRACER = 0x59616D61
_FUNCTION = re.compile(r"\(.+:\d+\)$")
_THREAD = re.compile(r"^thread \([^)]*\)(: )?")


class PySpySampler:
    """Looks at a process through py-spy, a process of its own.

    Each sample takes it 10 to 20 ms of a processor for 150 threads, so its own rate is low.

    Args:
        pid: of whom; 0: this process.
    """

    name, rate = "py-spy", 10.0

    def __init__(self, pid: int = 0) -> None:
        self._pid = pid or os.getpid()

    @staticmethod
    def executable() -> str:
        """Where py-spy is; empty: nowhere."""
        beside = Path(sys.executable).parent / "py-spy"
        return str(beside) if beside.is_file() else shutil.which("py-spy") or ""

    def sample(self, seconds: float, rate: float = 0.0, stop: threading.Event | None = None) -> Stacks:
        """Look for a time.

        Args:
            seconds: how long.
            rate: samples a second; 0: its own.
            stop: ends it early.

        Raises:
            EdgeAIError: there is no py-spy, it may not look at that process, or it has failed.
        """
        program = self.executable()
        if not program:
            raise EdgeAIError("py-spy", got="none here", wanted="it installed", mend="pip install 'edge_ai[profile]'")
        rate, begun, used = max(1.0, round(rate or self.rate)), time.monotonic(), _childrens_seconds()
        with tempfile.TemporaryDirectory(prefix="edge_ai_profile_") as folder:
            out = Path(folder) / "raw.txt"
            command = [program, "record", "--pid", str(self._pid), "--nonblocking", "--threads", "--function"]
            command += ["--format", "raw", "--rate", f"{rate:.0f}", "--output", str(out)]
            # Whole seconds are all it takes; one more, and it is ended when the time has come.
            command += ["--duration", f"{int(seconds) + 1}"]
            with _may_look(self._pid):
                words = _run(command, seconds, stop or threading.Event())
            took = time.monotonic() - begun
            if not out.is_file():
                raise EdgeAIError(f"py-spy on process {self._pid}", got=words or "no answer", mend=_mend())
            weights, samples = parse(out.read_text(encoding="utf-8"), rate)
        notes = ("Python functions on a processor at the time; threads without Python are not seen.",)
        return Stacks(took, weights, samples, self.name, own=_childrens_seconds() - used, notes=notes)


def parse(raw: str, rate: float) -> tuple[dict[Stack, float], int]:
    """Stacks with their seconds, and how many were seen, from lines such as ``thread (7): main;f (a.py:1) 4``."""
    weights: dict[Stack, float] = {}
    samples = 0
    for line in raw.splitlines():
        text, _, count = line.rpartition(" ")
        if not count.isdigit():
            continue
        frames = text.split(";")
        # A thread's name may hold semicolons; functions end with their file and line.
        first = next((i for i, frame in enumerate(frames) if _FUNCTION.search(frame) and i), len(frames))
        name = _THREAD.sub("", ";".join(frames[:first])) or "thread"
        stack = (name, *frames[first:])
        weights[stack] = weights.get(stack, 0.0) + int(count) / rate
        samples += int(count)
    return weights, samples


def _run(command: list[str], seconds: float, stop: threading.Event) -> str:
    """Run it for a time; the last thing it complained of."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    ended = threading.Event()
    said: list[bytes] = []

    def read() -> None:
        said.append(child.communicate()[1])
        ended.set()
        stop.set()

    reader = threading.Thread(target=read, name="py-spy", daemon=True)
    reader.start()
    stop.wait(seconds)
    if not ended.is_set():
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)  # it writes what it has
        if not ended.wait(_PATIENCE):
            child.kill()
    reader.join(_PATIENCE)
    lines = [line for line in b"".join(said).decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


@contextmanager
def _may_look(pid: int) -> Iterator[None]:
    """Lets children of this process read its memory meanwhile, where Yama allows that only to parents."""
    own = pid == os.getpid() and sys.platform == "linux"
    if own:
        _allow(pid)
    try:
        yield
    finally:
        if own:
            _allow(0)


def _allow(pid: int) -> None:
    """This process and all it has started may look at this process; 0: no longer."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(pid), 0, 0, 0)


def _childrens_seconds() -> float:
    """Processor time of children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _mend() -> str:
    return "run as the same user; kernel.yama.ptrace_scope=0 or root lets it look at other processes"
