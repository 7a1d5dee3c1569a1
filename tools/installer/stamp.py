"""Notes on what has been finished from which inputs, so that a second run does nothing and a changed input does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CONTENTS = ("package.xml", "CMakeLists.txt", "msg", "srv", "tools/node.py.in")
# Linked into install/, so that only the coming and going of files matters there.
NAMES = ("edge_ai", "launch", "config", "models", "tools/edge-ai")


def read(path: Path) -> dict[str, Any]:
    """What was noted, or nothing where the note is missing or torn."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write(path: Path, content: dict[str, Any]) -> None:
    """Note something in one step: the old note or the new one, never half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)


def digest(parts: Iterable[object]) -> str:
    """One hash of many values, in order."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def build_inputs(root: Path) -> str:
    """A hash of everything in the tree that `colcon build` would act on."""
    contents = [(path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in _files(root, CONTENTS)]
    names = [path for path in _files(root, NAMES) if path.suffix != ".pyc"]
    return digest([*(f"{path.relative_to(root)} {sha}" for path, sha in contents), *names])


def _files(root: Path, places: Iterable[str]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        path = root / place
        found += [path] if path.is_file() else (f for f in path.rglob("*") if f.is_file())
    return sorted(found)
