"""What `edge-ai prepare` has left for a machine: one parameter file, which also says for which machine it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.core.files import user_folder, write_whole
from edge_ai.platforms.detect import Machine
from edge_ai.runtime.profiles import profile_values

_NODE = "edge_ai_prepared"
"""No node is called so: ROS passes over the section."""
_MEND = "run edge-ai prepare"


class Prepared(BaseModel):
    """The section of the file that is not for nodes.

    Attributes:
        machine: what it was made on, as `marks` has it.
        profile: name of the board profile it builds on.
        detected: the machine is of that profile; otherwise somebody chose it.
        inputs: digest of all that it was made from.
        model: path of the card to run; empty: the shipped detector.
        engine: folder of the engine in the cache; empty: there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    machine: dict[str, str]
    profile: str
    detected: bool
    inputs: str
    model: str
    engine: str

    def differs(self, machine: Machine) -> str:
        """Why it is not for a machine; empty if it is."""
        other = [
            f"{name} '{self.machine.get(name)}', not '{value}'"
            for name, value in marks(machine).items()
            if self.machine.get(name) != value
        ]
        if not other and self.detected and self.profile != machine.profile:
            other = [f"profile {self.profile}, not {machine.profile}"]
        return ", ".join(other)


def marks(machine: Machine) -> dict[str, str]:
    """What tells a machine from others that want another preparation."""
    return {
        "board": machine.board.key if machine.board else machine.model,
        "gpus": ", ".join(gpu.name for gpu in machine.gpus),
    }


def prepared_path() -> Path:
    """Where the file is: edge_ai/prepared.yaml in this user's configuration folder.

    Raises:
        EdgeAIError: a user without a home.
    """
    return user_folder("XDG_CONFIG_HOME", ".config") / "prepared.yaml"


def read_prepared(path: Path) -> Prepared | None:
    """What a file says of itself; None if there is no file.

    Raises:
        ParameterError: it cannot be read, or is not of this kind.
    """
    try:
        path.stat()
        return Prepared.model_validate(profile_values(path, _NODE))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ParameterError(f"prepared parameters '{path}'", got=error.strerror, wanted="a readable file") from None
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        got = f"'{_NODE}' with something wrong about {wrong}"
        raise ParameterError(f"prepared parameters '{path}'", got=got, mend=_MEND) from None


def write_prepared(path: Path, prepared: Prepared, nodes: Mapping[str, Mapping[str, Any]], about: str) -> None:
    """Put a file in the place of the one before: whole, or not at all.

    Args:
        path: of the file.
        prepared: what it says of itself.
        nodes: parameters by name of the node.
        about: its first line.

    Raises:
        EdgeAIError: it cannot be written; the one before stays.
    """
    sections = {f"/{_NODE}": prepared.model_dump()} | {f"/**/{node}": dict(values) for node, values in nodes.items()}
    content = {key: {"ros__parameters": values} for key, values in sections.items()}
    text = f"# {about}\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)}"
    try:
        write_whole(path, text.encode())
    except OSError as error:
        mend = "free some space, or set XDG_CONFIG_HOME to a folder that can be written"
        raise EdgeAIError(f"prepared parameters '{path}'", got=error.strerror, mend=mend) from None
