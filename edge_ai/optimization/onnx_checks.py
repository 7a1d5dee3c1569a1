"""Whether an ONNX model is whole, and of a kind that the libraries on this machine know.

Each check raises `ModelError`; `what` names the model in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError, ModelError
from edge_ai.optimization.onnx_graph import library, nodes, opset, tensors

_STANDARD = ("", "ai.onnx", "ai.onnx.ml")


def check_external(model: Any, folder: Path, what: str) -> None:
    helper = library().external_data_helper
    for tensor in tensors(model):
        if not helper.uses_external_data(tensor):
            continue
        info = helper.ExternalDataInfo(tensor)
        file = folder / info.location
        mend = f"put '{info.location}' as it was exported beside the model"
        if not file.is_file():
            raise ModelError(what, got=f"no file '{file}'", wanted=f"the weights of '{tensor.name}' in it", mend=mend)
        wanted = (info.offset or 0) + (info.length or 0)
        if file.stat().st_size < wanted:
            got = f"'{file}' of {file.stat().st_size} bytes"
            raise ModelError(what, got=got, wanted=f"at least {wanted} for '{tensor.name}'", mend=mend)


def check_opsets(model: Any, what: str) -> None:
    onnx = library()
    newest = onnx.defs.onnx_opset_version()
    if opset(model) > newest:
        mend = "export it with an older opset, such as 17, or install a newer onnx and onnxruntime"
        wanted = f"at most {newest}, which onnx {onnx.__version__} knows"
        raise ModelError(what, got=f"opset {opset(model)}", wanted=wanted, mend=mend)


def check_operators(model: Any, what: str) -> None:
    onnx = library()
    versions = {entry.domain: int(entry.version) for entry in model.opset_import}
    versions[""] = opset(model)
    own = {(function.domain, function.name) for function in model.functions}
    for node in nodes(model.graph):
        if (node.domain, node.op_type) in own:
            continue
        called = f"'{node.op_type}' (node '{node.name or (list(node.output) or ['?'])[0]}')"
        mend = "export it with the standard operators, or install the onnx release that has this one"
        if node.domain in _STANDARD:
            domain = "" if node.domain == "ai.onnx" else node.domain
            if not onnx.defs.has(node.op_type, versions.get(domain, 0), domain):
                got = f"operator {called}, unknown in opset {versions.get(domain, 0)}"
                raise ModelError(what, got=got, wanted="an operator of ONNX", mend=mend)
        elif not node.domain.startswith("com.microsoft"):
            got = f"operator {called} of the domain '{node.domain}'"
            raise ModelError(what, got=got, wanted="operators of ONNX or of ONNX Runtime", mend=mend)


def check_runs(path: Path, what: str) -> None:
    """Let ONNX Runtime load it, unoptimised: it alone knows what it has kernels for."""
    try:
        import onnxruntime
    except ImportError:
        mend = "python3 -m pip install onnxruntime"
        raise EdgeAIError("ONNX models", got="onnxruntime is not installed", mend=mend) from None
    if (error := runtime_error(path)) is not None:
        wanted = f"a model that ONNX Runtime {onnxruntime.__version__} runs on the processor"
        mend = "export it with an older opset, such as 17, or install a newer onnxruntime"
        raise ModelError(what, got=first_line(error), wanted=wanted, mend=mend) from None


def runtime_error(path: Path) -> Exception | None:
    """What ONNX Runtime, which must be installed, says against loading a model unoptimised; None: it takes it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base of their own
        return error
    return None


def first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__
