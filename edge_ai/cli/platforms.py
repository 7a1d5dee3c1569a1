"""edge-ai platforms: the table of Jetsons, what this machine is, and which board does a job."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from edge_ai.cli.arguments import image_size_of, positive


class PlatformsCommand:
    """Shows, detects, predicts and chooses boards."""

    summary = "the table of Jetsons and what this machine is; choose a board for a job"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, all that is known")
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        summary = "choose a board from what a job needs; exit status 1 if none will do"
        select = actions.add_parser("select", help=summary, description=summary)
        what = select.add_mutually_exclusive_group(required=True)
        what.add_argument("--model", action="append", metavar="FILE", help="model card or ONNX file; may be repeated")
        what.add_argument("--gflops", type=positive, metavar="G", help="a model by its operations at --resolution")
        select.add_argument("--params-m", type=positive, metavar="M", help="with --gflops: its 10^6 weights, if known")
        select.add_argument("--fps", type=positive, required=True, metavar="N", help="images a second, all cameras")
        select.add_argument("--resolution", type=image_size_of, metavar="WxH", help="model input; default: its own")
        select.add_argument("--power", type=positive, metavar="W", help="at most, by the name of the power mode")
        select.add_argument("--precision", choices=["fp16", "int8", "fp32"], default="fp16", help="of the engine")
        select.add_argument("--memory-gb", type=positive, metavar="N", help="that models must have; default: a bound")
        select.add_argument("--json", action="store_true", help="as JSON")
        select.set_defaults(wrong=select.error)
        summary = "bring the tables of doc/platforms.md up to date"
        document = actions.add_parser("document", help=summary, description=summary)
        document.add_argument("file", type=Path, help="the page")

    def main(self, options: argparse.Namespace) -> int:
        if options.action == "select":
            return _select(options)
        if options.action == "document":
            return _document(options.file)
        return _show(options.json)


def _show(as_json: bool) -> int:
    from edge_ai.platforms import report
    from edge_ai.platforms.detect import detect

    machine = detect()
    print(_dump(report.everything(machine)) if as_json else f"{report.boards_text()}\n\n{report.machine_text(machine)}")
    return 0


def _document(path: Path) -> int:
    from edge_ai.core.errors import ParameterError
    from edge_ai.platforms.document import refresh

    try:
        path.write_text(refresh(path.read_text(encoding="utf-8")), encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"page '{path}'", got=error.strerror, wanted="doc/platforms.md") from None
    return 0


def _select(options: argparse.Namespace) -> int:
    from edge_ai.core.errors import EdgeAIError
    from edge_ai.platforms import report
    from edge_ai.platforms.calibration import calibrate
    from edge_ai.platforms.select import Requirements, select

    if options.gflops and not options.resolution:
        options.wrong("--gflops needs --resolution: the size of image that they are for")
    if options.params_m and not options.gflops:
        options.wrong("--params-m goes with --gflops: a model file says how many weights it has")
    try:
        workloads = _workloads(options)
    except EdgeAIError as error:  # status 1 means that no board will do, so a model that cannot be read is wrong use
        options.wrong(str(error))
    wanted = Requirements(workloads, options.fps, options.precision, options.power, options.memory_gb)
    calibration = calibrate()
    found = select(wanted, calibration)
    if options.json:
        print(_dump(report.choice(wanted, found, calibration)))
    else:
        print(report.choice_text(wanted, found, calibration))
    return 0 if any(one.fits for one in found) else 1


def _workloads(options: argparse.Namespace) -> tuple[Any, ...]:
    from edge_ai.platforms.workload import from_gflops

    if options.gflops:
        weights = options.params_m * 1e6 if options.params_m else None
        return (from_gflops(options.gflops, options.resolution, weights),)
    return tuple(_workload(Path(path), options.resolution) for path in options.model)


def _workload(path: Path, size: tuple[int, int] | None) -> Any:
    """What a model costs; a card says how large its input is where the model leaves that open."""
    from edge_ai.optimization.inspection.flops import count
    from edge_ai.processing.card import ModelCard

    if path.suffix in (".yaml", ".yml"):
        card = ModelCard.load(path)
        workload = count(card.model_path, card.input.size).workload(card.name)
    else:
        workload = count(path, size).workload(path.stem)
    return workload if size is None else workload.at(size)


def _dump(values: object) -> str:
    return json.dumps(values, indent=2, allow_nan=False)
