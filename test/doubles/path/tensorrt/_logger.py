"""The log, which the user's own class receives."""

from __future__ import annotations

from typing import Any

from tensorrt._native import Native, enumeration


class ILogger(Native):
    """To be derived from; whoever forgets to call `__init__` of it is refused when it is handed over."""

    Severity = enumeration("Severity", INTERNAL_ERROR=0, ERROR=1, WARNING=2, INFO=3, VERBOSE=4)

    def __init__(self) -> None:
        self._own_made = True

    def log(self, severity: Any, msg: str) -> None:
        """A line."""
        raise NotImplementedError


class Logger(ILogger):
    """Prints."""

    def __init__(self, min_severity: Any = ILogger.Severity.WARNING) -> None:
        super().__init__()
        self._own_least = min_severity

    def log(self, severity: Any, msg: str) -> None:
        if int(severity) <= int(self._own_least):
            print(f"[TRT] {msg}")


def require(logger: Any) -> ILogger:
    """The logger, if it is one."""
    if not isinstance(logger, ILogger) or not getattr(logger, "_own_made", False):
        raise TypeError("incompatible constructor arguments: an ILogger is wanted whose __init__ was called")
    return logger


def error(logger: ILogger, text: str) -> None:
    """Log an error."""
    logger.log(ILogger.Severity.ERROR, text)


def warning(logger: ILogger, text: str) -> None:
    """Log a warning."""
    logger.log(ILogger.Severity.WARNING, text)


def verbose(logger: ILogger, text: str) -> None:
    """Log what only developers want to know."""
    logger.log(ILogger.Severity.VERBOSE, text)
