import threading

from edge_ai.control.controller import Controller, ControlState
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Detections, FrameHeader, Result
from edge_ai.runtime.control_loop import ControlLoop


class Sink:
    def __init__(self):
        self.commands = []
        self.changed = threading.Condition()
        self.failing = False

    def send(self, command):
        with self.changed:
            self.commands.append(command)
            self.changed.notify_all()
        if self.failing:
            raise OSError("no such wheel")

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, 20)


def empty_result(clock):
    header = FrameHeader(clock.stamp_ns(), clock.steady_ns(), "eye", 0, 640, 480)
    return Result(header, Detections(), "m", "1")


def test_commands_go_out_without_any_result_and_on_each_one():
    clock, sink = SystemClock(), Sink()
    loop = ControlLoop(Controller(ControlParams(), clock), sink.send, rate=20.0)
    loop.start()
    sink.wait(lambda: len(sink.commands) >= 3)
    assert {c.state for c in sink.commands} == {ControlState.STALE}
    loop.offer(empty_result(clock))
    sink.wait(lambda: sink.commands[-1].state is ControlState.NO_TARGET)
    sink.wait(lambda: sink.commands[-1].state is ControlState.STALE)
    loop.stop()
    sent = len(sink.commands)
    loop.wake()
    assert len(sink.commands) == sent


def test_a_failing_receiver_does_not_end_the_loop():
    sink = Sink()
    sink.failing = True
    loop = ControlLoop(Controller(ControlParams(), SystemClock()), sink.send, rate=100.0)
    loop.start()
    sink.wait(lambda: len(sink.commands) >= 3)
    loop.stop()
