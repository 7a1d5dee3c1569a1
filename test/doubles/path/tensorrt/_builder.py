"""The builder: checks what the real one checks, takes its time, and packs the model."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

from edge_ai_doubles import contexts, memory, settings, state
from edge_ai_doubles.errors import CudaError

from tensorrt import _calibration, _logger, _plan
from tensorrt._config import IBuilderConfig, IHostMemory, IOptimizationProfile
from tensorrt._enums import V11
from tensorrt._native import Native, only, there
from tensorrt._network import INetworkDefinition

_STEPS = 10


class Builder(Native):
    """Binds itself to the device that is current where it is made."""

    def __init__(self, logger: Any) -> None:
        self._own_logger = _logger.require(logger)
        with _cuda(self._own_logger):
            contexts.bound()

    num_DLA_cores = property(lambda _: settings.gpu().dla_cores)

    platform_has_fast_fp16 = only(until=V11)(property(lambda _: settings.gpu().cc >= (5, 3)))
    platform_has_fast_int8 = only(until=V11)(property(lambda _: settings.gpu().cc >= (6, 1)))

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        """An empty network."""
        if not there(since=(10,)) and not flags & 1:
            _logger.warning(self._own_logger, "implicit batch: ONNX models need the flag EXPLICIT_BATCH")
        return INetworkDefinition(int(flags))

    def create_builder_config(self) -> IBuilderConfig:
        """A configuration."""
        return IBuilderConfig(self._own_logger)

    def create_optimization_profile(self) -> IOptimizationProfile:
        """An empty profile."""
        return IOptimizationProfile()

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory | None:
        """The engine's bytes; None, and a line in the log, if it fails."""
        try:
            _check(network, config)
            _misbehave(network)
            with _cuda(self._own_logger):
                _calibration.run(network, config)
            if not _advance(config, network):
                raise _BuildError("Build was cancelled by the progress monitor")
            return IHostMemory(_packed(network, config))
        except (_BuildError, CudaError, _calibration.CalibrationError) as error:
            _logger.error(self._own_logger, f"IBuilder::buildSerializedNetwork: {error}")
            return None


class _BuildError(Exception):
    """Why there is no engine."""


@contextlib.contextmanager
def _cuda(logger: _logger.ILogger) -> Iterator[None]:
    with state.LOCK:
        try:
            state.check_alive()
            yield
        except CudaError as error:
            _logger.error(logger, f"CUDA initialization failure with error: {error.code}")
            raise RuntimeError("CUDA initialization failure") from error


def _check(network: INetworkDefinition, config: IBuilderConfig) -> None:
    if network._own_model is None or not network.num_outputs:
        raise _BuildError("Error Code 4: Internal Error (Network must have at least one output)")
    if not there(since=(10,)) and not network._own_flags & 1:
        raise _BuildError("Error Code 4: the ONNX parser only supports networks with an explicit batch dimension")
    shapes = config._own_profiles[0]._own_shapes if config._own_profiles else {}
    for tensor in network._own_inputs:
        if min(tensor.shape, default=0) >= 0:
            continue
        if tensor.name not in shapes:
            raise _BuildError(
                "Error Code 4: API Usage Error (Network has dynamic or shape inputs, "
                "but no optimization profile has been defined.)"
            )
        if any(
            size not in (-1, given)
            for given in shapes[tensor.name][1:2]
            for size, given in zip(tensor.shape, given, strict=True)
        ):
            raise _BuildError(f"Error Code 4: profile shapes of {tensor.name} are not those of the network")
    if "SPARSE_WEIGHTS" in config._own_flags and settings.gpu().cc < (8, 0):
        _logger.warning(config._own_logger, "Sparse weights are not supported on this device.")
    if config.DLA_core >= settings.gpu().dla_cores:
        raise _BuildError(f"Cannot create DLA engine, {config.DLA_core} not available")


def _misbehave(network: INetworkDefinition) -> None:
    """What the injected faults ask for."""
    if settings.fault("build_crashes"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if size := settings.fault("build_eats_memory"):
        network._own_eaten = bytearray(b"x") * (int(size) << 20)  # type: ignore[attr-defined]
    layer = network.get_layer(0).name
    if settings.fault("build_fails"):
        raise _BuildError(
            f"Error Code 10: Internal Error (Could not find any implementation for node {{ForeignNode[{layer}...]}}.)"
        )
    if settings.fault("build_out_of_memory"):
        raise _BuildError("Error Code 2: OutOfMemory (Requested size was 536870912 bytes.)")


def _advance(config: IBuilderConfig, network: INetworkDefinition) -> bool:
    """Take the time, and tell the monitor; whether it wants to go on."""
    monitor = config.progress_monitor if there(since=(10,)) else None
    seconds = settings.fault("build_slow")
    name = "Building an engine from the network definition"
    if monitor is not None:
        monitor.phase_start(name, None, _STEPS)
    for step in range(_STEPS):
        time.sleep(seconds / _STEPS)
        if monitor is not None and monitor.step_complete(name, step) is False:
            return False
    if monitor is not None:
        monitor.phase_finish(name)
    return True


def _packed(network: INetworkDefinition, config: IBuilderConfig) -> bytes:
    size = len(model := network._own_model.SerializeToString())
    memory.reserve(size)  # the weights are on the device while it builds
    memory.unreserve(size)
    facts = {
        "flags": sorted(config._own_flags),
        "hardware": config.hardware_compatibility_level.name if there(since=(8, 6)) else "NONE",
        "level": config.builder_optimization_level if there(since=(8, 6)) else None,
        "dla": config.DLA_core,
        "device": config.default_device_type.name,
        "pools": config._own_pools,
        "calibrated": "calibration_profile" in config._own_values,
    }
    return _plan.write(model, config._own_profiles[0]._own_shapes if config._own_profiles else {}, facts)
