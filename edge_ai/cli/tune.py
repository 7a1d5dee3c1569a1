"""edge-ai tune: measure which workers and threads serve a model best on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


class TuneCommand:
    """Tries the settings worth trying and writes the best one as a parameter file."""

    summary = "measure which workers and threads serve a model best here, and write a parameter file"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", nargs="?", default="", help="model card; default: the shipped detector")
        parser.add_argument(
            "--for",
            dest="aim",
            choices=["latency", "throughput"],
            default="latency",
            help="shortest time of a frame (a robot that acts on it), or most frames a second (many cameras)",
        )
        parser.add_argument("--source", default="synthetic://1280x720", help="where the pictures come from")
        parser.add_argument("--seconds", type=_positive, default=1.0, help="of each turn")
        parser.add_argument("--rounds", type=int, choices=range(1, 101), default=3, metavar="N", help="turns of each")
        parser.add_argument("--output", type=Path, default=Path("tuned.yaml"), metavar="FILE", help="parameter file")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.backends.options import physical_cores
        from edge_ai.core.errors import ParameterError
        from edge_ai.realtime.process import prepare_process
        from edge_ai.runtime import tuning
        from edge_ai.runtime.params import InferenceParams

        if not options.output.parent.is_dir():
            raise ParameterError("--output", got=f"no folder '{options.output.parent}'", wanted="a file in a folder")
        prepare_process()
        params = InferenceParams.parse({"model": options.card}, owner="edge-ai tune")
        settings = tuning.candidates(physical_cores())
        print(f"{len(settings)} settings, {options.rounds} rounds of {options.seconds:g} s; leave the machine alone")

        def say(number: int, one: tuning.Measured) -> None:
            print(f"  round {number + 1}: {_words(one)}", flush=True)

        measured = tuning.sweep(
            params, _frames(options.source), settings, seconds=options.seconds, rounds=options.rounds, say=say
        )
        chosen = tuning.best(measured, options.aim)
        print("\nworkers threads spinning  frame ms  frames/s  cpu ms/frame")
        for one in measured:
            print(f"{_row(one)}{'  <- ' + options.aim if one is chosen else ''}")
        options.output.write_text(
            tuning.parameter_file(chosen.setting, f"edge-ai tune --for {options.aim}: {_words(chosen)}")
        )
        print(f"\nwritten to {options.output}: ros2 launch edge_ai edge_ai.launch.py params_file:={options.output}")
        return 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 600:
        raise argparse.ArgumentTypeError(f"got {text}, wanted seconds above 0 and up to 600")
    return value


def _frames(source: str) -> list[Any]:
    """Some pictures of a source."""
    from edge_ai.capture.params import CameraParams
    from edge_ai.capture.select import create_source
    from edge_ai.core.errors import EndOfSource
    from edge_ai.core.types import Frame, FrameHeader

    camera = create_source(CameraParams.parse({"source": source}))
    camera.open()
    frames: list[Any] = []
    try:
        while len(frames) < 16:
            captured = camera.read()
            height, width = captured.image.shape[:2]
            header = FrameHeader(0, captured.steady_ns, "", captured.index, width, height)
            frames.append(Frame(header, captured.image.copy(), captured.encoding))
    except EndOfSource:
        if not frames:
            raise
    finally:
        camera.close()
    return frames


def _words(one: Any) -> str:
    setting = one.setting
    spinning = "" if setting.spinning == "none" else f", spinning {setting.spinning}"
    return (
        f"{setting.workers} worker{'s' * (setting.workers > 1)} of {setting.threads} thread"
        f"{'s' * (setting.threads > 1)}{spinning}: {one.latency * 1e3:.1f} ms a frame, {one.rate:.1f} frames/s"
    )


def _row(one: Any) -> str:
    setting = one.setting
    return (
        f"{setting.workers:7d} {setting.threads:7d} {setting.spinning:>8}  "
        f"{one.latency * 1e3:8.1f}  {one.rate:8.1f}  {one.cpu * 1e3:12.1f}"
    )
