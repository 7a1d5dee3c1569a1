"""Pruning an ONNX file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, get_args

from edge_ai.core.errors import EdgeAIError, ModelError
from edge_ai.optimization.onnx_file import load_model, save_model
from edge_ai.optimization.onnx_graph import library
from edge_ai.optimization.progress import Feeds, Made, Progress, silent
from edge_ai.optimization.pruning.sparse import set_to_zero
from edge_ai.optimization.pruning.structured import Removal, remove_channels

Method = Literal["structured", "unstructured", "magnitude", "2:4"]

_QUANTISED = frozenset(("QuantizeLinear", "DequantizeLinear", "ConvInteger", "MatMulInteger", "QLinearConv"))


def prune(
    source: Path,
    target: Path,
    method: Method,
    amount: float,
    *,
    keep: Collection[str] = (),
    feeds: Feeds | None = None,
    multiple: int = 8,
    progress: Progress = silent,
) -> Made:
    """Remove channels or set weights to zero.

    Args:
        source: a model in float32, an open batch at most.
        target: where the other one goes, written whole or not at all.
        method: "structured": channels are removed and the graph is rewired, smaller and faster everywhere;
            "unstructured": the smallest weights of each layer become zero; "magnitude": the smallest of all layers
            together; "2:4": two of four, for the sparse tensor cores of NVIDIA's GPUs.
        amount: the part of channels or weights, between 0 and 1; "2:4" always takes half.
        keep: names of layers that are left alone.
        feeds: inputs of all that the model will see, some dozens, without labels; only "structured" uses them, to
            choose channels and to fit what is left. Without them accuracy falls far, and what they do not show is
            forgotten: NanoDet without 30 % of its channels, fitted on a video of pedestrians, finds no cat.
        multiple: "structured" leaves multiples of this many channels where it can.
        progress: told what is being done.

    Raises:
        ModelError: the model cannot be read, is quantised or of 16 bits, leaves dimensions open or has nothing to
            prune; or the target cannot be written.
        EdgeAIError: an unknown method, an amount out of range, or a layer to keep that is none of the model's.
    """
    if method not in get_args(Method):
        raise EdgeAIError("pruning", got=f"method '{method}'", wanted=" or ".join(get_args(Method)))
    if not 0 < amount < 1:
        raise EdgeAIError("pruning", got=f"an amount of {amount:g}", wanted="a part between 0 and 1, such as 0.3")
    model = load_model(source)
    _check_float(model, source)
    if method == "structured":
        removal = Removal(amount, keep, multiple)
        pruned, notes, layers = remove_channels(model, removal, feeds, progress)
    else:
        pruned, notes, layers = set_to_zero(model, method, amount, keep, progress)
    save_model(pruned, target)
    return Made(target, notes, layers)


def _check_float(model: Any, source: Path) -> None:
    kinds = {tensor.data_type for tensor in model.graph.initializer}
    types = library().TensorProto
    mend = "prune the float32 model, then quantise or convert what comes out"
    if _QUANTISED.intersection(node.op_type for node in model.graph.node):
        raise ModelError(f"model '{source}'", got="a quantised model", wanted="one in float32", mend=mend)
    if kinds & {types.FLOAT16, types.BFLOAT16}:
        raise ModelError(f"model '{source}'", got="weights of 16 bits", wanted="one in float32", mend=mend)
