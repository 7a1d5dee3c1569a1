"""What some versions of ONNX Runtime compute wrongly on some processors, and the way round it."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_SINCE, _UNTIL = (1, 21), (1, 25)
"""1.20.1 and 1.25.0 answer the same every time, 1.21.1 to 1.24.4 do not: measured on a Xeon with AMX."""

_PAIRS = "session.disable_quant_qdq"
_MEND = "install 1.25 or newer, or 1.20 where this Python has no newer one"


def avoid(options: Any) -> None:
    """Have a session compute what is quantised in float where its integers would come out wrong.

    From 1.21 to 1.24 ONNX Runtime's quantised convolutions answer otherwise each time, and at times nonsense, on
    processors with AMX (https://github.com/microsoft/onnxruntime/issues/26324). With their pairs of QuantizeLinear and
    DequantizeLinear left as they are, layers round as INT8 does and compute in float: right, but no faster than float.

    Args:
        options: an onnxruntime.SessionOptions, before the session is made.
    """
    import onnxruntime

    if wrong(onnxruntime.__version__, amx()):
        _tell(onnxruntime.__version__)
        options.add_session_config_entry(_PAIRS, "1")


def unfit(model_path: Path) -> str:
    """Why a file must not run here: its convolutions take and give integers, which nothing turns into float."""
    import onnxruntime

    if not wrong(onnxruntime.__version__, amx()):
        return ""
    try:
        integers = b"QLinearConv" in model_path.read_bytes()
    except OSError:  # whoever loads it says so better
        return ""
    if not integers:
        return ""
    return f"onnxruntime {onnxruntime.__version__} computes QLinearConv wrongly on this processor (AMX): {_MEND}"


def wrong(version: str, with_amx: bool) -> bool:
    """Whether that ONNX Runtime answers wrongly on such a processor."""
    return with_amx and _SINCE <= tuple(int(part) for part in version.split(".")[:2]) < _UNTIL


@functools.cache
def amx(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies matrices of INT8 by itself; where it cannot be told, not."""
    try:
        return " amx_int8" in cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


@functools.cache
def _tell(version: str) -> None:
    log.warning(
        "ONNX Runtime %s computes INT8 wrongly on this processor (AMX): such layers are computed in float, no faster "
        "than a model in float; %s",
        *(version, _MEND),
    )
