import pytest

from edge_ai.platforms.speeds import figures, models, sources


def test_figures_are_whole_and_from_somewhere():
    known = [*figures("calibrate"), *figures("check")]
    assert len(known) == 91
    assert {f.source for f in known} == {*sources()}
    for one in known:
        assert 1e-4 < one.seconds < 1
        assert one.mode.known
        assert one.board.tera_operations(one.mode, one.precision) is not None


@pytest.mark.parametrize(
    ("name", "gflops", "millions"),
    [("yolov8n", 8.7, 3.2), ("yolov8m", 78.9, 25.9), ("yolo11n", 6.5, 2.6), ("yolo11x", 194.9, 56.9)],
)
def test_counts_agree_with_what_the_authors_publish(name, gflops, millions):
    one = models()[name]
    assert one.gflops == pytest.approx(gflops, rel=0.01)
    assert one.weights * 1e-6 == pytest.approx(millions, rel=0.02)


def test_a_figure_is_of_the_model_at_the_size_that_was_measured():
    small = next(f for f in figures("calibrate") if f.workload.name == "yolov8n" and f.workload.size == (320, 320))
    assert small.workload.gflops == pytest.approx(models()["yolov8n"].gflops / 4)


def test_checks_are_not_calibrated_on():
    models_seen = {f.workload.name for f in figures("calibrate")}
    boards_seen = {f.board.key for f in figures("calibrate")}
    for one in figures("check"):
        assert one.workload.name not in models_seen or one.board.key not in boards_seen
