"""Parameters: one frozen, self-validating class a node is the only place with its defaults, ranges, units and words.

ROS descriptors, the YAML templates in config/ and the reference page all derive from it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_ai.core.errors import ParameterError

P = TypeVar("P", bound="Params")


class Params(BaseModel):
    """Base of every parameter class: frozen, strict, no unknown names, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    @classmethod
    def parse(cls: type[P], values: Mapping[str, Any], *, owner: str = "") -> P:
        """Check values and make the parameters.

        Args:
            values: by parameter name; what is missing takes its default.
            owner: the node or file the values came from, for the message.

        Raises:
            ParameterError: a name is unknown, a type wrong or a value out of range; says which, and all of them.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _explain(cls, error, owner) from None

    def changed(self: P, **changes: Any) -> P:
        """A checked copy with some values changed.

        Raises:
            ParameterError: as for `parse`.
        """
        return self.parse({**self.model_dump(), **changes})


def param(
    default: Any,
    description: str,
    *,
    unit: str = "",
    ge: float | None = None,
    le: float | None = None,
    live: bool = False,
) -> Any:
    """Declare one parameter of a `Params` class.

    Args:
        default: its value when nobody says otherwise.
        description: one sentence for the user.
        unit: SI unit or "px"; empty for a pure number.
        ge: least value allowed.
        le: greatest value allowed.
        live: may change while the node is active; others need a cleanup and a configure.
    """
    return Field(default, description=description, ge=ge, le=le, json_schema_extra={"unit": unit, "live": live})


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One parameter as documentation and ROS descriptors need it."""

    name: str
    type: str
    default: Any
    description: str
    unit: str
    lower: float | None
    upper: float | None
    choices: tuple[str, ...]
    live: bool

    @property
    def range(self) -> str:
        """The values allowed, in words; empty where anything of the type is."""
        if self.choices:
            return " | ".join(repr(c) for c in self.choices)
        if self.lower is None and self.upper is None:
            return ""
        if self.upper is None:
            return f">= {self.lower:g}"
        return f"<= {self.upper:g}" if self.lower is None else f"{self.lower:g} .. {self.upper:g}"

    @property
    def wanted(self) -> str:
        """Type, range and unit in one phrase for an error message."""
        return " ".join(part for part in (self.type, self.range, self.unit) if part)


_TYPES = {bool: "bool", int: "int", float: "double", str: "string"}


def specs(cls: type[Params]) -> list[ParamSpec]:
    """Every parameter of a class, in declaration order."""
    return [_spec(name, field) for name, field in cls.model_fields.items()]


def _spec(name: str, field: Any) -> ParamSpec:
    extra = field.json_schema_extra
    bounds = {key: getattr(m, key) for m in field.metadata for key in ("ge", "le") if hasattr(m, key)}
    choices: tuple[str, ...] = ()
    annotation = field.annotation
    if typing.get_origin(annotation) is Literal:
        choices, type_name = typing.get_args(annotation), "string"
    elif isinstance(annotation, types.GenericAlias):
        type_name = _TYPES[typing.get_args(annotation)[0]] + "[]"
    else:
        type_name = _TYPES[annotation]
    return ParamSpec(
        name=name,
        type=type_name,
        default=field.default,
        description=field.description,
        unit=extra["unit"],
        lower=bounds.get("ge"),
        upper=bounds.get("le"),
        choices=choices,
        live=extra["live"],
    )


def _explain(cls: type[Params], error: ValidationError, owner: str) -> ParameterError:
    known = {spec.name: spec for spec in specs(cls)}
    where = f" of {owner}" if owner else ""
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if name in known:
            got = problem["input"]
            reason = f" ({problem['msg']})" if problem["type"] in ("value_error", "finite_number") else ""
            lines.append(
                f"parameter '{name}'{where}: got {got!r} ({type(got).__name__}); wanted {known[name].wanted}{reason}"
            )
        elif name:
            lines.append(f"parameter '{name}'{where} does not exist; known are {', '.join(known)}")
        else:
            lines.append(f"parameters{where}: {problem['msg']}")
    return ParameterError("; ".join(lines))
