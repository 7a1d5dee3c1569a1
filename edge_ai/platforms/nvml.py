"""NVIDIA GPUs of a PC, asked of the driver through nvidia-ml-py: optional, loaded when asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from edge_ai.core.errors import EdgeAIError


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; what its driver does not say (an Orin's says little) is empty or None.

    Attributes:
        memory_bytes: its own memory.
        compute_capability: like "8.9".
        driver: version of the driver.
    """

    name: str
    memory_bytes: int | None = None
    compute_capability: str = ""
    driver: str = ""


@contextlib.contextmanager
def library() -> Iterator[Any]:
    """The module ``pynvml``, ready to be asked; let go of in the end.

    Raises:
        EdgeAIError: nvidia-ml-py is not installed, or there is no driver to ask.
    """
    try:
        import pynvml
    except ImportError:
        mend = "python3 -m pip install nvidia-ml-py, if there is an NVIDIA GPU"
        raise EdgeAIError("NVML", got="nvidia-ml-py is not installed", mend=mend) from None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise EdgeAIError("NVML", got=str(error), wanted="an NVIDIA driver") from None
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def gpus() -> tuple[Gpu, ...]:
    """Every NVIDIA GPU that the driver knows.

    Raises:
        EdgeAIError: as for `library`.
    """
    with library() as nvml:
        return tuple(_gpu(nvml, number) for number in range(nvml.nvmlDeviceGetCount()))


def answer(nvml: Any, question: Callable[..., Any], *of: Any) -> Any:
    """What the driver says, or None where it cannot say it of this GPU."""
    try:
        return question(*of)
    except nvml.NVMLError:
        return None


def _gpu(nvml: Any, number: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(number)
    memory = answer(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    capability = answer(nvml, nvml.nvmlDeviceGetCudaComputeCapability, handle)
    return Gpu(
        name=_text(answer(nvml, nvml.nvmlDeviceGetName, handle)) or "NVIDIA GPU",
        memory_bytes=None if memory is None else int(memory.total),
        compute_capability="" if capability is None else ".".join(str(part) for part in capability),
        driver=_text(answer(nvml, nvml.nvmlSystemGetDriverVersion)),
    )


def _text(value: bytes | str | None) -> str:
    """Older releases of nvidia-ml-py answer in bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
