import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ai.capture.folder import FolderSource
from edge_ai.capture.params import CameraParams
from edge_ai.core.errors import EndOfSource, SourceError


def source(path: Path, fps: float = 0.0) -> FolderSource:
    return FolderSource(CameraParams(source=str(path), fps=fps), str(path))


def grey(path: Path, value: int, size: tuple[int, int] = (40, 60)) -> None:
    assert cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


def test_pictures_come_by_number_at_the_rate_asked(tmp_path: Path) -> None:
    for name, value in (("shot10.png", 30), ("shot2.JPG", 20), ("shot1.bmp", 10)):
        grey(tmp_path / name, value)
    (tmp_path / "notes.txt").write_text("not a picture")
    with source(tmp_path, fps=5.0) as folder:
        frames = [folder.read() for _ in range(3)]
        with pytest.raises(EndOfSource, match="after 3 pictures"):
            folder.read()
    assert [round(f.image.mean()) for f in frames] == [10, 20, 30]
    assert [(f.index, f.due_s) for f in frames] == [(0, 0.0), (1, 0.2), (2, 0.4)]
    assert folder.fps == 5.0


def test_a_damaged_picture_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey(tmp_path / "a.png", 1)
    (tmp_path / "b.png").write_bytes(b"no picture")
    (tmp_path / "c.png").touch()
    grey(tmp_path / "d.png", 4)
    with caplog.at_level(logging.WARNING), source(tmp_path) as folder:
        assert [folder.read().index, folder.read().index] == [0, 3]
    assert "b.png" in caplog.text
    assert "c.png" in caplog.text


def test_one_picture_is_a_folder_of_one(tmp_path: Path) -> None:
    grey(tmp_path / "a.png", 1, (48, 64))
    with source(tmp_path / "a.png") as folder:
        assert folder.read().image.shape == (48, 64, 3)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no pictures: wanted files ending in \.jpg"):
        source(tmp_path).open()


def test_a_folder_of_damaged_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="none of the pictures"):
        source(tmp_path).open()


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(SourceError, match=r"/no/folder.*No such file"):
        source(Path("/no/folder")).open()
