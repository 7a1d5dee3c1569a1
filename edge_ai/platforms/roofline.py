"""How long a board takes for a model: a roofline of four numbers.

An inference moves the weights through memory once, spends a while on every operator, however small, and then is held
up by whichever is scarcer, arithmetic or memory:

    time = (weights + operators x OVERHEAD) / bandwidth
         + max(FLOPs / (SHARE x peak), 2 x activations / (MEMORY x bandwidth))

with weights and activations in bytes of the precision. The time of an operator is written as bytes because small boards
need longer for small operators in about the proportion of their bandwidth. OVERHEAD, SHARE (one for INT8, one for the
others) and MEMORY are fitted to published speeds (calibration.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_ai.platforms.boards import BYTES, Board, PowerMode, Precision
from edge_ai.platforms.speeds import Figure
from edge_ai.platforms.workload import Workload

Array = NDArray[np.float64]

_START = (2e6, 0.4, 0.3, 0.2)
_STEP = 1e-5
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Roofline:
    """The four numbers.

    Attributes:
        overhead: bytes that could be moved while one operator is started and ended.
        share: of the dense peak that floating point reaches.
        int8_share: the same for INT8.
        memory: of the bandwidth that activations reach, were each written and read once.
    """

    overhead: float
    share: float
    int8_share: float
    memory: float

    def seconds(self, workload: Workload, board: Board, mode: PowerMode, precision: Precision) -> float | None:
        """Time of one inference; None where the board has no such units or the mode's clocks are unknown."""
        row = _row(workload, board, mode, precision)
        if row is None:
            return None
        return float(_seconds(np.log([self.overhead, self.share, self.int8_share, self.memory]), np.array([row]))[0])


def fit(figures: Sequence[Figure]) -> Roofline:
    """The roofline that comes closest to some figures: least squares of the logarithm, so that factors count alike.

    By Levenberg and Marquardt's method on the logarithms of the four numbers, which keeps them positive.
    """
    rows = [_row(f.workload, f.board, f.mode, f.precision) for f in figures]
    table, wanted = np.array([row for row in rows if row]), np.log([f.seconds for f in figures])
    theta, damping = np.log(_START), 1e-2
    error = np.log(_seconds(theta, table)) - wanted
    for _ in range(_ROUNDS):
        moved = [np.log(_seconds(theta + one, table)) - wanted for one in np.eye(4) * _STEP]
        slope = (np.stack(moved, 1) - error[:, None]) / _STEP
        square = slope.T @ slope
        # The tiny number keeps a parameter still that none of the figures depends on.
        step = -np.linalg.solve(square + np.diag(damping * np.diag(square) + 1e-9), slope.T @ error).clip(-1, 1)
        new = np.log(_seconds(theta + step, table)) - wanted
        if new @ new < error @ error:
            gain = 1 - (new @ new) / (error @ error)
            theta, error, damping = theta + step, new, damping / 3
            if gain < 1e-9:
                break
        else:
            damping *= 4
            if damping > 1e6:
                break
    return Roofline(*(float(value) for value in np.exp(theta)))


def _row(workload: Workload, board: Board, mode: PowerMode, precision: Precision) -> tuple[float, ...] | None:
    """Seconds for weights, a byte of each operator, arithmetic and activations, all at full peaks; and whether INT8."""
    peak, bandwidth = board.tera_operations(mode, precision), board.gigabytes_per_second(mode)
    if peak is None or bandwidth is None:
        return None
    size, speed = BYTES[precision], bandwidth * 1e9
    return (
        size * workload.weights / speed,
        workload.operators / speed,
        workload.gflops * 1e9 / (peak * 1e12),
        2 * size * workload.activations / speed,
        float(precision == "int8"),
    )


def _seconds(theta: Array, table: Array) -> Array:
    overhead, share, int8_share, memory = np.exp(theta)
    weights, operators, arithmetic, activations, int8 = table.T
    share = np.where(int8 > 0, int8_share, share)
    total: Array = weights + operators * overhead + np.maximum(arithmetic / share, activations / memory)
    return total
