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
