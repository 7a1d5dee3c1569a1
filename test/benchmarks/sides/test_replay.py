import numpy as np
import pytest

from benchmarks.sides import replay
from edge_ai.capture.select import SOURCES, create_source
from edge_ai.core.errors import SourceError


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(SOURCES, "_entries", dict(SOURCES._entries))
    replay.register()
    replay.register()  # a second time does no harm


def test_pictures_come_again_and_again_with_growing_numbers_at_the_rate_asked_for():
    source = create_source(replay.parameters(replay.SYNTHETIC, 25.0))
    with source:
        taken = [source.read() for _ in range(replay.COUNT + 2)]
    assert source.fps == 25
    assert [one.index for one in taken] == list(range(replay.COUNT + 2))
    assert taken[50].due_s == 2
    assert taken[0].image is taken[replay.COUNT].image
    assert not np.array_equal(taken[0].image, taken[1].image)
    assert taken[0].image.shape == (576, 768, 3)


def test_a_video_without_a_picture_is_refused(tmp_path):
    (tmp_path / "v.avi").write_bytes(b"nothing")
    with pytest.raises(SourceError, match=r"v\.avi"):
        replay.pictures(str(tmp_path / "v.avi"))


def test_pictures_are_brought_to_a_size_and_take_a_bounded_memory():
    small = replay.pictures(replay.sized(replay.SYNTHETIC, "64x48"))
    assert (len(small), small[0].shape) == (replay.COUNT, (48, 64, 3))
    large = replay.pictures(replay.sized(replay.SYNTHETIC, "1920x1080"))
    assert large[0].shape == (1080, 1920, 3)
    assert 1 < len(large) < replay.COUNT
    assert sum(image.nbytes for image in large) <= 128 * 2**20
