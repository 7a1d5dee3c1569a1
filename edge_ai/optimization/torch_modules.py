"""Pruning and quantising networks of PyTorch, so that they can be fine-tuned in between.

A network is pruned by torch-pruning or torch.nn.utils.prune, trained on by its owner, written as ONNX and then
quantised by the functions for ONNX. Needs the extra `torch`.
"""

from __future__ import annotations

import copy
import importlib
import io
import tempfile
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from edge_ai.core.errors import EdgeAIError, ModelError
from edge_ai.optimization.onnx_file import save_model
from edge_ai.optimization.onnx_graph import library
from edge_ai.optimization.progress import Feeds, Made, Progress, silent
from edge_ai.optimization.pruning import Method
from edge_ai.optimization.pruning.sparse import two_of_four
from edge_ai.optimization.quantization.half import to_half
from edge_ai.optimization.quantization.quantize import quantize_dynamic, quantize_static

Module = Any
"""A torch.nn.Module."""


def prune_module(
    module: Module,
    example_inputs: Any,
    method: Method,
    amount: float,
    *,
    ignored: Collection[str] = (),
    multiple: int = 8,
) -> Module:
    """A pruned copy of a network, in the mode (training or not) of the original, to be fine-tuned.

    Args:
        module: the network.
        example_inputs: a tensor, or a tuple of them, that it is called with; on the device of the network.
        method: as of `pruning.prune`. "structured" is torch-pruning's: by magnitude, every layer by the same part;
            layers whose channels are the network's outputs are found and left. Zeros of the other methods move when
            the network is trained on, unless `hold_zeros` is called first.
        amount: the part of channels or weights, between 0 and 1; "2:4" always takes half.
        ignored: names of sub-modules, as `named_modules` gives them, that are left alone.
        multiple: "structured" leaves multiples of this many channels.

    Raises:
        EdgeAIError: PyTorch or torch-pruning is missing, or a method, an amount or a name is wrong.
        ModelError: the shape of an output would change, or nothing was pruned.
    """
    if method not in get_args(Method):
        raise EdgeAIError("pruning", got=f"method '{method}'", wanted=" or ".join(get_args(Method)))
    if not 0 < amount < 1:
        raise EdgeAIError("pruning", got=f"an amount of {amount:g}", wanted="a part between 0 and 1, such as 0.3")
    pruned = copy.deepcopy(module)
    names = dict(pruned.named_modules())
    for name in ignored:
        if name not in names:
            raise EdgeAIError("a module to ignore", got=f"'{name}'", wanted=f"one of {', '.join(filter(None, names))}")
    left = {id(inner) for name in ignored for inner in names[name].modules()}
    if method == "structured":
        _remove_channels(pruned, example_inputs, amount, left, multiple)
        return pruned
    weights = [layer for layer in _layers(pruned) if id(layer) not in left]
    if not weights:
        raise ModelError("pruning", got="no convolution or linear layer that may be pruned")
    _set_to_zero(weights, method, amount)
    return pruned


def hold_zeros(module: Module) -> None:
    """From now on training leaves weights of convolutions and linear layers that are zero as they are."""
    for layer in _layers(module):
        mask = layer.weight.detach() != 0
        layer.weight.register_hook(lambda gradient, mask=mask: gradient * mask.to(gradient.device))


def export_module(
    module: Module,
    example_inputs: Any,
    path: Path,
    *,
    input_names: Collection[str] = ("input",),
    output_names: Collection[str] = ("output",),
    open_batch: bool = False,
    opset: int = 17,
) -> Path:
    """Write a network as ONNX, as it answers outside training.

    PyTorch's older exporter is used: it needs no package beside torch and onnx.

    Args:
        module: the network; it keeps its mode.
        example_inputs: a tensor, or a tuple of them; their shapes become the model's.
        path: the file, written whole or not at all.
        input_names: of the model, in order.
        output_names: of the model, in order.
        open_batch: leave the first dimension of inputs and outputs open.
        opset: version of the ONNX operators.

    Raises:
        EdgeAIError: PyTorch or onnx is missing.
        ModelError: the network cannot be exported, or the file cannot be written.
    """
    torch, onnx = _library("torch"), library()
    names = [*input_names, *output_names]
    content = io.BytesIO()
    training = module.training
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # that there is a newer exporter, which needs onnxscript
            torch.onnx.export(
                module.eval(),
                _as_tuple(example_inputs),
                content,
                input_names=list(input_names),
                output_names=list(output_names),
                dynamic_axes={name: {0: "batch"} for name in names} if open_batch else None,
                opset_version=opset,
                dynamo=False,
            )
    except Exception as error:  # whatever the network and the exporter raise
        raise ModelError("exporting the network", got=f"{type(error).__name__}: {error}") from error
    finally:
        module.train(training)
    save_model(onnx.load_from_string(content.getvalue()), path)
    return path


