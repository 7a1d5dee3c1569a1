"""The shipped model."""

from __future__ import annotations

from pathlib import Path

from edge_ai.core.resources import resource as resource

SHIPPED_CARD = "models/nanodet_g_416.yaml"


def shipped_card() -> Path:
    """The card of the detector that comes with the package."""
    return resource(SHIPPED_CARD)
