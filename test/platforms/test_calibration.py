"""How wrong the prediction is about what it was not fitted to; bounds a little above what is documented."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.platforms.boards import board, boards
from edge_ai.platforms.calibration import Errors, _cross, calibrate
from edge_ai.platforms.speeds import figures, models

BOUNDS = [
    ("model", 80, 1.10, 1.40),
    ("board", 80, 1.11, 1.42),
    ("board and model", 80, 1.11, 1.45),
    ("input size", 80, 1.15, 1.60),
    ("architecture and model", 80, 1.15, 1.65),
    ("family", 10, 1.25, 1.55),
]


@pytest.mark.parametrize(("name", "count", "median", "worst"), BOUNDS)
def test_errors_about_held_out_figures(name, count, median, worst):
    errors = calibrate().errors[name]
    assert len(errors.factors) == count
    assert 1 < errors.median < median
    assert errors.median < errors.within(0.9) <= errors.worst < worst


def test_a_new_generation_is_quicker_than_predicted_and_that_is_known():
    """Thor: the only figure, of a whole detector, is more than twice as quick as predicted for the engine alone."""
    (factor,) = calibrate().errors["new board"].factors
    assert 2 < factor < 3


def test_the_fitted_numbers_are_possible():
    one = calibrate().roofline
    assert all(0 < share < 1 for share in (one.share, one.int8_share, one.memory))
    assert 0.5e6 < one.overhead < 10e6


def test_held_out_means_held_out():
    """A board's own figures have no part in its prediction: were they ten times as long, it would stay the same."""
    known = figures("calibrate")
    lies = [dataclasses.replace(f, seconds=f.seconds * (10 if f.board.key == "nano" else 1)) for f in known]

    def held_out(some):
        by_board = sorted(some, key=lambda f: [k.board.key for k in known].index(f.board.key))
        return list(zip([f.board.key for f in by_board], _cross(some, lambda f: (f.board.key,)), strict=True))

    for (key, honest), (_, lied) in zip(held_out(known), held_out(lies), strict=True):
        if key == "nano":
            assert lied == pytest.approx(honest / 10)
        else:
            assert lied != honest


@pytest.mark.parametrize(
    ("precision", "basis"),
    [("fp16", "other models were measured"), ("int8", "other models were measured"), ("fp32", "hardly in fp32")],
)
def test_the_interval_heeds_the_precision(precision, basis):
    one = board("orin_nano_8")
    assert basis in calibrate().predict([models()["yolov8s"]], one, one.top, precision).basis
    old = board("xavier_nx")
    assert "hardly in int8" in calibrate().predict([models()["yolov8s"]], old, old.top, "int8").basis


@pytest.mark.parametrize(
    ("key", "mode", "basis"),
    [
        ("agx_orin_64", "MAXN", "other models were measured"),
        ("agx_orin_64", "MODE_50W", "of this generation were measured"),
        ("agx_orin_64", "MODE_30W", "none at so slow a clock"),
        ("orin_nx_8", "40W", "of this generation were measured"),
        ("agx_xavier", "MAXN", "of this generation were measured"),
        ("thor_t5000", "MAXN", "no figure of this generation"),
    ],
)
def test_the_interval_says_what_it_rests_on(key, mode, basis):
    one = board(key)
    prediction = calibrate().predict([models()["yolov8s"]], one, one.mode(mode), "fp16")
    assert basis in prediction.basis
    assert prediction.low < prediction.fps < prediction.high


def test_the_less_is_known_the_wider_the_interval():
    def factor(key, model, mode=None):
        one = board(key)
        return calibrate().predict([models()[model]], one, one.mode(mode) if mode else one.top, "fp16").factor

    measured, sibling, new = (factor(key, "yolov8s") for key in ("agx_orin_64", "orin_nx_8", "tx2"))
    assert measured <= sibling < factor("orin_nano_8", "yolov8s", "7W") < new
    assert factor("agx_orin_64", "yolox_s") > measured


def test_the_interval_holds_the_figures_it_should():
    """Nine of ten figures lie within what is predicted for their board and model; fitted to all, they must."""
    inside = 0
    for one in figures("calibrate"):
        prediction = calibrate().predict([one.workload], one.board, one.mode, one.precision)
        inside += prediction.low <= 1 / one.seconds <= prediction.high
    assert inside >= 0.9 * len(figures("calibrate"))


def test_models_one_after_the_other_add_up():
    one = board("orin_nano_8")
    both = calibrate().predict([models()["yolov8n"], models()["yolov8s"]], one, one.top, "fp16")
    alone = [calibrate().predict([models()[name]], one, one.top, "fp16").seconds for name in ("yolov8n", "yolov8s")]
    assert both.seconds == pytest.approx(sum(alone))


def test_nothing_is_predicted_where_nothing_is_known():
    thor, nano = board("thor_t5000"), board("nano")
    assert calibrate().predict([models()["yolov8n"]], thor, thor.modes[0], "fp16") is None
    assert calibrate().predict([models()["yolov8n"]], nano, nano.top, "int8") is None


@given(st.sampled_from(boards()), st.floats(0.1, 1000), st.floats(1, 20))
def test_predictions_fall_with_work(where, gflops, more):
    from edge_ai.platforms.workload import from_gflops

    light, heavy = (from_gflops(g, (640, 640)) for g in (gflops, gflops * more))
    assert (
        calibrate().predict([light], where, where.top, "fp16").fps
        >= calibrate().predict([heavy], where, where.top, "fp16").fps
    )


def test_errors_of_few_figures_are_rounded_up():
    assert Errors("", (1.1, 0.5)).within(0.5) == 2
    assert Errors("", (1.1,)).within(0.9) == 1.1
    assert Errors("", tuple(1 + i / 100 for i in range(1, 100))).within(0.9) == pytest.approx(1.9)
