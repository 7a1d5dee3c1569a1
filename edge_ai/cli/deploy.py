"""edge-ai deploy: a new release onto one robot or many, each way of it one file and one line here."""

from __future__ import annotations

import argparse

from edge_ai.core.registry import Registry

WAYS: Registry[object] = Registry(
    "way to deploy",
    {
        "blue-green": "edge_ai.cli.deploy_blue_green:BlueGreenCommand",
        "canary": "edge_ai.cli.deploy_canary:CanaryCommand",
        "simulate": "edge_ai.cli.deploy_simulate:SimulateCommand",
    },
)


class DeployCommand:
    """Hands over to the way that was asked for, a command class as those of `edge_ai.cli.main`."""

    summary = "bring a new release onto robots: blue-green on one, canary over many, or simulated"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True, metavar="WAY")
        for name in WAYS.names():
            way = WAYS.load(name)()  # type: ignore[operator]
            sub = ways.add_parser(name, help=way.summary, description=way.summary)
            way.add_arguments(sub)
            sub.set_defaults(deploy=way.main)

    def main(self, options: argparse.Namespace) -> int:
        return int(options.deploy(options))
