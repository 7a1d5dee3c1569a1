"""ONNX models as files: read only when they can be run here, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import Any

from edge_ai.backends.engine_cache import external_data
from edge_ai.core.errors import ModelError
from edge_ai.core.files import sha256_of
from edge_ai.optimization.onnx_checks import check_external, check_operators, check_opsets, check_runs, first_line
from edge_ai.optimization.onnx_graph import inputs, library

_LIMIT = 2**31 - 2**20
"""A protobuf message ends at 2 GB; beyond this many bytes the weights get a file of their own."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def load_model(path: Path) -> Any:
    """An `onnx.ModelProto`, its external data read, that ONNX Runtime on this machine can load.

    Each operator has a name of its own afterwards: one that had none is called after its first output.

    Raises:
        ModelError: no such file; it is empty, cut off, not ONNX or without a graph; its external data is missing or
            too short; its opset, an operator or a domain is unknown to the installed onnx or onnxruntime; or it
            breaks a rule of `onnx.checker`.
        EdgeAIError: onnx or onnxruntime is not installed.
    """
    onnx = library()
    path = Path(path)
    what = f"model '{path}'"
    model = _parse(onnx, path, what)
    check_external(model, path.parent, what)
    check_opsets(model, what)
    check_operators(model, what)
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(str(path))
    except Exception as error:  # checker and protobuf raise kinds that differ by release
        raise ModelError(what, got=first_line(error), wanted="a valid ONNX model", mend="export it again") from None
    check_runs(path, what)
    _name_operators(model)
    return model


def check_shapes(model: Any) -> None:
    """That an input leaves no dimension open but the batch.

    Raises:
        ModelError: one does, or has no shape.
    """
    for value in inputs(model):
        tensor = value.type.tensor_type
        what = f"input '{value.name}' of the model"
        mend = f"fix it: python3 -m onnxruntime.tools.make_dynamic_shape_fixed --input_name {value.name} --input_shape"
        if not tensor.HasField("shape"):
            raise ModelError(what, got="no shape", wanted="a fixed shape", mend=f"{mend} 1,3,416,416 in.onnx out.onnx")
        sides = [str(dim.dim_value) if dim.dim_value > 0 else dim.dim_param or "?" for dim in tensor.shape.dim]
        if any(dim.dim_value < 1 for dim in list(tensor.shape.dim)[1:]):
            example = ",".join(["1", *(side if side.isdigit() else "N" for side in sides[1:])])
            got, wanted = f"the shape [{', '.join(sides)}]", "an open batch at most"
            raise ModelError(what, got=got, wanted=wanted, mend=f"{mend} {example} in.onnx out.onnx, a number for N")


def save_model(model: Any, path: Path) -> None:
    """Write a model whole or not at all: on any failure or interrupt what was there before stays as it was.

    Weights beyond 2 GB go into a file beside it, `NAME.<digits>.data`; one that an earlier model of that name left is
    removed. (For that the model is held twice for a moment.)

    Raises:
        ModelError: the disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    size = model.ByteSize()
    data = None
    try:
        if size > _LIMIT:
            data = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}.data")
            model = _with_data_beside(model, data)
        _replace(path, model.SerializeToString())
    except BaseException as error:
        if data is not None:
            data.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritten(path, size, error) from None
        raise
    for old in path.parent.glob(f"{path.name}.{'[0-9a-f]' * 16}.data"):
        if old != data:
            old.unlink(missing_ok=True)


def model_bytes(path: Path) -> int:
    """Bytes of a model file, and of the files that hold its weights where those are apart."""
    beside = external_data(path) if path.suffix == ".onnx" else []
    return sum(file.stat().st_size for file in (path, *beside) if file.is_file())


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise ModelError(f"model '{path}'", got=error.strerror, wanted="a readable file") from None


def _parse(onnx: Any, path: Path, what: str) -> Any:
    try:
        size = path.stat().st_size
        model = onnx.load(str(path), load_external_data=False) if size else None
    except OSError as error:
        raise ModelError(what, got=error.strerror, wanted="a readable file", mend="check its path") from None
    except Exception as error:  # protobuf raises its own kinds, which differ by its release
        mend = "copy it again (it may have been cut off), or export it again"
        raise ModelError(what, got=first_line(error), wanted="a whole ONNX model", mend=mend) from None
    if model is None:
        raise ModelError(what, got="an empty file", wanted="an ONNX model", mend="copy or export it again")
    if not model.HasField("graph") or not model.graph.node or not model.opset_import:
        got = "a file without a graph of operators"
        raise ModelError(what, got=got, wanted="an ONNX model", mend="export it again")
    return model


def _name_operators(model: Any) -> None:
    taken = set()
    for node in model.graph.node:
        if not node.name or node.name in taken:
            node.name = next((name for name in node.output if name and name not in taken), uuid.uuid4().hex)
        taken.add(node.name)


def _with_data_beside(model: Any, data: Path) -> Any:
    """A copy of a model whose weights are in a file, written here."""
    onnx = library()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    onnx.external_data_helper.convert_model_to_external_data(copy, location=data.name)
    copy = onnx.external_data_helper.write_external_data_tensors(copy, str(data.parent))
    with open(data, "rb+") as file:
        os.fsync(file.fileno())
    return copy


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(part, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def _unwritten(path: Path, size: int, error: OSError) -> ModelError:
    if error.errno in _FULL:
        mend = f"make room for {size} bytes there, or name another folder"
        return ModelError(f"model '{path}'", got="disk full", wanted=f"{size} bytes free", mend=mend)
    return ModelError(f"model '{path}'", got=error.strerror, wanted="a folder that can be written to")
