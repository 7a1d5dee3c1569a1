"""A build under way in a process of its own: its progress, its limits and its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.core.errors import BackendError
from edge_ai.runtime.child import Child, Ended
from edge_ai.runtime.engine_job import EngineRequest, error_from


class EngineBuild:
    """Builds an engine without disturbing who asked for it.

    Args:
        request: what to build.
        say: told in words how far it is, some times a second at most.
        memory_limit: bytes of memory that the build may use, as of `Child`.
    """

    def __init__(
        self, request: EngineRequest, *, say: Callable[[str], None] = lambda _: None, memory_limit: int = 0
    ) -> None:
        self._request, self._say, self._begun = request, say, 0.0
        self._child = Child("edge_ai.runtime.engine_worker", say=self._hear, memory_limit=memory_limit)

    def run(self) -> Path:
        """Build; returns the engine's folder in the cache.

        Raises:
            EdgeAIError: it cannot be built, was refused by the gate, used too much memory, crashed, or was stopped.
        """
        self._begun = time.monotonic()
        try:
            ended = self._child.run(self._request.model_dump_json())
        finally:
            EngineCache.at(self._request.options.engine.engine_cache).sweep()
        return self._outcome(ended)

    def stop(self) -> None:
        """End the build; `run` then raises."""
        self._child.stop()

    def _hear(self, message: Mapping[str, Any]) -> None:
        done, total = message["done"], message["total"]
        steps = f" {done} of {total}" if total else ""
        self._say(f"{message['phase']}{steps}, {time.monotonic() - self._begun:.0f} s so far")

    def _outcome(self, ended: Ended) -> Path:
        if "engine" in ended.answer:
            return Path(ended.answer["engine"])
        if "error" in ended.answer:
            raise error_from(ended.answer["error"])
        what = f"building an engine of '{self._request.card}'"
        if ended.killed_for:
            mend = "" if self._child.stopped else "raise build_memory, close other programs, or build with swap on"
            raise BackendError(what, got=ended.killed_for, mend=mend)
        mend = "see `dmesg`; try precision fp32, a lower engine_level or a smaller engine_workspace"
        raise BackendError(what, got=ended.how("TensorRT or its driver crashed, or memory ran out"), mend=mend)
