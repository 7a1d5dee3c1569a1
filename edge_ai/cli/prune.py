"""edge-ai prune: a smaller or sparser variant, shipped only if it is accurate enough and gains something."""

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


class PruneCommand:
    """Makes a pruned variant of a model, judges it, and writes it with its card and report."""

    summary = "make a pruned variant of a model; exit status 1 if the gate refuses it, 2 for wrong use"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", help="model card of the original")
        parser.add_argument(
            "--method",
            choices=["structured", "unstructured", "magnitude", "2:4"],
            default="structured",
            help="structured: channels are removed; the others set the smallest weights to zero: of each layer, "
            "of the whole model, two of every four",
        )
        parser.add_argument("--amount", type=float, default=0.3, metavar="X", help="share of channels or weights (0.3)")
        add_job_arguments(parser)
        add_output_argument(parser)
        add_keep_argument(parser)

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.optimization.workshop import prune_model

        outcome = prune_model(
            job(options),
            options.output,
            method=options.method,
            amount=options.amount,
            keep=options.keep,
            command=command_line(),
            progress=Progress(),
        )
        return show(outcome)
