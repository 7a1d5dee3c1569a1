"""A double of cuda-bindings; the same name and the same shape of answers as NVIDIA's, over a pretended GPU."""

from edge_ai_doubles.settings import gpu as _gpu

__version__ = "12.9.10" if _gpu().driver < 13000 else "13.5.0"
