"""Building engines: what each version of TensorRT is asked for, and what is said when it cannot be had."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_ai.backends import cuda_memory, trt_api
from edge_ai.backends.engine_params import EngineParams
from edge_ai.backends.trt_build import build
from edge_ai.core.errors import BackendError, ModelError

VERSIONS = ("8.5.2", "8.6.1", "10.3.0", "10.13.3", "11.4.0")
SHAPE = ((1, 3), (2, 3), (4, 3))


@pytest.fixture
def make_plan(make_options):
    """Builds a model as one is built in the build process; returns what came of it and the steps it told."""

    def make(machine, path, calibration=(), progress=None, **engine):
        options = make_options(
            engine=EngineParams(**{"precision": "fp32", "cuda": machine.binding, **engine}),
            shapes={"left": SHAPE, "right": SHAPE},
        )
        cuda, steps = cuda_memory.bind(machine.binding), []

        def told(*step):
            steps.append(step)
            return progress(*step) if progress else True

        with cuda.current():
            built = build(path, options, cuda, progress=told, calibration=calibration)
        return built, steps

    return make


def add_qdq(path):
    """The same model with Q/DQ operators on one input."""
    model = onnx.load(path)
    graph = model.graph
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.float32(0.01), "scale"),
            numpy_helper.from_array(np.int8(0), "zero"),
        ]
    )
    graph.node.insert(0, helper.make_node("QuantizeLinear", ["left", "scale", "zero"], ["left_q"]))
    graph.node.insert(1, helper.make_node("DequantizeLinear", ["left_q", "scale", "zero"], ["left_dq"]))
    for node in list(graph.node)[2:]:
        node.input[:] = ["left_dq" if name == "left" else name for name in node.input]
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("precision", ["fp32", "fp16", "best"])
def test_every_precision_builds(gpu_machine, make_model, make_plan, precision):
    built, steps = make_plan(gpu_machine, make_model(), precision=precision)
    assert len(built.plan) > 100
    assert [step[0] for step in steps][:1] == ["reading the model"]
    assert "building" in [step[0] for step in steps]


def test_int8_from_qdq(gpu_machine, make_model, make_plan):
    built, _ = make_plan(gpu_machine, add_qdq(make_model()), precision="int8")
    assert built.plan


@pytest.mark.parametrize("version", VERSIONS)
def test_int8_without_qdq(double_gpu, make_model, make_plan, version, tmp_path):
    machine = double_gpu(trt=version)
    batches = [{name: np.full((1, 3), value, np.float32) for name in ("left", "right")} for value in (1, 2, 3)]
    with pytest.raises(BackendError, match="edge-ai quantize"):
        make_plan(machine, make_model(), precision="int8")
    if version.startswith("11"):
        with pytest.raises(BackendError, match=r"TensorRT 11.4.0 calibrates no more"):
            make_plan(machine, make_model(), batches, precision="int8", engine_calibration=str(tmp_path))
        return
    left = iter(batches)
    built, _ = make_plan(machine, make_model(("n", 3)), left, precision="int8", engine_calibration=str(tmp_path))
    assert double_gpu.asked(built.plan)["calibrated"]
    assert double_gpu.calibrated_on() == [[1.0] * 3, [2.0] * 3, [3.0] * 3]
    assert next(left, None) is None, "every batch was asked for"


@pytest.mark.parametrize("version", VERSIONS)
def test_open_sizes_need_their_shapes(double_gpu, make_model, make_plan, make_options, version):
    machine = double_gpu(trt=version)
    assert make_plan(machine, make_model(("n", 3)))[0].plan
    cuda = cuda_memory.bind(machine.binding)
    options = make_options(engine=EngineParams(precision="fp32", cuda=machine.binding))
    with cuda.current(), pytest.raises(BackendError, match="'left' of open size"):
        build(make_model(("n", 3)), options, cuda, progress=lambda *_: True)


ABSENT = [
    ("8.5.2", {"engine_for": "ampere_plus"}),
    ("10.3.0", {"engine_for": "same_compute_capability"}),
    ("8.5.2", {"engine_version_compatible": True}),
]
PRESENT = [
    (VERSIONS[1:], {"engine_for": "ampere_plus"}, {"hardware": "AMPERE_PLUS"}),
    (VERSIONS[3:], {"engine_for": "same_compute_capability"}, {"hardware": "SAME_COMPUTE_CAPABILITY"}),
    (VERSIONS, {"engine_for": "device"}, {"hardware": "NONE"}),
    (VERSIONS[1:], {"engine_version_compatible": True}, {"flags": ["TF32", "VERSION_COMPATIBLE"]}),
    (VERSIONS, {}, {"flags": ["TF32"]}),
    (VERSIONS, {"engine_tf32": False}, {"flags": []}),
    (VERSIONS, {"engine_sparsity": True}, {"flags": ["SPARSE_WEIGHTS", "TF32"]}),
    (VERSIONS, {"engine_workspace": 64}, {"pools": {"WORKSPACE": 64 << 20}}),
    (VERSIONS, {"engine_workspace": 0}, {"pools": {"WORKSPACE": (7620 << 20) // 4}}),
    (VERSIONS[1:], {"engine_level": 5}, {"level": 5}),
    (VERSIONS[:1], {"engine_level": 5}, {"level": None}),
    (VERSIONS[:4], {"precision": "fp16"}, {"flags": ["FP16", "TF32"]}),
    (VERSIONS[:4], {"precision": "best"}, {"flags": ["FP16", "TF32"]}),
]


@pytest.mark.parametrize(("version", "given"), ABSENT)
def test_options_that_a_version_does_not_have(double_gpu, make_model, make_plan, version, given):
    with pytest.raises(BackendError, match=f"{next(iter(given))}.*TensorRT {version}, which does not have it"):
        make_plan(double_gpu(trt=version), make_model(), **given)


@pytest.mark.parametrize(
    ("version", "given", "asked"),
    [(version, given, asked) for versions, given, asked in PRESENT for version in versions],
)
def test_options_reach_the_builder(double_gpu, make_model, make_plan, version, given, asked):
    built, _ = make_plan(double_gpu(trt=version), make_model(), **given)
    head = double_gpu.asked(built.plan)
    assert {name: head[name] for name in asked} == asked


@pytest.mark.parametrize("version", VERSIONS)
def test_int8_asks_for_fp16_too_where_there_are_flags(double_gpu, make_model, make_plan, version):
    built, _ = make_plan(double_gpu(trt=version), add_qdq(make_model()), precision="int8")
    there = [] if version.startswith("11") else ["FP16", "INT8"]
    assert double_gpu.asked(built.plan)["flags"] == sorted([*there, "TF32"])


def test_half_precision_without_flags_is_in_the_model(double_gpu, make_model, make_plan):
    built, _ = make_plan(double_gpu(trt="11.4.0"), make_model(), precision="fp16")
    module = double_gpu.plan_module()
    types = {
        value.type.tensor_type.elem_type for value in onnx.load_from_string(module.read(built.plan)[1]).graph.input
    }
    model = onnx.load_from_string(module.read(built.plan)[1])
    assert types == {TensorProto.FLOAT}, "inputs keep their type"
    assert "Cast" in {node.op_type for node in model.graph.node}


def test_a_timing_cache_comes_back(double_gpu, make_model, make_plan):
    assert isinstance(make_plan(double_gpu(), make_model())[0].timings, bytes)


def test_steps_are_told_where_tensorrt_tells_them(double_gpu, make_model, make_plan):
    _, steps = make_plan(double_gpu(trt="10.3.0"), make_model())
    assert any(total > 0 and 0 < done <= total for _, done, total in steps)
    _, steps = make_plan(double_gpu(trt="8.6.1"), make_model())
    assert [phase for phase, _, _ in steps] == ["reading the model", "building"]


def test_dla(double_gpu, make_model, make_plan):
    machine = double_gpu(gpu={"dla_cores": 2})
    built, _ = make_plan(machine, make_model(), precision="fp16", dla_core=1)
    asked = double_gpu.asked(built.plan)
    assert (asked["dla"], asked["device"]) == (1, "DLA")
    assert "GPU_FALLBACK" in asked["flags"]
    assert built.notes == []
    with pytest.raises(BackendError, match="fp16 or int8"):
        make_plan(machine, make_model(), precision="fp32", dla_core=1)


def test_dla_that_is_not_there(double_gpu, make_model, make_plan):
    with pytest.raises(BackendError, match="dla_core"):
        make_plan(double_gpu(gpu={"dla_cores": 0}), make_model(), precision="fp16", dla_core=0)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_that_fails_names_the_layer_and_what_to_try(double_gpu, make_model, make_plan, version):
    with pytest.raises(BackendError, match=r"cannot build.*at layer .*raise engine_workspace"):
        make_plan(double_gpu(trt=version, fault="build_fails"), make_model())


def test_a_build_without_memory_says_so(double_gpu, make_model, make_plan):
    with pytest.raises(BackendError, match="free memory"):
        make_plan(double_gpu(fault="build_out_of_memory"), make_model())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("damage", ["truncated", "text", "operator"])
def test_models_that_cannot_be_read(double_gpu, make_model, make_plan, version, damage):
    path = make_model()
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "text":
        path.write_text("this is not a model")
    else:
        value = helper.make_tensor_value_info("left", TensorProto.FLOAT, [1, 3])
        out = helper.make_tensor_value_info("total", TensorProto.FLOAT, [1, 3])
        node = helper.make_node("TeleportV9", ["left"], ["total"], name="beam")
        model = helper.make_model(helper.make_graph([node], "g", [value], [out]), ir_version=8)
        path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError) as caught:
        make_plan(double_gpu(trt=version), path)
    assert str(path) in str(caught.value)
    if damage == "operator":
        assert "TeleportV9" in str(caught.value)


@pytest.mark.parametrize("version", VERSIONS)
def test_external_data_that_is_missing(double_gpu, make_plan, version, tmp_path):
    weights = numpy_helper.from_array(np.ones((64, 64), np.float32), "weights")
    value = helper.make_tensor_value_info("left", TensorProto.FLOAT, [1, 64])
    out = helper.make_tensor_value_info("total", TensorProto.FLOAT, [1, 64])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["left", "weights"], ["total"])], "g", [value], [out], [weights]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    assert make_plan(double_gpu(trt=version), path)[0].plan
    (tmp_path / "m.data").unlink()
    with pytest.raises(ModelError, match=r"m\.data|external data"):
        make_plan(double_gpu(trt=version), path)


def test_the_log_is_passed_on(double_gpu, make_model, make_plan, caplog):
    with pytest.raises(BackendError), caplog.at_level("ERROR"):
        make_plan(double_gpu(fault="build_fails"), make_model())
    assert any(record.name == trt_api.__name__ for record in caplog.records)
