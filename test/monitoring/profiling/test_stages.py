import threading

import numpy as np
import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.profiling.stages import KEPT, Spread, StageTimes


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_percentiles_are_those_of_numpy(count):
    values = np.random.default_rng(count).exponential(size=count).tolist()
    spread = Spread.of(values)
    assert [spread.p50, spread.p95, spread.p99] == pytest.approx(np.percentile(values, [50, 95, 99]).tolist())
    assert spread.mean == pytest.approx(np.mean(values))


def test_stages_keep_their_order_and_waiting_is_no_processing():
    clock = ManualClock()
    times = StageTimes(clock)
    times.add({"wait": 0.4, "preprocess": 0.01, "infer": 0.03}, age=0.5)
    clock.advance(0.5)
    stages = times.take()
    assert list(stages.stages) == ["wait", "preprocess", "infer"]
    assert stages.processing.p50 == pytest.approx(0.04)
    assert stages.costs == {"preprocess": 0.01, "infer": 0.03}
    assert (stages.period, stages.results, stages.rate) == (0.5, 1, 2)


def test_a_period_without_results_has_no_times():
    clock = ManualClock()
    times = StageTimes(clock)
    times.add({"infer": 0.01}, age=0.02)
    times.take()
    clock.advance(1)
    stages = times.take()
    assert (stages.results, stages.age, stages.processing, stages.stages) == (0, None, None, {})


def test_memory_is_bounded_and_every_result_counted():
    times = StageTimes(ManualClock())
    for number in range(KEPT + 100):
        times.add({"infer": float(number)}, age=0.1)
    stages = times.take()
    assert stages.results == KEPT + 100
    assert stages.stages["infer"].p50 == pytest.approx(100 + (KEPT - 1) / 2)


def test_threads_may_add_at_once():
    times = StageTimes(ManualClock())

    def add():
        for _ in range(500):
            times.add({"infer": 0.01}, age=0.02)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    taken = 0
    while any(thread.is_alive() for thread in threads):
        taken += times.take().results
    assert taken + times.take().results == 4000
