import sys
import threading

import pytest

from edge_ai.control.command import ControlState
from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import ParameterError
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.triggers import Triggers, watch_crashes

from .conftest import read


class Reasons:
    """A recorder that only notes what it is asked for."""

    def __init__(self):
        self.reasons = []

    def trigger(self, reason):
        self.reasons.append(reason)
        return reason


def alert(level=Level.WARN, active=True):
    return Alert("cpu", level, "too much", 0, active)


def test_alerts_begin_a_recording_as_the_parameters_say():
    recorder = Reasons()
    triggers = Triggers(recorder, RecorderParams())
    triggers.alert(alert())
    triggers.alert(alert(active=False))
    assert recorder.reasons == ["alert cpu: too much"]
    triggers.update(RecorderParams(triggers=["error"], alert_pause=0.0))
    triggers.alert(alert())
    triggers.alert(alert(Level.ERROR))
    assert len(recorder.reasons) == 2
    triggers.update(RecorderParams(triggers=[""]))
    triggers.alert(alert(Level.ERROR))
    triggers.crash("x")
    triggers.control(ControlState.EMERGENCY_STOP)
    assert len(recorder.reasons) == 2
    triggers.request()
    assert recorder.reasons[-1] == "request"


def test_an_alert_that_comes_and_goes_makes_a_recording_now_and_then():
    recorder, clock = Reasons(), ManualClock()
    triggers = Triggers(recorder, RecorderParams(alert_pause=60.0), clock)
    for _ in range(3):
        triggers.alert(alert())
        triggers.alert(alert(active=False))
        clock.advance(10)
    assert len(recorder.reasons) == 1
    triggers.alert(Alert("fps", Level.WARN, "too few", 0))
    assert len(recorder.reasons) == 2, "another one is another matter"
    clock.advance(60)
    triggers.alert(alert())
    assert len(recorder.reasons) == 3


def test_the_emergency_stop_counts_once():
    recorder = Reasons()
    triggers = Triggers(recorder, RecorderParams())
    for state in (ControlState.FOLLOWING, ControlState.EMERGENCY_STOP, ControlState.EMERGENCY_STOP):
        triggers.control(state)
    assert recorder.reasons == ["emergency stop"]
    triggers.control(ControlState.NO_TARGET)
    triggers.control(ControlState.EMERGENCY_STOP)
    assert len(recorder.reasons) == 2


def test_an_unknown_trigger_is_refused():
    with pytest.raises(ParameterError, match="earthquake"):
        RecorderParams.parse({"triggers": ["earthquake"]})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_crash_is_written(bench, capsys):
    one = bench()
    one.feed(1.0)
    undo = watch_crashes(Triggers(one.recorder, one.params), one.recorder.close)
    try:
        thread = threading.Thread(target=lambda: 1 / 0, name="worker")
        thread.start()
        thread.join()
        one.until(lambda status: status.recording)
        try:
            raise RuntimeError("the end")
        except RuntimeError as error:
            sys.excepthook(RuntimeError, error, error.__traceback__)
    finally:
        undo()
    (path,) = one.params.place().iterdir()
    content = read(path)
    assert content.numbers() == list(range(1, 11))
    triggers = content.metadata["edge_ai_flight_end"]["triggers"]
    assert "crash: thread worker: ZeroDivisionError" in triggers
    assert "crash: RuntimeError: the end" in triggers
