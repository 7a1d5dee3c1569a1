"""A model that takes a smaller picture: the same weights on fewer pixels, for what is not far away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.core.errors import ModelError
from edge_ai.optimization.onnx_checks import first_line
from edge_ai.optimization.onnx_file import load_model, save_model
from edge_ai.optimization.onnx_graph import inputs, library
from edge_ai.optimization.progress import Made, Progress, silent
from edge_ai.processing.spec import InputSpec

_MEND = "give a multiple of 32, or export the model itself at that size: its graph may be made for one size only"


def resize(source: Path, target: Path, size: tuple[int, int], spec: InputSpec, *, progress: Progress = silent) -> Made:
    """A model whose input is of another size; the weights stay as they are.

    This works for models that only slide over their input, as most detectors do. It costs accuracy, most for small
    objects: judge it before it is used.

    Args:
        source: ONNX file of the model.
        target: where the variant is written, whole or not at all.
        size: width and height in pixels.
        spec: the input that takes the picture.
        progress: told of every step; it may raise to interrupt.

    Raises:
        ModelError: the model is no good, has no such input, or does not run at that size; or the disk is full.
    """
    source, target = Path(source), Path(target)
    name = "x".join(map(str, size))
    what = f"model '{source}' at {name}"
    progress(f"resizing to {name}", 0, 1)
    model = load_model(source)
    _set_size(model, size, spec, what)
    onnx = library()
    try:
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        _run(model)
    except Exception as error:  # onnx and ONNX Runtime have kinds of their own, which differ by release
        raise ModelError(what, got=first_line(error), wanted="a graph that takes it", mend=_MEND) from None
    save_model(model, target)
    progress(f"resizing to {name}", 1, 1)
    before = "x".join(map(str, spec.size))
    return Made(target, (f"It takes pictures of {name} pixels in place of {before}.",), size=size)


def _set_size(model: Any, size: tuple[int, int], spec: InputSpec, what: str) -> None:
    """Write it into the input, and forget every shape that follows from it."""
    value = next((value for value in inputs(model) if value.name == spec.name), None)
    dims = value.type.tensor_type.shape.dim if value is not None else ()
    if len(dims) != 4:
        names = ", ".join(one.name for one in inputs(model))
        raise ModelError(what, got=f"inputs {names}", wanted=f"'{spec.name}' of four dimensions", mend="see its card")
    row = 2 if spec.layout == "nchw" else 1
    dims[row].dim_value, dims[row + 1].dim_value = size[1], size[0]
    del model.graph.value_info[:]
    for output in model.graph.output:
        for dim in list(output.type.tensor_type.shape.dim)[1:]:
            dim.Clear()


def _run(model: Any) -> None:
    """Once on nothing: some graphs say only then that a size does not go through them."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
    session.run(
        None,
        {
            node.name: np.zeros(
                [side if isinstance(side, int) else 1 for side in node.shape], types.get(node.type, np.int32)
            )
            for node in session.get_inputs()
        },
    )
