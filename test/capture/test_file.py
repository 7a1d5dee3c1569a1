from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ai.capture.file import FileSource
from edge_ai.capture.params import CameraParams
from edge_ai.capture.synthetic import read_index
from edge_ai.core.errors import EndOfSource, SourceError


def source(path: Path | str) -> FileSource:
    return FileSource(CameraParams(source=str(path)), str(path))


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_every_frame_comes_once_in_order_with_its_media_time(write_video: Callable[..., Path], name: str) -> None:
    with source(write_video(name, frames=12, fps=20.0)) as video:
        assert video.fps == 20.0
        assert not video.live
        frames = [video.read() for _ in range(12)]
        with pytest.raises(EndOfSource, match=r"ended after 12 frames$"):
            video.read()
    assert [read_index(f.image) for f in frames] == [f.index for f in frames] == list(range(12))
    assert [f.due_s for f in frames] == pytest.approx([i / 20 for i in range(12)])
    assert all(f.image.shape == (120, 160, 3) and f.encoding == "bgr8" for f in frames)


def test_opened_again_it_starts_at_its_beginning(write_video: Callable[..., Path]) -> None:
    video = source(write_video())
    for _ in range(2):
        with video:
            assert [video.read().index, video.read().index] == [0, 1]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SourceError, match=r"no such file: '/no/such\.mp4'"):
        source("/no/such.mp4").open()


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceError, match=r"empty\.mp4' is empty"):
        source(tmp_path / "empty.mp4").open()


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder"):
        source(tmp_path).open()


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("meeting at ten\n" * 100)
    with pytest.raises(SourceError, match="cannot be read as a video"):
        source(tmp_path / "notes.mp4").open()


def test_an_mp4_cut_before_its_index_is_refused(write_video: Callable[..., Path]) -> None:
    path = write_video("clip.mp4")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match="cut short"):
        source(path).open()


def test_a_video_without_a_picture_is_refused(write_video: Callable[..., Path]) -> None:
    path = write_video("clip.avi")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    with pytest.raises(SourceError, match="cut short"):
        source(path).open()


def test_an_avi_cut_in_the_middle_plays_to_the_cut_and_says_so(write_video: Callable[..., Path]) -> None:
    path = write_video("clip.avi", frames=40)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with source(path) as video:
        indices = []
        with pytest.raises(EndOfSource, match="of 40: the file is cut short"):  # noqa: PT012
            while True:
                indices.append(video.read().index)
    assert 10 <= len(indices) < 30
    assert indices == list(range(len(indices)))


def test_a_finite_video_behind_http_is_read_whole(write_video: Callable[..., Path], file_server: str) -> None:
    path = write_video("clip.mp4", frames=12)
    with source(f"{file_server}/{path.name}") as video:
        assert [video.read().index for _ in range(12)] == list(range(12))
        with pytest.raises(EndOfSource):
            video.read()
