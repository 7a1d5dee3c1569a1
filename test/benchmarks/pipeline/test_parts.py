"""What the parts of the topic make of what they heard."""

import math

import pytest

pytest.importorskip("onnxruntime")

from benchmarks.pipeline import overload, throughput, transport
from benchmarks.topic import MeasurementError

PARTS = (throughput, overload, transport)


def test_the_goals_are_those_of_the_issue():
    bounds = [(key, goal.bound, goal.better) for part in PARTS for key, goal in part.GOALS.items()]
    assert bounds == [
        ("ratio", 0.95, "higher"),
        ("age", 2.5, "lower"),
        ("growth", 1.1, "lower"),
        ("lost", 0, "lower"),
        ("lost_alone", 0, "lower"),
        ("later", 6, "lower"),
    ]


def test_rates_are_compared_within_their_round():
    ratios = throughput.ratio_by_round({"bare": [10.0, 40.0], "node": [9.0, 44.0]}, "bare")
    assert ratios == {"bare": [1, 1], "node": [pytest.approx(0.9), pytest.approx(1.1)]}


@pytest.mark.parametrize(
    "answer",
    [{"durations": [0.5, 0.25]}, {"instants": [1, 1.5, 1.75]}, {"results": [{"at": t} for t in (1, 1.5, 1.75)]}],
)
def test_every_kind_of_side_gives_the_time_from_result_to_result(answer):
    assert throughput._periods(answer) == [0.5, 0.25]


def test_a_node_nobody_listens_to_is_counted_by_its_own_words():
    answer = {"processed": [{"at": 1.0, "count": 10}, {"at": 2.0, "count": 15}, {"at": 3.0, "count": 20}]}
    assert throughput._periods(answer) == [0.2] * 10
    assert throughput._periods({"processed": []}) == throughput._periods({"processed": answer["processed"][:1]}) == []


def test_ages_are_summed_up_against_the_bare_loop_beside_them():
    timings = [{"wait": 0.01, "infer": 0.02}] * 6
    heard = {"ages": [0.04] * 6, "instants": [0, 0.5, 1, 1.5, 2, 2.5], "timings": timings, "others_cores": 0.1}
    side = overload._side(heard, [0.02, 0.02, 0.5])
    assert side["age_p99_over_bare"] == pytest.approx(2)
    assert side["age_growth"] == 1
    assert side["results_per_s"] == 2
    assert side["stages_ms"]["infer"]["p50"] == 20
    nothing = {"ages": [], "instants": [], "timings": [], "others_cores": 0.0}
    assert math.isnan(overload._side(nothing, [0.02])["age_growth"])


def images(*indices):
    return [{"at": 0.0, "age": 0.004, "index": index} for index in indices]


def test_images_that_did_not_arrive_are_counted_by_their_number():
    heard = {"captured": [{"index": index} for index in (0, 1, 2, 3, 3)], "images": images(0, 2, None)}
    heard["others_cores"] = 0.0
    counts = transport._received(heard)
    assert (counts["sent"], counts["reached"], counts["lost"], counts["damaged"]) == (4, 2, 2, 1)
    assert counts["receive_ms"]["p50"] == 4


def test_what_the_inference_node_counted_is_held_against_what_was_sent():
    counts = {"processed": 5, "dropped": 2, "failed": 1, "unreadable images": 0}
    heard = {"captured": [{"index": index} for index in range(10)], "counters": {"inference": counts}}
    accounted = transport.accounted(heard)
    assert (accounted["sent"], accounted["reached"], accounted["lost"]) == (10, 8, 2)


def test_without_the_nodes_counts_nothing_is_claimed():
    with pytest.raises(MeasurementError, match="no counts"):
        transport.accounted({"captured": [{"index": 0}], "counters": {}})
