"""A machine with a pretended GPU: the doubles of TensorRT, cuda-bindings and pycuda in place of the real ones."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parent / "path"
_NAMES = ("tensorrt", "cuda", "pycuda", "edge_ai_doubles")
_VARIABLES = ("EDGE_AI_DOUBLE_TRT", "EDGE_AI_DOUBLE_GPU", "EDGE_AI_DOUBLE_FAULT", "PYTHONPATH")


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Put the doubles in place for this process and those that it starts, and everything back as it was at the end."""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    modules = _forget()
    sys.path.insert(0, str(PATH))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PATH), before["PYTHONPATH"])))
    try:
        yield
    finally:
        sys.path.remove(str(PATH))
        _forget()
        sys.modules.update(modules)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        importlib.invalidate_caches()


def configure(trt: str = "10.3.0", gpu: Mapping[str, Any] | None = None, fault: str = "") -> None:
    """Say which machine is pretended, from here on and in new processes; nothing of the one before is left."""
    _forget()
    importlib.invalidate_caches()
    _doubles().configure(trt=trt, gpu=gpu or {}, fault=fault)


def set_fault(fault: str) -> None:
    """Change what goes wrong, and nothing else."""
    os.environ["EDGE_AI_DOUBLE_FAULT"] = fault


def counted(what: str) -> int:
    """How often this process did something: "executions", "copies", "deserialized"."""
    return int(seen(what))


def seen(what: str) -> Any:
    """Something that the doubles have noted in this process."""
    return getattr(importlib.import_module("edge_ai_doubles.state").NOW, what)


def _doubles() -> Any:
    return importlib.import_module("edge_ai_doubles")


def _forget() -> dict[str, Any]:
    """Take the vendors' modules, real or doubles, out of this process."""
    names = [name for name in sys.modules if name.partition(".")[0] in _NAMES]
    return {name: sys.modules.pop(name) for name in names}
