"""Tensors as the Open Inference Protocol v2 carries them, and whether an answer holds what was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.routing.cloud.base import CloudAnswerError, CloudRequestError, ServedModel, TensorInfo

DTYPES: dict[str, str] = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def datatype_of(array: NDArray[Any]) -> str:
    """The protocol's name of an array's type.

    Raises:
        CloudRequestError: it has none.
    """
    name = _NAMES.get(str(array.dtype))
    if name is None:
        raise CloudRequestError("a tensor", got=str(array.dtype), wanted=f"one of {', '.join(_NAMES)}")
    return name


def array_bytes(array: NDArray[Any]) -> int:
    """Bytes of an array as they travel."""
    return sum(4 + len(text) for text in array.flat) if array.dtype == object else int(array.nbytes)


def fits(shape: Sequence[int], pattern: Sequence[int]) -> bool:
    """Whether a shape is one that metadata allow."""
    return len(shape) == len(pattern) and all(p in (-1, n) for n, p in zip(shape, pattern, strict=True))


def from_raw(info: TensorInfo, raw: bytes) -> NDArray[Any]:
    """An output from its bytes; numbers are not copied.

    Raises:
        CloudAnswerError: unknown type, or not as many bytes as its shape says.
    """
    dtype = DTYPES.get(info.datatype)
    if dtype is None:
        raise CloudAnswerError(f"output '{info.name}'", got=info.datatype, wanted=f"one of {', '.join(DTYPES)}")
    count = _count(info)
    if info.datatype == "BYTES":
        texts = _texts(info.name, raw)
        if len(texts) != count:
            raise _size(info, f"{len(texts)} elements")
        array = np.empty(count, object)
        array[:] = texts
        return array.reshape(info.shape)
    if len(raw) != count * np.dtype(dtype).itemsize:
        raise _size(info, f"{len(raw)} bytes")
    return np.frombuffer(raw, dtype).reshape(info.shape)


def from_values(info: TensorInfo, values: Sequence[Any]) -> NDArray[Any]:
    """An output from its elements one by one, as JSON and typed messages carry them.

    Raises:
        CloudAnswerError: unknown type, or not elements of it, or not as many as its shape says.
    """
    dtype = DTYPES.get(info.datatype)
    if dtype is None:
        raise CloudAnswerError(f"output '{info.name}'", got=info.datatype, wanted=f"one of {', '.join(DTYPES)}")
    try:
        array = np.array(values, dtype).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        raise CloudAnswerError(f"output '{info.name}'", got="values of another type", wanted=info.datatype) from None
    if array.size != _count(info):
        raise _size(info, f"{array.size} elements")
    return array.reshape(info.shape)


def check_answer(
    outputs: Mapping[str, NDArray[Any]], datatypes: Mapping[str, str], wanted: Sequence[str], served: ServedModel | None
) -> None:
    """Make sure that an answer holds what was asked for, as the server's own metadata describe it.

    Raises:
        CloudAnswerError: an output is missing, or of another type or shape.
    """
    promised = served.outputs if served is not None else {}
    for name in wanted or tuple(promised):
        if name not in outputs:
            raise CloudAnswerError("an answer", got=f"outputs {sorted(outputs)}", wanted=f"'{name}' among them")
    for name, array in outputs.items():
        info = promised.get(name)
        if info is None:
            continue
        if info.datatype != datatypes[name] or not fits(array.shape, info.shape):
            got, said = f"{datatypes[name]} {list(array.shape)}", f"{info.datatype} {list(info.shape)}"
            raise CloudAnswerError(f"output '{name}'", got=got, wanted=f"{said}, as the server's metadata say")


def _count(info: TensorInfo) -> int:
    if any(n < 0 for n in info.shape):
        raise CloudAnswerError(f"output '{info.name}'", got=f"shape {list(info.shape)}", wanted="no negative numbers")
    count = 1
    for n in info.shape:
        count *= n
    return count


def _size(info: TensorInfo, got: str) -> CloudAnswerError:
    mend = "a Triton server's Python backend gives 0 bytes with numpy 2: put numpy 1.26 beside it"
    wanted = f"those of {info.datatype} {list(info.shape)}"
    return CloudAnswerError(f"output '{info.name}'", got=got, wanted=wanted, mend=mend if got == "0 bytes" else "")


def _texts(name: str, raw: bytes) -> list[bytes]:
    texts, at = [], 0
    while at < len(raw):
        length = int.from_bytes(raw[at : at + 4], "little")
        at += 4 + length
        if at > len(raw):
            raise CloudAnswerError(f"output '{name}'", got="BYTES that end too early", wanted="whole elements")
        texts.append(raw[at - length : at])
    return texts
