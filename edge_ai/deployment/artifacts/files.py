"""The files of a set, read from a folder that somebody else may be changing meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.manifest import MANIFEST, MOST_BYTES, FileEntry

_BLOCK = 1 << 20
_MEND = "get the set again, whole, as edge-ai sign wrote it"


def read_manifest(folder: Path) -> bytes:
    """The bytes of a set's manifest, one more than the limit at most.

    Raises:
        ArtifactError: it is missing, or no plain file.
    """
    what = f"set '{folder}': {MANIFEST}"
    try:
        with _opened(folder / MANIFEST, what) as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        mend = "sign the model first: edge-ai sign CARD --into SET, then give the path of SET"
        raise ArtifactError(what, got=error.strerror, wanted="a signed set of artifacts", mend=mend) from None


def check_listed(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Make sure that a folder holds the files of its manifest and nothing else.

    Raises:
        ArtifactError: a file is missing, is not listed, or is a link or device.
    """
    what, found = f"set '{folder}'", set()
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                found.add(inside)
            elif not stat.S_ISDIR(mode):
                kind = "link" if stat.S_ISLNK(mode) else "device or pipe"
                raise ArtifactError(what, got=f"a {kind} '{inside}'", wanted="plain files", mend=_MEND)
    wanted = {*files, MANIFEST}
    if extra := sorted(found - wanted):
        raise ArtifactError(what, got=f"files that it does not list: {', '.join(extra[:5])}", mend=_MEND)
    if missing := sorted(wanted - found):
        raise ArtifactError(what, got=f"no {', '.join(missing[:5])}", wanted="every file that it lists", mend=_MEND)


def verified(folder: Path, path: str, entry: FileEntry) -> Iterator[bytes]:
    """The bytes of a file, block by block; who has got the last one without an error has the file that was signed.

    Raises:
        ArtifactError: it is missing, no plain file, or another one.
    """
    what, digest, left = f"set '{folder}': file '{path}'", hashlib.sha256(), entry.size + 1
    try:
        with _opened(folder / path, what) as stream:
            while left and (block := stream.read(min(_BLOCK, left))):
                left -= len(block)
                digest.update(block)
                yield block
    except OSError as error:
        raise ArtifactError(what, got=error.strerror, mend=_MEND) from None
    if digest.hexdigest() != entry.sha256:
        raise ArtifactError(what, got="other bytes than were signed", wanted=f"sha256 {entry.sha256}", mend=_MEND)


def check_whole(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Make sure that a folder is the set that its manifest describes, file by file.

    Raises:
        ArtifactError: as of `check_listed` and `verified`.
    """
    try:
        check_listed(folder, files)
    except OSError as error:
        raise ArtifactError(f"set '{folder}'", got=error.strerror, mend=_MEND) from None
    for path, entry in files.items():
        for _ in verified(folder, path, entry):
            pass


def _opened(path: Path, what: str) -> BinaryIO:
    """A plain file, open; neither through a link nor waiting at a pipe."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    stream = os.fdopen(handle, "rb")
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        stream.close()
        raise ArtifactError(what, got="no plain file", mend=_MEND)
    return stream
