"""edge-ai replay: a recording through any model, and how its answers differ from those on the robot."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_ai.recording.replay import Replay


class ReplayCommand:
    """Loads a model the way the inference node does, and shows it what the robot saw."""

    summary = "run the frames of a recording through a model; show how its answers differ from the recorded ones"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="MCAP file of the flight recorder or of rosbag2")
        parser.add_argument("--model", default="", metavar="CARD", help="model card; default: the shipped detector")
        parser.add_argument("--topic", default="", help="of the pictures, where there are several")
        parser.add_argument("--score", type=float, default=0.0, help="least score, 0 to 1; default: the card's")
        parser.add_argument(
            "--iou", type=float, default=0.5, help="overlap from which two boxes are the same object (default 0.5)"
        )
        parser.add_argument("--worst", type=int, default=12, help="pictures to show of those that differ most (12)")
        parser.add_argument("--provider", action="append", help="ONNX Runtime execution provider: cpu, cuda, tensorrt")
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="folder for index.html and differences.json; default: none"
        )

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.recording.reader import RecordingReader
        from edge_ai.recording.replay import replay
        from edge_ai.runtime.model import Model
        from edge_ai.runtime.params import InferenceParams

        reader = RecordingReader(options.file)
        changes: dict[str, Any] = {"providers": options.provider} if options.provider else {}
        values = {"model": options.model, "score_threshold": options.score, **changes}
        model = Model.load(InferenceParams.parse(values, owner="edge-ai replay"))
        try:
            outcome = replay(
                reader, model, topic=options.topic, least_overlap=options.iou, keep=options.worst, on_frame=_progress
            )
        finally:
            model.close()
        name = f"{model.card.name} {model.card.version}"
        _show(outcome, name)
        if options.output is not None:
            _write(outcome, options.output, options.file.name, name)
        return 0 if outcome.seconds else 1


def _progress(count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{count} pictures", end="", file=sys.stderr, flush=True)


def _show(outcome: Replay, model: str) -> None:
    figures = outcome.summary()
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    print(f"now: {model}, median {figures['inference_ms']:.1f} ms a picture")
    for name, count in figures["recorded_models"].items():
        print(f"recorded: {name}, {count} answers")
    words = f"{figures['pictures']} pictures, {figures['compared']} with a recorded answer"
    print(f"{words}, {figures['same']} of them without a difference")
    if outcome.failed:
        print(f"{outcome.failed} failed: {outcome.reason}")
    if figures["compared"]:
        print(f"{'':20} {'both':>7} {'missed':>7} {'added':>7}")
        rows = {**figures["classes"], "all": figures}
        for name, one in rows.items():
            print(f"{name[:20]:20} {one['both']:7} {one['missed']:7} {one['added']:7}")
        if math.isfinite(figures["mean_overlap"]):
            print(f"mean IoU {figures['mean_overlap']:.3f}, mean change of score {figures['mean_score_change']:+.3f}")


def _write(outcome: Replay, folder: Path, recording: str, model: str) -> None:
    from edge_ai.core.errors import EdgeAIError
    from edge_ai.recording.replay_page import page

    figures = {key: None if value != value else value for key, value in outcome.summary().items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "differences.json").write_text(json.dumps({"now": model, **figures}, indent=2) + "\n")
        (folder / "index.html").write_text(page(outcome, recording, model), encoding="utf-8")
    except OSError as error:
        raise EdgeAIError(
            f"folder '{folder}'", got=error.strerror or error, wanted="one that can be written to"
        ) from None
    print(f"{folder / 'index.html'}")
