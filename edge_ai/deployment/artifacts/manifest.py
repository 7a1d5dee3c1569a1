"""The signed manifest of a set: binds a model, its card, engine, parameters and report to one version and its devices.

The file is JSON: ``signed`` is what counts, ``signatures`` are Ed25519 signatures of its canonical form (keys sorted,
no spaces, UTF-8, integers and texts only), as The Update Framework has it. Nothing of ``signed`` is believed before one
of them verifies.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.keys import PrivateKey, PublicKey

FORMAT = 1
MANIFEST = "set.json"
MOST_BYTES = 1 << 20
"""Of a manifest: it is read before anything is known of who wrote it."""
ANY = "any"

Role = Literal["card", "model", "labels", "engine", "engine_manifest", "config", "report", "golden", "notice"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._+-]{0,199}")
_MOST_SIGNATURES = 16


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """One file of a set.

    Attributes:
        sha256: of its bytes, in hexadecimal digits.
        size: their number.
        role: what it is there for.
    """

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: StrictInt = Field(ge=0)
    role: Role


class SetManifest(_Part):
    """What is signed.

    Attributes:
        format: of this file.
        name: of the line of sets that replace each other.
        version: grows with each set of the line.
        created: when it was signed.
        expires: from when on it is not admitted any more.
        targets: names of profiles or boards that it is for, or "any".
        software: versions that it needs, by name ("tensorrt", "jetpack"); "10.3" is met by 10.3.0, not by 10.30.
        files: by path in the set, with / between its parts.
    """

    format: StrictInt
    name: Name
    version: StrictInt = Field(ge=1, le=2**53)
    created: AwareDatetime
    expires: AwareDatetime
    targets: tuple[Name, ...] = Field(min_length=1)
    software: dict[Literal["tensorrt", "jetpack"], Name] = {}
    files: dict[str, FileEntry]

    @model_validator(mode="after")
    def _sound(self) -> SetManifest:
        for path in self.files:
            if path == MANIFEST or not all(_PART.fullmatch(part) for part in path.split("/")):
                raise ValueError(f"file {path[:80]!r} has no path inside the set, of letters, digits and ._+- in names")
        for role, least, most in (("card", 1, 1), ("model", 1, None), ("engine", 0, 1), ("config", 0, 1)):
            found = len(self.paths(role))
            if found < least or (most is not None and found > most):
                raise ValueError(f"{found} files have the role {role}")
        if len(self.paths("engine")) != len(self.paths("engine_manifest")):
            raise ValueError("an engine and its manifest go together")
        return self

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"{self.name} version {self.version}"

    def paths(self, role: str) -> list[str]:
        """The files of a role, sorted."""
        return sorted(path for path, entry in self.files.items() if entry.role == role)

    def dump(self, keys: Sequence[PrivateKey]) -> str:
        """As text, signed with each of the keys."""
        signed = self.model_dump(mode="json")
        data = canonical(signed)
        signatures = [
            {"key": key.public.fingerprint, "signature": base64.b64encode(key.sign(data)).decode()} for key in keys
        ]
        return json.dumps({"signed": signed, "signatures": signatures}, indent=1, ensure_ascii=False) + "\n"


def parse(text: bytes, keys: Sequence[PublicKey], owner: str) -> tuple[SetManifest, bytes]:
    """Verify, then read.

    Args:
        text: of the manifest's file.
        keys: any of which must have signed it.
        owner: the set it is of, for messages.

    Returns:
        The manifest, and the bytes that were signed.

    Raises:
        ArtifactError: it is no manifest, no key verifies, or it is of another format or malformed.
    """
    what = f"set '{owner}'"
    signed, signatures = _envelope(text, what)
    data = canonical(signed)
    if not any(_signed_by(key, signatures, data) for key in keys):
        raise ArtifactError(
            what,
            got=f"no signature that verifies; its signatures are by {_names(signatures)}",
            wanted=f"one by {', '.join(key.fingerprint[:16] for key in keys)}",
            mend="get the set again from who signed it, or have it signed: edge-ai sign",
        )
    if signed.get("format") != FORMAT:
        mend = "update edge_ai here, or sign the set with the edge_ai that this robot has"
        raise ArtifactError(what, got=f"format {signed.get('format')!r}", wanted=FORMAT, mend=mend)
    try:
        return SetManifest.model_validate(signed), data
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise ArtifactError(what, got=f"{where}: {problem['msg']}".lstrip(": "), wanted="a sound manifest") from None


def canonical(values: Mapping[str, Any]) -> bytes:
    """The one text of these values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _envelope(text: bytes, what: str) -> tuple[dict[str, Any], list[Any]]:
    wanted, mend = f"a manifest of at most {MOST_BYTES} bytes that edge-ai sign wrote", "edge-ai sign CARD --into SET"
    try:
        if len(text) > MOST_BYTES:
            raise ValueError("too long")
        values = json.loads(text, parse_float=_refuse, parse_constant=_refuse)
        signed, signatures = values["signed"], values["signatures"]
        if not isinstance(signed, dict) or not isinstance(signatures, list):
            raise ValueError("other types")
        canonical(signed)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ArtifactError(f"{what}: {MANIFEST}", got="no signed manifest", wanted=wanted, mend=mend) from None
    return signed, signatures[:_MOST_SIGNATURES]


def _refuse(text: str) -> None:
    raise ValueError(f"{text} has no canonical form")


def _signed_by(key: PublicKey, signatures: Sequence[Any], data: bytes) -> bool:
    for entry in signatures:
        if isinstance(entry, dict) and entry.get("key") == key.fingerprint:
            try:
                signature = base64.b64decode(entry["signature"], validate=True)
            except (KeyError, TypeError, binascii.Error, ValueError):
                continue
            if key.verifies(signature, data):
                return True
    return False


def _names(signatures: Sequence[Any]) -> str:
    names = [str(entry.get("key"))[:16] for entry in signatures if isinstance(entry, dict)]
    return ", ".join(names) or "nobody"
