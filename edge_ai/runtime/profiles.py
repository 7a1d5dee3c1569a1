"""Board profiles: ROS parameter files, read where no ROS is."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Any

import yaml

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.runtime.resources import resource


def profile_path(name: str) -> Path:
    """The file of a profile: a path as it is, else a name of a file in config/profiles.

    Raises:
        ParameterError: there is none.
    """
    if Path(name).suffix in (".yaml", ".yml"):
        if not Path(name).is_file():  # of a missing one a launch only warns, and the robot drives all the same
            raise ParameterError("profile", got=f"no file '{name}'", wanted="a parameter file (YAML)")
        return Path(name)
    try:
        return resource(f"config/profiles/{name}.yaml")
    except EdgeAIError:
        wanted = "the path of a parameter file, or a name in config/profiles such as generic_pc"
        raise ParameterError("profile", got=repr(name), wanted=wanted) from None


def profile_values(path: Path, node: str) -> dict[str, Any]:
    """What a parameter file says to a node in the root namespace; later keys override earlier ones.

    Raises:
        ParameterError: the file cannot be read, or is no parameter file.
    """
    what = f"profile '{path}'"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(what, got=str(error), wanted="a readable file") from None
    except yaml.YAMLError as error:
        raise ParameterError(what, got=" ".join(str(error).split()), wanted="YAML") from None
    if not isinstance(content, dict):
        raise ParameterError(what, got=type(content).__name__, wanted="parameters keyed by node")
    values: dict[str, Any] = {}
    for key, section in content.items():
        if not _is_for(str(key), node):
            continue
        if not isinstance(section, dict) or not isinstance(section.get("ros__parameters"), dict):
            raise ParameterError(f"{what}: '{key}'", got="no 'ros__parameters'", wanted="a ROS parameter file")
        values |= section["ros__parameters"]
    return values


def _is_for(key: str, node: str) -> bool:
    """Whether a key of a parameter file names the node: "inference", "/inference", "/**/inference" or "/**"."""
    if key.strip("/") in ("**", "*"):
        return True
    return fnmatch.fnmatch(f"/{node}", f"/{key.lstrip('/')}".replace("/**/", "/"))
