"""What a sound set has to fit: the device, its software, the time, and the versions that have served there.

Each check raises ArtifactError; ``what`` names the set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.manifest import ANY, SetManifest
from edge_ai.deployment.artifacts.store import State

SKEW = timedelta(hours=1)
"""By so much clocks may differ."""


def check_device(manifest: SetManifest, device: Sequence[str], what: str) -> None:
    """Refuse a set for other devices."""
    if not {*device, ANY} & {*manifest.targets}:
        wanted = f"one for {' or '.join(device)}"
        mend = "sign a set for this device: edge-ai sign --target"
        raise ArtifactError(what, got=f"a set for {', '.join(manifest.targets)}", wanted=wanted, mend=mend)


def check_software(manifest: SetManifest, software: Mapping[str, str], what: str) -> None:
    """Refuse a set for other software."""
    if trouble := unmet(manifest, software):
        raise ArtifactError(what, got=trouble, mend="sign a set for the software of this robot, or update that")


def unmet(manifest: SetManifest, software: Mapping[str, str]) -> str:
    """In words, what a set needs and is not here; empty if all is."""
    wrong = [
        f"{name} {software.get(name) or 'missing'} where it needs {wanted}"
        for name, wanted in manifest.software.items()
        if not f"{software.get(name, '')}.".startswith(f"{wanted}.")
    ]
    return ", ".join(wrong)


def check_time(manifest: SetManifest, state: State, now: datetime, what: str) -> None:
    """Refuse a set that has expired, and any set while the clock cannot be right."""
    for moment, kind in ((state.newest, "this robot has seen"), (manifest.created, "the set was signed at")):
        if now < moment - SKEW:
            raise ArtifactError(
                f"the clock, which has to tell whether {what} is in time",
                got=f"{_words(now)}, before {_words(moment)}, which {kind}",
                mend="set the clock (timedatectl); a robot without a network may take the time from GPS or an RTC",
            )
    if expired := late(manifest, max(now, state.newest)):
        raise ArtifactError(what, got=expired, mend="sign a new set: edge-ai sign --expires")


def late(manifest: SetManifest, now: datetime) -> str:
    """In words, that a set has expired; empty if it has not."""
    return f"it expired at {_words(manifest.expires)}" if now >= manifest.expires else ""


def check_version(manifest: SetManifest, digest: str, state: State, what: str) -> None:
    """Refuse what is older than the version of its line that has proved itself, or another set of that version."""
    confirmed = state.confirmed.get(manifest.name)
    if confirmed is None or manifest.version > confirmed.number:
        return
    mend = "sign the files that are wanted as a newer version"
    if manifest.version < confirmed.number:
        raise ArtifactError(what, got="an older version", wanted=f"{confirmed.number} or newer", mend=mend)
    if digest != confirmed.digest:
        raise ArtifactError(what, got=f"another set than the version {confirmed.number} that served here", mend=mend)


def _words(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")
