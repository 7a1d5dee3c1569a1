"""From ``params.source`` to the camera source it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from edge_ai.capture.bag_file import is_bag
from edge_ai.capture.base import CameraSource, printable
from edge_ai.capture.params import CameraParams
from edge_ai.core.errors import SourceError
from edge_ai.core.registry import Registry

SOURCES: Registry[Callable[[CameraParams, str], CameraSource]] = Registry(
    "camera source",
    {
        "v4l2": "edge_ai.capture.video:V4L2Source",
        "rtsp": "edge_ai.capture.video:UrlSource",
        "rtsps": "edge_ai.capture.video:UrlSource",
        "http": "edge_ai.capture.video:UrlSource",
        "https": "edge_ai.capture.video:UrlSource",
        "gst": "edge_ai.capture.gstreamer:GStreamerSource",
        "csi": "edge_ai.capture.gstreamer:CsiSource",
        "file": "edge_ai.capture.file:FileSource",
        "folder": "edge_ai.capture.folder:FolderSource",
        "bag": "edge_ai.capture.bag:BagSource",
        "synthetic": "edge_ai.capture.synthetic:SyntheticSource",
    },
)
"""Each kind by the prefix that names it: ``kind:address``. A new kind is one more line."""

_RECORDINGS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


def create_source(params: CameraParams) -> CameraSource:
    """The camera source for ``params.source``, not yet open.

    Raises:
        SourceError: a ``kind://`` that nobody here knows.
        ImportError: the kind needs a library that is not installed.
    """
    kind, address = split_source(params.source)
    return SOURCES.load(kind)(params, address)


def split_source(source: str) -> tuple[str, str]:
    """The kind of a source and its address.

    A prefix that is a registered kind decides, else the form: a number or /dev/... is V4L2, text with " ! " a GStreamer
    pipeline, a rosbag2 (its folder, or a .mcap or .db3 file, perhaps with "?topic=/name") is a bag, another folder or a
    picture is played as pictures, anything else is a video file.

    Example:
        >>> split_source("gst: videotestsrc"), split_source("0")
        (('gst', 'videotestsrc'), ('v4l2', '0'))

    Raises:
        SourceError: a ``kind://`` that nobody here knows.
    """
    source = source.strip()
    prefix = re.match(r"([A-Za-z][A-Za-z0-9_+.-]*)(:|$)(//)?", source)
    kind = prefix[1].lower() if prefix else ""
    if prefix and kind in SOURCES.names() and (prefix[2] or not Path(source).exists()):
        return _address(kind, source, source[prefix.end(2) :].strip())
    if " ! " in source:
        return "gst", source
    if prefix and prefix[3]:
        known = ", ".join(SOURCES.names())
        raise SourceError("unknown camera source", got=f"'{printable(source)}'", wanted=f"one of {known}, or a path")
    if source.isdecimal() or source.startswith("/dev/"):
        return "v4l2", source
    path = Path(source).expanduser()
    if is_bag(Path(source.partition("?topic=")[0]).expanduser()):
        return "bag", source
    return ("folder" if path.is_dir() or path.suffix.lower() in _PICTURES else "file"), source


def _address(kind: str, source: str, rest: str) -> tuple[str, str]:
    """What is left after the prefix; network kinds need the whole URL, and a recording behind one is a file."""
    if kind in ("http", "https") and Path(urlsplit(source).path).suffix.lower() in _RECORDINGS:
        return "file", source
    if kind in ("rtsp", "rtsps", "http", "https"):
        return kind, source
    return kind, rest.removeprefix("//") if kind in ("file", "folder", "bag", "v4l2") else rest
