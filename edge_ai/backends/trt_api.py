"""TensorRT's Python API, loaded when first used, and how its versions differ: told by asking, never by number.

What is the same from 8.5 to 11 is called as it is. What only some versions have is reached with `optional`, and the
caller says what to do without it. Before 8.5 there are no named tensors: JetPack 4.6 (Nano, TX2; TensorRT 8.2, Python
3.6) is out of reach of this package as a whole.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorrt as trt

log = logging.getLogger(__name__)

_REMEMBERED = 40

# By name: the same in every version, while trt.nptype refuses what numpy has no type for with different exceptions.
_DTYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
    "UINT8": "uint8",
}


def load() -> Any:
    """The module tensorrt; its own log goes to ours.

    Raises:
        ImportError: it is not installed, or a library of it is missing.
    """
    return importlib.import_module("tensorrt")


def unfit() -> str:
    """Why TensorRT cannot be used here; empty if it can."""
    if importlib.util.find_spec("tensorrt") is None:
        return "not installed: on a Jetson it comes with JetPack (python3-libnvinfer), else pip install tensorrt"
    try:
        module = load()
    except ImportError as error:
        return f"tensorrt cannot be loaded: {error}"
    if not hasattr(module.IExecutionContext, "execute_async_v3"):
        return f"TensorRT {module.__version__} is too old: wanted 8.5 or newer (JetPack 5 or newer)"
    return ""


def optional(thing: Any, name: str) -> Any:
    """An attribute that not every version has; None where it is missing."""
    return getattr(thing, name, None)


def dtype_of(kind: trt.DataType) -> np.dtype[Any] | None:
    """numpy's type for TensorRT's; None where numpy has none (FP8, BF16, INT4)."""
    name = _DTYPES.get(str(kind).rpartition(".")[2])
    return None if name is None else np.dtype(name)


class Log:
    """TensorRT's log: passed on to ours, and the last lines kept, for they are all that says why something failed.

    Attributes:
        logger: what TensorRT takes.
    """

    def __init__(self, module: Any) -> None:
        self._lines: deque[str] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()
        self.logger: trt.ILogger = _logger_class(module)(self)

    def add(self, level: int, text: str) -> None:
        """Take a line."""
        log.log(level, "%s", text)
        if level >= logging.ERROR:
            with self._lock:
                self._lines.append(text.strip())

    def clear(self) -> None:
        """Forget the lines so far."""
        with self._lock:
            self._lines.clear()

    @property
    def errors(self) -> list[str]:
        """The last errors, oldest first."""
        with self._lock:
            return list(self._lines)

    @property
    def last(self) -> str:
        """The last error; empty if there was none."""
        return next(reversed(self.errors), "")


def _logger_class(module: Any) -> Any:
    severity = module.ILogger.Severity
    levels = {
        severity.INTERNAL_ERROR: logging.ERROR,
        severity.ERROR: logging.ERROR,
        severity.WARNING: logging.WARNING,
        severity.INFO: logging.DEBUG,
        severity.VERBOSE: logging.NOTSET,
    }

    class Logger(module.ILogger):  # type: ignore[misc]
        def __init__(self, target: Log) -> None:
            module.ILogger.__init__(self)
            self._target = target

        def log(self, severity: Any, text: str) -> None:
            level = levels.get(severity, logging.DEBUG)
            if level > logging.NOTSET:
                self._target.add(level, text)

    return Logger
