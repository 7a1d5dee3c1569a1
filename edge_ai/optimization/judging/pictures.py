"""The pictures that variants of a model are calibrated and judged on: of a folder, a video or a bag."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from edge_ai.capture.folder import FolderSource, list_pictures
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.core.encodings import image_size
from edge_ai.core.errors import EndOfSource, SourceError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.evaluation.truth import Truth
from edge_ai.optimization.progress import Progress, silent

HELD_BYTES = 1 << 30
"""Of pictures in memory at most; a robot's own computer may have to judge, too."""

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
        """Numbers of at most ``most`` pictures, evenly over all; ``without`` some while there are enough others."""
        everything, avoided = range(self.count(progress)), frozenset(without)
        left = [number for number in everything if number not in avoided]
        if len(left) < most:
            return tuple(sorted({*left, *_even(sorted(avoided.intersection(everything)), most - len(left))}))
        return _even(left, most)

    def numbers(self, truth: Truth) -> dict[int, int]:
        """The number here of each labelled picture, by its id: of the same file name in a folder, else the id itself.

        Raises:
            SourceError: none of them is here, or several are called alike.
        """
        if self.names:
            ids = truth.ids_by_name
            found = {ids[name]: number for number, name in enumerate(self.names) if name in ids}
        else:
            count = self.count()
            found = {picture.id: picture.id for picture in truth.pictures if picture.id < count}
        labelled = len(truth.pictures)
        if not found:
            wanted = "pictures called as in the labels, each once" if self.names else "as many pictures as the ids say"
            got = f"none of the {labelled} labelled pictures"
            raise SourceError(f"data '{self.source}'", got=got, wanted=wanted, mend="give the data that was labelled")
        if len(found) < labelled:
            log.warning("%d of %d labelled pictures are not in '%s'", labelled - len(found), labelled, self.source)
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


class Shots:
    """Some pictures of a recording, kept in memory as long as they are not too many, else read again each time.

    Args:
        pictures: of what.
        numbers: which.
        progress: told of each that is read.

    Raises:
        SourceError: none of them can be read.
    """

    def __init__(self, pictures: Pictures, numbers: Collection[int], progress: Progress = silent) -> None:
        self._pictures, self._wanted = pictures, frozenset(numbers)
        self._held: list[Frame] | None = []
        read, size = [], 0
        for frame in pictures.read(self._wanted):
            read.append(frame.header.index)
            size += frame.image.nbytes
            if size > HELD_BYTES:
                self._held = None
            if self._held is not None:
                self._held.append(Frame(frame.header, frame.image.copy(), frame.encoding))
            progress("reading pictures", len(read), len(self._wanted))
        self.numbers = tuple(read)
        if not read:
            raise SourceError(f"data '{pictures.source}'", got="no picture that can be read", wanted="one at least")
        if len(read) < len(self._wanted):
            lost = len(self._wanted) - len(read)
            log.warning("%d of %d pictures of '%s' cannot be read", lost, len(self._wanted), pictures.source)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._held) if self._held is not None else self._pictures.read(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def _even(numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of them, evenly over all."""
    if len(numbers) <= most:
        return tuple(numbers)
    return tuple(numbers[(2 * i + 1) * len(numbers) // (2 * most)] for i in range(most))
