"""edge-ai optimize: try the whole ladder of variants and ship those that nothing else beats."""

from __future__ import annotations

import argparse

from edge_ai.cli.workshop import (
    Progress,
    add_job_arguments,
    add_output_argument,
    command_line,
    job,
    show,
    workshop_main,
)


class OptimizeCommand:
    """Makes every variant of the ladder, judges all beside each other, and writes the Pareto set with a report."""

    summary = "try INT8, FP16 and pruned variants of a model and ship the best; exit status 1 if none passes the gate"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", help="model card of the original")
        add_job_arguments(parser)
        add_output_argument(parser)
        parser.add_argument(
            "--board", default="", metavar="KEY", help="foretell speeds for it: a key of edge-ai platforms"
        )
        parser.add_argument(
            "--try", action="append", default=[], dest="rungs", metavar="NAME", help="only this; repeat"
        )
        parser.add_argument("--calibration-pictures", type=int, default=32, metavar="N", help="to calibrate on (32)")

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.optimization.ladder import optimize

        outcome = optimize(
            job(options, calibration=options.calibration_pictures),
            options.output,
            names=options.rungs,
            target=options.board,
            command=command_line(),
            progress=Progress(),
        )
        return show(outcome)
