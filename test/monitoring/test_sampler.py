import logging
import math
import subprocess
import sys
import threading
import time

import psutil
import pytest

from edge_ai.core.clock import ManualClock, SystemClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes.jetson import JetsonProbe
from edge_ai.monitoring.probes.registry import find
from edge_ai.monitoring.probes.sysfs import SysfsProbe
from edge_ai.monitoring.sampler import Sampler


class Given:
    """A source that says what it is told to; ``do`` runs in each look."""

    def __init__(self, name="given", do=lambda: None, texts=None, opens=lambda: None, **readings):
        self.name, self.do, self.readings, self.said, self.opens = name, do, readings, texts or {}, opens
        self.log = []

    @classmethod
    def unfit(cls, root):
        return ""

    def open(self):
        self.log.append("open")
        self.opens()

    def read(self):
        self.log.append("read")
        self.do()
        return self.readings

    def texts(self):
        return self.said

    def close(self):
        self.log.append("close")


@pytest.fixture
def make():
    """Samplers that are stopped in the end, on a clock that stands; they wait for every source, however busy we are."""
    made = []

    def make(*probes, clock=None, **options):
        made.append(Sampler(probes, clock or ManualClock(), **{"wait": 20.0, **options}))
        return made[-1]

    yield make
    for sampler in made:
        sampler.stop(0.1)


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def fails():
    raise EdgeAIError("given", got="a wall", mend="a door")


def test_the_first_source_that_has_a_name_wins(make):
    sampler = make(Given("a", x=1.0, y=math.nan), Given("b", x=2.0, y=3.0, texts={"board": "B"}), Given("c", y=4.0))
    sample = sampler.collect()
    assert sample.readings == {"x": 1, "y": 3}
    assert sample.texts == {"board": "B"}
    assert sample.faults == {}
    assert sampler.by_source()["c"] == {"y": 4}


def test_the_hottest_and_the_held_down_are_of_all_sources(make):
    first = Given("a", throttled=0.0, **{"temperature/gpu": 50.0})
    sample = make(first, Given("b", throttled=1.0, **{"temperature/cpu": 91.0})).collect()
    assert sample.readings["temperature"] == 91
    assert sample.readings["throttled"] == 1


def test_the_sample_says_when(make):
    clock = ManualClock(stamp_ns=7, steady_ns=8)
    sample = make(Given(x=1.0), clock=clock).collect()
    assert (sample.stamp_ns, sample.steady_ns) == (7, 8)


@pytest.mark.parametrize("error", [RuntimeError("broken"), SystemExit(3), MemoryError(), KeyError("gpu")])
def test_a_source_that_raises_is_left_out_and_the_others_go_on(make, error):
    def broken():
        raise error

    sample = make(Given("bad", broken, x=1.0), Given("good", y=2.0)).collect()
    assert sample.readings == {"y": 2}
    assert type(error).__name__ in sample.faults["bad"]


@pytest.mark.parametrize("nonsense", [None, "hot", [1.0]])
def test_a_source_that_says_what_is_no_number_is_left_out_and_the_others_go_on(make, nonsense):
    sample = make(Given("bad", x=nonsense), Given("good", y=2)).collect()
    assert sample.readings == {"y": 2.0}
    assert "bad" in sample.faults


def test_a_fault_does_not_repeat_the_name_of_its_source(make):
    assert make(Given(do=fails)).collect().faults == {"given": "got a wall. To mend: a door"}


def test_a_source_that_failed_is_closed_and_tried_again_after_pauses_that_grow(make):
    clock, probe = ManualClock(), Given(do=fails, x=1.0)
    sampler = make(probe, clock=clock)
    tries = []
    for second in range(130):
        before = len(probe.log)
        assert sampler.collect().faults
        if len(probe.log) > before:
            tries.append(second)
            assert probe.log[before:] == ["open", "read", "close"]
        clock.advance(1.0)
    assert tries == [0, 1, 3, 7, 15, 31, 63, 123]
    probe.do = lambda: None
    clock.advance(60)
    assert sampler.collect().readings["x"] == 1
    assert sampler.collect().faults == {}


def test_a_source_that_comes_back_fails_anew_with_a_short_pause(make):
    clock, probe = ManualClock(), Given(do=fails, x=1.0)
    sampler = make(probe, clock=clock)
    for _ in range(10):
        sampler.collect()
        clock.advance(60)
    probe.do = lambda: None
    assert not sampler.collect().faults
    probe.do = fails
    assert sampler.collect().faults
    probe.do = lambda: None
    clock.advance(1.1)
    assert not sampler.collect().faults


def test_a_source_that_hangs_is_named_and_nobody_waits_for_it(make):
    clock, door = ManualClock(), threading.Event()
    probe = Given("stuck", door.wait, x=1.0)
    sampler = make(probe, Given("good", y=2.0), clock=clock, patience=3, wait=0.05)
    until(lambda: sampler.collect().readings == {"y": 2})
    clock.advance(2)
    assert sampler.collect().faults == {}
    clock.advance(2)
    assert sampler.collect().faults == {"stuck": "no answer for 4 s"}
    until(lambda: sampler.collect().readings.get("y") == 2)
    assert probe.log.count("read") == 1, "it is not asked again while it hangs"
    door.set()
    until(lambda: not sampler.collect().faults)
    until(lambda: sampler.collect().readings.get("x") == 1)


