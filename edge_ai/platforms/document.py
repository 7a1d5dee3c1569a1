"""The blocks of doc/platforms.md that are made from the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from edge_ai.core.errors import ParameterError
from edge_ai.platforms import speeds
from edge_ai.platforms.boards import JetPack, boards, jetpacks, sources
from edge_ai.platforms.calibration import COVER, calibrate
from edge_ai.platforms.report import BOARD_HEAD, board_row, doubt

Rows = Iterable[Sequence[str]]

_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refresh(page: str) -> str:
    """A Markdown page with what stands between ``<!-- made: NAME -->`` and ``<!-- end -->`` made anew.

    Raises:
        ParameterError: a name that nothing here makes.
    """

    def make(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:
            raise ParameterError("block of the page", got=repr(match[2]), wanted=f"one of {', '.join(BLOCKS)}")
        return f"{match[1]}{BLOCKS[match[2]]()}\n{match[3]}"

    return _BLOCK.sub(make, page)


def _markdown(head: Sequence[str], rows: Rows) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _boards_block() -> str:
    rows = [(one.name, *board_row(one)[1:8], one.advertised + doubt(one, "advertised")) for one in boards()]
    return _markdown(("board", *BOARD_HEAD[1:8], "brochure"), rows)


def _modes_block() -> str:
    rows = []
    for one in boards():
        for mode in one.modes:
            tera, bandwidth = one.tera_operations(mode, "fp16"), one.gigabytes_per_second(mode)
            clock = f"{mode.gpu_mhz:g}{'?' * mode.unchecked}" if mode.gpu_mhz else "unknown"
            watts = (f"{mode.watts:g}" if mode.watts else "no limit") + doubt(one, "watts") * (mode.watts is not None)
            tera_doubt = doubt(one, "fp16_tflops") or "?" * mode.unchecked
            speed = (
                f"{tera:.3g}{tera_doubt}" if tera else "unknown",
                f"{bandwidth:.0f}{doubt(one, 'memory_bits')}" if bandwidth else "unknown",
            )
            name = f"{mode.name}{' (Super)' * (mode.super and 'SUPER' not in mode.name)}"
            rows.append((one.name, name, watts, str(mode.cores or "unknown"), clock, *speed))
    return _markdown(("board", "mode", "W", "cores", "GPU MHz", "FP16 TFLOPS", "GB/s"), rows)


def _jetpacks_block() -> str:
    def cell(jetpack: JetPack, figure: str) -> str:
        return f"{getattr(jetpack, figure)}{'?' * (figure in jetpack.unchecked)}"

    figures = ("ubuntu", "ros", "python", "cuda", "tensorrt")
    rows = [(j.name, ", ".join(j.l4t), *(cell(j, f) for f in figures), j.works) for j in jetpacks()]
    head = ("JetPack from", "Jetson Linux", "Ubuntu", "ROS 2", "Python", "CUDA", "TensorRT", "what works")
    return _markdown(head, rows)


def _errors_block() -> str:
    rows = []
    for one in calibrate().errors.values():
        sizes = (one.median, one.within(COVER), one.worst)
        rows.append((one.about, str(len(one.factors)), *(f"{(factor - 1) * 100:.0f} %" for factor in sizes)))
    return _markdown(("held out", "figures", "median error", "9 of 10 within", "worst"), rows)


def _numbers_block() -> str:
    one = calibrate().roofline
    rows = [
        ("OVERHEAD", f"{one.overhead / 1e6:.1f} MB for each operator"),
        ("SHARE", f"{one.share:.0%} of the peak in FP16 and FP32, {one.int8_share:.0%} in INT8"),
        ("MEMORY", f"{one.memory:.0%} of the bandwidth"),
    ]
    return _markdown(("", f"fitted to {calibrate().count} figures"), rows)


def _sources_block() -> str:
    lines = [f"- `{name}`: {text}" for name, text in sources().items()]
    for one in boards():
        parts = "; ".join(f"{name}: {', '.join(figures)}" for name, figures in one.sources.items())
        lines.append(f"- {one.name}: {parts}.")
    return "\n".join(lines)


def _speeds_block() -> str:
    return "\n".join(f"- {name}: {text}." for name, text in speeds.sources().items())


BLOCKS: dict[str, Callable[[], str]] = {
    "boards": _boards_block,
    "modes": _modes_block,
    "jetpacks": _jetpacks_block,
    "numbers": _numbers_block,
    "errors": _errors_block,
    "sources": _sources_block,
    "speeds": _speeds_block,
}
"""What makes each block of doc/platforms.md."""
