"""The requirement lines of setup.cfg, and which of them an interpreter lacks."""

from __future__ import annotations

import configparser
import importlib
import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path

from installer.console import SetupError

CORE = "core"
# Packages whose import name is not their own name; on a robot many come from apt without pip's metadata.
MODULES = {"opencv-python-headless": "cv2", "pyyaml": "yaml"}


def read(setup_cfg: Path, groups: Sequence[str]) -> list[str]:
    """The requirement lines of some groups, in order.

    Args:
        setup_cfg: the file.
        groups: "core" for install_requires, else names of extras.

    Raises:
        SetupError: no such group.
    """
    parser = configparser.ConfigParser()
    parser.read(setup_cfg, encoding="utf-8")
    lines: list[str] = []
    for group in groups:
        section, key = ("options", "install_requires") if group == CORE else ("options.extras_require", group)
        if not parser.has_option(section, key):
            known = ", ".join([CORE, *parser["options.extras_require"]])
            raise SetupError(f"{setup_cfg.name} has no requirement group '{group}'; it has {known}")
        lines += [line.strip() for line in parser[section][key].splitlines() if line.strip()]
    return lines


def split(requirement: str) -> tuple[str, list[tuple[str, str]]]:
    """A requirement line as name and (operator, version) pairs: "a>=1,<2" -> ("a", [(">=", "1"), ("<", "2")])."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*(.*)", requirement)
    if match is None:
        raise SetupError(f"requirement '{requirement}' cannot be read")
    return match[1], re.findall(r"(>=|<=|==|!=|<|>)\s*([0-9][0-9A-Za-z.]*)", match[2])


def allows(bounds: Sequence[tuple[str, str]], version: str) -> bool:
    """Whether a version lies within (operator, version) pairs; numbers only, "4.5.4.60" -> 4, 5, 4, 60."""
    got = _numbers(version)
    return all(_holds(operator, got, _numbers(limit)) for operator, limit in bounds)


def missing(requirements: Sequence[str]) -> list[str]:
    """Those of some requirements that this interpreter lacks or has in a version out of range."""
    return [line for line in requirements if not _is_met(*split(line))]


def _is_met(name: str, bounds: list[tuple[str, str]]) -> bool:
    version = _installed(name)
    return version is not None and allows(bounds, version)


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return _version_of_module(MODULES.get(name, name))


def _version_of_module(name: str) -> str | None:
    """apt's OpenCV has no metadata, and onnxruntime-gpu takes onnxruntime's place."""
    try:
        return str(importlib.import_module(name).__version__)
    except (ImportError, AttributeError):
        return None


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", version)
    parts = [int(part) for part in match[0].split(".")] if match else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _holds(operator: str, got: tuple[int, ...], limit: tuple[int, ...]) -> bool:
    return {
        ">=": got >= limit,
        "<=": got <= limit,
        "==": got == limit,
        "!=": got != limit,
        "<": got < limit,
        ">": got > limit,
    }[operator]
