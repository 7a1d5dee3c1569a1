"""The demo: real video -> camera node -> inference node -> control node -> cmd_vel, over DDS, recorded from outside.

Writes annotated.mp4, preview.png, summary.json and detections.jsonl to out/demo/. See `make demo` in the README.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from demo_record import summary, table, write_detections
from demo_video import NoVideoError, demo_source
from environment import NodeError
from installer.console import Step
from processes import Stack

if TYPE_CHECKING:
    from demo_pictures import Pictures
    from demo_probe import Probe

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ("annotated.mp4", "preview.png", "summary.json", "detections.jsonl")
DURATION = 20.0  # s of the source; the whole demo stays under 40 s
READY = 90.0  # s until the first result; a large model loads slowly
STANDSTILL = 1.0  # s of zero commands at the control rate that count as a stop
LEAST_RATE = 20.0  # Hz
STOPPED = 5.0  # s allowed for that; the bound is the control node's max_age, which the summary measures
MOVING = 3.0  # s to wait for a moment in which the robot moves


def main() -> int:
    """Run the demo; the exit status."""
    parser = argparse.ArgumentParser(prog="demo.py", description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="", help="video file, folder, URL or device; default a video of its own")
    parser.add_argument("--model", default="", help="model card (YAML); default the one that comes with the package")
    parser.add_argument("--duration", type=float, default=DURATION, help="longest recording in seconds (%(default)g)")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "demo", help="folder for what it writes")
    options = parser.parse_args()
    if not 1.0 <= options.duration <= 3600.0:
        parser.error(f"--duration: got {options.duration:g}; wanted 1 to 3600 seconds")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return Demo(options).run()
    except (NodeError, NoVideoError, OSError) as error:
        print(f"\ndemo stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo interrupted", file=sys.stderr)
        return 130


class Demo:
    """One run.

    Args:
        options: source, model, duration and out of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._source, self._model = _absolute(options.source), _absolute(options.model)
        self._duration, self._out = options.duration, options.out.resolve()

    def run(self) -> int:
        """Start, record, stop, report; the exit status."""
        if not self._source:
            step = Step("video")
            self._source = demo_source(ROOT / "out" / "data", step.tell)
            step.done(os.path.relpath(self._source))
        self._out.mkdir(parents=True, exist_ok=True)
        for name in WRITTEN:  # what an earlier run left must not pass for this one's
            (self._out / name).unlink(missing_ok=True)
        with Stack(self._out / "log") as stack:
            self._start(stack)
            return self._record(stack)

    def _start(self, stack: Stack) -> None:
        stack.start("control_node")
        stack.start("inference_node", params={"model": self._model} if self._model else None)
        stack.start("camera_node", params={"source": self._source})

    def _record(self, stack: Stack) -> int:
        os.environ["ROS_LOG_DIR"] = stack.env["ROS_LOG_DIR"]
        try:  # only now: the nodes start meanwhile
            from demo_pictures import Pictures
            from demo_probe import Probe
        except ImportError as error:
            raise NodeError(f"{error}; run it as `make demo`, or source env.sh first") from None
        pictures = Pictures(self._out / "annotated.mp4", self._out / "preview.png")
        with contextlib.ExitStack() as ending:
            ending.callback(pictures.close)
            probe = Probe(stack.domain, pictures.offer)
            ending.callback(probe.close)
            self._open(stack, probe)
            self._play(stack, probe)
            stopped = self._lose_camera(stack, probe)
        return self._report(probe, pictures, stopped=stopped)

    def _open(self, stack: Stack, probe: Probe) -> None:
        """Bring everything up, the camera by hand and last: no frame goes by before all are connected."""
        step = Step("starting the nodes")
        stack.start("lifecycle_manager_node", params={"node_names": ["control", "inference"]})
        stack.wait(probe.camera_answers, "the camera node", READY)
        _change(stack, probe, probe.CONFIGURE)
        stack.wait(probe.all_connected, "all topics to be connected", READY)
        _change(stack, probe, probe.ACTIVATE)
        stack.wait(lambda: bool(probe.record.results) or probe.camera_gone, "a first result", READY)
        step.done("first result")

    def _play(self, stack: Stack, probe: Probe) -> None:
        step, end = Step("recording"), time.monotonic() + self._duration
        while time.monotonic() < end and not probe.camera_gone:
            stack.check()
            step.tell(probe.progress())
            time.sleep(0.1)
        if probe.camera_state == probe.FAILED or not probe.record.results:
            raise NodeError(f"camera_node: {probe.camera_detail or 'the source ended before a first result'}")
        step.done(probe.progress())

    def _lose_camera(self, stack: Stack, probe: Probe) -> bool:
        """Let the camera go silent, as a pulled plug does; whether the robot stopped and was told so again."""
        step = Step("losing the camera")
        if not probe.camera_gone:
            _until(lambda: probe.moving, MOVING)  # a stop says more when there was something to stop
            _change(stack, probe, probe.DEACTIVATE)
        stopped = _until(lambda: probe.record.stands_still(STANDSTILL, LEAST_RATE), STOPPED)
        stack.check()
        step.done("the robot stands still" if stopped else "the robot was NOT stopped")
        return stopped

    def _report(self, probe: Probe, pictures: Pictures, *, stopped: bool) -> int:
        extra = {
            "video": {"fps": round(pictures.fps, 2), "codec": pictures.codec, "frames": pictures.written},
            "model": probe.model,
            "moving_before_stop": probe.record.was_moving(),
        }
        numbers = summary(probe.record, stopped=stopped, extra=extra)
        write_detections(probe.record, self._out / "detections.jsonl")
        (self._out / "summary.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
        print(f"\n{table(numbers)}\n")
        for name, what in (("preview.png", "picture"), ("annotated.mp4", "video"), ("summary.json", "numbers")):
            print(f"  {what:<12}{min(os.path.relpath(self._out / name), str(self._out / name), key=len)}")
        return 0 if stopped else 1


def _change(stack: Stack, probe: Probe, transition: int) -> None:
    answer = probe.ask_camera(transition)
    stack.wait(answer.done, "an answer of the camera node", READY)
    if not answer.result().success:
        stack.check()
        raise NodeError("camera_node: refused a lifecycle transition; its log says why")


def _until(condition: Callable[[], bool], timeout: float) -> bool:
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _absolute(name: str) -> str:
    """A file's full path, since the nodes run elsewhere; anything else unchanged."""
    return str(Path(name).resolve()) if name and Path(name).exists() else name


if __name__ == "__main__":
    sys.exit(main())
