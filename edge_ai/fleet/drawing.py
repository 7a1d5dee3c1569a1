"""How all pictures of fleets look, and how they get into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe and Ito's, which those who see fewer colours can tell apart too."""
GREY = "#888888"


def begin_drawing() -> None:
    """Set matplotlib up, without a display.

    Raises:
        EdgeAIError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise EdgeAIError(
            "pictures are drawn with matplotlib", got="no such package", mend="pip install 'edge_ai[fleet]'"
        ) from None
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "fleet", "font.size": 9, "axes.spines.top": False})
    matplotlib.rcParams.update({"axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25})


def save(figure: Any, path: Path) -> Path:
    """Write a figure and forget it."""
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return path
