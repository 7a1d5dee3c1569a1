"""Where this machine keeps the sets it has admitted, and what it must not forget: versions, and how late it is."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from edge_ai.core.errors import ArtifactError
from edge_ai.core.files import sync_folder, write_whole
from edge_ai.deployment.artifacts.files import verified
from edge_ai.deployment.artifacts.manifest import MANIFEST, FileEntry, canonical

_UNFINISHED = ".new-"
_STATE, _SETS = "state.json", "sets"


class Version(BaseModel):
    """A version that has proved itself, and the digest of its set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    digest: str


class State(BaseModel):
    """What outlives every start.

    Attributes:
        newest: the latest time ever seen; it cannot be earlier now.
        confirmed: the newest version of each line of sets that has proved itself.
        accepted: digests of the sets that were admitted, by the line's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    newest: AwareDatetime
    confirmed: dict[str, Version] = {}
    accepted: dict[str, list[str]] = {}

    def seen(self, moment: datetime) -> State:
        """As it is known then."""
        return self.model_copy(update={"newest": max(self.newest, moment)})


class Store:
    """A folder of sets, each under its digest, and the state beside them. Several processes may use it at once.

    Args:
        root: of the folder; made when something is kept.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing it until the block ends.

        Raises:
            ArtifactError: it cannot be written.
        """
        with self._writing():
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.root / ".lock").open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def folder(self, digest: str) -> Path:
        """Where a set lies, or would."""
        return self.root / _SETS / digest

    def state(self, now: datetime) -> State:
        """What is known; of a store that has never been used only the time.

        Raises:
            ArtifactError: it is damaged, or is gone while sets are still there.
        """
        path = self.root / _STATE
        mend = (
            f"if nobody meddled with it, remove '{self.root}'; the robot then forgets which versions it has seen, and "
            "takes the next set it is given"
        )
        try:
            values = json.loads(path.read_bytes())
            digest = values.pop("sha256")
            state = State.model_validate(values)
            if digest != _digest(values):
                raise ValueError("other figures than were written")
        except FileNotFoundError:
            if (self.root / _SETS).exists():
                raise ArtifactError(f"state '{path}'", got="no such file beside sets", mend=mend) from None
            return State(newest=now)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
            got = f"it is damaged ({type(error).__name__})"
            raise ArtifactError(f"state '{path}'", got=got, mend=mend) from None
        return state

    def write(self, state: State) -> None:
        """Keep the state; it is on the disk when this returns.

        Raises:
            ArtifactError: the disk refuses; the state before stands.
        """
        values = state.model_dump(mode="json")
        with self._writing():
            write_whole(self.root / _STATE, json.dumps({**values, "sha256": _digest(values)}, indent=1).encode())

    def take(self, folder: Path, manifest: bytes, files: Mapping[str, FileEntry], digest: str) -> Path:
        """Copy a set here, verifying the copied bytes; whole or not at all.

        Args:
            folder: of the set.
            manifest: the bytes of its manifest, verified.
            files: what it lists.
            digest: of what was signed.

        Raises:
            ArtifactError: a file is not the one that was signed, or the disk is full.
        """
        place = self.folder(digest)
        with self._writing():
            place.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=place.parent))
            try:
                for path, entry in files.items():
                    target = made / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("wb") as copy:
                        copy.writelines(verified(folder, path, entry))
                        copy.flush()
                        os.fsync(copy.fileno())
                write_whole(made / MANIFEST, manifest)
                self.drop(digest)
                made.rename(place)
                sync_folder(place.parent)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        return place

    def drop(self, digest: str) -> None:
        """Remove a set."""
        shutil.rmtree(self.folder(digest), ignore_errors=True)

    def keep_only(self, digests: Container[str]) -> None:
        """Remove all other sets, and what a process that was killed has left half written."""
        for path in (self.root / _SETS).iterdir():
            if path.name not in digests:
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            mend = "free some space" if full else "set artifact_store to a folder that can be written"
            got = error.strerror or str(error)
            raise ArtifactError(f"store of sets '{self.root}'", got=got, wanted="room to write", mend=mend) from None


def _digest(values: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical(values)).hexdigest()
