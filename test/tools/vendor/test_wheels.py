"""Unpacked wheels, fetched once."""

import pytest


def test_a_requirement_is_a_folder_name():
    from vendor.wheels import slug

    assert slug("cuda-bindings>=12.9,<13") == "cuda-bindings-12.9-13"
    assert slug("tensorrt-cu12-bindings==10.3.0") == "tensorrt-cu12-bindings-10.3.0"


def test_without_an_index_it_says_so_and_nothing_counts_as_unpacked(tmp_path, monkeypatch):
    from installer.console import SetupError
    from vendor.wheels import Shelf

    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(SetupError, match="pip cannot reach its package index, or finds it empty"):
            Shelf(tmp_path, (3, 11)).unpacked(["tensorrt-cu12-bindings==10.3.0"], dependencies=False)
