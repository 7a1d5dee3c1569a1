"""Where something was measured."""

from __future__ import annotations

import os
import platform


def machine() -> dict[str, str]:
    """Where it was measured: processor, system and the libraries that decide over speed."""
    import onnxruntime

    from edge_ai import __version__

    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "edge_ai": __version__,
    }


def _processor() -> str:
    from edge_ai.platforms.detect import detect

    found = detect(libraries=False)
    return found.model or found.cpu
