"""Models as files: what is refused, and that a file is whole or not there at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_ai.core.errors import ModelError
from edge_ai.optimization import onnx_file
from edge_ai.optimization.onnx_file import check_shapes, digest, load_model, model_bytes, save_model

SHIPPED = Path(__file__).parents[2] / "models" / "nanodet_g_416.onnx"


def network(shape=(1, 3, 8, 8), operator="Relu", domain="", opset=13, kind=np.float32):
    weight = numpy_helper.from_array(np.ones((64, 3, 3, 3), kind), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node(operator, ["c"], ["y"], domain=domain)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", "c", "h", "w"))
    graph = helper.make_graph(nodes, "net", [x], [y], [weight])
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1)] * bool(domain)
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def written(folder, model):
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_the_shipped_model_is_read():
    model = load_model(SHIPPED)
    check_shapes(model)
    names = [node.name for node in model.graph.node]
    assert len(names) == len(set(names)) >= 100
    assert all(names)


def test_nameless_operators_are_named_after_their_output(tmp_path):
    assert [node.name for node in load_model(written(tmp_path, network())).graph.node] == ["c", "y"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"not a model at all", "whole ONNX model|without a graph"),
        (b"\x08\x08", "without a graph"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, content, said):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        load_model(path)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_a_model_cut_off_is_refused(tmp_path, share):
    path = tmp_path / "net.onnx"
    content = SHIPPED.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match="mend"):
        load_model(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(ModelError, match="readable file"):
            load_model(path)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (network(opset=999), "opset 999"),
        (network(operator="Reloo"), "'Reloo' .node 'y'.*unknown in opset 13"),
        (network(operator="Gelu"), "'Gelu' .node 'y'.*unknown in opset 13"),  # it came with opset 20
        (network(operator="Magic", domain="my.plugins"), "'Magic' .node 'y'.*domain 'my.plugins'"),
        (network(operator="Magic", domain="com.microsoft"), "Magic"),
        (network(kind=np.int32), "ONNX Runtime"),  # integers where its input is of floats
    ],
)
def test_what_cannot_be_run_here_is_refused_by_name(tmp_path, model, said):
    with pytest.raises(ModelError, match=said):
        load_model(written(tmp_path, model))


def test_a_rule_of_the_checker_is_kept(tmp_path):
    model = network()
    model.graph.node[1].input[0] = "nowhere"
    with pytest.raises(ModelError, match="nowhere"):
        load_model(written(tmp_path, model))


def external(folder):
    path = folder / "net.onnx"
    onnx.save_model(network(), str(path), save_as_external_data=True, location="net.data", size_threshold=0)
    return path


def test_external_data_is_read_and_missed(tmp_path):
    path = external(tmp_path)
    assert numpy_helper.to_array(load_model(path).graph.initializer[0]).sum() == 1728
    data = tmp_path / "net.data"
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"100 bytes.*at least 6912"):
        load_model(path)
    data.unlink()
    with pytest.raises(ModelError, match=r"no file.*net\.data"):
        load_model(path)


def test_only_the_batch_may_be_open():
    check_shapes(network(("N", 3, 8, 8)))
    with pytest.raises(ModelError, match=r"'x'.*\[N, 3, height, 8\].*--input_shape 1,3,N,8"):
        check_shapes(network(("N", 3, "height", 8)))
    with pytest.raises(ModelError, match="no shape"):
        check_shapes(network(None))


def test_a_model_is_written_as_it_was_and_has_the_usual_rights(tmp_path):
    path, other = tmp_path / "a.onnx", tmp_path / "other"
    other.write_text("")
    save_model(network(), path)
    assert onnx.load(path) == network()
    assert path.stat().st_mode == other.stat().st_mode
    assert digest(path) == digest(written(tmp_path, network()))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.onnx", "net.onnx", "other"]


def test_large_weights_get_a_file_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "_LIMIT", 100)
    model, path = network(), tmp_path / "net.onnx"
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((64, 3, 3, 3), 2, np.float32), "w"))
    for _ in range(2):
        save_model(model, path)
        assert len(list(tmp_path.iterdir())) == 2
    assert numpy_helper.to_array(model.graph.initializer[0]).sum() == 3456, "the caller's model keeps its weights"
    assert numpy_helper.to_array(load_model(path).graph.initializer[0]).sum() == 3456


@pytest.mark.parametrize("limit", [onnx_file._LIMIT, 100])
@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), MemoryError()])
def test_a_failed_write_leaves_all_as_it_was(tmp_path, monkeypatch, limit, step, failure):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")

    def fail(*_):
        raise failure

    monkeypatch.setattr(onnx_file, "_LIMIT", limit)
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(ModelError if isinstance(failure, OSError) else type(failure)) as caught:
        save_model(network(), path)
    if isinstance(failure, OSError):
        assert "disk full" in str(caught.value)
        assert f"{network().ByteSize()} bytes" in str(caught.value)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("net.onnx", b"old")]


@pytest.mark.parametrize("room", [0, 1, 1000, 100_000])
def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_model(tmp_path, room):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")
    script = (
        "import resource, sys; from pathlib import Path; from edge_ai.core.errors import ModelError\n"
        "from edge_ai.optimization.onnx_file import save_model; import onnx\n"
        f"model = onnx.load({str(SHIPPED)!r}); resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "try:\n    save_model(model, Path(sys.argv[1]))\nexcept ModelError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, capture_output=True, text=True)
    assert "disk full" in done.stdout, done.stderr
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("net.onnx", b"old")]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ModelError, match="folder that can be written to"):
        save_model(network(), tmp_path / "none" / "net.onnx")


def test_the_size_of_a_model_counts_the_files_that_hold_its_weights(tmp_path):
    whole = written(tmp_path, network())
    assert model_bytes(whole) == whole.stat().st_size
    apart = tmp_path / "apart.onnx"
    onnx.save(onnx.load(str(whole)), str(apart), save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert model_bytes(apart) == apart.stat().st_size + (tmp_path / "weights.bin").stat().st_size
    assert (tmp_path / "weights.bin").stat().st_size > 0
