"""How fast variants would be on a board of the table of Jetsons."""

from __future__ import annotations

from collections.abc import Sequence

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization.inspection.flops import count
from edge_ai.optimization.judging.trial import Judged
from edge_ai.platforms.boards import Board, Precision
from edge_ai.platforms.calibration import Prediction, calibrate


def forecasts(judged: Sequence[Judged], board: Board) -> dict[str, Prediction]:
    """The predicted speed of each variant with TensorRT in the board's fastest mode, by the variant's name.

    Variants in FP32 run as the FP16 engines that TensorRT is asked for by default. Zeros in weights are not reckoned
    with. Left out: what cannot be counted, and what the board has no units for.
    """
    found, calibration = {}, calibrate()
    for one in judged:
        card = one.variant.card
        try:
            workload = count(card.model_path, card.input.size).workload(one.variant.name)
        except EdgeAIError:
            continue
        precision: Precision = "int8" if one.variant.precision == "int8" else "fp16"
        prediction = calibration.predict([workload], board, board.top, precision)
        if prediction is not None:
            found[one.variant.name] = prediction
    return found
