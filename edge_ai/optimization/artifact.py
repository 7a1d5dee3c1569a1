"""What is shipped: a folder with a model, its card and its report, written whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import write_whole
from edge_ai.optimization.onnx_file import digest
from edge_ai.processing.card import ModelCard

NOTICES = ("NOTICE", "NOTICE.txt", "LICENSE", "LICENCE")
"""What lies beside a model because its licence asks for it: it goes along."""

REPORT = "report.json"
_REPORTS = frozenset(f"{name}.{kind}" for name in ("report", "refused", "comparison") for kind in ("html", "json"))
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


@contextlib.contextmanager
def workplace(output: Path, *needed: Path) -> Iterator[Path]:
    """A folder beside ``output`` to work in; it is gone afterwards, whatever happens.

    Args:
        output: where the work is to be shipped.
        needed: files and folders that must outlive it, such as the original.

    Raises:
        EdgeAIError: nothing can be written there, or something would be lost.
    """
    output = output.resolve()
    check_output(output, *needed)
    folder = None
    with in_words(output):
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
            folder.chmod(0o755)  # it may become the output, which is for everybody to read
            yield folder
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def in_words(output: Path) -> Iterator[None]:
    """What the system refuses becomes an error that a user understands."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = "free some space, or give another --output" if full else "give another --output"
        raise EdgeAIError(f"output '{output}'", got=error.strerror or str(error), mend=mend) from None


def file_name(name: str) -> str:
    """A model's name as a part of file names."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "model"


def write_card(
    original: ModelCard, model: Path, card: Path, *, version: str, source: str, size: tuple[int, int] | None = None
) -> ModelCard:
    """Write the card of a variant beside its model.

    Args:
        original: the card it was made from; all that a variant does not change is taken from it.
        model: the variant's file.
        card: where to write, in the same folder.
        version: of the variant.
        source: how it was made.
        size: width and height of the picture it takes, if not the original's.
    """
    values: dict[str, Any] = original.model_dump(mode="json", exclude_none=True)
    values = {key: value for key, value in values.items() if value != []}
    values |= {"version": version, "file": model.name, "sha256": digest(model), "source": source}
    if size is not None:
        values["input"] = {**values["input"], "size": list(size)}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    card.write_text(
        f"# {original.name}, {version}; every key is explained in models/README.md\n{text}", encoding="utf-8"
    )
    for name in NOTICES:
        notice = original.model_path.parent / name
        if notice.is_file() and not (card.parent / name).exists():
            shutil.copyfile(notice, card.parent / name)
    return ModelCard.load(card)


def shipped_files(folder: Path) -> frozenset[str]:
    """Names, relative to it, of the files that an earlier run shipped into a folder; none where it was refused."""
    try:
        files = json.loads((folder / REPORT).read_text(encoding="utf-8"))["files"]
        return frozenset(map(str, files))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def ship(work: Path, output: Path, data: dict[str, Any], page: str) -> None:
    """Put a finished folder in the place of ``output``: until then the old one is there, from then on the new one.

    Args:
        work: the folder, with all that is shipped but the report.
        output: its place.
        data: the report; it also says, by "files", what may be replaced by a later run.
        page: the report as a page.

    Raises:
        EdgeAIError: files that no run of ours made lie in ``output``, and would be lost.
    """
    output = output.resolve()
    check_output(output)
    files = sorted(str(path.relative_to(work)) for path in work.rglob("*") if path.is_file())
    write_report_files(work, "report", {**data, "files": files}, page)
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


def check_output(output: Path, *needed: Path) -> None:
    """Make sure that replacing a folder loses nothing but what an earlier run left there.

    Raises:
        EdgeAIError: other files are in it, or it is no folder that can be replaced.
    """
    output, what, mend = output.resolve(), f"output '{output}'", "give --output a folder of its own"
    if output.exists() and not output.is_dir():
        raise EdgeAIError(what, got="a file", wanted="a folder, which need not exist")
    if os.path.ismount(output):
        raise EdgeAIError(
            what, got="a mount point, which cannot be replaced", mend=f"give {output}/model, a folder in it"
        )
    for path in (path.resolve() for path in needed):
        if output == path or output in path.parents:
            raise EdgeAIError(what, got=f"a folder that '{path}' is in", wanted="another one", mend=mend)
    if output.is_dir():
        ours = shipped_files(output) | _REPORTS
        files = (path for path in output.rglob("*") if not path.is_dir())
        foreign = sorted(name for name in (str(path.relative_to(output)) for path in files) if name not in ours)
        if foreign:
            raise EdgeAIError(what, got=f"other files in it: {', '.join(foreign[:5])}", mend=mend)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step (Linux's renameat2); False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return int(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)) == 0


def write_report_files(folder: Path, name: str, data: Mapping[str, Any], page: str) -> Path:
    """Write a report as ``name.html`` and ``name.json``, each whole or not at all; the path of the page.

    Raises:
        EdgeAIError: the system does not let us.
    """
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{name}.html", page.encode(), mode=0o644)
        text = json.dumps(data, indent=2, allow_nan=False) + "\n"
        write_whole(folder / f"{name}.json", text.encode(), mode=0o644)
    return folder / f"{name}.html"


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
