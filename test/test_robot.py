import threading

from edge_ai.capture.params import CameraParams
from edge_ai.capture.status import CaptureState
from edge_ai.control.controller import ControlState
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import STOP
from edge_ai.robot import Robot
from edge_ai.runtime.params import InferenceParams


class Watcher:
    def __init__(self):
        self.changed = threading.Condition()
        self.commands, self.results, self.states = [], [], []

    def _add(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, 30)


def robot(watcher, **camera):
    return Robot(
        CameraParams.parse(camera),
        InferenceParams(),
        ControlParams(),
        SystemClock(),
        on_command=lambda c: watcher._add(watcher.commands, c),
        on_result=lambda r, f: watcher._add(watcher.results, r),
        on_status=lambda s: watcher._add(watcher.states, s.state),
    )


def test_frames_become_results_become_commands_and_the_last_one_is_zero():
    seen = Watcher()
    one = robot(seen, source="synthetic://320x240@30")
    one.prepare()
    one.start()
    seen.wait(lambda: len(seen.results) >= 3 and seen.commands[-1].state is ControlState.NO_TARGET)
    assert one.counts.processed >= 3
    one.close()
    assert seen.commands[-1].velocity == STOP
    assert seen.commands[-1].state is ControlState.STALE


def test_when_the_camera_ends_the_robot_stops_and_keeps_saying_so(tmp_path):
    import cv2
    import numpy as np

    path = str(tmp_path / "v.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 20, (160, 120))
    for i in range(20):
        writer.write(np.full((120, 160, 3), i * 10, np.uint8))
    writer.release()
    seen = Watcher()
    one = robot(seen, source=path)
    one.prepare()
    one.start()
    seen.wait(lambda: CaptureState.ENDED in seen.states)
    seen.wait(lambda: seen.commands[-1].state is ControlState.STALE)
    count = len(seen.commands)
    seen.wait(lambda: len(seen.commands) > count + 10)
    assert all(c.velocity == STOP for c in seen.commands[count:])
    one.close()
