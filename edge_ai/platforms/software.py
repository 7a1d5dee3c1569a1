"""Versions of NVIDIA's software, read from files and package lists, without loading any of it."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

_TENSORRT = ("tensorrt", "tensorrt-cu12", "tensorrt-cu13", "tensorrt-cu12-bindings", "tensorrt-cu13-bindings")
_RELEASE = re.compile(r"R(\d+)\s*\(release\),\s*REVISION:\s*(\d+(?:\.\d+)*)")
_MODE = re.compile(r"^\s*<\s*POWER_MODEL\s+ID=(\d{1,4})\s+NAME=(\S+)\s*>", re.MULTILINE)
_PACKAGE = re.compile(r"^Package: (\S+)\nStatus: \S+ \S+ installed\n(?:.*\n)*?Version: (\S+)", re.MULTILINE)


def l4t(root: Path) -> str:
    """The release of Jetson Linux, like "36.4.3"; empty where this is none.

    From /etc/nv_tegra_release, else the version of the package nvidia-l4t-core.

    Raises:
        OSError: a file is there and cannot be read.
    """
    try:
        match = _RELEASE.search((root / "etc/nv_tegra_release").read_text(errors="replace"))
    except FileNotFoundError:
        match = None
    if match:
        return f"{match[1]}.{match[2]}"
    return next((version.split("-")[0] for _, version in packages(root, r"nvidia-l4t-core")), "")


def tensorrt(root: Path, installed: Callable[[str], str] | None) -> str:
    """The version of TensorRT, empty where none is found.

    Args:
        root: of the file system; Debian's list of packages is read there.
        installed: importlib.metadata.version, or None to ask for no Python distributions.
    """
    for name in _TENSORRT if installed else ():
        try:
            return installed(name) if installed else ""
        except importlib.metadata.PackageNotFoundError:
            continue
    return next((version.split("-")[0] for _, version in packages(root, r"libnvinfer\d+")), "")


def cuda(root: Path) -> str:
    """The version of the CUDA toolkit or runtime, empty where none is found."""
    try:
        return str(json.loads((root / "usr/local/cuda/version.json").read_text())["cuda"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return next((version.split("-")[0] for _, version in packages(root, r"cuda-cudart-\d+-\d+")), "")


def packages(root: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """Debian packages that are installed and whose whole name matches, with their versions.

    Read from dpkg's own file: asking dpkg-query would take a process, and its lock, for the same.
    """
    try:
        text = (root / "var/lib/dpkg/status").read_text(errors="replace")
    except OSError:
        return
    for stanza in text.split("\n\n"):
        match = _PACKAGE.search(stanza)
        if match and re.fullmatch(pattern, match[1]):
            yield match[1], match[2]


def power_mode(root: Path) -> str:
    """The name of nvpmodel's present mode, like "MAXN"; empty where it is not to be had."""
    try:
        number = int((root / "var/lib/nvpmodel/status").read_text().strip().removeprefix("pmode:"))
    except (OSError, ValueError):
        return ""
    return _power_modes(root).get(number, "")


def power_modes(root: Path) -> tuple[str, ...]:
    """The names of all of nvpmodel's modes, by number; empty where they are not to be had."""
    return tuple(name for _, name in sorted(_power_modes(root).items()))


def _power_modes(root: Path) -> dict[int, str]:
    try:
        config = (root / "etc/nvpmodel.conf").read_text(errors="replace")
    except OSError:
        return {}
    return {int(number): name for number, name in _MODE.findall(config)}
