"""Small real ONNX models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from edge_ai.backends.options import BackendOptions

MakeModel = Callable[..., Path]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Writes ``total = left + right, twice = 2 * left`` for tensors of the given shape."""

    def make(shape: Sequence[int | str] = (1, 3), name: str = "add.onnx") -> Path:
        kinds = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, list(shape)) for n in ["left", "right"]}
        outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(shape)) for n in ("total", "twice")]
        nodes = [
            helper.make_node("Add", ["left", "right"], ["total"]),
            helper.make_node("Add", ["left", "left"], ["twice"]),
        ]
        graph = helper.make_graph(nodes, "add", list(kinds.values()), outputs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        path = tmp_path / name
        path.write_bytes(model.SerializeToString())
        return path

    return make


@pytest.fixture
def make_options() -> Callable[..., BackendOptions]:
    """Options for one CPU thread, unless told otherwise."""

    def make(**changes: object) -> BackendOptions:
        values = {"backend": "auto", "providers": ("cpu",), "threads": 1, "spinning": "none"}
        return BackendOptions(**{**values, **changes})

    return make
