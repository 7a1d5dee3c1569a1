"""What is shipped: a folder with a model, its card and its report, written whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization.onnx_file import digest
from edge_ai.processing.card import ModelCard

NOTICES = ("NOTICE", "NOTICE.txt", "LICENSE", "LICENCE")
"""What lies beside a model because its licence asks for it: it goes along."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


@contextlib.contextmanager
def workplace(output: Path) -> Iterator[Path]:
    """A folder beside ``output`` to work in; it is gone afterwards, whatever happens.

    Raises:
        EdgeAIError: nothing can be written there, or other files than ours are in it.
    """
    output = output.absolute()
    if output.exists() and not output.is_dir():
        raise EdgeAIError(f"output '{output}'", got="a file", wanted="a folder, which need not exist")
    check_output(output)
    folder = None
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
        folder.chmod(0o755)  # it may become the output, which is for everybody to read
        yield folder
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            mend = "free some space, or give another --output"
            raise EdgeAIError(f"output '{output}'", got=error.strerror, wanted="space to write", mend=mend) from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise EdgeAIError(f"output '{output}'", got=error.strerror, wanted="a folder you may write") from None
        raise
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def write_card(original: ModelCard, model: Path, card: Path, *, version: str, source: str) -> ModelCard:
    """Write the card of a variant beside its model.

    Args:
        original: the card it was made from; all that a variant does not change is taken from it.
        model: the variant's file.
        card: where to write, in the same folder.
        version: of the variant.
        source: how it was made.
    """
    values: dict[str, Any] = original.model_dump(mode="json", exclude_none=True)
    values = {key: value for key, value in values.items() if value != []}
    values |= {"version": version, "file": model.name, "sha256": digest(model), "source": source}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    card.write_text(
        f"# {original.name}, {version}; every key is explained in models/README.md\n{text}", encoding="utf-8"
    )
    for name in NOTICES:
        notice = original.model_path.parent / name
        if notice.is_file() and not (card.parent / name).exists():
            shutil.copyfile(notice, card.parent / name)
    return ModelCard.load(card)


def holds_model(folder: Path) -> bool:
    """Whether something was shipped into a folder before."""
    return folder.is_dir() and any(folder.glob("*.onnx"))


def ship(work: Path, output: Path) -> None:
    """Put a finished folder in the place of ``output``: until then the old one is there, from then on the new one.

    Raises:
        EdgeAIError: files that no run of ours made lie in ``output``, and would be lost.
    """
    output = output.absolute()
    check_output(output)
    _sync(work)
    if not output.exists():
        os.rename(work, output)
    elif not _exchange(work, output):  # then the workplace, to be removed, holds what was there before
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.old.", dir=output.parent) as aside:
            os.rename(output, Path(aside) / "old")
            try:
                os.rename(work, output)
            except BaseException:
                os.rename(Path(aside) / "old", output)
                raise


def check_output(output: Path) -> None:
    """Make sure that replacing a folder loses nothing but what an earlier run left there.

    Raises:
        EdgeAIError: other files are in it.
    """
    if not output.is_dir():
        return
    known = {"report.html", "report.json", "refused.html", "refused.json", *NOTICES}
    foreign = sorted(p.name for p in output.iterdir() if p.name not in known and not _one_of_ours(p))
    if foreign:
        mend = "give --output a folder of its own"
        raise EdgeAIError(f"output '{output}'", got=f"other files in it: {', '.join(foreign[:5])}", mend=mend)


def _one_of_ours(path: Path) -> bool:
    if path.is_dir():
        return bool(list(path.glob("*.onnx"))) and all(_one_of_ours(p) or p.name in NOTICES for p in path.iterdir())
    return path.suffix in (".onnx", ".yaml", ".data")


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step (Linux's renameat2); False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return int(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)) == 0


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts into a folder that may hold other things, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
