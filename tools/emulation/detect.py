"""Run the shipped model on pictures and print what it sees, as JSON: python detect.py a.png b.png"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams


def main(paths: Sequence[str]) -> int:
    """Print one object with the frames by name; the exit status."""
    model = Model.load(InferenceParams(warm_up=0))
    start = time.monotonic()
    frames = {Path(path).name: detections(model, Path(path)) for path in paths}
    took = (time.monotonic() - start) / max(len(paths), 1)
    answer = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "backend": model.backend.description,
        "threshold": model.card.score_threshold,
        "seconds": took,
        "frames": frames,
    }
    json.dump(answer, sys.stdout)
    return 0


def detections(model: Model, path: Path) -> list[dict[str, Any]]:
    """What the model sees in one picture, best first."""
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"detect.py: {path} is no picture")
    header = FrameHeader(0, 0, "camera", 0, image.shape[1], image.shape[0])
    found = model(Frame(header, image)).detections
    return [
        {"label": found.name(i), "score": float(found.scores[i]), "box": [float(value) for value in found.boxes[i]]}
        for i in range(len(found))
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
