import contextlib
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from edge_ai.core.clock import ManualClock, SystemClock
from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.monitoring.actions import CallService, SetParameter
from edge_ai.monitoring.monitor import Monitor
from edge_ai.monitoring.params import MonitorParams
from edge_ai.monitoring.probes.registry import find
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.sampler import Sampler
from edge_ai.monitoring.steps import StepState

LADDER = """
alerts:
  - {name: boiling, metric: temperature, above: 95, clear: 90, after: 1, clear_after: 1, level: error}
steps:
  - {name: lighter, when: [fps], do: [{set: {inference.variant: "1"}}], dwell: 4, recover: 6}
  - {name: slower, when: [temperature], do: [{set: {camera.max_rate: 10}}], dwell: 4, recover: 6}
  - {name: stop, when: [boiling], do: [{stop: robot}]}
"""


class Machine:
    """A sampler and an actuator in one, on a clock that moves when told to."""

    def __init__(self):
        self.clock = ManualClock()
        self.readings, self.faults = {"temperature": 50.0}, {}
        self.values, self.called, self.running = {}, [], False

    def start(self):
        assert not self.running
        self.running = True

    def stop(self):
        self.running = False

    def collect(self):
        return Sample(self.clock.stamp_ns(), self.clock.steady_ns(), self.readings, {"board": "PC"}, self.faults)

    def perform(self, action, done):
        if isinstance(action, CallService):
            self.called.append(f"{action.node}/{action.service}")
            done(CallService(action.node, action.undo, action.service) if action.undo else None)
            return
        name = f"{action.node}.{action.name}"
        before, self.values[name] = self.values.get(name), action.value
        done(SetParameter(action.node, action.name, before))


class Watched:
    """A monitor of a machine, its events kept."""

    def __init__(self, machine, path, **params):
        self.machine = machine
        self.samples, self.alerts, self.states = [], [], []
        params = {"target_fps": 20.0, "mitigation": str(path), **params}
        self.monitor = Monitor(
            MonitorParams(**params),
            machine.clock,
            sampler=machine,
            actuator=machine,
            on_sample=self.samples.append,
            on_alert=self.alerts.append,
            on_mitigation=self.states.append,
        )

    def beat(self, seconds=1, fps=20.0):
        for _ in range(seconds):
            self.monitor.tell("inference", {"rate": fps, "processing_p50": 0.04})
            self.monitor.beat()
            self.machine.clock.advance(1)
        return self.samples[-1]

    def update(self, **params):
        self.monitor.update(MonitorParams(**{"target_fps": 20.0, **params}))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ladder.yaml"
    path.write_text(LADDER)
    return path


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def watched(machine, path):
    return Watched(machine, path)


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_a_sample_has_the_machine_the_nodes_and_the_robot_as_a_whole(watched):
    sample = watched.beat()
    assert sample.texts == {"board": "PC"}
    assert sample.readings == {
        "temperature": 50,
        "inference/rate": 20,
        "inference/processing_p50": 0.04,
        "monitor/late": 0,
        "fps": 20,
        "fps_share": 1,
        "processing": 0.04,
    }


def test_a_robot_that_is_still_starting_misses_no_target(watched, machine):
    watched.beat(20, fps=0.0)
    watched.beat(5, fps=20.0)
    assert not watched.alerts
    watched.beat(3, fps=0.0)
    assert [alert.name for alert in watched.alerts] == ["fps"]
    watched.monitor.forget("inference")  # it is deactivated, and starts again
    for _ in range(20):
        watched.monitor.beat()
        machine.clock.advance(1)
    watched.beat(10, fps=0.0)
    assert [alert.active for alert in watched.alerts] == [True, False]


def test_a_node_that_falls_silent_is_a_fault_like_a_source_that_does(watched, machine):
    machine.faults = {"NVML": "no such library"}
    watched.beat(3)
    machine.clock.advance(5)
    sample = watched.monitor.beat()
    assert sample.faults == {"NVML": "no such library", "inference": "has said nothing for 6 s"}
    assert "fps" not in sample.readings
    watched.monitor.forget("inference")
    assert set(watched.monitor.beat().faults) == {"NVML"}


