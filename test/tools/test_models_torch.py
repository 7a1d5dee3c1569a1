"""Checkpoints read without PyTorch: the old format written here by hand, and what a hostile file asks for refused."""

import io
import os
import pickle
import struct
import sys
import types

import numpy as np
import pytest

MAGIC = 0x1950A86A20F9469CFC6C


@pytest.fixture
def torch_names(monkeypatch):
    """Modules with the names that a checkpoint refers to: pickle insists that they can be imported."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def _rebuild_tensor_v2(*args):
        raise AssertionError("only its name is needed")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


class View:
    """A tensor to be written: a view of the storage `key`."""

    def __init__(self, key, offset, size, stride):
        self.parts = (key, offset, size, stride)

    def __reduce__(self):
        key, *place = self.parts
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (Storage(key), *place, False, {})


class Storage:
    def __init__(self, key):
        self.key = key


def checkpoint(torch, entries, storages):
    """The bytes of torch.save of old: entries refer to storages {key: array}."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, Storage):
                return None
            array = storages[item.key]
            kind = torch.FloatStorage if array.dtype == np.float32 else torch.LongStorage
            return ("storage", kind, item.key, "cpu", len(array), None)

    stream = io.BytesIO()
    for head in (MAGIC, 1001, {"little_endian": True}):
        pickle.dump(head, stream, protocol=2)
    Pickler(stream, protocol=2).dump(entries)
    pickle.dump(list(storages), stream, protocol=2)
    for array in storages.values():
        stream.write(struct.pack("<q", len(array)) + array.tobytes())
    return stream.getvalue()


def test_tensors_are_views_of_storages(torch_names):
    from model_zoo.torch_file import read_tensors

    storages = {"7": np.arange(12, dtype=np.float32), "9": np.array([41, 42], np.int64)}
    entries = {"weight": View("7", 2, (2, 3), (1, 2)), "count": View("9", 1, (), ())}
    tensors = read_tensors(checkpoint(torch_names, entries, storages))
    assert np.array_equal(tensors["weight"], [[2, 4, 6], [3, 5, 7]])
    assert tensors["weight"].dtype == np.float32
    assert tensors["count"] == 42


@pytest.mark.parametrize("view", [("7", 2, (2, 3), (6, 2)), ("7", 0, (13,), (1,)), ("7", 0, (2,), (-1,))])
def test_a_view_beyond_its_storage_is_refused(torch_names, view):
    from model_zoo.errors import ConversionError
    from model_zoo.torch_file import read_tensors

    content = checkpoint(torch_names, {"w": View(*view)}, {"7": np.arange(12, dtype=np.float32)})
    with pytest.raises(ConversionError, match="reaches beyond"):
        read_tensors(content)


def test_code_in_a_checkpoint_is_refused_and_not_run(torch_names, tmp_path):
    from model_zoo.errors import ConversionError
    from model_zoo.torch_file import read_tensors

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    with pytest.raises(ConversionError, match=r"mkdir, which no tensor needs"):
        read_tensors(checkpoint(torch_names, {"w": Hostile()}, {}))
    assert not (tmp_path / "ran").exists()


def test_torn_and_other_files_are_refused(torch_names):
    from model_zoo.errors import ConversionError
    from model_zoo.torch_file import read_tensors

    whole = checkpoint(torch_names, {"w": View("7", 0, (12,), (1,))}, {"7": np.arange(12, dtype=np.float32)})
    for content in (b"", b"PK\x03\x04 a newer checkpoint", whole[:-4], whole[: len(whole) // 2], pickle.dumps(1) * 5):
        with pytest.raises(ConversionError, match=r"damaged|format"):
            read_tensors(content)


def test_only_tensors_by_name_are_read(torch_names):
    from model_zoo.errors import ConversionError
    from model_zoo.torch_file import read_tensors

    for entries in ([1, 2], {"epoch": 3}):
        with pytest.raises(ConversionError, match="more than tensors by name"):
            read_tensors(checkpoint(torch_names, entries, {}))
