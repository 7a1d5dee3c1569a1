import pytest

from edge_ai.monitoring.profiling.bottlenecks import bottlenecks


def test_the_worst_comes_first_and_what_is_below_the_threshold_not_at_all():
    found = bottlenecks({"preprocess": 0.002, "infer": 0.018, "postprocess": 0.0}, 0.1)
    assert [str(one) for one in found] == ["infer 90% (18.0 ms)", "preprocess 10% (2.0 ms)"]


def test_shares_may_be_of_something_larger():
    (one,) = bottlenecks({"crunch": 1.5, "rest": 0.1}, 0.1, whole=10)
    assert one.share == pytest.approx(0.15)
    assert str(one) == "crunch 15% (1.50 s)"


@pytest.mark.parametrize("costs", [{}, {"infer": 0.0}])
def test_where_nothing_takes_time_nothing_is_a_bottleneck(costs):
    assert bottlenecks(costs) == []
