"""Files that are there whole or not at all."""

import os

import pytest

from edge_ai.core.files import write_whole


def test_a_file_is_written_into_a_new_folder_for_this_user_only(tmp_path):
    path = tmp_path / "state" / "kept.json"
    write_whole(path, b"{}")
    assert path.read_bytes() == b"{}"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "kept.json"
    write_whole(path, b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(OSError, match="No space left"):
            write_whole(path, b"after")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("kept.json", b"before")]
