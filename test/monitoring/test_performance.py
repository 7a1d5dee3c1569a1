import os

import psutil
import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.performance import NodeStats, PerformanceLog
from edge_ai.monitoring.profiling.spans import SpanRecorder


def test_one_line_sums_up_the_period_and_begins_a_new_one():
    clock = ManualClock()
    log = PerformanceLog(clock)
    for _ in range(20):
        log.add({"wait": 0.5, "preprocess": 0.002, "infer": 0.018}, age=0.03)
    clock.advance(2)
    line = log.line(dropped=7, failed=1)
    assert line.startswith("10.0 results/s | processing p50 20.0 ms p99 20.0 ms | age p50 30.0 ms p99 30.0 ms")
    assert "mostly infer 90% (18.0 ms)" in line
    assert "dropped 7, failed 1" in line
    assert "cpu " in line
    assert "memory " in line
    clock.advance(2)
    assert log.line(dropped=7, failed=1).startswith("0.0 results/s | dropped 0, failed 0")


def test_no_stage_is_named_where_none_takes_most():
    clock = ManualClock()
    log = PerformanceLog(clock)
    log.add({"preprocess": 0.01, "infer": 0.01, "postprocess": 0.01}, age=0.03)
    clock.advance(1)
    assert "mostly" not in log.line(dropped=0)


def test_readings_are_those_of_the_vocabulary_since_the_last_call():
    clock = ManualClock()
    stats = NodeStats(clock, rates=("rate", "dropped", "failed"))
    for number in range(10):
        stats.add({"wait": 0.001, "preprocess": 0.002, "infer": 0.01 + number * 0.001}, age=0.02)
    stats.count("failed")
    stats.gauge("queue", 2)
    clock.advance(2)
    told = stats.readings()
    assert told["rate"] == 5
    assert told["failed"] == 0.5
    assert told["dropped"] == 0
    assert told["queue"] == 2
    assert told["age_p50"] == told["age_p95"] == told["age_p99"] == pytest.approx(0.02)
    assert told["wait_p50"] == told["wait_p99"] == pytest.approx(0.001)
    assert told["infer_p50"] == pytest.approx(0.0145)
    assert told["processing_p50"] == pytest.approx(0.0165)
    assert told["processing_p95"] == pytest.approx(0.02055)
    assert told["processing_p99"] == pytest.approx(0.02091)
    assert {name for name in told if name.endswith("_p95")} == {"age_p95", "processing_p95"}
    assert told["memory"] == pytest.approx(psutil.Process(os.getpid()).memory_info().rss, rel=0.2)
    assert told["cpu"] >= 0


def test_without_results_rates_are_zero_and_times_are_absent_but_gauges_stay():
    clock = ManualClock()
    stats = NodeStats(clock, rates=("rate", "dropped"))
    stats.gauge("batch", 4)
    stats.add({"infer": 0.01}, age=0.02)
    clock.advance(1)
    stats.readings()
    clock.advance(1)
    assert set(stats.readings()) == {"rate", "dropped", "batch", "memory", "cpu"}
    clock.advance(1)
    assert stats.readings()["rate"] == 0


def test_a_count_kept_elsewhere_is_told_as_a_rate_and_may_begin_anew():
    clock = ManualClock()
    stats = NodeStats(clock, rates=())
    for total, rate in ((10, 10), (16, 6), (16, 0), (4, 4)):
        stats.total("dropped", total)
        clock.advance(1)
        assert stats.readings()["dropped"] == rate


def test_a_node_without_results_may_count_what_it_does():
    clock = ManualClock()
    stats = NodeStats(clock, rates=("commands", "refused"))
    for _ in range(30):
        stats.count("commands")
    clock.advance(1.5)
    told = stats.readings()
    assert (told["commands"], told["refused"]) == (20, 0)
    assert "rate" not in told


def test_results_go_into_a_trace_while_one_is_recorded():
    clock = ManualClock()
    stats = NodeStats(clock)
    recorder = SpanRecorder()
    with recorder.running():
        stats.add({"wait": 0.001, "infer": 0.01}, age=0.02)
    stats.add({"wait": 0.001, "infer": 0.01}, age=0.02)
    (journey,) = recorder.journeys
    assert journey.begun_ns == clock.steady_ns() - 20_000_000
    assert dict(journey.stages) == {"wait": 0.001, "infer": 0.01}
