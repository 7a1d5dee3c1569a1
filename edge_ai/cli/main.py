"""edge-ai: the command line, one file a command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from edge_ai import __version__
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.registry import Registry

COMMANDS: Registry[object] = Registry(
    "command",
    {
        "run": "edge_ai.cli.run:RunCommand",
        "replay": "edge_ai.cli.replay:ReplayCommand",
        "model": "edge_ai.cli.model:ModelCommand",
        "tune": "edge_ai.cli.tune:TuneCommand",
        "inspect": "edge_ai.cli.inspect:InspectCommand",
        "compile": "edge_ai.cli.compile:CompileCommand",
        "prepare": "edge_ai.cli.prepare:PrepareCommand",
        "quantize": "edge_ai.cli.quantize:QuantizeCommand",
        "prune": "edge_ai.cli.prune:PruneCommand",
        "resize": "edge_ai.cli.resize:ResizeCommand",
        "compare": "edge_ai.cli.compare:CompareCommand",
        "optimize": "edge_ai.cli.optimize:OptimizeCommand",
        "sign": "edge_ai.cli.sign:SignCommand",
        "verify": "edge_ai.cli.verify:VerifyCommand",
        "deploy": "edge_ai.cli.deploy:DeployCommand",
        "fleet": "edge_ai.cli.fleet:FleetCommand",
        "profile": "edge_ai.cli.profile:ProfileCommand",
        "params": "edge_ai.cli.params:ParamsCommand",
        "serve-repository": "edge_ai.cli.serve:ServeRepositoryCommand",
        "platforms": "edge_ai.cli.platforms:PlatformsCommand",
        "watch": "edge_ai.cli.watch:WatchCommand",
    },
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="edge-ai", description="AI that runs on the robot, with or without ROS 2.")
    parser.add_argument("--version", action="version", version=f"edge-ai {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS.names():
        command = COMMANDS.load(name)()  # type: ignore[operator]
        sub = commands.add_parser(name, help=command.summary, description=command.summary)
        command.add_arguments(sub)
        sub.set_defaults(main=command.main)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 it could not be done, 2 a wrong command line."""
    options = make_parser().parse_args(arguments)
    try:
        return int(options.main(options))
    except EdgeAIError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main())
