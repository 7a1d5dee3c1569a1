"""edge-ai profile: where the time of a robot goes; of one that runs, or of a command that is started for it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_ai.cli.arguments import positive

if TYPE_CHECKING:
    from edge_ai.monitoring.profiling.profile import Profile

_KINDS = ("sampling", "trace")


class ProfileCommand:
    """A flame graph of a process by its number, or a flame graph or trace of a command of edge-ai."""

    summary = "show where the time goes: a flame graph or a trace for Perfetto"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.epilog = "examples: edge-ai profile --kind trace run synthetic --seconds 10; edge-ai profile --pid 4711"
        parser.add_argument("--pid", type=int, help="a running process, sampled with py-spy; instead of a command")
        parser.add_argument("--kind", choices=_KINDS, default=_KINDS[0], help="flame graph of all threads, or a trace")
        parser.add_argument("--sampler", default="", metavar="NAME", help="in-process (default) or py-spy")
        parser.add_argument("--rate", type=positive, default=0.0, help="samples a second; default: the sampler's own")
        parser.add_argument("--seconds", type=positive, default=5.0, help="how long to look at a process; default: 5")
        parser.add_argument("--threshold", type=positive, default=0.1, help="least share of a bottleneck; default: 0.1")
        parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: this folder")
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="a command of edge-ai with all its arguments")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.monitoring.profiling.profiler import Profiler
        from edge_ai.monitoring.profiling.sampling import sampler_for

        given = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
        if options.pid is not None:
            return _of_process(options, given)
        _check_command(given)
        sampler = sampler_for(options.sampler)
        profiler = Profiler(given[0], threshold=options.threshold, rate=options.rate, sampler=sampler)
        from edge_ai.cli.main import main

        with profiler.during(options.kind, options.out) as done:
            status = main(given)
        _say(done)
        return status


def _of_process(options: argparse.Namespace, given: list[str]) -> int:
    from edge_ai.core.errors import ParameterError
    from edge_ai.monitoring.profiling.profiler import Profiler
    from edge_ai.monitoring.profiling.py_spy import PySpySampler

    if given or options.kind != "sampling" or options.sampler not in ("", PySpySampler.name):
        raise ParameterError(
            "--pid", got="a command, a trace or another sampler with it", wanted="a process that is sampled by py-spy"
        )
    sampler = PySpySampler(options.pid)
    profiler = Profiler(f"process {options.pid}", threshold=options.threshold, rate=options.rate, sampler=sampler)
    _say(profiler.profile(options.seconds, "sampling", options.out))
    return 0


def _check_command(given: list[str]) -> None:
    from edge_ai.cli.main import COMMANDS
    from edge_ai.core.errors import ParameterError

    wanted = [name for name in COMMANDS.names() if name != "profile"]
    if not given or given[0] not in wanted:
        raise ParameterError(
            "edge-ai profile",
            got=given[0] if given else "nothing to run",
            wanted=f"--pid, or one of {', '.join(wanted)}",
        )


def _say(done: Profile) -> None:
    print(f"\n{done.message}")
    for path in done.files:
        print(path)
    if done.kind == "trace":
        print("open it at https://ui.perfetto.dev (it stays on this machine) or chrome://tracing", file=sys.stderr)
