"""NVIDIA's tools that run an engine as fast as they can."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Protocol

from benchmarks.topic import MeasurementError

_PLACES = ("/usr/src/tensorrt/bin/trtexec", "/usr/local/tensorrt/bin/trtexec", "/opt/tensorrt/bin/trtexec")
_THROUGHPUT = re.compile(r"Throughput: ([\d.]+) qps")
_LATENCY = re.compile(r"\] Latency: .*?median = ([\d.]+) ms.*?percentile\(99%\) = ([\d.]+) ms")


class Peer(Protocol):
    """Whoever runs the same engine."""

    name: str

    def measure(self, seconds: float) -> dict[str, float]:
        """Results a second and the times of one in ms: ``per_s``, ``p50_ms``, ``p99_ms``."""


class Trtexec:
    """trtexec with its defaults: copies to and from the device counted, one stream, waiting without spinning."""

    name = "trtexec"

    def __init__(self, program: str, plan: Path) -> None:
        self._command = [program, f"--loadEngine={plan}", "--avgRuns=10", "--percentile=99"]

    def measure(self, seconds: float) -> dict[str, float]:
        """See `Peer.measure`."""
        command = [*self._command, f"--duration={max(1, round(seconds))}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 300)
        return read_trtexec(done.stdout + done.stderr)


def read_trtexec(text: str) -> dict[str, float]:
    """The figures in what trtexec prints.

    Raises:
        MeasurementError: they are not there; shows its last line.
    """
    throughput, latency = _THROUGHPUT.search(text), _LATENCY.search(text)
    if throughput is None or latency is None:
        raise MeasurementError(f"trtexec: {text.strip().splitlines()[-1] if text.strip() else 'no output'}")
    return {"per_s": float(throughput[1]), "p50_ms": float(latency[1]), "p99_ms": float(latency[2])}


class Polygraphy:
    """Polygraphy's runner, one inference after the other."""

    name = "Polygraphy"

    def __init__(self, plan: Path) -> None:
        from polygraphy.backend.common import BytesFromPath
        from polygraphy.backend.trt import EngineFromBytes, TrtRunner

        self._runner = TrtRunner(EngineFromBytes(BytesFromPath(str(plan))))

    def measure(self, seconds: float) -> dict[str, float]:
        """See `Peer.measure`."""
        times = []
        with self._runner as runner:
            import numpy as np

            feeds = {name: np.zeros(shape, dtype) for name, (dtype, shape) in runner.get_input_metadata().items()}
            for _ in range(20):
                runner.infer(feeds)
            began = time.perf_counter()
            while time.perf_counter() - began < seconds:
                start = time.perf_counter()
                runner.infer(feeds)
                times.append((time.perf_counter() - start) * 1e3)
            took = time.perf_counter() - began
        times.sort()
        return {
            "per_s": len(times) / took,
            "p50_ms": statistics.median(times),
            "p99_ms": times[int(len(times) * 0.99)],
        }


def peer(plan: Path) -> Peer:
    """The best tool that is here.

    Raises:
        MeasurementError: there is none.
    """
    program = shutil.which("trtexec") or next((place for place in _PLACES if Path(place).is_file()), None)
    if program is not None:
        return Trtexec(program, plan)
    try:
        return Polygraphy(plan)
    except ImportError:
        raise MeasurementError("neither trtexec nor Polygraphy is here: pip install polygraphy") from None
