import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.keys import PrivateKey, PublicKey, is_encrypted


@pytest.mark.parametrize("password", ["", "Grünkohl"])
def test_a_key_comes_back_from_its_files(tmp_path, password):
    made = PrivateKey.make()
    made.save(tmp_path / "release.key", password)
    private = PrivateKey.load(tmp_path / "release.key", password)
    public = PublicKey.load(tmp_path / "release.pub")
    assert is_encrypted(tmp_path / "release.key") == bool(password)
    assert public.fingerprint == private.public.fingerprint == made.public.fingerprint
    assert public.verifies(private.sign(b"set"), b"set")
    assert not public.verifies(private.sign(b"set"), b"sets")
    assert not public.verifies(b"short", b"set")


def test_only_its_owner_can_read_a_private_key(tmp_path):
    path = tmp_path / "release.key"
    PrivateKey.make().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ArtifactError, match=r"others may read.*chmod 600"):
        PrivateKey.load(path)


@pytest.mark.parametrize("there", ["release.key", "release.pub"])
def test_no_key_is_overwritten(tmp_path, there):
    (tmp_path / there).write_text("somebody's")
    with pytest.raises(ArtifactError, match=r"it exists.*another name"):
        PrivateKey.make().save(tmp_path / "release.key")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["somebody's"]


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_told(tmp_path, password):
    PrivateKey.make().save(tmp_path / "release.key", "right")
    with pytest.raises(ArtifactError, match="its password"):
        PrivateKey.load(tmp_path / "release.key", password)


def test_what_is_no_ed25519_key_is_refused(tmp_path):
    other = generate_private_key(SECP256R1())
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in (("curve.pub", public), ("curve.key", private), ("text.pub", b"key"), ("empty.pub", b"")):
        path = tmp_path / name
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(ArtifactError, match=r"wanted a .* Ed25519 key"):
            (PrivateKey if path.suffix == ".key" else PublicKey).load(path)


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path):
    PrivateKey.make().save(tmp_path / "release.key")
    with pytest.raises(ArtifactError, match=r"the \.pub file"):
        PublicKey.load(tmp_path / "release.key")


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(ArtifactError, match=r"No such file.*--new-key"):
        PublicKey.load(tmp_path / "none.pub")
