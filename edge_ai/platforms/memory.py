"""How much of a computer's memory engines and their builders may take."""

from __future__ import annotations

from dataclasses import dataclass

from edge_ai.core.errors import ParameterError

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """Bytes, whole MiB; ``reserved + models + workspace <= total``.

    Attributes:
        total: memory that the GPU can use.
        reserved: for everybody else.
        models: for engines that serve, weights and activations.
        workspace: for the builder of one engine.
        reasons: how each came about.
    """

    total: int
    reserved: int
    models: int
    workspace: int
    reasons: tuple[str, ...]


def memory_budget(total: int, *, shared: bool, available: int | None = None) -> MemoryBudget:
    """Share out a computer's memory.

    Where GPU and CPU share it, as on every Jetson, a quarter stays with Linux, ROS and camera buffers, at least 1.5 GiB
    and at most 8: what the GPU takes is missing to the CPU, and when it runs out the kernel ends a process, perhaps the
    one that stops the robot. A GPU with memory of its own keeps 5 %, at least 0.5 GiB, for the driver and a screen. The
    rest is halved, because an engine is rebuilt while the old one serves; a builder gets at most 8 GiB.

    Args:
        total: bytes that the GPU can use.
        shared: whether the CPU uses the same memory.
        available: bytes that are free now, if known; a builder gets no more than that less 0.5 GiB.

    Raises:
        ParameterError: ``total`` is not positive or ``available`` negative.
    """
    if total <= 0 or (available is not None and available < 0):
        raise ParameterError("memory", got=f"total {total}, available {available}", wanted="bytes above 0")
    if shared:
        reserved = min(max(total // 4, 3 * GIB // 2), 8 * GIB, total * 6 // 10)
        reasons = [f"{_words(reserved)} stay with Linux, ROS and cameras, which use the same memory"]
    else:
        reserved = min(max(total // 20, GIB // 2), total // 2)
        reasons = [f"{_words(reserved)} stay with the driver"]
    workspace = min((total - reserved) // 2, 8 * GIB)
    models = _whole(total - reserved - workspace)
    reasons.append("models and a builder each get room: an engine is rebuilt while the old one serves")
    if available is not None and available - GIB // 2 < workspace:
        workspace = max(available - GIB // 2, 0)
        reasons.append(f"only {_words(available)} are free now, so a builder gets {_words(workspace)}")
    return MemoryBudget(total, reserved, models, _whole(workspace), tuple(reasons))


def _whole(size: int) -> int:
    return size // MIB * MIB


def _words(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
