"""Writes a signed set: copies what it is made of into a new folder, and signs what lies there then."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pydantic import ValidationError

from edge_ai.core.errors import ArtifactError
from edge_ai.core.files import sha256_of
from edge_ai.deployment.artifacts.keys import PrivateKey
from edge_ai.deployment.artifacts.manifest import FORMAT, MANIFEST, MOST_BYTES, FileEntry, Role, SetManifest


@dataclass(frozen=True, slots=True)
class Source:
    """A file that goes into a set.

    Attributes:
        path: where it lies.
        inside: where it will lie in the set.
        role: what it is there for.
    """

    path: Path
    inside: str
    role: Role


def make_set(
    sources: Iterable[Source],
    into: Path,
    keys: Sequence[PrivateKey],
    *,
    name: str,
    version: int,
    expires: datetime,
    targets: Sequence[str],
    software: Mapping[str, str] | None = None,
) -> SetManifest:
    """Write a set, whole or not at all.

    Args:
        sources: its files.
        into: a folder that does not exist yet.
        keys: all of them sign.
        name, version, expires, targets, software: see `SetManifest`.

    Raises:
        ArtifactError: the folder exists, a file cannot be copied, or a value is not one for a manifest.
    """
    into = into.absolute()
    if into.exists():
        raise ArtifactError(f"set '{into}'", got="it exists", mend="give --into a new folder: a set is never changed")
    made = None
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
        files = {source.inside: _copied(source, made) for source in sources}
        values = {
            "format": FORMAT,
            "name": name,
            "version": version,
            "created": datetime.now(timezone.utc).replace(microsecond=0),
            "expires": expires,
            "targets": tuple(targets),
            "software": dict(software or {}),
            "files": files,
        }
        manifest = _manifest(values, into)
        (made / MANIFEST).write_text(manifest.dump(keys), encoding="utf-8")
        if (made / MANIFEST).stat().st_size > MOST_BYTES:
            raise ArtifactError(f"set '{into}'", got=f"{len(files)} files", mend="leave some out: its list is too long")
        made.chmod(0o755)
        made.rename(into)
    except OSError as error:
        raise ArtifactError(f"set '{into}'", got=f"{error.filename or ''} {error.strerror}".strip()) from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return manifest


def _copied(source: Source, made: Path) -> FileEntry:
    target = made / source.inside
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source.path, target)
    return FileEntry(sha256=sha256_of(target), size=os.path.getsize(target), role=source.role)


def _manifest(values: Mapping[str, object], into: Path) -> SetManifest:
    try:
        return SetManifest.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        got = f"{where}: {problem['msg']}".lstrip(": ")
        raise ArtifactError(f"set '{into}'", got=got, wanted="values that a manifest takes") from None
