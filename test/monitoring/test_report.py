import numpy as np
import pytest

from edge_ai.monitoring.history import Span
from edge_ai.monitoring.report import report
from edge_ai.monitoring.summary import line
from edge_ai.monitoring.words import spoken

NAN = float("nan")
NAMES = ("cpu", "inference/age_p50", "inference/rate", "gpu")
VALUES = np.array([[0.1, 0.02, 30, NAN], [0.3, 0.04, 20, NAN], [0.2, NAN, 10, NAN]], np.float32)
SPAN = Span(NAMES, VALUES, 2.0)


def test_each_metric_is_summed_up_over_what_could_be_read():
    whole = report(SPAN)
    assert whole.seconds == 2
    assert [row.name for row in whole.rows] == ["cpu", "inference/age_p50", "inference/rate"]  # gpu was never read
    age = whole["inference/age_p50"]
    assert (age.samples, age.mean, age.maximum) == (2, pytest.approx(0.03), pytest.approx(0.04))
    rate = whole["inference/rate"]
    assert (rate.mean, rate.p50, rate.maximum) == (20, 20, 30)
    assert rate.p95 == pytest.approx(np.percentile([30, 20, 10], 95))
    assert rate.p99 == pytest.approx(np.percentile([30, 20, 10], 99))
    with pytest.raises(KeyError):
        whole["gpu"]


@pytest.mark.parametrize(
    ("metrics", "names"),
    [
        (["cpu"], ["cpu"]),
        (["inference/"], ["inference/age_p50", "inference/rate"]),
        (["inference"], []),
        (["nothing/", "cpu"], ["cpu"]),
    ],
)
def test_metrics_are_chosen_by_name_or_by_its_beginning(metrics, names):
    assert [row.name for row in report(SPAN, metrics).rows] == names


def test_people_get_a_table_with_units():
    lines = report(SPAN).text.splitlines()
    assert lines[0] == "the last 2 s"
    assert lines[2].split() == ["cpu", "20", "%", "30", "%", "20", "%", "29", "%", "30", "%", "3"]
    assert "40.0 ms" in lines[3]
    assert "20.0/s" in lines[4]


def test_the_log_gets_one_line():
    span = Span(("fps", "cpu", "temperature"), np.array([[20, 0.5, 60], [10, 0.7, 62]], np.float32), 1.0)
    assert line(report(span), ["fps"], ["lighter model"]) == (
        "fps 15.0/s | cpu 60 % (70 %), temperature 61.0 °C (62.0 °C) | alerts fps | steps lighter model"
    )
    assert line(report(Span((), np.empty((0, 0), np.float32), 0.0))) == "nothing could be measured"


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("memory", 0.5, "50 %"),
        ("inference/memory", 3 * 2**20, "3 MiB"),
        ("cpu/3", 1.0, "100 %"),
        ("inference/cpu", 1.5, "1.5"),
        ("temperature/soc0", 51.25, "51.2 °C"),
        ("power/VDD_IN", 7.126, "7.13 W"),
        ("front/camera/rate", 29.97, "30.0/s"),
        ("inference/infer_p50", 0.0123, "12.3 ms"),
        ("inference/age_p95", 0.0123, "12.3 ms"),
        ("network/eth0/rx", 2048, "2 KiB/s"),
        ("memory_total", 8 * 2**30, "8.0 GiB"),
        ("clock/gpu", 918e6, "918 MHz"),
        ("fan/pwm", 0.3, "30 %"),
        ("engine/nvdec", 524.8e6, "525 MHz"),
        ("throttled", 1.0, "yes"),
        ("monitor/load", 0.00123, "0.0012 cores"),
        ("gpu", NAN, "-"),
    ],
)
def test_values_are_said_with_their_unit(metric, value, words):
    assert spoken(metric, value) == words
