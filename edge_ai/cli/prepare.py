"""edge-ai prepare: the whole way for this machine, from what it is to what a launch starts with."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_ai.cli.workshop import Progress, add_loss_arguments, command_line, end_progress, workshop_main


class PrepareCommand:
    """Detects the board, optimises and gates its model, builds the engine and writes the parameters."""

    summary = (
        "prepare this machine: detect it, choose profile and model, build the engine, write what launch starts; exit "
        "status 1 if the gate refuses, 2 for wrong use"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", nargs="?", type=Path, help="model card; default: the shipped detector")
        parser.add_argument(
            "--pictures", default="", metavar="FOLDER|VIDEO|BAG", help="like those of the robot, to optimise the model"
        )
        parser.add_argument(
            "--labels", type=Path, metavar="COCO.json", help="what is on them; default: the original's answers"
        )
        add_loss_arguments(parser)
        parser.add_argument(
            "--try", action="append", default=[], dest="rungs", metavar="NAME", help="only this variant; repeat"
        )
        parser.add_argument("--skip-optimise", action="store_true", help="take the model as it is")
        parser.add_argument("--cameras", type=int, default=1, metavar="N", help="that share the model (1)")
        parser.add_argument("--profile", default="", metavar="NAME", help="in place of the detected board's")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.evaluation.budget import Budget
        from edge_ai.optimization.prepare import prepare
        from edge_ai.optimization.prepare_plan import Request, make_plan
        from edge_ai.platforms.detect import detect

        request = Request(
            card=options.card,
            profile=options.profile,
            pictures=options.pictures,
            labels=options.labels,
            loss=Budget(options.max_loss, options.max_class_loss, options.sure),
            rungs=options.rungs,
            optimise=not options.skip_optimise,
            cameras=options.cameras,
        )
        plan = make_plan(request, detect())
        for name, words in _lines(plan):
            print(f"{name:<8} {words}", flush=True)
        if options.dry_run:
            return 0

        def say(words: str) -> None:
            end_progress()
            print(f"  {words}", flush=True)

        outcome = prepare(plan, say=say, progress=Progress(), command=command_line())
        end_progress()
        print(_summary(outcome))
        return 0


def _lines(plan: Any) -> Iterator[tuple[str, str]]:
    """What a plan says."""
    machine, budget, gib = plan.machine, plan.machine.budget, 2**30
    board = f"{machine.board.name}, by {machine.evidence}" if machine.board else machine.model
    known = [("JetPack", machine.jetpack), ("TensorRT", machine.tensorrt), ("power mode", machine.power_mode)]
    yield "machine", ", ".join([board, *(f"{name} {value}" for name, value in known if value)])
    needs = "unknown" if plan.needs is None else f"{plan.needs / gib:.2f} GiB at most"
    short = ": MORE THAN THERE IS" if (plan.needs or 0) > budget.models else ""
    yield "memory", f"{budget.models / gib:.1f} GiB for models, of which this one needs {needs}{short}"
    yield "profile", f"{plan.profile}{', as told' if plan.request.profile else ''}"
    how = plan.unoptimised and f"as it is: {plan.unoptimised}"
    yield "model", f"{plan.card.name} {plan.card.version}, {how or f'variants judged on {plan.request.pictures}'}"
    params = plan.params
    engine = f"{params.precision} or the variant's precision, workspace {params.engine_workspace} MiB"
    yield "engine", f"none: {plan.no_engine}" if plan.no_engine else engine
    if plan.power_mode is not None:
        yield "power", f"{plan.power_mode or 'as it is'}: this machine does not have the profile's mode"


def _summary(outcome: Any) -> str:
    began = "prepared" if outcome.fresh else "nothing to do: this was prepared before, from the same"
    return (
        f"\n{began}: {outcome.path}\n"
        "start it: ros2 launch edge_ai edge_ai.launch.py\n"
        "or without ROS: edge-ai run --target auto"
    )
