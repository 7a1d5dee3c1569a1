"""The pictures that variants of a model are calibrated and judged on: of a folder, a video or a bag."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from edge_ai.capture.folder import FolderSource, list_pictures
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.core.encodings import image_size
from edge_ai.core.errors import EndOfSource, SourceError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.optimization.progress import Progress, silent

log = logging.getLogger(__name__)


class Pictures:
    """The pictures of a recording, by their number in it; read again each time they are asked for.

    Args:
        source: a folder or file of pictures, a video file or a bag, as the camera's parameter ``source`` takes it.

    Attributes:
        names: file names of a folder's pictures by number; empty for videos and bags.

    Raises:
        SourceError: it is a live camera, or not there, or no pictures are in it.
    """

    def __init__(self, source: str) -> None:
        self._params = CameraParams.parse({"source": source, "realtime": False}, owner="--data")
        camera = create_source(self._params)
        if camera.live:
            raise SourceError(f"data '{camera.name}'", got="a live camera", wanted="a folder, a video file or a bag")
        self.source = camera.name
        folder = isinstance(camera, FolderSource)
        paths = list_pictures(Path(camera.address).expanduser(), camera.name) if folder else []
        self.names: tuple[str, ...] = tuple(path.name for path in paths)
        self._count = len(paths)
        self._camera = camera

    def count(self, progress: Progress = silent) -> int:
        """How many there are, those that cannot be read included; a video is read once to find out."""
        if not self._count:
            for frame in self._frames():
                self._count = frame.header.index + 1
                progress("counting pictures", self._count, 0)
        return self._count

    def read(self, numbers: Collection[int]) -> Iterator[Frame]:
        """Some of the pictures, in the order of their numbers; those that cannot be read are left out."""
        wanted = frozenset(numbers)
        last = max(wanted, default=-1)
        for frame in self._frames():
            if frame.header.index in wanted:
                yield frame
            if frame.header.index >= last:
                return

    def spread(self, most: int, *, without: Collection[int] = (), progress: Progress = silent) -> tuple[int, ...]:
        """Numbers of at most ``most`` pictures, evenly over all of them, ``without`` some where others are left."""
        everything = range(self.count(progress))
        left = [number for number in everything if number not in frozenset(without)] or list(everything)
        if len(left) <= most:
            return tuple(left)
        return tuple(left[(2 * i + 1) * len(left) // (2 * most)] for i in range(most))

    def numbers(self, file_names: Mapping[int, str]) -> dict[int, int]:
        """The number of each labelled picture here: by file name in a folder, else its id is its number.

        Args:
            file_names: of the labelled pictures, by their id.

        Raises:
            SourceError: none of them is here.
        """
        if self.names:
            by_name = {name: number for number, name in enumerate(self.names)}
            found = {id_: by_name[Path(n).name] for id_, n in file_names.items() if Path(n).name in by_name}
        else:
            count = self.count()
            found = {id_: id_ for id_ in file_names if id_ < count}
        if not found:
            wanted = "pictures of the file names in the labels" if self.names else "as many pictures as the ids say"
            got = f"none of the {len(file_names)} labelled pictures"
            raise SourceError(f"data '{self.source}'", got=got, wanted=wanted, mend="give the data that was labelled")
        if len(found) < len(file_names):
            log.warning(
                "%d of %d labelled pictures are not in '%s'", len(file_names) - len(found), len(file_names), self.source
            )
        return found

    def _frames(self) -> Iterator[Frame]:
        with self._camera as camera:
            while True:
                try:
                    captured = camera.read()
                except EndOfSource:
                    return
                width, height = image_size(captured.image, captured.encoding)
                header = FrameHeader(0, time.monotonic_ns(), "", captured.index, width, height)
                yield Frame(header, captured.image, captured.encoding)


def held(pictures: Pictures, numbers: Sequence[int], progress: Progress = silent) -> list[Frame]:
    """Some pictures, kept in memory.

    Raises:
        SourceError: none of them can be read.
    """
    frames = []
    for frame in pictures.read(numbers):
        frames.append(Frame(frame.header, frame.image.copy(), frame.encoding))
        progress("reading pictures", len(frames), len(numbers))
    if not frames:
        raise SourceError(f"data '{pictures.source}'", got="no picture that can be read", wanted="one at least")
    if len(frames) < len(numbers):
        log.warning(
            "%d of %d pictures of '%s' cannot be read", len(numbers) - len(frames), len(numbers), pictures.source
        )
    return frames
