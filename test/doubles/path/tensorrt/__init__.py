"""A double of TensorRT's Python bindings: what the version of EDGE_AI_DOUBLE_TRT has, computed with ONNX Runtime.

It refuses what the documented API refuses. It does not know implicit batch, plug-ins, refitting or weight streaming.
"""

from __future__ import annotations

import sys

from edge_ai_doubles import settings

# A second import in this process may pretend another version.
for _name in [name for name in sys.modules if name.startswith("tensorrt.")]:
    del sys.modules[_name]

from tensorrt._builder import Builder as Builder  # noqa: E402
from tensorrt._config import IBuilderConfig as IBuilderConfig  # noqa: E402
from tensorrt._config import IHostMemory as IHostMemory  # noqa: E402
from tensorrt._config import IOptimizationProfile as IOptimizationProfile  # noqa: E402
from tensorrt._config import ITimingCache as ITimingCache  # noqa: E402
from tensorrt._context import IExecutionContext as IExecutionContext  # noqa: E402
from tensorrt._engine import ICudaEngine as ICudaEngine  # noqa: E402
from tensorrt._engine import Runtime as Runtime  # noqa: E402
from tensorrt._enums import BuilderFlag as BuilderFlag  # noqa: E402
from tensorrt._enums import DataType as DataType  # noqa: E402
from tensorrt._enums import DeviceType as DeviceType  # noqa: E402
from tensorrt._enums import ErrorCode as ErrorCode  # noqa: E402
from tensorrt._enums import MemoryPoolType as MemoryPoolType  # noqa: E402
from tensorrt._enums import NetworkDefinitionCreationFlag as NetworkDefinitionCreationFlag  # noqa: E402
from tensorrt._enums import TensorIOMode as TensorIOMode  # noqa: E402
from tensorrt._logger import ILogger as ILogger  # noqa: E402
from tensorrt._logger import Logger as Logger  # noqa: E402
from tensorrt._native import Native, there  # noqa: E402
from tensorrt._network import ILayer as ILayer  # noqa: E402
from tensorrt._network import INetworkDefinition as INetworkDefinition  # noqa: E402
from tensorrt._network import ITensor as ITensor  # noqa: E402
from tensorrt._parser import OnnxParser as OnnxParser  # noqa: E402
from tensorrt._parser import ParserError as ParserError  # noqa: E402

__version__ = settings.trt_version()

if there(since=(8, 6)):
    from tensorrt._enums import HardwareCompatibilityLevel as HardwareCompatibilityLevel

if there(until=(11,)):
    from tensorrt._calibration import IInt8EntropyCalibrator2 as IInt8EntropyCalibrator2

if there(since=(10,)):

    class IProgressMonitor(Native):
        """To be derived from."""

        def __init__(self) -> None:
            self._own_made = True
