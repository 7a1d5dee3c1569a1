from pathlib import Path

import pytest

from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import SOURCES, create_source, split_source
from edge_ai.core.errors import SourceError


@pytest.mark.parametrize(
    ("source", "kind", "address"),
    [
        ("0", "v4l2", "0"),
        (" 2 ", "v4l2", "2"),
        ("/dev/video1", "v4l2", "/dev/video1"),
        ("v4l2:///dev/video1", "v4l2", "/dev/video1"),
        ("rtsp://me:pw@cam/1", "rtsp", "rtsp://me:pw@cam/1"),
        ("RTSP://cam/1", "rtsp", "RTSP://cam/1"),
        ("rtsps://cam/1", "rtsps", "rtsps://cam/1"),
        ("http://cam/video.cgi?x=1", "http", "http://cam/video.cgi?x=1"),
        ("https://host/clip.MP4?x=1", "file", "https://host/clip.MP4?x=1"),
        ("gst: videotestsrc", "gst", "videotestsrc"),
        ("v4l2src device=/dev/video0 ! jpegdec", "gst", "v4l2src device=/dev/video0 ! jpegdec"),
        ("rtspsrc location=rtsp://cam ! decodebin", "gst", "rtspsrc location=rtsp://cam ! decodebin"),
        ("csi://0?fps=30", "csi", "//0?fps=30"),
        ("synthetic", "synthetic", ""),
        ("synthetic://320x240", "synthetic", "//320x240"),
        ("/tmp", "folder", "/tmp"),
        ("shots/one.PNG", "folder", "shots/one.PNG"),
        ("clip.avi", "file", "clip.avi"),
        ("file:///data/clip", "file", "/data/clip"),
    ],
)
def test_the_source_decides_the_kind(source: str, kind: str, address: str) -> None:
    assert split_source(source) == (kind, address)


@pytest.mark.parametrize("kind", SOURCES.names())
def test_every_registered_kind_can_be_made(kind: str) -> None:
    made = create_source(CameraParams(source=f"{kind}://0"))
    assert made.name == f"{kind}://0"


def test_an_unknown_kind_is_refused_and_the_known_are_listed() -> None:
    with pytest.raises(SourceError, match=r"foo://bar.*v4l2, rtsp, .*synthetic"):
        create_source(CameraParams(source="foo://bar"))


def test_a_file_that_is_named_like_a_kind_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "synthetic").mkdir()
    monkeypatch.chdir(tmp_path)
    assert split_source("synthetic") == ("folder", "synthetic")
    assert split_source("synthetic://") == ("synthetic", "//")
