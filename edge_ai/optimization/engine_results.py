"""What became of an engine, as the report page takes it."""

from __future__ import annotations

import datetime
from typing import Any

from edge_ai.backends.engine_manifest import Manifest
from edge_ai.core.goals import Goal
from edge_ai.optimization.judging.machine import machine
from edge_ai.optimization.onnx_file import model_bytes
from edge_ai.processing.card import ModelCard


def engine_data(card: ModelCard, precision: str, manifest: Manifest, command: str) -> dict[str, Any]:
    """Everything a report on an engine that was judged says.

    Args:
        card: the model's.
        precision: of the engine.
        manifest: the engine's, with the verdict of its gate.
        command: the command line, for the report.
    """
    verdict, key = manifest.verdict, manifest.key
    assert verdict is not None, "only engines that were judged leave the build"
    size = model_bytes(card.model_path)
    engine = {"name": f"engine, {precision}", "precision": precision, "size": manifest.size, "shipped": verdict.passed}
    return {
        "title": f"{card.name} {card.version}: TensorRT engine",
        "command": command,
        "made": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": {
            **machine(),
            "tensorrt": key.tensorrt,
            "gpu": f"{key.gpu}, compute capability {key.compute_capability}",
        },
        "verdict": {"shipped": verdict.passed, "reasons": [f"gate '{verdict.gate}': {verdict.reason}"]},
        "variants": [{"name": "original", "precision": "fp32", "size": size}, engine],
        "goals": [goal.as_json() for goal in _goals(verdict.figures)],
        "notes": [*manifest.notes, f"built in {manifest.seconds:.0f} s"],
    }


def _goals(figures: dict[str, float]) -> list[Goal]:
    """Figures of a gate that come with their limit: "most_x" is the limit of "x"."""
    names = [name for name in figures if f"most_{name}" in figures]
    return [Goal(name.replace("_", " "), figures[name], figures[f"most_{name}"], "lower") for name in names]
