"""The roofline fitted to published speeds, and how wrong it is about boards and models that it was not fitted to."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge_ai.platforms.boards import Board, PowerMode, Precision
from edge_ai.platforms.roofline import Roofline, fit
from edge_ai.platforms.speeds import Figure, figures
from edge_ai.platforms.workload import Workload

COVER = 0.9
"""Share of held-out figures within the interval of a prediction."""

_FEW = 2


@dataclass(frozen=True, slots=True)
class Errors:
    """How far predictions were off, as factors of at least 1: 1.1 is 10 % too long or too short.

    Attributes:
        about: what was held out, in words.
        factors: of each held-out figure, predicted / measured time, above 1 where the prediction is too slow.
    """

    about: str
    factors: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the figures are less off."""
        return self.within(0.5)

    @property
    def worst(self) -> float:
        """No figure is more off."""
        return self._sizes()[-1]

    def within(self, share: float) -> float:
        """The factor that this share of the figures stays within; with few figures rounded up to the next one."""
        sizes = self._sizes()
        return sizes[min(math.ceil(share * (len(sizes) + 1)), len(sizes)) - 1]

    def _sizes(self) -> list[float]:
        return sorted(max(factor, 1 / factor) for factor in self.factors)


@dataclass(frozen=True, slots=True)
class Prediction:
    """How fast a board is, engine alone.

    Attributes:
        seconds: for every workload once.
        factor: speed lies between this much less and this much more, as `COVER` of held-out figures did.
        basis: what the interval rests on.
    """

    seconds: float
    factor: float
    basis: str

    @property
    def fps(self) -> float:
        """Images per second, one after the other."""
        return 1 / self.seconds

    @property
    def low(self) -> float:
        """The slow end, images per second."""
        return self.fps / self.factor

    @property
    def high(self) -> float:
        """The quick end, images per second."""
        return self.fps * self.factor

    @property
    def words(self) -> str:
        """Like "212 fps (150 to 300)"."""
        return f"{_round(self.fps)} fps ({_round(self.low)} to {_round(self.high)})"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted roofline and what is known of its errors.

    Attributes:
        errors: by what was held out: "model", "board", "board and model", "input size", "architecture and model", and
            the figures that were never fitted to: "family", "new board".
        count: figures that it was fitted to.
    """

    roofline: Roofline
    errors: Mapping[str, Errors]
    count: int

    def predict(
        self, workloads: Sequence[Workload], board: Board, mode: PowerMode, precision: Precision
    ) -> Prediction | None:
        """The speed of some models run one after the other on every image.

        The interval is that of held-out figures of the same kind. Of a model on a board and mode that others were
        measured on: one model left out. Of another board or mode of a generation that was measured: one board and one
        model. In a precision or at slower clocks than it was measured at: the worst about a whole generation. Of a
        generation without figures: the worst ever seen. A model of which little is known adds the error of a guess.

        Returns:
            None where the board has no units for that precision, or the clocks of the mode are unknown.
        """
        times = [self.roofline.seconds(workload, board, mode, precision) for workload in workloads]
        if any(time is None for time in times):
            return None
        factor, basis = self._interval(board, mode, precision)
        if any(workload.estimated for workload in workloads):
            factor, basis = (
                max(factor, self.errors["family"].within(COVER)),
                f"{basis}; the model is known by its FLOPs",
            )
        return Prediction(sum(time for time in times if time is not None), factor, basis)

    def _interval(self, board: Board, mode: PowerMode, precision: Precision) -> tuple[float, str]:
        kin = [f for f in figures("calibrate") if f.board.architecture == board.architecture]
        alike = [f for f in kin if f.precision == precision]
        generation = self.errors["architecture and model"].worst
        if not kin:
            return max(generation, self.errors["new board"].worst), "no figure of this generation: the worst error seen"
        if len(alike) < _FEW:
            return generation, f"boards of this generation were measured, but hardly in {precision}"
        if (mode.gpu_mhz or 0) < min(f.mode.gpu_mhz or 0 for f in alike):
            return generation, "boards of this generation were measured, but none at so slow a clock"
        if any(f.board.key == board.key and f.mode.name == mode.name for f in alike):
            return self.errors["model"].within(COVER), "other models were measured on this board in this mode"
        return self.errors["board and model"].within(COVER), "boards of this generation were measured"


@functools.cache
def calibrate() -> Calibration:
    """Fit to every published figure, and judge by leaving some out in turn: a tenth of a second, once in a process."""
    known = figures("calibrate")
    whole = fit(known)
    held_out: dict[str, tuple[str, Callable[[Figure], tuple[str, ...]]]] = {
        "model": ("one model in turn", lambda f: (f.workload.name,)),
        "board": ("one board in turn", lambda f: (f.board.key,)),
        "board and model": ("one board and one model in turn", lambda f: (f.board.key, f.workload.name)),
        "input size": ("one input size in turn", lambda f: (str(f.workload.size),)),
        "architecture and model": (
            "one generation of GPUs and one model in turn",
            lambda f: (f.board.architecture, f.workload.name),
        ),
    }
    errors = {name: Errors(about, tuple(_cross(known, key))) for name, (about, key) in held_out.items()}
    checks = figures("check")
    seen = {f.board.architecture for f in known}
    families = [f for f in checks if f.board.architecture in seen]
    boards = [f for f in checks if f.board.architecture not in seen]
    errors["family"] = Errors("a family of models never fitted to, known by FLOPs and weights", _of(whole, families))
    errors["new board"] = Errors("a generation never fitted to", _of(whole, boards))
    return Calibration(whole, errors, len(known))


def _cross(known: Sequence[Figure], key: Callable[[Figure], tuple[str, ...]]) -> Iterator[float]:
    """Predict each group by a fit to the figures that share nothing of its key."""
    for group in dict.fromkeys(key(f) for f in known):
        rest = [f for f in known if not any(mine == its for mine, its in zip(group, key(f), strict=True))]
        yield from _of(fit(rest), [f for f in known if key(f) == group])


def _of(roofline: Roofline, some: Sequence[Figure]) -> tuple[float, ...]:
    times = [(roofline.seconds(f.workload, f.board, f.mode, f.precision), f.seconds) for f in some]
    return tuple(predicted / measured for predicted, measured in times if predicted)


def _round(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"
