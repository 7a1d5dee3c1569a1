"""What lies beside a built engine and is checked before a byte of it is deserialised: an engine is native code.

The manifest says what the engine was built from and for, the SHA-256 of its bytes, and what the gate said. It carries
an HMAC (RFC 2104) under a key that only this user can read, so that who may write into the cache, or brings an engine
along, still cannot have it run.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_ai.core.errors import EngineError
from edge_ai.core.files import user_folder

FORMAT = 1
_KEY_BYTES = 32


class EngineKey(BaseModel):
    """What decides whether an engine is the one wanted.

    Attributes:
        model_sha256: of the ONNX file and its external data.
        options: the build options that make another engine.
        tensorrt: version of TensorRT.
        gpu: name of the GPU.
        compute_capability: of the GPU, such as "8.7".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_sha256: str
    options: dict[str, Any]
    tensorrt: str
    gpu: str
    compute_capability: str

    @property
    def digest(self) -> str:
        """Names the engine in the cache."""
        return hashlib.sha256(_canonical(self.model_dump())).hexdigest()[:32]

    def differs(self, other: EngineKey) -> str:
        """In what this one differs from another, in words; empty if in nothing."""
        mine, theirs = self.model_dump(), other.model_dump()
        return ", ".join(f"{name} {theirs[name]} (wanted {mine[name]})" for name in mine if mine[name] != theirs[name])


class Verdict(BaseModel):
    """What a gate said of an engine.

    Attributes:
        passed: whether it may serve.
        reason: why, or why not, with numbers.
        figures: what was measured.
        gate: name of the gate.
        environment: TensorRT, driver and board software it was measured on; under another it does not count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    reason: str
    figures: dict[str, float] = {}
    gate: str = ""
    environment: dict[str, str] = {}


class Manifest(BaseModel):
    """The manifest of one engine.

    Attributes:
        format: of this file.
        key: what it was built from and for.
        sha256: of the engine's bytes.
        size: their number.
        built: when, ISO 8601 in UTC.
        seconds: how long the build took.
        notes: what the builder had to say, such as layers that DLA left to the GPU.
        verdict: what the gate said; None: it has not been asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    key: EngineKey
    sha256: str
    size: int
    built: str
    seconds: float
    notes: list[str] = []
    verdict: Verdict | None = None

    def accepted(self, environment: Mapping[str, str]) -> bool:
        """Whether the gate has let it pass in this environment."""
        return self.verdict is not None and self.verdict.passed and self.verdict.environment == dict(environment)

    def refused(self, environment: Mapping[str, str]) -> bool:
        """Whether the gate has refused it in this environment."""
        return self.verdict is not None and not self.verdict.passed and self.verdict.environment == dict(environment)

    def dump(self, secret: bytes) -> str:
        """As text, signed."""
        values = self.model_dump()
        return json.dumps({**values, "hmac": _sign(values, secret)}, indent=1)

    @classmethod
    def parse(cls, text: str, secret: bytes, owner: str) -> Manifest:
        """Read and verify.

        Raises:
            EngineError: it is malformed, of another format or not signed with this key.
        """
        what = f"manifest '{owner}'"
        mend = "remove the folder, and the engine is built again"
        try:
            values = json.loads(text)
            signature = values.pop("hmac")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EngineError(what, got="no signed manifest", wanted="one that edge_ai wrote", mend=mend) from None
        if not hmac.compare_digest(str(signature).encode(), _sign(values, secret).encode()):
            got = "a signature that does not verify: changed by hand, or made by another user or machine"
            raise EngineError(what, got=got, mend=mend)
        return cls._checked(values, what, mend)

    @classmethod
    def brought(cls, text: str, owner: str) -> Manifest:
        """Read the manifest of an engine from elsewhere, whose own signature only its maker can verify.

        Whoever calls this has made sure by other means that it is genuine. No verdict counts here.

        Raises:
            EngineError: it is malformed or of another format.
        """
        what, mend = f"manifest '{owner}'", "give the folder that edge-ai compile named"
        try:
            values = json.loads(text)
            values.pop("hmac")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EngineError(what, got="no manifest", wanted="one that edge_ai wrote", mend=mend) from None
        return cls._checked({**values, "verdict": None}, what, mend)

    @classmethod
    def _checked(cls, values: Mapping[str, Any], what: str, mend: str) -> Manifest:
        try:
            manifest = cls.model_validate(values)
        except ValidationError as error:
            raise EngineError(what, got=error.errors()[0]["msg"], wanted=f"format {FORMAT}", mend=mend) from None
        if manifest.format != FORMAT:
            raise EngineError(what, got=f"format {manifest.format}", wanted=f"format {FORMAT}", mend=mend)
        return manifest


def secret_key(path: Path | None = None) -> bytes:
    """The key that manifests are signed with: made at first use, readable by this user only.

    Args:
        path: default edge_ai/engines.key in the user's configuration folder.

    Raises:
        EngineError: it cannot be made or read, or others may read it.
    """
    path = path or user_folder("XDG_CONFIG_HOME", ".config") / "engines.key"
    try:
        if not path.exists():
            _make_key(path)
        return _read_key(path)
    except OSError as error:
        mend = "make the folder writable, or set XDG_CONFIG_HOME to one that is"
        raise EngineError(f"key file '{path}'", got=error.strerror, mend=mend) from None


def _make_key(path: Path) -> None:
    """Put a new key there, whole at once; if another process was quicker, its key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".engines-", dir=path.parent)  # readable by this user only
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    if path.stat().st_mode & 0o077:
        raise EngineError(f"key file '{path}'", got="others may read or write it", mend=f"chmod 600 '{path}'")
    if len(key) != _KEY_BYTES:
        raise EngineError(f"key file '{path}'", got=f"{len(key)} bytes", wanted=_KEY_BYTES, mend="remove it")
    return key


def _sign(values: Mapping[str, Any], secret: bytes) -> str:
    return hmac.new(secret, _canonical(values), hashlib.sha256).hexdigest()


def _canonical(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
