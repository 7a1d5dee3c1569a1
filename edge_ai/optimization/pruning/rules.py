"""How channels pass through each operator of ONNX; what is not here stays as it is."""

from __future__ import annotations

from edge_ai.optimization.pruning import rules_elementwise as each
from edge_ai.optimization.pruning import rules_layers as layers
from edge_ai.optimization.pruning import rules_shapes as shapes
from edge_ai.optimization.pruning.analysis import Rule


def _each(rule: Rule, operators: str) -> dict[str, Rule]:
    return dict.fromkeys(operators.split(), rule)


RULES: dict[str, Rule] = {
    **_each(each.same, "Abs Acos Asin Atan Cast Ceil Celu Clip Cos Dropout Elu Erf Exp Floor Gelu HardSigmoid"),
    **_each(each.same, "HardSwish Identity LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu Sigmoid Sign Sin"),
    **_each(each.same, "Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu"),
    **_each(each.combined, "Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow"),
    **_each(each.combined, "PRelu Sub Sum Where Xor"),
    **_each(each.pooling, "AveragePool GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool"),
    **_each(each.reduction, "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin"),
    **_each(each.reduction, "ReduceProd ReduceSum ReduceSumSquare"),
    **_each(each.along_axis, "Softmax LogSoftmax Hardmax LayerNormalization"),
    "Pad": each.pad,
    "Conv": layers.convolution,
    "ConvTranspose": layers.transposed_convolution,
    "Gemm": layers.gemm,
    "MatMul": layers.matrix_product,
    "BatchNormalization": layers.normalisation,
    "InstanceNormalization": layers.normalisation,
    "Concat": shapes.concat,
    "Split": shapes.split,
    "Slice": shapes.cut,
    "Transpose": shapes.transpose,
    "Resize": shapes.resize,
    **_each(shapes.reshape, "Reshape Flatten Squeeze Unsqueeze"),
    "DepthToSpace": shapes.depth_to_space,
    "SpaceToDepth": shapes.space_to_depth,
}