def test_an_answer_that_comes_too_late_is_thrown_away(make):
    clock, door = ManualClock(), threading.Event()
    sampler = make(Given("stuck", door.wait, x=1.0), clock=clock, patience=3, wait=0.05)
    sampler.collect()
    clock.advance(10)
    door.set()
    until(lambda: not sampler._sources[0].fault)
    assert sampler.by_source() == {"stuck": {}}


def test_collecting_takes_little_though_a_source_hangs(make):
    door = threading.Event()
    sampler = make(Given("stuck", door.wait), Given("good", y=2.0), clock=SystemClock(), wait=0.05)
    began = time.monotonic()
    for _ in range(5):
        sampler.collect()
    assert time.monotonic() - began < 5, "50 ms each on a machine with nothing else to do"
    door.set()


def test_a_reading_is_forgotten_after_three_periods(make):
    clock, probe = ManualClock(), Given(x=1.0)
    sampler = make(probe, clock=clock, period=2.0)
    assert sampler.collect().readings["x"] == 1
    probe.do = fails
    clock.advance(5.9)
    assert sampler.collect().readings["x"] == 1
    clock.advance(0.2)
    assert "x" not in sampler.collect().readings


def test_a_step_of_the_wall_clock_changes_nothing(make):
    clock, probe = ManualClock(), Given(x=1.0)
    sampler = make(probe, clock=clock)
    sampler.collect()
    probe.do = fails
    for step in (-86_400, 2 * 86_400):
        clock.step_stamps(step)
        assert sampler.collect().readings["x"] == 1
    clock.advance(1.5)
    probe.do = lambda: None
    assert sampler.collect().faults == {}


def test_a_source_is_said_to_be_left_out_once_and_to_be_back_once(make, caplog):
    clock, probe = ManualClock(), Given(do=fails)
    sampler = make(probe, clock=clock)
    with caplog.at_level(logging.INFO, "edge_ai"):
        for _ in range(5):
            sampler.collect()
            clock.advance(10)
        probe.do = lambda: None
        for _ in range(3):
            clock.advance(100)
            sampler.collect()
    assert [record.message for record in caplog.records] == [
        "source of metrics left out: given: got a wall. To mend: a door",
        "source of metrics is back: given",
    ]


def test_stopping_closes_the_sources_and_starting_opens_them_again(make):
    probe = Given(x=1.0)
    sampler = make(probe)
    sampler.collect()
    sampler.stop()
    assert probe.log == ["open", "read", "close"]
    sampler.stop()
    assert sampler.collect().readings["x"] == 1
    assert probe.log[-2:] == ["open", "read"]


def test_stopping_does_not_wait_for_a_source_that_hangs(make):
    door = threading.Event()
    sampler = make(Given("stuck", door.wait), wait=0.05)
    sampler.collect()
    began = time.monotonic()
    sampler.stop(0.05)
    assert time.monotonic() - began < 5
    door.set()


def test_what_watching_takes_is_known(make):
    def work():
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass

    sampler = make(Given(do=work), clock=SystemClock())
    assert "monitor/load" not in sampler.collect().readings
    began = time.monotonic()
    time.sleep(0.1)
    load = sampler.collect().readings["monitor/load"]
    until(lambda: not sampler._sources[0].expected)
    assert 0 < load <= 0.05 / (time.monotonic() - began) + 0.9


def test_a_service_that_dies_leaves_its_figures_to_the_files(make, jetson_stats, orin_nano):
    """As jetson-stats' does above 90 % load. The same names, from the kernel, in the same look."""
    clock = ManualClock()
    sampler = make(JetsonProbe(orin_nano), SysfsProbe(orin_nano), clock=clock)
    until(lambda: sampler.by_source()["jetson-stats"] or not sampler.collect())
    before = sampler.collect()
    assert before.readings["fan/pwmfan"] == 0.3, "of the service"
    jetson_stats.fault = "lost"
    until(lambda: "jetson-stats" in sampler.collect().faults)
    clock.advance(4)
    after = sampler.collect()
    assert after.readings["fan/pwmfan"] == pytest.approx(0.2), "of the kernel"
    missing = before.readings.keys() - after.readings.keys() - {"monitor/load"}
    assert missing == {"engine/nvdec", "engine/vic"}, "those only the service can read"
    assert after.texts == before.texts | {"power_mode": "15W"}
    jetson_stats.fault = ""
    clock.advance(60)
    until(lambda: not sampler.collect().faults)
    until(lambda: sampler.collect().readings["fan/pwmfan"] == 0.3)


def test_a_service_that_hangs_from_the_start(make, jetson_stats, orin_nano):
    jetson_stats.fault = "hangs"
    clock = ManualClock()
    sampler = make(*find(orin_nano).probes, clock=clock, wait=0.05)
    until(lambda: "gpu" in sampler.collect().readings)
    clock.advance(4)
    assert sampler.collect().faults == {"jetson-stats": "no answer for 4 s"}


def test_this_machine_with_every_core_busy():
    """Watching goes on while other processes take all that there is."""
    sampler = Sampler(find().probes, SystemClock(), period=0.2)
    eaters = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * psutil.cpu_count())]
    try:
        until(lambda: sampler.collect().readings.get("cpu", 0) > 0.9, 60)
    finally:
        for eater in eaters:
            eater.kill()
            eater.wait()
        sampler.stop()
