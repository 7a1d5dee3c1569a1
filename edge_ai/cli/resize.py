"""edge-ai resize: a variant that takes a smaller picture, shipped only if it is accurate enough and gains something."""

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


class ResizeCommand:
    """Makes a variant of another input size, judges it, and writes it with its card and report."""

    summary = "make a variant that takes a smaller picture; exit status 1 if the gate refuses it, 2 for wrong use"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", help="model card of the original")
        parser.add_argument(
            "--size", required=True, type=_size, metavar="N|WxH", help="pixels of the picture it is to take"
        )
        add_job_arguments(parser)
        add_output_argument(parser)

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.optimization.workshop import resize_model

        outcome = resize_model(
            job(options), options.output, size=options.size, command=command_line(), progress=Progress()
        )
        return show(outcome)


def _size(text: str) -> tuple[int, int]:
    width, by, height = text.partition("x")
    sides = (int(width), int(height) if by else int(width))
    if min(sides) < 1:
        raise ValueError
    return sides
