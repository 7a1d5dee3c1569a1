import json

import pytest

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.files import read_manifest
from edge_ai.deployment.artifacts.keys import PublicKey
from edge_ai.deployment.artifacts.manifest import MANIFEST, MOST_BYTES, parse

ENTRY = {"sha256": "a" * 64, "size": 1, "role": "model"}


@pytest.fixture
def keys(release, key_file):
    return [PublicKey.load(key_file(release))]


@pytest.fixture
def read(keys):
    return lambda folder: parse(read_manifest(folder), keys, str(folder))[0]


def test_a_manifest_comes_back_as_it_was_signed(make, read):
    manifest = read(make(7, targets=("orin_nano", "thor"), software={"tensorrt": "10.3"}))
    assert (manifest.name, manifest.version, manifest.targets) == ("detector", 7, ("orin_nano", "thor"))
    assert manifest.paths("golden") == ["golden/000.png", "golden/golden.json"]
    assert manifest.software == {"tensorrt": "10.3"}


def test_layout_does_not_count_but_every_value_does(make, read):
    folder = make()
    path = folder / MANIFEST
    values = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(values.items())), separators=(",", ":")))
    assert read(folder).version == 3
    for change in ({"version": 4}, {"expires": "2099-01-01T00:00:00Z"}, {"targets": ["any"]}, {"more": 1}):
        path.write_text(json.dumps({**values, "signed": {**values["signed"], **change}}))
        with pytest.raises(ArtifactError, match="no signature that verifies"):
            read(folder)


@pytest.mark.parametrize("signers", [[], ["stranger"]])
def test_without_a_signature_of_a_trusted_key_nothing_is_believed(make, read, request, signers):
    folder = make(keys=[request.getfixturevalue(name) for name in signers])
    with pytest.raises(ArtifactError, match=r"no signature that verifies.*edge-ai sign"):
        read(folder)


def test_while_keys_change_either_will_do(make, release, stranger, key_file, keys):
    new, old = [PublicKey.load(key_file(stranger, "new.pub"))], keys
    both = make(keys=[release, stranger])
    for trusted in (old, new, old + new):
        assert parse(read_manifest(both), trusted, "set")[0].version == 3
    only_new = make(4, keys=[stranger])
    assert parse(read_manifest(only_new), old + new, "set")[0].version == 4
    with pytest.raises(ArtifactError, match="no signature"):
        parse(read_manifest(only_new), old, "set")


def test_a_strangers_signature_under_a_trusted_name_does_not_verify(make, read, release):
    folder = make()
    path = folder / MANIFEST
    values = json.loads(path.read_text())
    for signature in ("", "AAAA", "no base64!", "A" * 86 + "==", None, 7):
        values["signatures"] = [{"key": release.public.fingerprint, "signature": signature}]
        path.write_text(json.dumps(values))
        with pytest.raises(ArtifactError, match="no signature that verifies"):
            read(folder)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"7",
        b'{"signed": [], "signatures": []}',
        b'{"signed": {}, "signatures": {}}',
        b'{"signed": {"version": 1.5}, "signatures": []}',
        b'{"signed": {"version": NaN}, "signatures": []}',
        b'{"signed": {"name": "\\ud800"}, "signatures": []}',
        b"[" * 500_000,
        b'{"signed": {"version": ' + b"9" * 100_000 + b'}, "signatures": []}',
        b'{"signed": {"name": "' + b"x" * MOST_BYTES + b'"}, "signatures": []}',
    ],
    ids=lambda text: f"{text[:24]!r}-{len(text)}",
)
def test_what_is_no_manifest_is_refused_in_words(tmp_path, read, text):
    (tmp_path / MANIFEST).write_bytes(text)
    with pytest.raises(ArtifactError, match=r"no signed manifest.*edge-ai sign|no signature"):
        read(tmp_path)


def test_no_more_of_a_huge_manifest_is_read_than_shows_that_it_is_one(tmp_path):
    with (tmp_path / MANIFEST).open("wb") as stream:
        stream.truncate(1 << 33)
    assert len(read_manifest(tmp_path)) == MOST_BYTES + 1


def test_a_later_format_is_told_from_a_wrong_one(make, read, sign_again):
    folder = make()
    sign_again(folder, format=2, shape="new")
    with pytest.raises(ArtifactError, match=r"format 2; wanted 1.*update edge_ai"):
        read(folder)


@pytest.mark.parametrize(
    "path",
    ["../model.onnx", "/etc/passwd", "a/../../b", "./a", "a//b", "", ".hidden", "a\\b", "set.json", "a\n", "a" * 300],
)
def test_a_path_that_leaves_the_set_is_refused_though_it_is_signed(make, read, sign_again, path):
    folder = make()
    files = json.loads((folder / MANIFEST).read_text())["signed"]["files"]
    sign_again(folder, files={**files, path: ENTRY})
    with pytest.raises(ArtifactError, match="no path inside the set"):
        read(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 0}, "version"),
        ({"version": "3"}, "version"),
        ({"expires": "2027-01-01T00:00:00"}, "expires"),
        ({"created": "yesterday"}, "created"),
        ({"targets": []}, "targets"),
        ({"name": "a/b"}, "name"),
        ({"software": {"windows": "11"}}, "software"),
        ({"files": {"model.onnx": ENTRY}}, "0 files have the role card"),
        ({"files": {"a": {**ENTRY, "role": "card"}, "b": {**ENTRY, "role": "card"}}}, "2 files have the role card"),
        ({"files": {"a": {**ENTRY, "role": "script"}}}, "role"),
        ({"files": {"a": {**ENTRY, "size": -1}}}, "size"),
        ({"shell": "rm"}, "shell"),
    ],
)
def test_wrong_values_are_named_though_they_are_signed(make, read, sign_again, changes, said):
    folder = make()
    sign_again(folder, **changes)
    with pytest.raises(ArtifactError, match=said):
        read(folder)
