"""INT8 by calibration, until TensorRT 10."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from edge_ai_doubles import memory
from edge_ai_doubles.errors import CudaError
from edge_ai_doubles.state import NOW

from tensorrt._native import Native

if TYPE_CHECKING:
    from tensorrt._config import IBuilderConfig
    from tensorrt._network import INetworkDefinition


class CalibrationError(Exception):
    """INT8 cannot be had."""


class IInt8EntropyCalibrator2(Native):
    """To be derived from."""

    def __init__(self) -> None:
        self._own_made = True


def run(network: INetworkDefinition, config: IBuilderConfig) -> None:
    """Calibrate if INT8 was asked for and the model brings no scales of its own.

    Raises:
        CalibrationError: there is no calibrator, or it gives nothing, or nothing that the device can read.
    """
    quantized = any(node.op_type == "QuantizeLinear" for node in network._own_model.graph.node)
    if "INT8" not in config._own_flags or quantized:
        return
    calibrator = config.int8_calibrator
    if calibrator is None:
        layer = network.get_layer(0).name
        raise CalibrationError(
            f"Error Code 4: could not find scales for tensor of layer {layer}: calibrate, or set dynamic range"
        )
    if not getattr(calibrator, "_own_made", False):
        raise CalibrationError("Error Code 3: the calibrator's __init__ was not called")
    if calibrator.read_calibration_cache():
        return
    names = [tensor.name for tensor in network._own_inputs]
    batches = 0
    while pointers := calibrator.get_batch(names):
        _read(network, config, dict(zip(names, pointers, strict=True)), calibrator.get_batch_size())
        batches += 1
    if not batches:
        raise CalibrationError("Error Code 2: Calibration failure occurred with no scaling factors detected")
    calibrator.write_calibration_cache(f"batches: {batches}".encode())


def _read(network: INetworkDefinition, config: IBuilderConfig, pointers: dict[str, Any], rows: int) -> None:
    from tensorrt._enums import numpy_type

    profile = config._own_values.get("calibration_profile")
    for i, tensor in enumerate(network._own_inputs):
        shape = profile._own_shapes.get(tensor.name, [tensor.shape] * 3)[1] if profile else tensor.shape
        count = numpy_type(tensor.dtype).itemsize
        for size in shape:
            count *= size
        if rows != shape[0]:
            raise CalibrationError(f"Error Code 3: a batch of {rows}, but the calibration profile's is {shape[0]}")
        try:
            view = memory.kernel_view(int(pointers[tensor.name]), count)
        except CudaError as error:
            raise CalibrationError(f"Error Code 1: Cuda Runtime ({error})") from error
        if i == 0:
            NOW.calibrated.append(np.frombuffer(view, numpy_type(tensor.dtype)).tolist())
