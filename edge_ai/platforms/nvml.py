"""NVIDIA GPUs of a PC, asked of the driver through nvidia-ml-py: optional, loaded when asked."""

from __future__ import annotations

from collections.abc import Callable
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


def gpus() -> tuple[Gpu, ...]:
    """Every NVIDIA GPU that the driver knows.

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
        return tuple(_gpu(pynvml, number) for number in range(pynvml.nvmlDeviceGetCount()))
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: Any, number: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(number)

    def ask(question: Callable[[], Any]) -> Any:
        try:
            return question()
        except nvml.NVMLError:
            return None

    memory = ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    capability = ask(lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle))
    return Gpu(
        name=_text(ask(lambda: nvml.nvmlDeviceGetName(handle))) or "NVIDIA GPU",
        memory_bytes=None if memory is None else int(memory.total),
        compute_capability="" if capability is None else ".".join(str(part) for part in capability),
        driver=_text(ask(nvml.nvmlSystemGetDriverVersion)),
    )


def _text(value: bytes | str | None) -> str:
    """Older releases of nvidia-ml-py answer in bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
