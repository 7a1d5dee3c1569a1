"""INT8 on processors with AMX, where ONNX Runtime 1.21 to 1.24 answers nonsense."""

import logging

import onnxruntime
import pytest

from edge_ai.backends import onnxrt_faults
from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.core.errors import BackendError

PAIRS = "session.disable_quant_qdq"


@pytest.fixture
def faulty(monkeypatch):
    monkeypatch.setattr(onnxrt_faults, "wrong", lambda *_: True)
    onnxrt_faults._tell.cache_clear()


@pytest.mark.parametrize(
    ("version", "is_wrong"),
    [("1.20.1", False), ("1.21.0", True), ("1.23.2", True), ("1.24.4", True), ("1.25.0", False), ("1.32.0", False)],
)
def test_which_versions(version, is_wrong):
    assert onnxrt_faults.wrong(version, True) is is_wrong
    assert not onnxrt_faults.wrong(version, False)


def test_which_processors(tmp_path):
    path = tmp_path / "cpuinfo"
    for flags, has in (
        ("avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8 flush_l1d", True),
        ("avx2 avx_vnni", False),
    ):
        path.write_text(f"processor : 0\nflags : fpu {flags}\n")
        onnxrt_faults.amx.cache_clear()
        assert onnxrt_faults.amx(path) is has
    assert not onnxrt_faults.amx(tmp_path / "none")


def test_pairs_are_left_in_float_and_it_is_told_once(faulty, make_model, make_options, caplog):
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        backend = OnnxRuntimeBackend(make_options())
        backend.activate(make_model())
        assert backend._session.get_session_options().get_session_config_entry(PAIRS) == "1"
    assert caplog.text.count("computes INT8 wrongly on this processor (AMX)") == 1
    assert "install 1.25 or newer" in caplog.text


def test_elsewhere_integers_stay_integers(monkeypatch, make_model, make_options):
    monkeypatch.setattr(onnxrt_faults, "wrong", lambda *_: False)
    backend = OnnxRuntimeBackend(make_options())
    backend.activate(make_model())
    with pytest.raises(RuntimeError, match=PAIRS):
        backend._session.get_session_options().get_session_config_entry(PAIRS)


def test_what_cannot_be_left_in_float_is_refused(faulty, make_model, make_options, monkeypatch):
    path = make_model()
    path.write_bytes(path.read_bytes() + b"QLinearConv")
    backend = OnnxRuntimeBackend(make_options())
    with pytest.raises(BackendError, match=rf"{onnxruntime.__version__} computes QLinearConv wrongly.*install 1\.25"):
        backend.activate(path)
    monkeypatch.setattr(onnxrt_faults, "wrong", lambda *_: False)
    assert OnnxRuntimeBackend.unfit(path, make_options()) == ""
