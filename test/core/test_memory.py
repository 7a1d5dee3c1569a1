import gc
import sys
import weakref

import pytest

from edge_ai.core.memory import free_memory, resident_bytes


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self):
        self.me = self


def test_garbage_in_circles_goes():
    gc.disable()
    try:
        gone = weakref.ref(Knot())
        assert gone() is not None
        assert free_memory() >= 0
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of others keeps nothing that we know of")
def test_what_the_c_library_keeps_goes_back_to_the_system():
    blocks = [bytearray(60_000) for _ in range(1500)]  # below the size that glibc gives back by itself
    top = bytearray(60_000)  # and something behind them that stays
    full = resident_bytes()
    del blocks
    free_memory()
    assert resident_bytes() < full - 40e6
    assert top is not None


def test_a_system_that_does_not_say_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr("edge_ai.core.memory._STATM", tmp_path / "statm")
    assert resident_bytes() == 0
    assert free_memory() == 0
    (tmp_path / "statm").write_text("nonsense")
    assert resident_bytes() == 0
