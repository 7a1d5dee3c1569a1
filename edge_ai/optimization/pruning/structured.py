"""Removing channels from an ONNX graph, so that it is really smaller and faster."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from edge_ai.core.errors import ModelError
from edge_ai.optimization.onnx_file import check_shapes
from edge_ai.optimization.onnx_graph import library
from edge_ai.optimization.progress import Feeds, LayerChange, Progress
from edge_ai.optimization.pruning.analysis import Analysis, Layer, Left
from edge_ai.optimization.pruning.choice import choose
from edge_ai.optimization.pruning.graph import Graph, simplified
from edge_ai.optimization.pruning.importance import ByWeights
from edge_ai.optimization.pruning.refit import Mask, Refit
from edge_ai.optimization.pruning.rules import RULES
from edge_ai.optimization.pruning.slots import STAYS
from edge_ai.optimization.pruning.surgeon import ByInputs

_TRAIN = "prune the network before it is exported (edge_ai.optimization.torch_modules) and fine-tune it on your data"


@dataclass(frozen=True, slots=True)
class Removal:
    """How channels are removed.

    Attributes:
        amount: the part of the channels of each group that goes.
        keep: names of layers that are left alone.
        multiple: what is left is a multiple of this where possible; see `choice.quota`.
        power: 1 or 2: the norm that ranks channels where there are no inputs.
    """

    amount: float
    keep: Collection[str] = ()
    multiple: int = 8
    power: int = 2


def remove_channels(
    model: Any, removal: Removal, feeds: Feeds | None, progress: Progress
) -> tuple[Any, tuple[str, ...], tuple[LayerChange, ...]]:
    """A smaller model, what to know of it, and what became of its layers.

    With inputs, channels go that the others can make up for best, and what is left is fitted to what the original
    computes on them. Without, those go whose weights are smallest, and nothing makes up for them.

    Args:
        model: an onnx.ModelProto in floating point, an open batch at most; it is left as it is.
        removal: how much, and what not.
        feeds: some dozens of inputs like those that the model will see; no labels are needed.
        progress: told of each step.

    Raises:
        ModelError: the model leaves dimensions open, has no channel that can go, or does not run afterwards.
        EdgeAIError: a layer to keep is none of the model's.
    """
    onnx = library()
    check_shapes(model)
    progress("following channels", 0, 0)
    original = _analysable(model, removal.keep)
    graph = Graph(onnx.ModelProto.FromString(original.SerializeToString()))
    analysis = Analysis(graph, RULES, removal.keep)
    ranking = ByWeights(analysis, removal.power)
    by_inputs = None if feeds is None else ByInputs(analysis, original, feeds, ranking, progress)
    removed = choose(analysis, by_inputs or ranking, removal.amount, removal.multiple, progress)
    if not removed:
        got = "no channel that can be removed"
        wanted = "layers between the inputs and outputs whose channels can be followed"
        raise ModelError("pruning", got=got, wanted=wanted, mend="a larger amount, or fewer layers to keep")
    left = Left(analysis.slots, removed)
    kept = {layer.name: _mask(analysis, layer, left) for layer in analysis.layers}
    before = {layer.name: _widths(graph, layer) for layer in analysis.layers}
    analysis.remove(removed)
    notes = [_how_many(analysis, left, removal.amount)]
    if feeds is None:
        notes.append(f"Without pictures nothing makes up for what is gone: accuracy falls far. Give some; or {_TRAIN}.")
    else:
        fitted, pictures = Refit(analysis.layers, original, graph, kept).run(feeds, progress)
        notes.append(_fitted(fitted, pictures))
    after = {layer.name: _widths(graph, layer) for layer in analysis.layers}
    _check(graph.model)
    changes = [
        LayerChange(layer.name, layer.node.op_type, before[layer.name], after[layer.name])
        for layer in analysis.layers
        if before[layer.name] != after[layer.name]
    ]
    return graph.model, tuple(notes), tuple(changes)


def _analysable(model: Any, keep: Collection[str]) -> Any:
    """The model as ONNX Runtime simplifies it, unless a layer to keep lost its name over it."""
    simple = simplified(model)
    names = {node.name for node in simple.graph.node}
    return simple if all(name in names for name in keep) else model


def _mask(analysis: Analysis, layer: Layer, left: Left) -> Mask | None:
    axis = analysis.of(layer.weight)[layer.out_axis]
    return None if axis is None else left.mask(axis)


def _widths(graph: Graph, layer: Layer) -> str:
    weight = graph.value(layer.weight)
    shape = () if weight is None else weight.shape
    if layer.in_axis is None:
        return f"{shape[layer.out_axis]} channels"
    return f"{shape[layer.in_axis] * layer.groups} in, {shape[layer.out_axis]} out channels"


def _how_many(analysis: Analysis, left: Left, amount: float) -> str:
    """Counted at the layers that make channels."""
    made = [analysis.of(layer.weight)[layer.out_axis] for layer in analysis.layers if layer.in_axis is not None]
    free = [axis[analysis.slots.roots(axis) != STAYS] for axis in made if axis is not None]
    free = [axis for axis in free if len(axis)]
    total = sum(len(axis) for axis in free)
    gone = total - sum(left.count(axis) for axis in free)
    return (
        f"{gone} of {total} channels that can be removed are ({gone / max(total, 1):.0%}; {amount:.0%} were wanted)."
        f" {len(made) - len(free)} of {len(made)} layers keep all of theirs: outputs, operators that cannot be followed"
        " or a wish depend on them."
    )


def _fitted(layers: int, pictures: int) -> str:
    return (
        f"The weights of {layers} layers were fitted to what the original computes on {pictures} pictures: whatever"
        " they do not show, other places, light or classes, the model may no longer recognise at all, and figures from"
        f" pictures of the same scene flatter it. Give pictures of all that it will see; or {_TRAIN}."
    )


def _check(model: Any) -> None:
    """That the pruned model is valid and runs.

    Raises:
        ModelError: it does not; nothing has been written.
    """
    import onnxruntime

    onnx = library()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnx.checker.check_model(model, full_check=True)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # both raise kinds that differ by release
        got = f"a graph that does not run ({type(error).__name__}: {str(error).splitlines()[0]})"
        raise ModelError("pruning", got=got, mend="keep the layers before the operator that is named") from None
