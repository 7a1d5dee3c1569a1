"""Golden answers: what a model says of a few pictures, kept with it to be asked again wherever it is to serve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_ai.runtime.model import Model
from edge_ai.runtime.swap_status import Check

GOLDEN = "golden.json"
"""The file of answers in a folder of golden pictures."""


def record(model: Model, pictures: Sequence[Path], into: Path) -> None:
    """Write pictures and what the model says of them: NNN.png and, together, golden.json.

    Args:
        model: open.
        pictures: of where the robot works, some with something in them.
        into: folder for them; made if it is not there.

    Raises:
        ImageError: a picture cannot be read.
        EdgeAIError: there is no picture, or the model finds nothing in any.
    """
    raise NotImplementedError


def check(model: Model, folder: Path) -> Check:
    """Whether a model says of the pictures what was recorded, as far as another precision may differ.

    Args:
        model: open; asked as its card says, whatever is reported of it otherwise.
        folder: as `record` wrote it.

    Raises:
        ArtifactError: the folder is not what `record` writes.
        InferenceError: the model failed.
    """
    raise NotImplementedError
