"""Built engines on disk: found by what they were built from and for, whole or not at all, verified before use."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edge_ai.backends.engine_manifest import EngineKey, Manifest, Verdict, secret_key
from edge_ai.core.errors import EngineError
from edge_ai.core.files import user_folder, write_whole

log = logging.getLogger(__name__)

PLAN, MANIFEST = "engine.plan", "manifest.json"
_UNFINISHED = ".new-"


@dataclass(frozen=True)
class Entry:
    """One engine in the cache.

    Attributes:
        folder: where its files lie.
        manifest: verified.
    """

    folder: Path
    manifest: Manifest

    @property
    def plan_path(self) -> Path:
        """The engine's file."""
        return self.folder / PLAN


class EngineCache:
    """A folder of engines.

    Args:
        root: made when something is stored.
        secret: what manifests are signed with; default the user's own key.
    """

    def __init__(self, root: Path, secret: bytes | None = None) -> None:
        self.root = root
        self._secret = secret

    @classmethod
    def at(cls, folder: str) -> EngineCache:
        """The cache of a folder; empty: edge_ai/engines in the user's cache folder."""
        return cls(Path(folder) if folder else user_folder("XDG_CACHE_HOME", ".cache") / "engines")

    def find(self, key: EngineKey) -> Entry | None:
        """The engine of this key, accepted or not; None if there is none.

        Raises:
            EngineError: there is one, but its manifest does not verify.
        """
        folder = self.root / key.digest
        if not folder.is_dir():
            return None
        entry = self.read(folder)
        if difference := key.differs(entry.manifest.key):
            raise EngineError(f"engine in '{folder}'", got=difference, mend="remove the folder")
        return entry

    def read(self, folder: Path) -> Entry:
        """The engine in a folder, its manifest verified.

        Raises:
            EngineError: there is none, or it does not verify.
        """
        path = folder / MANIFEST
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            mend = "build the engine here: edge-ai compile CARD"
            raise EngineError(f"manifest '{path}'", got=str(error), wanted="the engine's manifest", mend=mend) from None
        return Entry(folder, Manifest.parse(text, self._key(), str(path)))

    def last_good(self, key: EngineKey, environment: dict[str, str]) -> Entry | None:
        """The newest accepted engine of the same model for this very TensorRT and GPU, built with other options."""
        same = ("model_sha256", "tensorrt", "gpu", "compute_capability")
        good = [
            entry
            for entry in self.entries()
            if all(getattr(entry.manifest.key, name) == getattr(key, name) for name in same)
            and _shapes(entry.manifest.key) == _shapes(key)
            and entry.manifest.accepted(environment)
        ]
        return max(good, key=lambda entry: entry.manifest.built, default=None)

    def entries(self) -> list[Entry]:
        """All that verify; what does not is logged."""
        entries = []
        for path in sorted(self.root.glob(f"*/{MANIFEST}")):
            try:
                entries.append(self.read(path.parent))
            except EngineError as error:
                log.warning("%s", error)
        return entries

    def plan(self, entry: Entry) -> bytes:
        """The engine's bytes, verified: these very bytes may be deserialised.

        Raises:
            EngineError: they are missing or not those that were stored.
        """
        what, mend = f"engine '{entry.plan_path}'", f"remove '{entry.folder}', and it is built again"
        try:
            plan = entry.plan_path.read_bytes()
        except OSError as error:
            raise EngineError(what, got=error.strerror, mend=mend) from None
        if len(plan) != entry.manifest.size or hashlib.sha256(plan).hexdigest() != entry.manifest.sha256:
            got = f"{len(plan)} bytes that are not those which were built"
            raise EngineError(what, got=got, wanted=f"sha256 {entry.manifest.sha256}", mend=mend)
        return plan

    def store(self, key: EngineKey, plan: bytes, *, seconds: float = 0.0, notes: list[str] | None = None) -> Entry:
        """Keep a new engine, not yet accepted by any gate; an older one of the same key goes when this one is whole.

        Raises:
            EngineError: the disk is full or the folder cannot be written; nothing is left behind.
        """
        manifest = Manifest(
            key=key,
            sha256=hashlib.sha256(plan).hexdigest(),
            size=len(plan),
            built=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=round(seconds, 1),
            notes=notes or [],
        )
        folder = self.root / key.digest
        with self._writing(f"engine '{folder}'"):
            self.root.mkdir(parents=True, exist_ok=True)
            self.sweep()
            made = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=self.root))
            try:
                _write(made / PLAN, plan)
                _write(made / MANIFEST, manifest.dump(self._key()).encode())
                _swap(made, folder)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        return Entry(folder, manifest)

    def judge(self, entry: Entry, verdict: Verdict) -> Entry:
        """Write down what the gate said.

        Raises:
            EngineError: it cannot be written; the manifest before stands.
        """
        manifest = entry.manifest.model_copy(update={"verdict": verdict})
        path = entry.folder / MANIFEST
        with self._writing(f"manifest '{path}'"):
            write_whole(path, manifest.dump(self._key()).encode(), mode=0o644)
        return Entry(entry.folder, manifest)

    def sweep(self) -> None:
        """Remove what a process that was killed has left half written."""
        for path in self.root.glob(f"{_UNFINISHED}*"):
            if not Path("/proc", path.name.removeprefix(_UNFINISHED).partition("-")[0]).exists():
                shutil.rmtree(path, ignore_errors=True)

    def remove(self, entry: Entry) -> None:
        """Delete an engine."""
        shutil.rmtree(entry.folder, ignore_errors=True)

    def timing_path(self, key: EngineKey) -> Path:
        """Where TensorRT's timings of that version and GPU lie, which make later builds quicker."""
        name = hashlib.sha256(f"{key.tensorrt}/{key.gpu}/{key.compute_capability}".encode()).hexdigest()[:16]
        return self.root / f"{name}.timing"

    def keep_timings(self, key: EngineKey, timings: bytes) -> None:
        """Write down TensorRT's timings; a failure is logged, for they are only a help."""
        path = self.timing_path(key)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            _write(new, timings)
            new.replace(path)
        except OSError as error:
            log.warning("TensorRT's timings were not kept: %s", error)
            new.unlink(missing_ok=True)

    def _key(self) -> bytes:
        if self._secret is None:
            self._secret = secret_key()
        return self._secret

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            mend = (
                "free some space, or set engine_cache to a folder with more" if full else "set engine_cache elsewhere"
            )
            raise EngineError(what, got=error.strerror, wanted="room to write", mend=mend) from None


