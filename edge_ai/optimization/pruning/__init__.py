"""Making models smaller: channels removed from the graph, or weights set to zero."""

from edge_ai.optimization.pruning.prune import Method, prune

__all__ = ["Method", "prune"]
