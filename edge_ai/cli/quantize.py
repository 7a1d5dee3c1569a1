"""edge-ai quantize: INT8 or FP16, shipped only if it is accurate enough and gains something."""

from __future__ import annotations

import argparse

from edge_ai.cli.workshop import (
    Progress,
    add_job_arguments,
    add_keep_argument,
    add_output_argument,
    command_line,
    job,
    show,
    workshop_main,
)


class QuantizeCommand:
    """Makes a quantised variant of a model, judges it, and writes it with its card and report."""

    summary = "make an INT8 or FP16 variant of a model; exit status 1 if the gate refuses it, 2 for wrong use"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", help="model card of the original")
        parser.add_argument(
            "--method", choices=["static", "dynamic", "fp16"], default="static", help="static: calibrated on --data"
        )
        add_job_arguments(parser)
        add_output_argument(parser)
        add_keep_argument(parser)
        parser.add_argument(
            "--calibration",
            choices=["minmax", "entropy", "percentile"],
            default="minmax",
            help="how ranges of activations are found",
        )
        parser.add_argument("--calibration-pictures", type=int, default=32, metavar="N", help="to calibrate on (32)")
        parser.add_argument(
            "--no-sensitivity", action="store_true", help="do not measure the layers unless the budget asks for it"
        )

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.optimization.workshop import quantize

        outcome = quantize(
            job(options, calibration=options.calibration_pictures),
            options.output,
            method=options.method,
            calibration=options.calibration,
            keep=options.keep,
            sensitivity=not options.no_sensitivity,
            command=command_line(),
            progress=Progress(),
        )
        return show(outcome)