def model_digest(path: Path) -> str:
    """SHA-256 of an ONNX file and of the files that hold its external data.

    Raises:
        EngineError: external data is missing.
    """
    digest = hashlib.sha256()
    for part in [path, *external_data(path)]:
        try:
            with part.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            mend = "put the file beside the model, under the name that the model gives"
            raise EngineError(f"external data '{part}' of '{path}'", got=error.strerror, mend=mend) from None
        digest.update(b"\0")
    return digest.hexdigest()


def external_data(path: Path) -> list[Path]:
    """The files beside an ONNX model that hold weights of it, each once; empty if onnx is not installed to tell."""
    try:
        import onnx
        from onnx.external_data_helper import uses_external_data
    except ImportError:
        return []
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # whatever is wrong with the file, those that build or run it say so better
        return []
    names = {
        entry.value
        for tensor in model.graph.initializer
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return [path.parent / name for name in sorted(names)]


def _swap(made: Path, folder: Path) -> None:
    """Put a finished folder in another's place, which comes back if that fails."""
    old = made.with_name(f"{made.name}-old")
    if folder.exists():
        folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _shapes(key: EngineKey) -> object:
    return key.options.get("shapes")


def _write(path: Path, data: bytes) -> None:
    """Write and wait until it is on the disk: a robot is switched off without warning."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
