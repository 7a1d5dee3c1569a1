from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.performance import PerformanceLog


def test_one_line_sums_up_the_period_and_begins_a_new_one():
    clock = ManualClock()
    log = PerformanceLog(clock)
    for _ in range(20):
        log.add({"wait": 0.5, "preprocess": 0.002, "infer": 0.018}, age=0.03)
    clock.advance(2)
    line = log.line(dropped=7, failed=1)
    assert line.startswith("10.0 results/s | processing p50 20.0 ms p99 20.0 ms | age p50 30.0 ms p99 30.0 ms")
    assert "dropped 7, failed 1" in line
    assert "cpu " in line
    assert "memory " in line
    clock.advance(2)
    assert log.line(dropped=7, failed=1).startswith("0.0 results/s | dropped 0, failed 0")