def test_alert_ladder_and_report_work_together(watched, machine, caplog):
    caplog.set_level(logging.INFO)
    watched.beat(5)
    watched.beat(3, fps=12.0)
    (raised,) = watched.alerts
    assert (raised.name, raised.active, raised.value) == ("fps", True, 0.6)
    assert raised.mitigation == "lighter"  # taken in the same beat
    assert machine.values == {"inference.variant": "1"}
    assert watched.states[-1].level == 1
    assert watched.monitor.alerts == (raised,)
    watched.beat(5, fps=20.0)
    assert [alert.active for alert in watched.alerts] == [True, False]
    assert watched.monitor.alerts == ()
    assert watched.monitor.mitigation.steps[0].state == StepState.TAKEN
    report = watched.monitor.report()
    assert (report["fps"].samples, report["fps"].maximum) == (13, 20)
    assert report["fps"].mean == pytest.approx((10 * 20 + 3 * 12) / 13)
    assert watched.monitor.report(2, ["fps"])["fps"].samples == 3
    assert "alert fps: fps_share 60 % is below 80 % of the target: 12.0 results/s" in caplog.text
    assert "steps lighter" in caplog.text  # the line every ten seconds


def test_frames_that_the_ladder_holds_back_are_not_missed(watched, machine):
    machine.readings = {"temperature": 90.0}
    watched.beat(4)
    assert machine.values == {"camera.max_rate": 10}
    sample = watched.beat(20, fps=10.0)
    assert sample.readings["fps_share"] == 1
    assert [alert.name for alert in watched.alerts] == ["temperature"]


def test_frames_held_back_at_each_of_several_cameras_leave_as_many_results_to_miss(machine, path):
    watched = Watched(machine, path, target_fps=40.0, vetoed=["lighter"])
    machine.readings = {"temperature": 90.0}
    for _ in range(10):
        watched.monitor.tell("front/camera", {"rate": 10.0})
        watched.monitor.tell("back/camera", {"rate": 10.0})
        watched.beat(fps=10.0)  # 10 of the 20 frames that the ladder leaves
    assert machine.values == {"camera.max_rate": 10}
    assert watched.samples[-1].readings["fps_share"] == 0.5


def test_an_emergency_stop_survives_the_monitor(watched, machine):
    machine.readings = {"temperature": 97.0}
    watched.beat(8)
    assert machine.called == ["control/emergency_stop"]
    watched.monitor.stop()
    assert machine.called == ["control/emergency_stop"]
    assert machine.values == {"camera.max_rate": None}


def test_an_emergency_stop_waits_for_no_other_step(machine):
    watched = Watched(machine, "")  # the ladder that is shipped
    watched.beat(5)
    machine.readings = {"temperature": 90.0}
    for _ in range(10):
        watched.monitor.tell("camera", {"rate": 30.0})
        watched.beat()
    assert list(machine.values) == ["camera.max_rate"]  # the first step against heat, whose dwell time is 30 s
    machine.readings = {"temperature": 97.0}
    watched.beat(7)
    assert machine.called == ["control/emergency_stop"]
    watched.beat(60)
    assert machine.called == ["control/emergency_stop"]


def test_live_parameters_hold_at_once(watched, machine, path):
    watched.beat(5, fps=18.0)
    assert not watched.alerts
    watched.update(mitigation=str(path), alert_fps=0.05)
    watched.beat(3, fps=18.0)
    assert [alert.name for alert in watched.alerts] == ["fps"]
    watched.update(mitigation=str(path), alert_fps=0.05, vetoed=["lighter"])
    watched.beat(1, fps=18.0)
    assert machine.values == {"inference.variant": None}
    watched.update(mitigation=str(path), target_fps=10.0)
    watched.beat(3, fps=18.0)
    assert not watched.monitor.alerts


@pytest.mark.parametrize("parameter", ["pinned", "vetoed"])
def test_a_step_that_there_is_not_is_refused(watched, machine, path, parameter):
    with pytest.raises(ParameterError, match=r"'lihgter'.*lighter, slower, stop"):
        watched.update(**{parameter: ["lihgter"]})
    with pytest.raises(ParameterError, match="it has none"):
        Watched(machine, "none", **{parameter: ["lighter"]})


