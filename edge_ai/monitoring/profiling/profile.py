"""What a profile is, and how each kind of it is taken and written."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.profiling.bottlenecks import Bottleneck, bottlenecks
from edge_ai.monitoring.profiling.flame import flame_page
from edge_ai.monitoring.profiling.sampling import Sampler
from edge_ai.monitoring.profiling.spans import SpanRecorder
from edge_ai.monitoring.profiling.stacks import Stacks
from edge_ai.monitoring.profiling.trace import write_trace


@dataclass(slots=True)
class Profile:
    """What came of it; filled in at the end.

    Attributes:
        kind: "sampling" or "trace".
        files: what was written: a trace; or a flame graph and the same stacks as text.
        bottlenecks: what takes more than the threshold, the worst first.
        seconds: how long it lasted.
        message: the bottlenecks in words, or why there are none.
    """

    kind: str
    files: tuple[Path, ...] = ()
    bottlenecks: tuple[Bottleneck, ...] = ()
    seconds: float = 0.0
    message: str = ""


class Recording(Protocol):
    """One kind of profile, taken once."""

    def start(self) -> None:
        """Begin, not to end by itself. Raises EdgeAIError if it cannot."""

    def stop(self) -> None:
        """End."""

    def write(self, folder: Path, name: str, threshold: float, done: Profile) -> None:
        """After `stop`: write the files and fill in what came of it. Raises EdgeAIError if that fails."""


class TraceRecording:
    """Spans of stages and marked functions."""

    def __init__(self) -> None:
        self._spans = SpanRecorder()
        self.start, self.stop = self._spans.start, self._spans.stop

    def write(self, folder: Path, name: str, threshold: float, done: Profile) -> None:
        spans = self._spans
        (path,) = _free(folder, f"{name}_trace", (".json",))
        _written(path, lambda part: write_trace(spans, name, part))
        stages, marked = spans.stage_costs(), spans.span_costs()
        others = {span: seconds for span, seconds in marked.items() if span not in stages}
        found = [*bottlenecks(stages, threshold), *bottlenecks(others, threshold, spans.seconds)]
        done.files, done.seconds, done.bottlenecks = (path,), spans.seconds, tuple(found)
        count = len(spans.journeys)
        frames = f"{count} {'frame' if count == 1 else 'frames'} in " if count else ""
        done.message = _words(found, f"{frames}{spans.seconds:.1f} s")
        if not stages and not marked:
            done.message = "nothing was recorded: no frame had a result, and no marked function ran"
        if spans.lost:
            done.message += f"; the oldest {spans.lost} did not fit in"


class StackRecording:
    """Stacks of all threads, sampled on a thread of its own.

    Args:
        sampler: looks at them.
        rate: samples a second.
        longest: seconds after which it ends by itself.
        stop: set to end it; it is set by itself where sampling fails.
    """

    def __init__(self, sampler: Sampler, rate: float, longest: float, stop: threading.Event) -> None:
        self._sampler, self._rate, self._longest, self._stop = sampler, rate, longest, stop
        self._taken: Stacks | Exception = EdgeAIError("sampling has not ended")
        self._thread = threading.Thread(target=self._run, name="profiler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._taken = self._sampler.sample(self._longest, self._rate, self._stop)
        except Exception as error:
            self._taken = error
        finally:
            self._stop.set()

    def write(self, folder: Path, name: str, threshold: float, done: Profile) -> None:
        stacks = self._taken
        if isinstance(stacks, Exception):
            raise stacks
        page, text = _free(folder, f"{name}_flame", (".html", ".folded"))
        found = bottlenecks(stacks.costs(), threshold)
        drawn = flame_page(stacks, f"{name}: where the processor time goes", found)
        _written(page, lambda part: part.write_text(drawn, encoding="utf-8"))
        _written(text, lambda part: part.write_text(stacks.folded(), encoding="utf-8"))
        done.files, done.seconds, done.bottlenecks = (page, text), stacks.seconds, tuple(found)
        done.message = _words(found, f"{stacks.busy / max(stacks.seconds, 1e-9):.2f} cores for {stacks.seconds:.1f} s")


def profile_folder(folder: str | Path = "") -> Path:
    """Where profiles go, made if need be; empty: edge_ai/profiles in the user's cache folder.

    Raises:
        EdgeAIError: it cannot be made.
    """
    wanted = folder or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "edge_ai" / "profiles"
    try:
        target = Path(wanted).expanduser()
        target.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # the latter: a user without a home
        why = getattr(error, "strerror", None) or error
        raise EdgeAIError(f"folder '{wanted}' for profiles", got=why, mend="name another folder") from None
    return target


def _free(folder: Path, stem: str, endings: Sequence[str]) -> list[Path]:
    """Paths named after the time that no file has yet."""
    base = f"{re.sub(r'[^A-Za-z0-9.-]+', '_', stem).strip('_')}_{time.strftime('%Y%m%d_%H%M%S')}"
    for number in range(1, 1000):
        paths = [folder / f"{base}{f'_{number}' if number > 1 else ''}{ending}" for ending in endings]
        if not any(path.exists() for path in paths):
            return paths
    raise EdgeAIError(f"profiles in '{folder}'", got="a thousand in one second", wanted="fewer")


def _written(path: Path, write: Callable[[Path], object]) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EdgeAIError(f"'{path}' cannot be written", got=error.strerror, mend="free the disk") from None


def _words(found: Sequence[Bottleneck], whole: str) -> str:
    return f"{whole}: {', '.join(map(str, found)) or 'nothing takes more than its share'}"
