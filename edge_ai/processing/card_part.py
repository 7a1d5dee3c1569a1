"""The base of everything a model card consists of, and its errors in words."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from edge_ai.core.errors import CardError


class CardPart(BaseModel):
    """A part of a model card: frozen, strict, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)


def _as_tuple(values: object) -> object:
    return tuple(values) if isinstance(values, list) else values


FROM_LIST = BeforeValidator(_as_tuple)
"""Lets a strict tuple be written as a YAML list."""

P = typing.TypeVar("P", bound=BaseModel)


def parse_part(cls: type[P], values: Any, *, owner: str, path: str = "") -> P:
    """Check one mapping of a card and make its part.

    Args:
        cls: the class of the part.
        values: what the card says.
        owner: the card's file, for the message.
        path: dotted path of the part inside the card; empty for the card itself.

    Raises:
        CardError: keys are unknown or missing or values wrong; names every one by its dotted path.
    """
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_problems(cls, error, path))
        raise CardError(f"model card '{owner}'", got=problems, mend="see models/README.md for every key") from None


def read_text(path: Path, what: str, mend: str) -> str:
    """The UTF-8 text of a file a card consists of.

    Raises:
        CardError: the file is missing, unreadable or not text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CardError(f"{what} '{path}'", got="bytes that are not UTF-8", wanted="text", mend=mend) from None
    except OSError as error:
        raise CardError(f"{what} '{path}'", got=error.strerror, wanted="a readable file", mend=mend) from None


def _problems(cls: type[BaseModel], error: ValidationError, path: str) -> Iterator[str]:
    for problem in error.errors():
        where = ".".join(str(part) for part in (path, *problem["loc"]) if part != "")
        if problem["type"] == "extra_forbidden":
            yield f"unknown key '{where}' (known: {', '.join(_known(cls, problem['loc'][:-1]))})"
        elif problem["type"] == "missing":
            yield f"no '{where}'"
        else:
            text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            value = problem["input"]
            got = f" = {value!r} ({type(value).__name__})" if not isinstance(value, dict) else ""
            yield f"'{where}'{got}, wanted {text}" if where else text


def _known(cls: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for key in path:
        annotation = cls.model_fields[str(key)].annotation
        inner = [a for a in (annotation, *typing.get_args(annotation)) if isinstance(a, type)]
        cls = next(a for a in inner if issubclass(a, BaseModel))
    return list(cls.model_fields)
