"""Ed25519 keys (RFC 8032) in PEM files: a private one signs sets of artifacts, public ones are what robots trust."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from edge_ai.core.errors import ArtifactError

_MOST = 1 << 16  # bytes of a key file


class PublicKey:
    """What verifies signatures.

    Args:
        key: an Ed25519PublicKey of cryptography.
    """

    def __init__(self, key: Any) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = key
        self.pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        raw: bytes = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.fingerprint = hashlib.sha256(raw).hexdigest()

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read a PEM file.

        Raises:
            ArtifactError: it is missing, or holds no public Ed25519 key.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        what, mend = f"public key '{path}'", "give the .pub file that edge-ai sign --new-key wrote"
        try:
            key = load_pem_public_key(_read(path, what, mend))
        except Exception as error:  # cryptography raises errors of several families, by version
            raise ArtifactError(what, got=_first_line(error), wanted="a public Ed25519 key", mend=mend) from None
        if not isinstance(key, Ed25519PublicKey):
            raise ArtifactError(what, got=type(key).__name__, wanted="a public Ed25519 key", mend=mend)
        return cls(key)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the private half has signed these bytes."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """What signs.

    Args:
        key: an Ed25519PrivateKey of cryptography.
    """

    def __init__(self, key: Any) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def make(cls) -> PrivateKey:
        """A new one."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, password: str = "") -> PrivateKey:
        """Read a PEM file.

        Args:
            path: of the file.
            password: empty for a key that has none.

        Raises:
            ArtifactError: it is missing, others may read it, the password is wrong, or it holds no Ed25519 key.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        what, mend = f"private key '{path}'", "give the .key file that edge-ai sign --new-key wrote, and its password"
        data = _read(path, what, mend)
        if path.stat().st_mode & 0o077:
            raise ArtifactError(what, got="others may read or write it", mend=f"chmod 600 '{path}'")
        try:
            key = load_pem_private_key(data, password.encode() if password else None)
        except Exception as error:  # cryptography raises errors of several families, by version
            raise ArtifactError(what, got=_first_line(error), wanted="a private Ed25519 key", mend=mend) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ArtifactError(what, got=type(key).__name__, wanted="a private Ed25519 key", mend=mend)
        return cls(key)

    def save(self, path: Path, password: str = "") -> None:
        """Write the key to a new PEM file that only this user can read, and the public one beside it as .pub.

        Raises:
            ArtifactError: one of the files is there already, or cannot be written.
        """
        from cryptography.hazmat.primitives.serialization import (
            BestAvailableEncryption,
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        kind = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        pem: bytes = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, kind)
        public, mend = path.with_suffix(".pub"), "give another name: a key that is lost cannot be had again"
        for file in (path, public):
            if file.exists():
                raise ArtifactError(f"key file '{file}'", got="it exists", mend=mend)
        for file, data, mode in ((path, pem, 0o600), (public, self.public.pem, 0o644)):
            try:
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
                    stream.write(data)
            except OSError as error:
                raise ArtifactError(f"key file '{file}'", got=error.strerror, mend=mend) from None

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of the signature."""
        signature: bytes = self._key.sign(data)
        return signature


def is_encrypted(path: Path) -> bool:
    """Whether a private key's file wants a password.

    Raises:
        ArtifactError: it is missing.
    """
    return b"ENCRYPTED" in _read(path, f"private key '{path}'", "make one: edge-ai sign --new-key NAME")


def _read(path: Path, what: str, mend: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST)
    except OSError as error:
        raise ArtifactError(what, got=error.strerror, mend=mend) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
