"""How channels pass through operators that move numbers without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_ai.optimization.pruning.analysis import Analysis, Left, channels
from edge_ai.optimization.pruning.graph import Shape, attribute, set_attribute
from edge_ai.optimization.pruning.slots import Axes, Axis, IntArray


def concat(analysis: Analysis, node: Any) -> None:
    """Channels of one input after those of another."""
    inputs = [analysis.of(name) for name in node.input]
    place = attribute(node, "axis") % len(inputs[0])
    out: list[Axis] = []
    for number in range(len(inputs[0])):
        parts = [axes[number] for axes in inputs]
        if number != place:
            out.append(analysis.slots.join(*parts))
        elif all(part is None for part in parts):
            out.append(None)
        else:
            sizes = [analysis.shape(name)[place] for name in node.input]
            out.append(np.concatenate([channels(p, n) for p, n in zip(parts, sizes, strict=True)]))
    analysis.axes[node.output[0]] = tuple(out)


def split(analysis: Analysis, node: Any) -> None:
    """Some channels here, some there; the sizes are written anew."""
    x = analysis.of(node.input[0])
    place = attribute(node, "axis", 0) % len(x)
    axis, start = x[place], 0
    parts: list[Axis] = []
    for name in node.output:
        stop = start + analysis.shape(name)[place]
        parts.append(None if axis is None else axis[start:stop])
        _several(analysis, parts[-1])
        analysis.axes[name] = (*x[:place], parts[-1], *x[place + 1 :])
        start = stop
    if axis is None:
        return

    def mend(left: Left) -> None:
        sizes = [left.count(part) for part in parts if part is not None]
        set_attribute(node, "num_outputs", None)
        if analysis.graph.opset < 13:
            set_attribute(node, "split", sizes)
        else:
            analysis.graph.set_input(node, 1, np.array(sizes, np.int64))

    analysis.mend(mend)


def cut(analysis: Analysis, node: Any) -> None:
    """Slice with steps of 1 along channels; bounds are written anew. Other steps keep their axis."""
    x, shape = analysis.of(node.input[0]), analysis.shape(node.input[0])
    graph = analysis.graph
    starts, ends = graph.parameter(node, "starts", 1), graph.parameter(node, "ends", 2)
    if starts is None or ends is None or graph.is_computed(node, 3) or graph.is_computed(node, 4):
        analysis.opaque(node)
        return
    axes = graph.parameter(node, "axes", 3) or list(range(len(starts)))
    steps = graph.parameter(node, "steps", 4) or [1] * len(starts)
    out = list(x)
    bounds: list[tuple[int, IntArray, int, int]] = []
    for number, (place, start, end, step) in enumerate(zip(axes, starts, ends, steps, strict=True)):
        axis = x[place % len(x)]
        if axis is None:
            continue
        if step != 1:
            analysis.slots.pin(axis)
            out[place % len(x)] = None
            continue
        first, last, _ = slice(start, end).indices(shape[place % len(x)])
        out[place % len(x)] = _several(analysis, axis[first:last])
        bounds.append((number, axis, first, last))
    analysis.axes[node.output[0]] = tuple(out)
    if bounds:
        analysis.mend(lambda left: _set_bounds(analysis, node, left, bounds, list(starts), list(ends)))


def _set_bounds(
    analysis: Analysis,
    node: Any,
    left: Left,
    bounds: list[tuple[int, IntArray, int, int]],
    starts: list[int],
    ends: list[int],
) -> None:
    for number, axis, first, last in bounds:
        mask = left.mask(axis)
        starts[number], ends[number] = int(mask[:first].sum()), int(mask[:last].sum())
    if analysis.graph.opset < 10:
        set_attribute(node, "starts", starts)
        set_attribute(node, "ends", ends)
    else:
        for index, numbers in ((1, starts), (2, ends)):  # of the type that its other parameters have
            old = analysis.graph.value(node.input[index])
            analysis.graph.set_input(node, index, np.array(numbers, None if old is None else old.dtype))


def transpose(analysis: Analysis, node: Any) -> None:
    """Axes in another order."""
    x = analysis.of(node.input[0])
    order = attribute(node, "perm") or list(reversed(range(len(x))))
    analysis.axes[node.output[0]] = tuple(x[place] for place in order)


def resize(analysis: Analysis, node: Any) -> None:
    """An axis that keeps its length passes; a length that is given as a number is written anew."""
    x, before = analysis.of(node.input[0]), analysis.shape(node.input[0])
    after, graph = analysis.shape(node.output[0]), analysis.graph
    cropped = attribute(node, "coordinate_transformation_mode", "") == "tf_crop_and_resize"
    stretched = attribute(node, "keep_aspect_ratio_policy", "stretch") == "stretch"
    if cropped or not stretched or any(graph.is_computed(node, index) for index in (1, 2, 3)):
        analysis.opaque(node)
        return
    axes = [place % len(x) for place in attribute(node, "axes") or range(len(x))]
    scales = graph.value(node.input[1 if graph.opset < 11 else 2]) if len(node.input) < 4 else None
    factors = dict(zip(axes, [] if scales is None else scales.tolist(), strict=False))
    passed = [before[i] == after[i] and factors.get(i, 1.0) == 1.0 for i in range(len(x))]
    analysis.slots.pin(*(axis for axis, whole in zip(x, passed, strict=True) if not whole))
    out = tuple(axis if whole else None for axis, whole in zip(x, passed, strict=True))
    analysis.axes[node.output[0]] = out
    sizes = graph.value(node.input[3]) if len(node.input) > 3 else None
    if sizes is not None:
        analysis.mend(lambda left: _set_lengths(analysis, left, (node, 3), [out[place] for place in axes]))


def _set_lengths(analysis: Analysis, left: Left, where: tuple[Any, int], axes: Sequence[Axis]) -> None:
    """Write the lengths of axes of which something may have gone into a constant input of a node."""
    node, index = where
    old = analysis.graph.value(node.input[index])
    if old is None:
        return
    fresh = old.copy()
    for place, axis in enumerate(axes):
        if axis is not None and old[place] != -1:
            fresh[place] = left.count(axis)
    if (fresh != old).any():
        analysis.graph.set_input(node, index, fresh)


def reshape(analysis: Analysis, node: Any) -> None:
    """Reshape, Flatten, Squeeze and Unsqueeze: see `carried`; lengths that a Reshape gives are written anew."""
    x, before = analysis.of(node.input[0]), analysis.shape(node.input[0])
    after, given = analysis.shape(node.output[0]), node.op_type == "Reshape"
    if (given and (len(node.input) < 2 or analysis.graph.is_computed(node, 1))) or 0 in before:
        analysis.opaque(node)
        return
    out = carried(analysis, x, before, after)
    analysis.axes[node.output[0]] = out
    if given:
        _spell_out(analysis, node, x, after)
        analysis.mend(lambda left: _set_lengths(analysis, left, (node, 1), out))


def _spell_out(analysis: Analysis, node: Any, x: Axes, after: Shape) -> None:
    """A 0 in the shape of a Reshape copies the length of the input, which may be cut: a number takes its place."""
    old = analysis.graph.value(node.input[1])
    if old is None or attribute(node, "allowzero", 0):
        return
    fresh = old.copy()
    for place, length in enumerate(old.tolist()):
        if length == 0 and x[place] is not None:
            fresh[place] = after[place]
    if (fresh != old).any():
        analysis.graph.set_input(node, 1, fresh)


def carried(analysis: Analysis, x: Axes, before: Shape, after: Shape) -> Axes:
    """Where the channels of axes are after a change of shape.

    Both shapes are cut into the shortest stretches that hold equally many numbers. Within one, channels lie along one
    axis before and one after it; channels between which no whole row of the result could go are tied together. So
    [C, H, W] -> [C x H x W] and [C] -> [groups, C / groups] are followed. Two axes of channels in one stretch stay.
    """
    out: list[Axis] = []
    for ins, outs in _stretches(before, after):
        carriers = [i for i in ins if x[i] is not None]
        if len(carriers) != 1:
            analysis.slots.pin(*(x[i] for i in carriers))
            out += [None] * len(outs)
            continue
        sides = [before[i] for i in ins]
        place = ins.index(carriers[0])
        view = [1] * len(sides)
        view[place] = sides[place]
        slots = np.broadcast_to(channels(x[carriers[0]], sides[place]).reshape(view), sides)
        out += _spread(analysis, slots.reshape([after[o] for o in outs]))
    return tuple(out)


def _spread(analysis: Analysis, slots: IntArray) -> list[Axis]:
    """Put channels on the axis on which most of them stay apart."""
    if slots.ndim == 0:
        return []
    best = max(range(slots.ndim), key=lambda place: _apart(slots, place))
    rows: IntArray = np.moveaxis(slots, best, 0).reshape(slots.shape[best], -1)
    for row in rows:
        for slot in set(row.tolist()):
            analysis.slots.join(row[:1], np.array([slot], np.int64))
    axis: Axis = rows[:, 0] if len(rows) > 1 else None
    if axis is None:
        analysis.slots.pin(slots.reshape(-1))
    return [axis if place == best else None for place in range(slots.ndim)]


def _apart(slots: IntArray, place: int) -> int:
    """How many sets are left when each row across an axis is tied together."""
    rows: IntArray = np.moveaxis(slots, place, 0).reshape(slots.shape[place], -1)
    _, numbers = np.unique(rows, return_inverse=True)
    numbers = numbers.reshape(rows.shape)
    group = np.arange(numbers.max() + 1)
    while True:  # least number of whatever shares a row, until nothing changes
        least = np.min(group[numbers], axis=1)
        fresh = group.copy()
        np.minimum.at(fresh, numbers.reshape(-1), np.repeat(least, rows.shape[1]))
        if (fresh == group).all():
            return len(np.unique(group))
        group = fresh


def _stretches(before: Shape, after: Shape) -> list[tuple[list[int], list[int]]]:
    """The axes of two shapes of one size in the shortest stretches that hold equally many numbers."""
    found: list[tuple[list[int], list[int]]] = []
    i = o = 0
    while i < len(before) or o < len(after):
        ins, outs = list(range(i, min(i + 1, len(before)))), list(range(o, min(o + 1, len(after))))
        i, o = i + len(ins), o + len(outs)
        while (have := math.prod(before[k] for k in ins)) != (want := math.prod(after[k] for k in outs)):
            if (have < want and i < len(before)) or o >= len(after):
                ins.append(i)
                i += 1
            else:
                outs.append(o)
                o += 1
        found.append((ins, outs))
    return found


def depth_to_space(analysis: Analysis, node: Any) -> None:
    """The channels that become one output channel go together."""
    x = analysis.of(node.input[0])
    squared = attribute(node, "blocksize") ** 2
    analysis.slots.pin(*x[2:])
    out: Axis = None
    if x[1] is not None:
        columns = attribute(node, "mode", "DCR") == "DCR"
        table = x[1].reshape(squared, -1) if columns else x[1].reshape(-1, squared).T
        out = analysis.slots.join_rows(table)
    analysis.axes[node.output[0]] = (x[0], _several(analysis, out), None, None)


def space_to_depth(analysis: Analysis, node: Any) -> None:
    """An input channel becomes several output channels."""
    x = analysis.of(node.input[0])
    analysis.slots.pin(*x[2:])
    out = None if x[1] is None else np.tile(x[1], attribute(node, "blocksize") ** 2)
    analysis.axes[node.output[0]] = (x[0], out, None, None)


def _several(analysis: Analysis, axis: Axis) -> Axis:
    if axis is not None and len(axis) == 1:
        analysis.slots.pin(axis)
        return None
    return axis
