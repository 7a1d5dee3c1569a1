"""A model card as a model repository of Triton: `config.pbtxt`, `model.py` and the card's own files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from edge_ai.core.errors import CardError
from edge_ai.processing.card import ModelCard
from edge_ai.processing.serving import DETECTIONS, SERVICE, InputKind
from edge_ai.runtime.server_options import ServerOptions

MODEL_PY = '''"""Made by edge-ai serve-repository. EDGE_AI_SITE names folders with edge_ai where it is not installed."""

import os
import sys

sys.path[:0] = [folder for folder in os.environ.get("EDGE_AI_SITE", "").split(os.pathsep) if folder]

from edge_ai.runtime.triton_model import TritonModel as TritonPythonModel  # noqa: E402, F401
'''
_TYPES = {"float32": "TYPE_FP32", "float16": "TYPE_FP16", "uint8": "TYPE_UINT8", "int32": "TYPE_INT32"}
_SUFFIX: dict[InputKind, str] = {"jpeg": "", "image": "_image", "tensor": "_tensor"}
_TENSORRT = """
optimization {
  execution_accelerators {
    gpu_execution_accelerator [
      { name: "tensorrt" parameters { key: "precision_mode" value: "FP16" } }
    ]
  }
}"""


def write_model(card: ModelCard, card_path: Path, options: ServerOptions, into: Path, *, files: bool = True) -> Path:
    """Write one model of a repository.

    Args:
        card: the model.
        card_path: where it was read from.
        options: how it is to be served.
        into: the repository.
        files: whether the card's own files come along; without them it cannot be served.

    Returns:
        The model's folder.

    Raises:
        CardError: the card cannot be served like this.
        ModelError: its model file is missing or another one.
    """
    check(card, options)
    folder = into / model_name(card, options)
    version = folder / "1"
    version.mkdir(parents=True, exist_ok=True)
    (folder / "config.pbtxt").write_text(config(card, options, outputs(card, card_path, options)), encoding="utf-8")
    if options.backend == "python":
        (version / "model.py").write_text(MODEL_PY, encoding="utf-8")
    if files:
        source = card.check_file()
        _copy_files(card, source, version, options)
    return folder


def model_name(card: ModelCard, options: ServerOptions) -> str:
    """Name of the model on the server."""
    return options.name or card.name + _SUFFIX[options.takes]


def check(card: ModelCard, options: ServerOptions) -> None:
    """Refuse what cannot be served.

    Raises:
        CardError: says why.
    """
    what = f"serving '{card.name}'"
    if options.backend != "python" and options.takes != "tensor":
        mend = "serve it with --input tensor, or with --backend python"
        raise CardError(what, got=f"{options.takes} for backend {options.backend}", wanted="tensors", mend=mend)
    if options.takes != "tensor" and card.task != "detection":
        mend = "serve it with --input tensor: robots then prepare images and read answers themselves"
        raise CardError(what, got=f"task {card.task}", wanted="detection, whose answers are boxes", mend=mend)
    if options.backend != "python" and card.model_path.suffix != ".onnx":
        raise CardError(what, got=card.file, wanted="an .onnx file", mend="use --backend python")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in config.pbtxt: name, Triton's type, dimensions with -1 for those left open."""

    name: str
    type: str
    dims: tuple[int, ...]

    def __str__(self) -> str:
        dims = ", ".join(map(str, self.dims))
        return f'  {{ name: "{self.name}" data_type: {self.type} dims: [ {dims} ] }}'


def outputs(card: ModelCard, card_path: Path, options: ServerOptions) -> list[Tensor]:
    """What the model answers with."""
    own = [Tensor(SERVICE, "TYPE_FP32", (1,))] if options.backend == "python" else []
    if options.takes != "tensor":
        rows = {"boxes": (-1, 4)}
        return [*(Tensor(name, f"TYPE_{kind}", rows.get(name, (-1,))) for name, kind in DETECTIONS.items()), *own]
    from edge_ai.runtime.model import Model, backend_for
    from edge_ai.runtime.params import InferenceParams

    params = InferenceParams.parse({"model": str(card_path), "backend": "onnxruntime", "warm_up": 0})
    model = Model(card, backend_for(card_path, card, params))
    model.open()
    try:
        if options.max_batch and model.single:
            raise CardError(f"serving '{card.name}' in batches", got=model.single, mend="leave out --max-batch")
        specs = {name: model.backend.outputs[name] for name in card.output_names}
        skip = int(options.max_batch > 0)
        return [
            Tensor(name, _TYPES[str(spec.dtype)], tuple(-1 if size is None else size for size in spec.shape[skip:]))
            for name, spec in specs.items()
        ] + own
    finally:
        model.close()


def config(card: ModelCard, options: ServerOptions, answers: list[Tensor]) -> str:
    """The text of config.pbtxt."""
    spec = card.input
    tensor = Tensor(spec.name, _TYPES[spec.dtype], spec.shape[int(options.max_batch > 0) :])
    taken = {
        "jpeg": Tensor("jpeg", "TYPE_STRING", (1,)),
        "image": Tensor("image", "TYPE_UINT8", (-1, -1, 3)),
        "tensor": tensor,
    }[options.takes]
    lines = [
        "# Made by edge-ai serve-repository.",
        f'name: "{model_name(card, options)}"',
        f'backend: "{"python" if options.backend == "python" else "onnxruntime"}"',
        f"max_batch_size: {options.max_batch}",
        "input [",
        str(taken),
        "]",
        "output [",
        ",\n".join(map(str, answers)),
        "]",
        f"instance_group [ {{ count: {options.instances} kind: {_kind(options)} }} ]",
        "dynamic_batching {",
        "  default_queue_policy {",
        "    timeout_action: REJECT",
        f"    default_timeout_microseconds: {round(options.timeout * 1e6)}",
        "    allow_timeout_override: true",
        f"    max_queue_size: {options.queue}",
        "  }",
        "}",
    ]
    if options.backend == "python":
        given = (("input", options.takes), *options.parameters)
        lines += [f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}' for key, value in given]
    return "\n".join(lines) + (_TENSORRT if options.backend == "tensorrt" else "") + "\n"


def _kind(options: ServerOptions) -> str:
    # Triton's own ONNX Runtime goes to the GPU where there is one; what ours does, its parameters say.
    return {"python": "KIND_CPU", "onnxruntime": "KIND_AUTO", "tensorrt": "KIND_GPU"}[options.backend]


def _copy_files(card: ModelCard, source: Path, version: Path, options: ServerOptions) -> None:
    if options.backend != "python":
        shutil.copyfile(source, version / "model.onnx")
        return
    shutil.copyfile(source, version / source.name)
    values = card.model_dump(mode="json", exclude_none=True) | {"file": source.name}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    (version / "model.yaml").write_text(text, encoding="utf-8")
