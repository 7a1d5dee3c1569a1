import pytest

from edge_ai.capture.base import printable
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.core.errors import SourceError


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("rtsp://me:secret@cam:554/stream", "rtsp://***@cam:554/stream"),
        ("rtsp://me:p@ss/word@cam/stream", "rtsp://***@cam/stream"),
        ("http://cam/video?user=me&pwd=secret&size=2", "http://cam/video?user=***&pwd=***&size=2"),
        (
            "rtspsrc location=rtsp://cam user-id=me user-pw='my secret' ! x",
            "rtspsrc location=rtsp://cam user-id=*** user-pw=*** ! x",
        ),
        ("/dev/video0", "/dev/video0"),
        ("synthetic://1280x720@30", "synthetic://1280x720@30"),
        ("http://cam/video", "http://cam/video"),
        ("gst: videotestsrc ! video/x-raw,width=3", "gst: videotestsrc ! video/x-raw,width=3"),
    ],
)
def test_printable_hides_credentials_and_nothing_else(text: str, clean: str) -> None:
    assert printable(text) == clean


def test_name_of_a_source_has_no_credentials() -> None:
    assert create_source(CameraParams(source="rtsp://me:secret@cam/1")).name == "rtsp://***@cam/1"


def test_a_context_opens_and_closes() -> None:
    with create_source(CameraParams(source="synthetic")) as source:
        assert source.read().index == 0
    with pytest.raises(SourceError, match="not open"):
        source.read()


@pytest.mark.parametrize("source", ["synthetic", "0", "rtsp://cam/1", "gst: videotestsrc", "csi://0", "/", "/no/file"])
def test_every_kind_may_be_closed_unopened_and_twice(source: str) -> None:
    made = create_source(CameraParams(source=source))
    made.close()
    made.close()
    with pytest.raises(SourceError, match="not open"):
        made.read()
