"""What a machine lets in: sets that a trusted key signed, that are whole, for it, in time, and no step back."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.files import check_listed, check_whole, read_manifest
from edge_ai.deployment.artifacts.keys import PublicKey
from edge_ai.deployment.artifacts.manifest import SetManifest, parse
from edge_ai.deployment.artifacts.rules import check_device, check_software, check_time, check_version, late, unmet
from edge_ai.deployment.artifacts.store import State, Store, Version

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AdmittedSet:
    """A set in this machine's store, verified there.

    Attributes:
        folder: in the store.
        digest: of what was signed.
        manifest: what was signed.
    """

    folder: Path
    digest: str
    manifest: SetManifest

    @property
    def name(self) -> str:
        """Of the line of sets that replace each other."""
        return self.manifest.name

    @property
    def version(self) -> int:
        """Of the line."""
        return self.manifest.version

    @property
    def card(self) -> Path:
        """The model's card."""
        return self.folder / self.manifest.paths("card")[0]

    @property
    def engine(self) -> Path | None:
        """Folder of a built engine and its manifest."""
        return self._parent("engine")

    @property
    def config(self) -> Path | None:
        """File of parameters."""
        return next((self.folder / path for path in self.manifest.paths("config")), None)

    @property
    def golden(self) -> Path | None:
        """Folder of golden pictures and answers."""
        return self._parent("golden")

    def _parent(self, role: str) -> Path | None:
        return next(((self.folder / path).parent for path in self.manifest.paths(role)), None)


class Trust:
    """Judges sets, and keeps those it has admitted where who brought them cannot change them any more.

    Args:
        keys: files of public keys, any of which may have signed; two while one takes over from the other.
        store: folder of admitted sets and of what must not be forgotten.
        device: what this machine answers to: names of its profile and board.
        software: versions here by name, see `SetManifest`.
        examine: looks into a set whose files are verified, before it is accepted; raises if it is no good.
        now: the time.

    Raises:
        ArtifactError: there is no key, or one cannot be read.
    """

    def __init__(
        self,
        keys: Sequence[Path],
        store: Path,
        *,
        device: Sequence[str],
        software: Mapping[str, str] | None = None,
        examine: Callable[[AdmittedSet], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        if not keys:
            raise ArtifactError("trusted keys", got="none", wanted="files of public keys", mend="name them")
        self._keys = [PublicKey.load(path) for path in keys]
        self._store = Store(store)
        self._device, self._software = tuple(device), dict(software or {})
        self._examine, self._now = examine, now

    def admit(self, folder: Path) -> AdmittedSet:
        """Judge a set that somebody has brought, and take it into the store.

        Args:
            folder: of the set.

        Raises:
            ArtifactError: it is not signed by a trusted key, not whole, for other devices or software, expired, older
                than a version that has proved itself, or the clock is not to be trusted; the store is as before.
        """
        text = read_manifest(folder)
        manifest, signed = parse(text, self._keys, str(folder))
        what, digest, now = f"set '{folder}', {manifest.title}", hashlib.sha256(signed).hexdigest(), self._now()
        check_device(manifest, self._device, what)
        check_software(manifest, self._software, what)
        with self._store.locked():
            state = self._store.state(now)
            check_time(manifest, state, now, what)
            check_version(manifest, digest, state, what)
            if digest in state.accepted.get(manifest.name, ()):  # what runs here must not go for a second look at it
                return AdmittedSet(self._sound(folder, text, manifest, digest), digest, manifest)
            _check_listed(folder, manifest)
            self._store.write(state)  # first of all: sets without a state are taken for a state that was removed
            admitted = AdmittedSet(self._store.take(folder, text, manifest.files, digest), digest, manifest)
            try:
                self._examine(admitted)
            except BaseException:
                self._store.drop(digest)
                raise
            self._accept(admitted, state.seen(max(now, manifest.created)))
        log.info("%s admitted", what)
        return admitted

    def confirm(self, admitted: AdmittedSet) -> None:
        """A set has proved itself: from now on older ones of its line are refused, and those in the store go.

        Whatever the next start reads has to name this set by then.

        Raises:
            ArtifactError: the store cannot be read or written, or holds the set no more; then older ones are not
                refused.
        """
        with self._store.locked():
            state = self._store.state(self._now())
            check_version(admitted.manifest, admitted.digest, state, f"set {admitted.manifest.title}")
            version = Version(number=admitted.version, digest=admitted.digest)
            if state.confirmed.get(admitted.name) == version:
                self._tidy(state)  # a power cut may have kept it from that
                return
            if admitted.digest not in state.accepted.get(admitted.name, ()):
                got, mend = (
                    "another set has taken its place in the store",
                    "give each node an artifact_store of its own",
                )
                raise ArtifactError(f"set {admitted.manifest.title}", got=got, mend=mend)
            confirmed = {**state.confirmed, admitted.name: version}
            self._accept(admitted, state.model_copy(update={"confirmed": confirmed}).seen(self._now()))

    def admitted(self, path: Path) -> AdmittedSet | None:
        """A set that was admitted before, verified again in the store; None if it was not.

        It may have expired since: a robot without a network must not stop working for that. The log warns.

        Args:
            path: folder of the set, where it was brought or in the store.

        Raises:
            ArtifactError: its key is not trusted any more, it is not for this device, a newer version has proved itself
                since, or what the store has of it is damaged and cannot be had from ``path``.
        """
        text = read_manifest(path)
        manifest, signed = parse(text, self._keys, str(path))
        what, digest, now = f"set '{path}', {manifest.title}", hashlib.sha256(signed).hexdigest(), self._now()
        with self._store.locked():
            state = self._store.state(now)
            if digest not in state.accepted.get(manifest.name, ()):
                return None
            check_device(manifest, self._device, what)
            check_version(manifest, digest, state, what)
            folder = self._sound(path, text, manifest, digest)
            self._remember(state.seen(now))
        for trouble in (late(manifest, max(now, state.newest)), unmet(manifest, self._software)):
            if trouble:
                log.warning("%s goes on, for it was admitted earlier: got %s", what, trouble)
        return AdmittedSet(folder, digest, manifest)

    def _remember(self, state: State) -> None:
        """Keep the time; a robot whose disk is full goes on with what it has."""
        try:
            self._store.write(state)
        except ArtifactError as error:
            log.warning("the time of this start was not kept: %s", error)

    def _sound(self, path: Path, text: bytes, manifest: SetManifest, digest: str) -> Path:
        """Where a set lies in the store; what is damaged there is copied again if that is not where it is to be had."""
        folder = self._store.folder(digest)
        try:
            check_whole(folder, manifest.files)
        except ArtifactError as error:
            if path.resolve() == folder.resolve():
                raise
            log.warning("copied again from '%s': %s", path, error)
            self._store.take(path, text, manifest.files, digest)
        return folder

    def _accept(self, admitted: AdmittedSet, state: State) -> None:
        """Write down that a set may be used; others of its line go, but for the one that has proved itself."""
        confirmed = state.confirmed.get(admitted.name)
        kept = list(dict.fromkeys([*([confirmed.digest] if confirmed else []), admitted.digest]))
        state = state.model_copy(update={"accepted": {**state.accepted, admitted.name: kept}})
        self._store.write(state)
        self._tidy(state)

    def _tidy(self, state: State) -> None:
        self._store.keep_only({digest for digests in state.accepted.values() for digest in digests})


def _check_listed(folder: Path, manifest: SetManifest) -> None:
    try:
        check_listed(folder, manifest.files)
    except OSError as error:
        raise ArtifactError(f"set '{folder}'", got=error.strerror, wanted="a folder that can be read") from None
