"""Plans of deployments: YAML files whose every mistake is named by its key."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from edge_ai.core.errors import DeploymentError
from edge_ai.core.problems import problems

P = TypeVar("P", bound="Entry")


class Entry(BaseModel):
    """Base of all that stands in a plan: frozen, strict, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def read_plan(path: Path, kind: type[P]) -> P:
    """Read a plan.

    Raises:
        DeploymentError: it is missing, no YAML, or says what cannot be; names every such key.
    """
    what = f"plan '{path}'"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DeploymentError(what, got=getattr(error, "strerror", None) or error, wanted="a YAML file") from None
    except yaml.YAMLError as error:
        raise DeploymentError(f"{what} is not YAML", got=" ".join(str(error).split())) from None
    return parse(content, kind, what)


def parse(content: object, kind: type[P], what: str) -> P:
    """Make an entry of plain data.

    Args:
        content: what was read.
        kind: of entry.
        what: what it is, for messages.

    Raises:
        DeploymentError: as for `read_plan`.
    """
    try:
        return kind.model_validate({} if content is None else content)
    except ValidationError as error:
        raise DeploymentError(what, got="; ".join(problems(error))) from None
