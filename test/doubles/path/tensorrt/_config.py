"""How an engine is to be built."""

from __future__ import annotations

from typing import Any

from edge_ai_doubles import settings

from tensorrt import _logger
from tensorrt._enums import V11, V86, DeviceType, HardwareCompatibilityLevel
from tensorrt._native import VERSION, Native, only, refuse

Shape = tuple[int, ...]
_DLA_OPERATORS = {"Conv", "Relu", "Add", "MaxPool", "AveragePool", "Concat", "Sigmoid", "BatchNormalization"}


class IOptimizationProfile(Native):
    """Least, usual and largest shape of each input of open size."""

    def __init__(self) -> None:
        self._own_shapes: dict[str, tuple[Shape, Shape, Shape]] = {}

    def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:
        """Set the three shapes."""
        shapes = tuple(tuple(int(size) for size in shape) for shape in (min, opt, max))
        if len({len(shape) for shape in shapes}) != 1 or not all(a <= b <= c for a, b, c in zip(*shapes)):  # noqa: B905
            raise ValueError(f"Shape provided for min, opt, max is inconsistent for input {input}")
        self._own_shapes[input] = shapes  # type: ignore[assignment]

    def get_shape(self, input: str) -> list[Shape]:
        """The three shapes."""
        return list(self._own_shapes.get(input, ()))


class ITimingCache(Native):
    """How long each layer took in each way."""

    def __init__(self, data: bytes) -> None:
        self._own_data = data or b"timings"

    def serialize(self) -> IHostMemory:
        """As bytes."""
        return IHostMemory(self._own_data)


class IHostMemory(bytes):
    """Bytes that TensorRT has made."""

    @property
    def nbytes(self) -> int:
        """How many."""
        return len(self)


class IBuilderConfig(Native):
    """Made by a builder."""

    def __init__(self, logger: _logger.ILogger) -> None:
        self._own_logger = logger
        self._own_flags: set[str] = {"TF32"}
        self._own_pools: dict[str, int] = {}
        self._own_profiles: list[IOptimizationProfile] = []
        self._own_values: dict[str, Any] = {}

    def _value(name: str, default: Any = None) -> Any:
        def get(self: IBuilderConfig) -> Any:
            return self._own_values.get(name, default)

        def put(self: IBuilderConfig, value: Any) -> None:
            self._own_values[name] = value

        return property(get, put)

    default_device_type = _value("default_device_type", DeviceType.GPU)
    progress_monitor = only(since=(10,))(_value("progress_monitor"))
    int8_calibrator = only(until=V11)(_value("int8_calibrator"))
    builder_optimization_level = only(since=V86)(_value("builder_optimization_level", 3))
    hardware_compatibility_level = only(since=V86)(
        _value("hardware_compatibility_level", HardwareCompatibilityLevel.NONE)
    )

    @property
    def DLA_core(self) -> int:
        """Which DLA."""
        return int(self._own_values.get("DLA_core", -1))

    @DLA_core.setter
    def DLA_core(self, core: int) -> None:
        if core >= settings.gpu().dla_cores:
            _logger.error(self._own_logger, f"Cannot create DLA engine, {core} not available")
        self._own_values["DLA_core"] = core

    def set_flag(self, flag: Any) -> None:
        """Set a flag."""
        self._own_flags.add(_flag(flag))

    def clear_flag(self, flag: Any) -> None:
        """Take a flag away."""
        self._own_flags.discard(_flag(flag))

    def get_flag(self, flag: Any) -> bool:
        """Whether it is set."""
        return _flag(flag) in self._own_flags

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        """Limit a pool."""
        if not isinstance(pool_size, int) or pool_size < 0:
            raise refuse("set_memory_pool_limit()")
        self._own_pools[pool.name] = pool_size

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        """Add a profile; its number."""
        self._own_profiles.append(profile)
        return len(self._own_profiles) - 1

    @only(until=V11)
    def set_calibration_profile(self, profile: IOptimizationProfile) -> bool:
        """The shapes to calibrate in."""
        self._own_values["calibration_profile"] = profile
        return True

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        """A cache from bytes, or a new one from none."""
        return ITimingCache(bytes(serialized_timing_cache))

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        """Use a cache."""
        self._own_values["timing_cache"] = cache
        return True

    def get_timing_cache(self) -> ITimingCache | None:
        """The cache in use."""
        found: ITimingCache | None = self._own_values.get("timing_cache")
        return found

    def can_run_on_DLA(self, layer: Any) -> bool:
        """Whether DLA has that operator."""
        return self.DLA_core >= 0 and layer._own_operator in _DLA_OPERATORS


def _flag(flag: Any) -> str:
    if type(flag).__name__ != "BuilderFlag":
        raise refuse("set_flag()")
    return str(flag.name)


assert VERSION >= (8, 5), "only from 8.5 on"
