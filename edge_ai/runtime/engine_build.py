"""A build under way in a process of its own: its progress, its limits and its end."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.core.errors import BackendError
from edge_ai.runtime.engine_job import EngineRequest, error_from

log = logging.getLogger(__name__)

_COMMAND = (sys.executable, "-m", "edge_ai.runtime.engine_worker")
_LOOK = 0.2  # s
_PATIENCE = 5.0  # s that the process has to end when told to
_SHARE = 0.75
_RESERVE = 256 << 20  # bytes that must stay free for the robot
_TAIL = 2000


class EngineBuild:
    """Builds an engine without disturbing who asked for it.

    Args:
        request: what to build.
        say: told in words how far it is, some times a second at most.
        memory_limit: bytes of memory that the build may use; 0: three quarters of what is free now. A device's memory
            counts only where it is the machine's own, by what stays free.
    """

    def __init__(
        self, request: EngineRequest, *, say: Callable[[str], None] = lambda _: None, memory_limit: int = 0
    ) -> None:
        self._request, self._say = request, say
        self._limit = memory_limit or int(psutil.virtual_memory().available * _SHARE)
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        self._killed_for = ""
        self._answer: dict[str, Any] = {}

    def run(self) -> Path:
        """Build; returns the engine's folder in the cache.

        Raises:
            EdgeAIError: it cannot be built, was refused by the gate, used too much memory, crashed, or was stopped.
        """
        with tempfile.TemporaryFile("w+") as errors:
            self._process = process = subprocess.Popen(
                _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
            watcher = threading.Thread(target=self._watch, args=(process,), name="engine build", daemon=True)
            watcher.start()
            if self._stopped.is_set():
                self._kill("it was told to stop")
            try:
                self._converse(process)
            finally:
                self._end(process)
                watcher.join()
                EngineCache.at(self._request.options.engine.engine_cache).sweep()
            return self._outcome(process, errors)

    def stop(self) -> None:
        """End the build; `run` then raises."""
        self._stopped.set()
        self._kill("it was told to stop")

    def _converse(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(self._request.model_dump_json() + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return
        begun = time.monotonic()
        for line in process.stdout:
            self._hear(line, time.monotonic() - begun)

    def _hear(self, line: str, seconds: float) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            log.debug("build: %s", line.rstrip())
            return
        if "phase" in message:
            done, total = message["done"], message["total"]
            steps = f" {done} of {total}" if total else ""
            self._say(f"{message['phase']}{steps}, {seconds:.0f} s so far")
        else:
            self._answer = message

    def _outcome(self, process: subprocess.Popen[str], errors: IO[str]) -> Path:
        if "engine" in self._answer:
            return Path(self._answer["engine"])
        if "error" in self._answer:
            raise error_from(self._answer["error"])
        what = f"building an engine of '{self._request.card}'"
        if self._killed_for:
            mend = "" if self._stopped.is_set() else "raise build_memory, close other programs, or build with swap on"
            raise BackendError(what, got=self._killed_for, mend=mend)
        errors.seek(0)
        tail = errors.read()[-_TAIL:].strip()
        how = f"exit status {process.returncode}"
        if process.returncode < 0:
            how = f"{signal.Signals(-process.returncode).name}: TensorRT or its driver crashed, or memory ran out"
        mend = "see `dmesg`; try precision fp32, a lower engine_level or a smaller engine_workspace"
        raise BackendError(what, got=f"{how}\n{tail}" if tail else how, mend=mend)

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """End the build when it takes memory that the robot needs."""
        while process.poll() is None:
            used, free = _resident(process.pid), psutil.virtual_memory().available
            if used > self._limit:
                self._kill(f"it used {used >> 20} MiB of memory, limit {self._limit >> 20} MiB")
            elif free < _RESERVE:
                self._kill(f"only {free >> 20} MiB of memory were left, wanted {_RESERVE >> 20} MiB")
            time.sleep(_LOOK)

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


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
