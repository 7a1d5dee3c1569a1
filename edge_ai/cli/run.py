"""edge-ai run: the whole robot in one process without ROS; commands go to the screen and to a file."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_ai.control.command import Command
    from edge_ai.core.types import Frame, Result


class RunCommand:
    """Camera, model and control on this machine; drives nothing, shows everything."""

    summary = "see and decide without ROS: camera, detector and control in one process"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "source", nargs="?", help="device, URL, file, folder or synthetic; default: the first camera"
        )
        parser.add_argument("--model", default="", metavar="CARD", help="model card; default: the shipped detector")
        parser.add_argument(
            "--cloud", default="", metavar="URL", help="server that may answer frames too: grpc://HOST:PORT"
        )
        parser.add_argument("--policy", default="", help="who answers which frame: rules, adaptive, cost")
        parser.add_argument("--set", action="append", default=[], metavar="NODE.NAME=VALUE", help="any parameter")
        parser.add_argument("--seconds", type=float, default=0.0, help="stop after this long; 0: at the end")
        parser.add_argument("--all-frames", action="store_true", help="a file goes as fast as consumed, no frame lost")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write results and commands as JSON lines")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.core.clock import SystemClock
        from edge_ai.realtime.process import prepare_process
        from edge_ai.realtime.settings import RealtimeSettings
        from edge_ai.robot import Robot

        camera, inference, control, process, router, cloud = _parameters(options)
        settings = RealtimeSettings(process, spinning=inference.spinning == "long")
        clock = SystemClock()
        show = _Show(options.out, clock)
        robot = Robot(
            camera,
            inference,
            control,
            clock,
            on_command=show.command,
            on_result=show.result,
            on_status=show.status,
            router=router,
            cloud=cloud,
        )
        prepare_process()
        for outcome in settings.apply(robot.prepare):
            if not outcome.applied:
                print(f"warning: {outcome.words}", file=sys.stderr)
        print(f"{robot.description}; Ctrl-C ends", flush=True)
        robot.start()
        try:
            show.wait(options.seconds)
        except KeyboardInterrupt:
            print()
        finally:
            captured = robot.capturer.status
            counts, routing = robot.counts, robot.routing
            robot.close()
            settings.undo()
            show.close()
        dropped = captured.dropped + counts.dropped
        print(
            f"\ncaptured {captured.captured}, processed {counts.processed}, dropped {dropped}, failed {counts.failed}, "
            f"{show.commands} commands"
        )
        if routing is not None:
            print(routing.line())
        return 1 if show.failed or not counts.processed else 0


def _parameters(options: argparse.Namespace) -> tuple[Any, ...]:
    """Those of camera, inference, control, process, router and cloud."""
    import yaml

    from edge_ai.cli.params import node_classes
    from edge_ai.core.errors import ParameterError

    given: dict[str, dict[str, Any]] = {
        "camera": {"source": options.source} if options.source else {},
        "inference": {"model": options.model},
        "control": {},
        "process": {},
        "router": {"policy": options.policy} if options.policy else {},
        "cloud": {"url": options.cloud},
    }
    if options.all_frames:
        given["camera"]["realtime"] = False
    for setting in options.set:
        name, equals, value = setting.partition("=")
        node, dot, parameter = name.partition(".")
        if not equals or not dot or node not in given:
            raise ParameterError("--set", got=repr(setting), wanted=f"NODE.NAME=VALUE with NODE of {', '.join(given)}")
        given[node][parameter] = yaml.safe_load(value)
    classes = node_classes()["pipeline"]
    return tuple(classes[f"{node}."].parse(values, owner=node) for node, values in given.items())


class _Show:
    """Prints one line that keeps itself up to date, and writes the file."""

    def __init__(self, out: Path | None, clock: Any) -> None:
        self._clock = clock
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._file = out.open("w") if out else None
        self._shown = 0.0
        self._begun = time.monotonic()
        self._results = self._found = 0
        self.commands = 0
        self.failed = False

    def result(self, result: Result, frame: Frame) -> None:
        self._results += 1
        self._found = len(result.detections)
        found = result.detections
        self._write(
            frame=frame.header.index,
            stamp=frame.header.stamp_ns / 1e9,
            source=result.source,
            boxes=found.boxes.astype(float).round(2).tolist(),
            scores=found.scores.astype(float).round(4).tolist(),
            classes=[found.name(i) for i in range(len(found))],
        )

    def command(self, command: Command) -> None:
        self.commands += 1
        velocity = command.velocity
        self._write(command=[velocity.linear, velocity.angular], state=command.state.name, reason=command.reason)
        now = time.monotonic()
        if now - self._shown < 0.2:
            return
        self._shown = now
        age = "-" if command.age_s is None else f"{command.age_s * 1e3:.0f} ms"
        rate = self._results / max(now - self._begun, 1e-9)
        line = (
            f"\r{rate:5.1f} results/s, {self._found:2d} found, age {age:>7}, {command.state.name}: "
            f"{velocity.linear:+.2f} m/s {velocity.angular:+.2f} rad/s"
        )
        sys.stdout.write(f"{line:<100}")
        sys.stdout.flush()

    def status(self, status: Any) -> None:
        from edge_ai.capture.status import CaptureState

        if status.state in (CaptureState.ENDED, CaptureState.FAILED):
            self.failed = status.state is CaptureState.FAILED
            if self.failed:
                print(f"\nerror: camera: {status.detail}", file=sys.stderr)
            self._done.set()

    def wait(self, seconds: float) -> None:
        self._done.wait(seconds or None)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, **values: Any) -> None:
        if self._file is not None:
            with self._lock:
                self._file.write(json.dumps(values) + "\n")
