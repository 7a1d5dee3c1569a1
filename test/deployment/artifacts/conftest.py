"""Signed sets of small files, and a robot that judges them at a time of the test's choice."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest

from edge_ai.deployment.artifacts.keys import PrivateKey
from edge_ai.deployment.artifacts.make import Source, make_set
from edge_ai.deployment.artifacts.manifest import canonical
from edge_ai.deployment.artifacts.trust import Trust

ROLES = {
    "detector.yaml": "card",
    "detector.onnx": "model",
    "labels.txt": "labels",
    "engine/engine.plan": "engine",
    "engine/manifest.json": "engine_manifest",
    "params.yaml": "config",
    "report.json": "report",
    "golden/golden.json": "golden",
    "golden/000.png": "golden",
}


@pytest.fixture(scope="session")
def release():
    return PrivateKey.make()


@pytest.fixture(scope="session")
def stranger():
    return PrivateKey.make()


@pytest.fixture
def key_file(tmp_path):
    """Writes a key's public half; gives the file's path."""

    def write(key, name="release.pub"):
        path = tmp_path / name
        path.write_bytes(key.public.pem)
        return path

    return write


@pytest.fixture
def make(tmp_path, release):
    """Makes a set whose files say its version."""

    def make(version=3, *, keys=None, into="", days=90, name="detector", targets=("orin_nano",), software=None):
        folder = tmp_path / (into or f"{name}-{version}")
        sources = []
        for inside, role in ROLES.items():
            path = tmp_path / "sources" / f"{name}-{version}" / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{inside} of {name} {version} in {folder.name}\n".encode() * 100)
            sources.append(Source(path, inside, role))
        make_set(
            sources,
            folder,
            [release] if keys is None else keys,
            name=name,
            version=version,
            expires=datetime.now(timezone.utc) + timedelta(days=days),
            targets=targets,
            software=software,
        )
        return folder

    return make


@pytest.fixture
def sign_again(release):
    """Changes what a set's manifest says, and signs it anew as its owner could."""

    def sign(folder, keys=None, **changes):
        path = folder / "set.json"
        values = json.loads(path.read_text())
        values["signed"].update(changes)
        data = canonical(values["signed"])
        values["signatures"] = [_signature(key, data) for key in (keys or [release])]
        path.write_text(json.dumps(values))

    return sign


def _signature(key, data):
    return {"key": key.public.fingerprint, "signature": base64.b64encode(key.sign(data)).decode()}


class Robot:
    """A machine whose clock the test moves."""

    def __init__(self, folder, keys):
        self.store, self._keys = folder / "store", keys
        self.time = datetime.now(timezone.utc) + timedelta(minutes=1)

    def trust(self, **changes):
        """As after a start: nothing is known but what lies on the disk."""
        values = {"device": ("orin_nano", "orin_nano_8"), "now": lambda: self.time, **changes}
        return Trust(values.pop("keys", self._keys), self.store, **values)

    def let(self, **time):
        self.time += timedelta(**time)

    def memory(self):
        """What the store holds and remembers, but for the time."""
        path = self.store / "state.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        return {"accepted": {}, "confirmed": {}, **known, "newest": "", "sha256": "", "sets": self.kept()}

    def kept(self):
        """Digests of the sets in the store."""
        return {path.name for path in (self.store / "sets").glob("*")}


@pytest.fixture
def robot(tmp_path, release, key_file):
    return Robot(tmp_path, [key_file(release)])
