"""Stacks put together into the tree that a flame graph shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_ai.monitoring.profiling.stacks import Stack

Node = list[Any]
"""``[name, seconds, children]``, children with most seconds first: as a page takes it, as JSON."""

_LEAST = 5e-4  # of the whole: what is narrower than that cannot be seen


def flame_tree(weights: Mapping[Stack, float], root: str) -> Node:
    """The tree of all stacks; what takes less than 0.05 % is left out, but counted in what called it."""
    whole = sum(weights.values())
    top: dict[str, Any] = {}
    for stack, seconds in weights.items():
        level = top
        for frame in stack:
            entry = level.setdefault(frame, [0.0, {}])
            entry[0] += seconds
            level = entry[1]
    return [root, round(whole, 6), _children(top, whole * _LEAST)]


def _children(level: Mapping[str, Any], least: float) -> list[Node]:
    nodes = [
        [name, round(seconds, 6), _children(below, least)]
        for name, (seconds, below) in level.items()
        if seconds >= least
    ]
    return sorted(nodes, key=lambda node: (-node[1], node[0]))
