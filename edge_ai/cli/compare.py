"""edge-ai compare: two models on the same pictures, in turns."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_ai.cli.workshop import (
    Progress,
    add_job_arguments,
    command_line,
    end_progress,
    job,
    show,
    table,
    workshop_main,
)


class CompareCommand:
    """Judges one model against another as the gate would, and changes nothing."""

    summary = "hold a model against another: accuracy, speed, size; exit status 1 if the gate would refuse it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", metavar="A", help="model card of the original")
        parser.add_argument("other", metavar="B", help="model card of the variant")
        add_job_arguments(parser)
        parser.add_argument("--output", type=Path, metavar="DIR", help="folder for a report; default: none is written")

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.optimization.comparing import compare_models
        from edge_ai.processing.card import ModelCard

        outcome = compare_models(
            job(options), ModelCard.load(options.other), options.output, command=command_line(), progress=Progress()
        )
        if options.output is not None:
            return show(outcome)
        end_progress()
        print(table(outcome.data))
        for line in (*outcome.data["verdict"]["reasons"], *(f"note: {note}" for note in outcome.data["notes"])):
            print(f"  {line}")
        return 0 if outcome.shipped else 1
