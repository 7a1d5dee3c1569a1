"""What TensorRT's ONNX parser does not take, for machines without TensorRT.

Told by the operator table of onnx-tensorrt (docs/operators.md at "ONNX-TensorRT 10.1 GA", June 2024, documented for
opset 9 to 20). Newer releases take more; where TensorRT is installed its own parser is asked instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

SOURCE = "table of onnx-tensorrt 10.1"

UNSUPPORTED = frozenset(
    """AffineGrid Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow CenterCropPad Col2Im
    Compress ConcatFromSequence ConvInteger DFT Det DynamicQuantizeLinear HammingWindow HannWindow ImageDecoder
    MatMulInteger MaxRoiPool MaxUnpool MelWeightMatrix Multinomial NegativeLogLikelihoodLoss Optional OptionalGetElement
    OptionalHasElement QLinearConv QLinearMatMul RegexFullMatch STFT SequenceAt SequenceConstruct SequenceEmpty
    SequenceErase SequenceInsert SequenceLength SequenceMap SoftmaxCrossEntropyLoss SplitToSequence StringConcat
    StringNormalizer StringSplit TfIdfVectorizer Unique""".split()  # noqa: SIM905 - a list of 46 strings is harder to read
)
"""Operators of ONNX that it refuses."""

_DOMAINS = ("", "ai.onnx")
# The input that has to be fixed when the engine is built.
_REDUCTIONS = ("Max", "Mean", "Min", "Prod", "Sum", "L1", "L2", "LogSum", "LogSumExp", "SumSquare")
_CONSTANT = {f"Reduce{name}": 1 for name in _REDUCTIONS}
_CONSTANT |= {"Squeeze": 1, "Unsqueeze": 1, "CumSum": 1, "OneHot": 1, "Slice": 3}
_MOST_TOPK = 3840


def refusal(node: Any, constants: Mapping[str, Any]) -> str:
    """Why TensorRT refuses an operator; empty if the table knows no reason.

    Args:
        node: an operator of an ONNX graph.
        constants: the tensors whose values are fixed, by name.
    """
    if node.domain not in _DOMAINS:
        return f"of the domain {node.domain}"
    if node.op_type in UNSUPPORTED:
        return "not supported"
    return next((reason for check in _CHECKS for reason in check(node, constants)), "")


def _quantization(node: Any, constants: Mapping[str, Any]) -> Iterator[str]:
    import numpy as np
    from onnx import TensorProto, numpy_helper

    if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or len(node.input) < 3 or not node.input[2]:
        return
    zero = constants.get(node.input[2])
    if zero is None:
        yield "its zero point is computed"
    elif zero.data_type == TensorProto.UINT8:
        yield "quantised to uint8, wanted int8"
    elif zero.data_location != TensorProto.EXTERNAL and np.any(numpy_helper.to_array(zero)):
        yield "its zero point is not 0"


def _fixed_inputs(node: Any, constants: Mapping[str, Any]) -> Iterator[str]:
    at = _CONSTANT.get(node.op_type)
    if at is not None and len(node.input) > at and node.input[at] and node.input[at] not in constants:
        yield f"its input '{node.input[at]}' is computed, wanted fixed values"


def _attributes(node: Any, _constants: Mapping[str, Any]) -> Iterator[str]:
    given = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type in ("MaxPool", "AveragePool", "LpPool") and any(d != 1 for d in _ints(given, "dilations")):
        yield "pooling with dilations"
    if node.op_type == "MaxPool" and len(node.output) > 1 and node.output[1]:
        yield "its output of indices"
    if node.op_type == "TopK" and "sorted" in given and given["sorted"].i != 1:
        yield "unsorted"
    if node.op_type == "ScatterND" and "reduction" in given and given["reduction"].s not in (b"", b"none"):
        yield "with a reduction"


def _top_k(node: Any, constants: Mapping[str, Any]) -> Iterator[str]:
    from onnx import TensorProto, numpy_helper

    tensor = constants.get(node.input[1]) if node.op_type == "TopK" and len(node.input) > 1 else None
    if tensor is not None and tensor.data_location != TensorProto.EXTERNAL:
        k = int(numpy_helper.to_array(tensor).reshape(-1)[0])
        if k >= _MOST_TOPK:
            yield f"K is {k}, wanted less than {_MOST_TOPK}"


def _ints(given: Mapping[str, Any], name: str) -> list[int]:
    return list(given[name].ints) if name in given else []


_CHECKS: tuple[Callable[[Any, Mapping[str, Any]], Iterator[str]], ...] = (
    _quantization,
    _fixed_inputs,
    _attributes,
    _top_k,
)
