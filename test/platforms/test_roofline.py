import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.platforms.boards import PRECISIONS, board, boards
from edge_ai.platforms.roofline import Roofline, fit
from edge_ai.platforms.speeds import figures
from edge_ai.platforms.workload import Workload

ONE = Roofline(overhead=2e6, share=0.5, int8_share=0.4, memory=0.25)
ORIN = board("agx_orin_64")
WORKLOADS = st.builds(
    Workload,
    st.just("m"),
    st.floats(0.01, 1e4),
    st.floats(1e3, 1e9),
    st.floats(1e3, 1e9),
    st.integers(1, 500),
    st.just((640, 640)),
)


def test_the_formula_by_hand():
    """204.8 GB/s and 42.6 TFLOPS; weights 2 x 10 MB, 50 operators of 2 MB, and the longer of two times."""
    base = (2 * 10e6 + 50 * 2e6) / 204.8e9
    heavy = Workload("heavy", 426, 10e6, 1e6, 50, (640, 640))
    assert ONE.seconds(heavy, ORIN, ORIN.top, "fp16") == pytest.approx(base + 0.02)
    wide = Workload("wide", 1, 10e6, 512e6, 50, (640, 640))
    assert ONE.seconds(wide, ORIN, ORIN.top, "fp16") == pytest.approx(base + 2 * 2 * 512e6 / (0.25 * 204.8e9))
    in_bytes = (10e6 + 50 * 2e6) / 204.8e9
    assert ONE.seconds(heavy, ORIN, ORIN.top, "int8") == pytest.approx(in_bytes + 0.426 / (0.4 * 85.2))


@given(WORKLOADS, st.sampled_from(boards()), st.sampled_from(PRECISIONS), st.floats(1, 10))
def test_more_work_never_takes_less_time(workload, where, precision, more):
    before = ONE.seconds(workload, where, where.top, precision)
    if before is None:
        assert precision == "int8"
        assert where.int8_tops is None
        return
    for figure in ("gflops", "weights", "activations", "operators"):
        after = ONE.seconds(
            dataclasses.replace(workload, **{figure: getattr(workload, figure) * more}), where, where.top, precision
        )
        assert after >= before > 0


@given(WORKLOADS, st.sampled_from(boards()), st.floats(1, 10))
def test_a_quicker_board_never_takes_longer(workload, where, more):
    quicker = where.model_copy(update={"fp16_tflops": where.fp16_tflops * more})
    wider = where.model_copy(update={"memory_bits": where.memory_bits * 2})
    before = ONE.seconds(workload, where, where.top, "fp16")
    assert ONE.seconds(workload, quicker, quicker.top, "fp16") <= before
    assert ONE.seconds(workload, wider, wider.top, "fp16") < before


@given(WORKLOADS, st.sampled_from(boards()))
def test_lower_precision_never_takes_longer(workload, where):
    equal = dataclasses.replace(ONE, int8_share=ONE.share)
    times = [equal.seconds(workload, where, where.top, p) for p in ("fp32", "fp16", "int8")]
    known = [time for time in times if time is not None]
    assert known == sorted(known, reverse=True)


def test_unknown_clocks_give_no_time():
    thor = board("thor_t5000")
    workload = Workload("m", 1, 1e6, 1e6, 10, (640, 640))
    assert ONE.seconds(workload, thor, thor.modes[0], "fp16") is None
    assert ONE.seconds(workload, board("nano"), board("nano").top, "int8") is None


def test_a_fit_finds_the_numbers_that_made_the_figures():
    made = [
        dataclasses.replace(f, seconds=ONE.seconds(f.workload, f.board, f.mode, f.precision))
        for f in figures("calibrate")
    ]
    found = fit(made)
    for name in ("overhead", "share", "int8_share", "memory"):
        assert getattr(found, name) == pytest.approx(getattr(ONE, name), rel=1e-3), name


def test_a_fit_without_int8_figures_still_ends():
    found = fit([f for f in figures("calibrate") if f.precision != "int8"])
    assert 0 < found.int8_share < 1
