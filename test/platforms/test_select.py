import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.boards import board, boards
from edge_ai.platforms.calibration import calibrate
from edge_ai.platforms.select import Requirements, select
from edge_ai.platforms.speeds import models
from edge_ai.platforms.workload import from_gflops


def choose(*names, fps=30.0, **wanted):
    workloads = tuple(models()[name] for name in names or ("yolov8s",))
    return select(Requirements(workloads, fps, **wanted), calibrate())


def one(found, key):
    return next(candidate for candidate in found if candidate.board.key == key)


def reasons(found, key):
    return {reason.about: reason.words for reason in one(found, key).reasons}


def test_every_board_is_judged_and_the_fitting_ones_come_first():
    found = choose(watts=15)
    assert {c.board.key for c in found} == {b.key for b in boards()}
    assert [c.fits for c in found] == sorted((c.fits for c in found), reverse=True)
    assert found[0].fits


def test_too_little_power():
    assert reasons(choose(watts=10), "agx_orin_64")["power"] == "its least mode is named 15 W, allowed are 10 W"


def test_a_mode_without_a_limit_is_not_within_one():
    assert one(choose("yolo11x", fps=1000, watts=500), "orin_nx_16").mode.watts == 40
    assert one(choose("yolo11x", fps=1000), "orin_nx_16").mode.gpu_mhz == 1173


def test_too_little_memory():
    found = choose(memory_gb=6)
    assert reasons(found, "orin_nano_8")["memory"] == "models may take 3.2 GB of its 8 GB, they need 6.0 GB"
    assert one(found, "orin_nx_16").fits


def test_the_smallest_variant_that_will_do_is_named():
    assert one(choose(), "xavier_nx").memory_gb == 8
    assert one(choose(memory_gb=5), "xavier_nx").memory_gb == 16


def test_too_slow():
    found = choose("yolo11x", fps=60, watts=15)
    assert reasons(found, "orin_nano_8")["speed"].endswith("in 15W (15 W), wanted 60")
    assert not any(candidate.fits for candidate in found)


def test_no_such_units():
    assert reasons(choose(precision="int8"), "tx2")["precision"] == "its Pascal GPU has no units for int8"
    assert one(choose(precision="int8"), "orin_nano_8").fits


def test_software_too_old():
    assert "4.6, ends at TensorRT 8.0.1 to 8.2.1 and Python 3.6" in reasons(choose(), "nano")["software"]


def test_clocks_that_nobody_knows():
    assert reasons(choose(watts=45), "thor_t5000")["speed"] == "nobody here knows the clocks of 40W"
    assert one(choose(watts=130), "thor_t5000").fits


def test_least_power_that_surely_does_is_chosen():
    assert one(choose("yolov8n", fps=30), "orin_nano_8").mode.name == "7W"
    quick = one(choose("yolov8n", fps=150), "orin_nano_8")
    assert quick.mode.watts == 25
    assert quick.sure
    assert any("Super" in caveat for caveat in quick.caveats)


def test_software_that_needs_a_container_is_a_caveat_and_ranks_later():
    found = [candidate for candidate in choose() if candidate.fits]
    old = [candidate.board.architecture == "volta" for candidate in found]
    assert any(old)
    assert old == sorted(old)
    assert "Python 3.8 is too old" in one(found, "xavier_nx").caveats[0]


def test_likely_ranks_after_sure():
    found = [c for c in choose("yolov8s", fps=120) if c.fits and c.board.architecture == "ampere"]
    assert {c.sure for c in found} == {True, False}
    assert [c.sure for c in found] == sorted((c.sure for c in found), reverse=True)
    assert all(c.prediction.fps >= 120 > c.prediction.low for c in found if not c.sure)


def test_the_nearest_miss_comes_first():
    found = choose("yolo11x", fps=20_000)
    short = [candidate.short for candidate in found]
    assert short == sorted(short)
    assert 1 < short[0] < math.inf
    assert found[0].board.key.startswith("thor")


def test_several_models_share_the_time():
    alone, both = choose("yolov8n"), choose("yolov8n", "yolov8m")
    key = "agx_orin_32"
    assert one(both, key).prediction.seconds > one(alone, key).prediction.seconds


@given(st.floats(1, 500), st.floats(1, 10), st.floats(5, 130), st.floats(0.1, 50))
def test_asking_for_more_never_lets_more_boards_through(fps, more, watts, gflops):
    def fitting(fps, watts):
        wanted = Requirements((from_gflops(gflops, (640, 640)),), fps, watts=watts)
        return {c.board.key for c in select(wanted, calibrate()) if c.fits}

    assert fitting(fps * more, watts) <= fitting(fps, watts)
    assert fitting(fps, watts / more) <= fitting(fps, watts)


def test_only_among_some():
    found = select(Requirements((models()["yolov8n"],), 30), calibrate(), [board("orin_nx_8")])
    assert [c.board.key for c in found] == ["orin_nx_8"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [({"fps": 0}, "fps"), ({"fps": math.nan}, "fps"), ({"watts": -1}, "watts"), ({"memory_gb": 0}, "memory_gb")],
)
def test_nonsense_is_refused(wanted, name):
    with pytest.raises(ParameterError, match=name):
        Requirements((models()["yolov8n"],), **{"fps": 30, **wanted})
    with pytest.raises(ParameterError, match="got no model; wanted one at least"):
        Requirements((), 30)
