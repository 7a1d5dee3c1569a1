"""From an ONNX model to the bytes of a TensorRT engine. Takes minutes to an hour: run it in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_ai.backends import trt_api
from edge_ai.backends.cuda_memory import Cuda, DeviceInfo
from edge_ai.backends.options import BackendOptions
from edge_ai.backends.tensors import Array
from edge_ai.backends.trt_calibration import calibrate
from edge_ai.backends.trt_faults import build_failed, parse_failed
from edge_ai.backends.trt_precision import has_qdq, to_half
from edge_ai.backends.trt_progress import Progress, tell_progress
from edge_ai.core.errors import BackendError

if TYPE_CHECKING:
    import tensorrt as trt

Feeds = Mapping[str, Array]
_WORKSPACE_SHARE = 4
_NAMED_LAYERS = 5


@dataclass(frozen=True)
class Built:
    """What a build gives.

    Attributes:
        plan: the engine.
        timings: TensorRT's timing cache, for the next build.
        notes: what the user should know of it.
    """

    plan: bytes
    timings: bytes
    notes: list[str] = field(default_factory=list)


def build(
    model_path: Path,
    options: BackendOptions,
    cuda: Cuda,
    *,
    progress: Progress,
    calibration: Iterable[Feeds] = (),
    timings: bytes = b"",
) -> Built:
    """Build an engine; called with the device current.

    Args:
        model_path: an ONNX file.
        options: how.
        cuda: the device.
        progress: told of each step.
        calibration: inputs for int8 without Q/DQ, each of the model's usual shape.
        timings: a timing cache of an earlier build with this version and GPU.

    Raises:
        ModelError: TensorRT cannot read the model.
        BackendError: the options do not go with this TensorRT, GPU or model, or the build fails; says where.
    """
    module = trt_api.load()
    said = trt_api.Log(module)
    job = _Job(module, options, cuda.info(), model_path, has_qdq(model_path))
    progress("reading the model", 0, 0)
    builder: trt.Builder = module.Builder(said.logger)
    network = job.parse(builder, said)
    config = builder.create_builder_config()
    notes = [*job.set_precision(builder, config), *job.set_device(builder, network, config)]
    job.set_limits(config)
    job.add_profile(builder, network, config)
    if job.calibrates:
        calibrate(module, cuda, builder, network, config, iter(calibration))
    cache = config.create_timing_cache(timings)
    config.set_timing_cache(cache, False)
    tell_progress(module, config, progress)
    progress("building", 0, 0)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise build_failed(str(model_path), said.errors)
    kept: Any = config.get_timing_cache()
    return Built(bytes(plan), bytes(kept.serialize()) if kept is not None else b"", notes)


@dataclass(frozen=True)
class _Job:
    """One build, step by step."""

    module: Any
    options: BackendOptions
    device: DeviceInfo
    path: Path
    qdq: bool

    @property
    def precision(self) -> str:
        return self.options.engine.precision

    @property
    def typed(self) -> bool:
        """Whether the network's own types decide the precision: there is no flag for it any more."""
        return trt_api.optional(self.module.BuilderFlag, "FP16") is None

    @property
    def calibrates(self) -> bool:
        return self.precision == "int8" and not self.qdq

    def parse(self, builder: trt.Builder, said: trt_api.Log) -> trt.INetworkDefinition:
        explicit = trt_api.optional(self.module.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH")
        network = builder.create_network(0 if explicit is None else 1 << int(explicit))
        parser = self.module.OnnxParser(network, said.logger)
        if self.typed and self.precision in ("fp16", "best") and not self.qdq:
            read = parser.parse(to_half(self.path))
        else:
            read = parser.parse_from_file(str(self.path))
        if not read:
            raise parse_failed(str(self.path), parser, said.last)
        return network

    def set_precision(self, builder: trt.Builder, config: trt.IBuilderConfig) -> list[str]:
        engine, flags, notes = self.options.engine, self.module.BuilderFlag, []
        if self.precision == "int8":
            self._require_int8(builder)
        for name, wanted in (
            ("FP16", self.precision in ("fp16", "int8", "best")),
            ("INT8", self.precision == "int8" or (self.precision == "best" and self.qdq)),
            ("TF32", engine.engine_tf32),
            ("SPARSE_WEIGHTS", engine.engine_sparsity),
            ("VERSION_COMPATIBLE", engine.engine_version_compatible),
        ):
            flag = trt_api.optional(flags, name)
            if flag is None:
                if wanted and name == "VERSION_COMPATIBLE":
                    raise self._missing("engine_version_compatible")
                continue
            (config.set_flag if wanted else config.clear_flag)(flag)
        fast = trt_api.optional(builder, "platform_has_fast_fp16")
        if self.precision in ("fp16", "best") and fast is False:
            notes.append(f"{self.device.name} is no faster in FP16 than in FP32")
        return notes

    def set_device(
        self, builder: trt.Builder, network: trt.INetworkDefinition, config: trt.IBuilderConfig
    ) -> list[str]:
        core = self.options.engine.dla_core
        if core < 0:
            return []
        if core >= builder.num_DLA_cores:
            there = f"{builder.num_DLA_cores} with TensorRT {self.module.__version__} on {self.device.name}"
            raise BackendError(f"dla_core {core}", got=there, mend="set dla_core to -1")
        if self.precision == "fp32":
            raise BackendError("dla_core with precision fp32", wanted="fp16 or int8, which is all that DLA has")
        config.default_device_type = self.module.DeviceType.DLA
        config.DLA_core = core
        config.set_flag(self.module.BuilderFlag.GPU_FALLBACK)
        layers = [network.get_layer(i) for i in range(network.num_layers)]
        names = [layer.name for layer in layers if not config.can_run_on_DLA(layer)]
        if len(names) == len(layers):
            raise BackendError(
                f"DLA core {core} of {self.device.name}", got="no layer that it can run", mend="dla_core -1"
            )
        shown = ", ".join(names[:_NAMED_LAYERS]) + ", …" * (len(names) > _NAMED_LAYERS)
        return [f"{len(names)} of {len(layers)} layers run on the GPU, not on DLA: {shown}"] if names else []

    def set_limits(self, config: trt.IBuilderConfig) -> None:
        engine = self.options.engine
        workspace = (engine.engine_workspace << 20) or self.device.total // _WORKSPACE_SHARE
        config.set_memory_pool_limit(self.module.MemoryPoolType.WORKSPACE, workspace)
        if hasattr(config, "builder_optimization_level"):
            config.builder_optimization_level = engine.engine_level
        if engine.engine_for != "device":
            levels = trt_api.optional(self.module, "HardwareCompatibilityLevel")
            level = levels and trt_api.optional(levels, engine.engine_for.upper())
            if level is None:
                raise self._missing(f"engine_for: {engine.engine_for}")
            config.hardware_compatibility_level = level

    def add_profile(self, builder: trt.Builder, network: trt.INetworkDefinition, config: trt.IBuilderConfig) -> None:
        inputs = [network.get_input(i) for i in range(network.num_inputs)]
        if all(min(tensor.shape, default=1) >= 0 for tensor in inputs):
            return
        profile = builder.create_optimization_profile()
        for tensor in inputs:
            if min(tensor.shape, default=1) >= 0:
                continue
            if tensor.name not in self.options.shapes:
                raise BackendError(f"input {tensor.name!r} of open size", wanted="its least, usual and largest shape")
            profile.set_shape(tensor.name, *self.options.shapes[tensor.name])
        config.add_optimization_profile(profile)

    def _require_int8(self, builder: trt.Builder) -> None:
        if trt_api.optional(builder, "platform_has_fast_int8") is False:
            raise BackendError(f"precision int8 on {self.device.name}", got="no INT8 units", mend="use fp16")
        if self.qdq:
            return
        quantize = "make a model with Q/DQ operators: edge-ai quantize"
        if trt_api.optional(self.module, "IInt8EntropyCalibrator2") is None:
            got = f"a model without Q/DQ operators, and TensorRT {self.module.__version__} calibrates no more"
            raise BackendError("precision int8", got=got, mend=quantize)
        if not self.options.engine.engine_calibration:
            mend = f"give engine_calibration a folder of images, or {quantize}"
            raise BackendError("precision int8", got="a model without Q/DQ operators and no calibration", mend=mend)

    def _missing(self, what: str) -> BackendError:
        return BackendError(
            what, got=f"TensorRT {self.module.__version__}, which does not have it", mend="leave it off"
        )
