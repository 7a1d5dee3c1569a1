"""edge-ai run: the whole robot in one process without ROS; commands go to the screen and to a file."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class RunCommand:
    """Camera, model, control and all that watches them on this machine; drives nothing, shows everything."""

    summary = "see, decide and watch without ROS: the whole robot in one process, with a page on 127.0.0.1:8080"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("place", nargs="?", metavar="SOURCE", help="the same as --source")
        parser.add_argument("--source", help="device, URL, file, folder or synthetic; default: the first camera")
        parser.add_argument("--loop", action="store_true", help="files, bags and folders start again at their end")
        parser.add_argument("--model", default="", metavar="CARD", help="model card; default: the shipped detector")
        parser.add_argument("--variants", nargs="+", default=[], metavar="CARD", help="lighter models, lightest last")
        parser.add_argument(
            "--target", default="", metavar="NAME|auto", help="board profile; auto: as this machine is prepared"
        )
        parser.add_argument(
            "--update", type=Path, metavar="SET", help="while it runs, examine this new model and switch to it"
        )
        parser.add_argument("--target-fps", type=float, metavar="N", help="results a second that are wanted")
        parser.add_argument(
            "--cloud", default="", metavar="URL", help="server that may answer frames too: grpc://HOST:PORT"
        )
        parser.add_argument("--policy", default="", help="who answers which frame: rules, adaptive, cost")
        parser.add_argument("--set", action="append", default=[], metavar="NODE.NAME=VALUE", help="any parameter")
        parser.add_argument("--seconds", type=float, default=0.0, help="stop after this long; 0: at the end")
        parser.add_argument("--all-frames", action="store_true", help="a file goes as fast as consumed, no frame lost")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write results and commands as JSON lines")
        parser.add_argument("--port", type=int, help="of the page; 0: a free one; default: 8080")
        parser.add_argument("--no-dashboard", action="store_true", help="serve no page")
        parser.add_argument("--no-recorder", action="store_true", help="keep nothing for the flight recorder")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.cli.show import Show, logged_above
        from edge_ai.cli.updating import Updating
        from edge_ai.core.clock import SystemClock
        from edge_ai.realtime.process import prepare_process
        from edge_ai.realtime.settings import RealtimeSettings
        from edge_ai.watched.params import WatchedParams
        from edge_ai.watched.robot import WatchedRobot

        given = parameters(options)
        process = _process(given.pop("process"))
        params, clock = WatchedParams.parse(given), SystemClock()
        settings = RealtimeSettings(process, spinning=params.inference.spinning == "long")
        show = Show(options.out, clock)
        updating: Updating | None = None
        watched = WatchedRobot(params, clock, [show], page=not options.no_dashboard, record=not options.no_recorder)
        prepare_process()
        with logged_above(), _signals_as_ctrl_c():
            try:
                for outcome in settings.apply(watched.prepare):
                    if not outcome.applied:
                        print(f"warning: {outcome.words}", file=sys.stderr)
                print(f"{watched.robot.description}; Ctrl-C ends", flush=True)
                if watched.page is not None:
                    print(f"dashboard: {watched.page.url}", flush=True)
                watched.start()
                if options.update is not None and watched.robot.swap is not None:
                    updating = Updating(watched.robot.swap, options.update)
                show.wait(options.seconds)
            except KeyboardInterrupt:
                print()
            finally:
                captured, counts, routing = watched.robot.capturer.status, watched.robot.counts, watched.robot.routing
                said = updating.report() if updating is not None else []
                watched.close()
                settings.undo()
                show.close()
        dropped = captured.dropped + counts.dropped
        print(
            f"\ncaptured {captured.captured}, processed {counts.processed}, dropped {dropped}, failed {counts.failed}, "
            f"{show.commands} commands"
        )
        if routing is not None:
            print(routing.line())
        print(*said, sep="\n", end="\n" if said else "")
        kept_back = updating is not None and not updating.switched
        return 1 if show.failed or kept_back or not counts.processed else 0


@contextmanager
def _signals_as_ctrl_c() -> Iterator[None]:
    """An orderly end also when the system, or the terminal, goes."""
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parameters(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What the command line says, by node and parameter.

    Raises:
        ParameterError: two sources are named, or a setting is no NODE.NAME=VALUE.
    """
    import yaml

    from edge_ai.core.errors import ParameterError
    from edge_ai.runtime.targets import find_target
    from edge_ai.watched.params import CLASSES

    if options.place and options.source:
        raise ParameterError("source", got=f"{options.place!r} and {options.source!r}", wanted="one")
    source = options.source or options.place
    given: dict[str, dict[str, Any]] = {node: {} for node in (*CLASSES, "process")}
    if options.target:
        target = find_target(options.target)
        print(target.words)
        given |= target.values(given)
    for node, name, value in (
        ("camera", "source", source),
        ("camera", "loop", options.loop),
        ("inference", "model", options.model),
        ("inference", "variants", options.variants),
        ("router", "policy", options.policy),
        ("cloud", "url", options.cloud),
        ("monitor", "target_fps", options.target_fps),
    ):
        if value:
            given[node][name] = value
    if options.all_frames:
        given["camera"]["realtime"] = False
    if options.port is not None:
        given["dashboard"]["port"] = options.port
    for setting in options.set:
        name, equals, value = setting.partition("=")
        node, dot, parameter = name.partition(".")
        if not equals or not dot or node not in given:
            raise ParameterError("--set", got=repr(setting), wanted=f"NODE.NAME=VALUE with NODE of {', '.join(given)}")
        given[node][parameter] = yaml.safe_load(value)
    return given


def _process(given: dict[str, Any]) -> Any:
    from edge_ai.realtime.params import RealtimeParams

    return RealtimeParams.parse(given, owner="process")