def test_a_wrong_file_is_refused_before_anything_begins(machine, path):
    path.write_text("steps: 1")
    with pytest.raises(EdgeAIError, match=str(path)):
        Watched(machine, path)


def test_without_an_actuator_there_are_alerts_and_no_ladder(machine, path):
    alerts, states = [], []
    monitor = Monitor(
        MonitorParams(mitigation=str(path)),
        machine.clock,
        sampler=machine,
        on_alert=alerts.append,
        on_mitigation=states.append,
    )
    machine.readings = {"temperature": 99.0}
    for _ in range(5):
        monitor.beat()
        machine.clock.advance(1)
    assert {alert.name for alert in alerts} == {"temperature", "boiling"}
    assert not states
    assert monitor.mitigation.level == 0


def test_a_sampler_that_fails_and_callbacks_that_raise_end_nothing(watched, machine, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("broken")

    watched.beat()
    monkeypatch.setattr(machine, "collect", fail)
    watched.monitor._on_alert = fail
    watched.beat(4, fps=10.0)
    assert watched.samples[-1].faults == {"sampler": "RuntimeError: broken"}
    assert watched.samples[-1].readings["fps"] == 10
    assert machine.values == {"inference.variant": "1"}
    assert "whoever is told of Alert failed" in caplog.text


def test_a_ladder_that_fails_keeps_no_alert_from_being_told(watched, machine, monkeypatch, caplog):
    watched.beat()
    monkeypatch.setattr("edge_ai.monitoring.mitigation.Mitigation.beat", lambda *_: 1 / 0)
    machine.readings = {"temperature": 90.0}
    watched.beat(4)
    assert [alert.name for alert in watched.alerts] == ["temperature"]
    assert len(watched.samples) == 5
    assert "the ladder failed" in caplog.text


def test_its_thread_outlives_everything_and_starts_and_stops_cleanly(machine, path):
    beats = threading.Semaphore(0)

    def fail(_):
        beats.release()
        raise RuntimeError("broken")

    machine.clock = SystemClock()
    monitor = Monitor(MonitorParams(period=0.1), machine.clock, sampler=machine, actuator=machine, on_sample=fail)
    for _ in range(2):
        monitor.start()
        monitor.start()
        assert machine.running
        assert all(beats.acquire(timeout=20) for _ in range(3))
        monitor.stop()
        monitor.stop()
        assert not machine.running
    assert not [thread for thread in threading.enumerate() if thread.name == "monitor"]


def test_nodes_may_tell_and_people_ask_while_it_runs(machine, path):
    machine.clock = SystemClock()
    monitor = Monitor(
        MonitorParams(period=0.1, history=60.0), machine.clock, sampler=machine, actuator=machine, name=""
    )
    monitor.start()
    end, failures = threading.Event(), []

    def work(number):
        try:
            while not end.is_set():
                monitor.tell(f"node{number}", {"rate": 1.0})
                monitor.report()
                _ = monitor.alerts, monitor.mitigation
                monitor.update(MonitorParams(period=0.1, history=60.0, alert_cpu=0.5 + number / 10))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: {f"node{number}/rate" for number in range(3)} <= {row.name for row in monitor.report().rows})
    finally:
        end.set()
        for thread in threads:
            thread.join()
        monitor.stop()
    assert not failures


def test_a_process_that_eats_the_processor_is_noticed():
    params = MonitorParams(period=0.1, alert_cpu=0.7, alert_after=0.3, mitigation="none")
    clock, alerts = SystemClock(), []
    monitor = Monitor(params, clock, sampler=Sampler(find().probes, clock, period=0.1), on_alert=alerts.append)
    with contextlib.ExitStack() as stack:
        stack.callback(monitor.stop)
        for _ in range(os.cpu_count()):
            eater = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(eater.kill)
        monitor.start()
        until(lambda: any(alert.name == "cpu" and alert.active for alert in alerts), 40)
        assert "cpu" in monitor.report().text
