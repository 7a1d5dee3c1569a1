"""The enumerations that the package could touch."""

from __future__ import annotations

import numpy as np

from tensorrt._native import enumeration

V86, V10, V103, V1013, V11 = (8, 6), (10,), (10, 3), (10, 13), (11,)

DataType = enumeration(
    "DataType",
    FLOAT=0,
    HALF=1,
    INT8=2,
    INT32=3,
    BOOL=4,
    UINT8=5,
    FP8=(6, V86),
    BF16=(7, V10),
    INT64=(8, V10),
    INT4=(9, V10),
)
TensorIOMode = enumeration("TensorIOMode", NONE=0, INPUT=1, OUTPUT=2)
BuilderFlag = enumeration(
    "BuilderFlag",
    FP16=(0, (0,), V11),
    INT8=(1, (0,), V11),
    DEBUG=2,
    GPU_FALLBACK=3,
    REFIT=4,
    TF32=7,
    SPARSE_WEIGHTS=8,
    DIRECT_IO=11,
    VERSION_COMPATIBLE=(12, V86),
)
NetworkDefinitionCreationFlag = enumeration(
    "NetworkDefinitionCreationFlag", EXPLICIT_BATCH=(0, (0,), V11), STRONGLY_TYPED=(1, V10)
)
MemoryPoolType = enumeration("MemoryPoolType", WORKSPACE=0, DLA_MANAGED_SRAM=1, DLA_LOCAL_DRAM=2, DLA_GLOBAL_DRAM=3)
DeviceType = enumeration("DeviceType", GPU=0, DLA=1)
HardwareCompatibilityLevel = enumeration(
    "HardwareCompatibilityLevel", NONE=0, AMPERE_PLUS=1, SAME_COMPUTE_CAPABILITY=(2, V1013)
)
ErrorCode = enumeration(
    "ErrorCode", SUCCESS=0, INTERNAL_ERROR=1, MODEL_DESERIALIZE_FAILED=3, INVALID_GRAPH=6, UNSUPPORTED_NODE=8
)

DTYPES = {
    "FLOAT": np.float32,
    "HALF": np.float16,
    "INT8": np.int8,
    "INT32": np.int32,
    "INT64": np.int64,
    "BOOL": np.bool_,
    "UINT8": np.uint8,
}


def data_type(dtype: np.dtype[np.generic]) -> object:
    """The type of a tensor of an ONNX model; before 10 there is no INT64, which becomes INT32."""
    for name, kind in DTYPES.items():
        if np.dtype(kind) == dtype:
            return DataType["INT32" if name == "INT64" and "INT64" not in DataType.__members__ else name]
    raise ValueError(f"no TensorRT type for {dtype}")


def numpy_type(kind: object) -> np.dtype[np.generic]:
    """numpy's type for one of `DataType`."""
    return np.dtype(DTYPES[kind.name])  # type: ignore[attr-defined]
