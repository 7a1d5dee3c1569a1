"""pycocotools, loaded when first needed: it is no requirement of a robot."""

from __future__ import annotations

import importlib
from typing import Any

from edge_ai.core.errors import EdgeAIError


def pycocotools(module: str) -> Any:
    """A module of pycocotools: "cocoeval" or "mask".

    Raises:
        EdgeAIError: it is not installed.
    """
    try:
        return importlib.import_module(f"pycocotools.{module}")
    except ImportError as error:
        mend = "python3 -m pip install pycocotools, which is part of the extra 'workshop'"
        raise EdgeAIError("measuring accuracy", got=f"no usable pycocotools ({error})", mend=mend) from None