def quantize_module(
    module: Module,
    example_inputs: Any,
    target: Path,
    method: Literal["static", "dynamic", "fp16"],
    *,
    feeds: Feeds | None = None,
    keep_float: Collection[str] = (),
    progress: Progress = silent,
) -> Made:
    """Write a network as a quantised ONNX model: `export_module`, then the function for ONNX of that method.

    Args:
        module: the network; it stays as it is.
        example_inputs: as of `export_module`; the input is called "input".
        target: the file, written whole or not at all.
        method: "static" needs `feeds`.
        feeds: calibration pictures.
        keep_float: names of operators of the exported model that stay in float.
        progress: told what is being done.

    Raises:
        EdgeAIError, ModelError: as `export_module` and the functions for ONNX.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = export_module(module, example_inputs, Path(folder) / "exported.onnx")
        if method == "dynamic":
            return quantize_dynamic(source, target, keep_float=keep_float, progress=progress)
        if method == "fp16":
            return to_half(source, target, keep_float=keep_float, progress=progress)
        if feeds is None:
            raise EdgeAIError("static quantisation", got="no calibration pictures", mend="give feeds")
        return quantize_static(source, target, feeds, keep_float=keep_float, progress=progress)


def _remove_channels(module: Module, example_inputs: Any, amount: float, left: set[int], multiple: int) -> None:
    torch, pruning = _library("torch"), _library("torch_pruning")
    inputs, training = _as_tuple(example_inputs), module.training
    module.eval()  # a batch of one does not pass normalisation in training
    shapes = _shapes(torch, module, inputs)
    before = sum(parameter.numel() for parameter in module.parameters())
    ends = _makers_of_outputs(pruning, module, inputs)
    pruning.pruner.BasePruner(
        module,
        inputs,
        importance=pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=amount,
        ignored_layers=[inner for inner in module.modules() if id(inner) in left or id(inner) in ends],
        round_to=multiple,
    ).step()
    module.train(training)
    if _shapes(torch, module, inputs) != shapes:
        mend = "name the modules that make the outputs in 'ignored'"
        raise ModelError("pruning", got="outputs of another shape", wanted=f"{shapes}", mend=mend)
    if sum(parameter.numel() for parameter in module.parameters()) == before:
        raise ModelError("pruning", got="no channel that can be removed", mend="a larger amount or a smaller multiple")


def _makers_of_outputs(pruning: Any, module: Module, inputs: tuple[Any, ...]) -> set[int]:
    """Layers from which an output is reached without another layer in between."""
    graph = pruning.DependencyGraph().build_dependency(module, example_inputs=inputs)
    layers, found = {id(layer) for layer in _layers(module)}, set()
    for layer in _layers(module):
        if layer not in graph.module2node:
            continue
        waiting, seen = [graph.module2node[layer]], set()
        while waiting:
            node = waiting.pop()
            if not node.outputs:
                found.add(id(layer))
            for after in node.outputs:
                depthwise = getattr(after.module, "groups", 1) > 1
                if id(after) not in seen and (id(after.module) not in layers or depthwise):
                    seen.add(id(after))
                    waiting.append(after)
    return found


def _set_to_zero(layers: list[Any], method: str, amount: float) -> None:
    torch, prune = _library("torch"), _library("torch.nn.utils.prune")
    if method == "2:4":
        for layer in layers:
            fresh = two_of_four(layer.weight.detach().cpu().numpy(), 1)
            if fresh is not None:
                with torch.no_grad():
                    layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(fresh)))
        return
    if method == "magnitude":
        weights = [(layer, "weight") for layer in layers]
        prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=amount)
    for layer in layers:
        if method == "unstructured":
            prune.l1_unstructured(layer, "weight", amount=amount)
        prune.remove(layer, "weight")


def _layers(module: Module) -> Iterator[Any]:
    nn = _library("torch.nn")
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)
    return (inner for inner in module.modules() if isinstance(inner, kinds))


def _shapes(torch: Any, module: Module, inputs: tuple[Any, ...]) -> list[tuple[int, ...]]:
    training = module.training
    with torch.no_grad():
        answer = module.eval()(*inputs)
    module.train(training)
    parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, (tuple, list)) else [answer]
    return [tuple(part.shape) for part in parts if hasattr(part, "shape")]


def _as_tuple(inputs: Any) -> tuple[Any, ...]:
    return tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        mend = "python3 -m pip install 'edge_ai[torch]'"
        raise EdgeAIError("networks of PyTorch", got=f"{name} is not installed", mend=mend) from None
