"""Work in a process of its own, which may crash, hang or eat memory there: a request in, lines of JSON out."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from edge_ai.core.errors import EdgeAIError
from edge_ai.runtime.engine_job import describe_error

log = logging.getLogger(__name__)

_LOOK = 0.1  # s
_PATIENCE = 5.0  # s that the process has to end when told to
_SHARE = 0.75
_RESERVE = 256 << 20  # bytes that must stay free for the robot
_TAIL = 2000
_NICENESS = 10

Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended.

    Attributes:
        answer: the last line it sent that was no progress; empty if none came.
        killed_for: why it was ended; empty: it ended by itself.
        status: its exit status; below 0: the signal that ended it.
        tail: the end of what it wrote to its standard error.
    """

    answer: Mapping[str, Any]
    killed_for: str
    status: int
    tail: str

    def how(self, crash: str = "it crashed") -> str:
        """Status and tail in words; ``crash``: what a signal means."""
        how = f"exit status {self.status}" if self.status >= 0 else f"{signal.Signals(-self.status).name}: {crash}"
        return f"{how}\n{self.tail}" if self.tail else how


class Child:
    """Runs a module that calls `serve`, within limits.

    Args:
        module: name of the module.
        say: told of each line of progress.
        memory_limit: bytes of memory it may use; 0: three quarters of what is free now. A device's memory counts only
            where it is the machine's own, by what stays free.
        timeout: seconds it may take; 0: any.
    """

    def __init__(self, module: str, *, say: Say = lambda _: None, memory_limit: int = 0, timeout: float = 0.0) -> None:
        self._command, self._say, self._timeout = (sys.executable, "-m", module), say, timeout
        self._limit = memory_limit or int(psutil.virtual_memory().available * _SHARE)
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        self._killed_for = ""
        self._answer: Mapping[str, Any] = {}

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    def run(self, request: str) -> Ended:
        """Have one request, a line of JSON, served; blocks until the process has ended. Call once."""
        with tempfile.TemporaryFile("w+") as errors:
            self._process = process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
            watcher = threading.Thread(target=self._watch, args=(process,), name="child", daemon=True)
            watcher.start()
            if self._stopped.is_set():
                self._kill("it was told to stop")
            try:
                self._converse(process, request)
            finally:
                self._end(process)
                watcher.join()
            errors.seek(0)
            return Ended(self._answer, self._killed_for, process.returncode, errors.read()[-_TAIL:].strip())

    def stop(self) -> None:
        """End it; `run` then returns."""
        self._stopped.set()
        self._kill("it was told to stop")

    def _converse(self, process: subprocess.Popen[str], request: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return
        for line in process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                log.debug("child: %s", line.rstrip())
                continue
            if "phase" in message:
                self._say(message)
            else:
                self._answer = message

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """End it when it takes memory that the robot needs, or too long."""
        begun = time.monotonic()
        while process.poll() is None:
            used, free = _resident(process.pid), psutil.virtual_memory().available
            if used > self._limit:
                self._kill(f"it used {used >> 20} MiB of memory, limit {self._limit >> 20} MiB")
            elif free < _RESERVE:
                self._kill(f"only {free >> 20} MiB of memory were left, wanted {_RESERVE >> 20} MiB")
            elif self._timeout and time.monotonic() - begun > self._timeout:
                self._kill(f"it did not end within {self._timeout:g} s")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK)

    def _kill(self, reason: str) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            self._killed_for = self._killed_for or reason
            process.kill()

    def _end(self, process: subprocess.Popen[str]) -> None:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve(work: Callable[[str, Say], Mapping[str, Any]]) -> int:
    """The other end: do what the request says; returns the exit status.

    Args:
        work: given the request and what to tell of progress (mappings with "phase"); returns the answer. An error of
            this package becomes the answer {"error": ...}, as of `edge_ai.runtime.engine_job.describe_error`.
    """
    # Vendors' libraries print to standard output: the lines for our parent get a descriptor of their own.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):  # where memory runs out, this goes before the robot
        Path("/proc/self/oom_score_adj").write_text("1000")
    request = sys.stdin.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def send(values: Mapping[str, Any]) -> None:
        channel.write(json.dumps(values) + "\n")

    try:
        send(work(request, send))
    except EdgeAIError as error:
        send({"error": describe_error(error)})
        return 1
    return 0


def _end_with_parent() -> None:
    """Nobody waits for the work any more once the other end of the pipe is closed."""
    sys.stdin.read()
    os._exit(3)


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
