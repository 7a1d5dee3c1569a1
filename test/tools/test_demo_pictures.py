"""Every picture ends up in the video, and the one that shows most in the preview."""

import cv2
import numpy as np
import pytest
from demo_pictures import Pictures, rate_of, showing
from demo_record import NS, Commanded


def command(state, linear):
    return Commanded(0, state, linear, 0.0, 0, 0.0, True)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_all_pictures_are_written_at_their_own_rate(tmp_path, count):
    pictures = Pictures(tmp_path / "v.mp4", tmp_path / "p.png")
    for i in range(count):
        pictures.offer(np.full((48, 64, 3), 5 * i, np.uint8), i * NS // 20, None)
    pictures.close()
    video = cv2.VideoCapture(str(tmp_path / "v.mp4"))
    read = 0
    while video.read()[0]:
        read += 1
    assert read == count == pictures.written
    if count > 1:
        assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(20.0)


def test_the_preview_is_the_picture_with_the_clearest_command(tmp_path):
    pictures = Pictures(tmp_path / "v.mp4", tmp_path / "p.png")
    for value, state, linear in ((10, "STALE", 0.0), (20, "FOLLOWING", 0.3), (30, "FOLLOWING", 0.1)):
        pictures.offer(np.full((48, 64, 3), value, np.uint8), value, command(state, linear))
    pictures.close()
    assert cv2.imread(str(tmp_path / "p.png"))[0, 0].tolist() == [20, 20, 20]


def test_a_picture_of_another_size_does_not_end_the_video(tmp_path):
    pictures = Pictures(tmp_path / "v.mp4", tmp_path / "p.png")
    for i in range(20):
        pictures.offer(np.zeros((48, 64 + 16 * (i > 12), 3), np.uint8), i * NS // 10, None)
    pictures.close()
    assert pictures.written == 20
    assert pictures.size == (64, 48)


def test_nothing_offered_writes_nothing(tmp_path):
    Pictures(tmp_path / "v.mp4", tmp_path / "p.png").close()
    assert list(tmp_path.iterdir()) == []


def test_the_rate_bears_one_late_picture():
    assert rate_of([0, NS // 10, 2 * NS // 10, NS]) == pytest.approx(10.0)
    assert showing(None) == 0.0
