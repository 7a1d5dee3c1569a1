"""What may be written in a mitigation file, key by key."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from edge_ai.monitoring.actions import CallService, SetParameter, SetPower
from edge_ai.monitoring.alert import Level
from edge_ai.monitoring.rules import Rule
from edge_ai.monitoring.steps import Condition, Deed, ScaleParameter

Word = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Target = Annotated[str, Field(pattern=r"^[a-z_]\w*\.[a-z_][\w.]*$")]
Service = Annotated[str, Field(pattern=r"^[a-z_]\w*/[a-z_]\w*$")]

_FIRST_HYSTERESIS = 0.05
_STOP, _RELEASE = "control/emergency_stop", "control/reset"


def _switch(value: Any) -> Any:
    """YAML reads a bare on and off as truth values, and a bare mode as a number."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int) else value


class Entry(BaseModel):
    """Base of all entries: strict, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class RangeEntry(Entry):
    """A range of a reading."""

    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _something(self) -> RangeEntry:
        if self.above is None and self.below is None:
            raise ValueError("'above' or 'below' is wanted")
        return self

    def condition(self, metric: str) -> Condition:
        """The same as a condition."""
        return Condition(
            metric,
            above=-math.inf if self.above is None else self.above,
            below=math.inf if self.below is None else self.below,
        )


class AlertEntry(Entry):
    """One more alert."""

    name: Word
    metric: Word
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    after: Seconds = 2.0
    clear_after: Seconds = 2.0
    level: Literal["warn", "error"] = "warn"

    @model_validator(mode="after")
    def _one_limit(self) -> AlertEntry:
        if (self.above is None) == (self.below is None):
            raise ValueError("either 'above' or 'below' is wanted")
        if self.clear is not None and self.clear != self._limit and (self.clear > self._limit) != self._is_below:
            raise ValueError(f"'clear' must lie on the good side of {self._limit:g}, got {self.clear:g}")
        return self

    @property
    def _is_below(self) -> bool:
        return self.below is not None

    @property
    def _limit(self) -> float:
        limit = self.below if self.above is None else self.above
        assert limit is not None
        return limit

    def rule(self) -> Rule:
        """The same as a rule."""
        limit = self._limit
        way = abs(limit) * _FIRST_HYSTERESIS
        clear = limit + (way if self._is_below else -way) if self.clear is None else self.clear
        level = Level.ERROR if self.level == "error" else Level.WARN
        return Rule(
            self.name,
            self.metric,
            limit,
            clear,
            below=self._is_below,
            after=self.after,
            clear_after=self.clear_after,
            level=level,
        )


class ScaleEntry(Entry):
    """A part of a reading."""

    of: Word
    by: float = Field(gt=0, lt=1)
    least: float = Field(0.0, ge=0)


class PowerEntry(Entry):
    """Other clocks."""

    mode: Annotated[str, BeforeValidator(_switch)] = ""
    clocks: Annotated[Literal["", "on", "off"], BeforeValidator(_switch)] = ""
    fan: str = ""

    @model_validator(mode="after")
    def _something(self) -> PowerEntry:
        if not (self.mode or self.clocks or self.fan):
            raise ValueError("'mode', 'clocks' or 'fan' is wanted")
        return self


class DeedEntry(Entry):
    """One thing to do, by its one key."""

    set: dict[Target, bool | int | float | str | list[bool | int | float | str]] | None = None
    scale: dict[Target, ScaleEntry] | None = None
    call: Service | None = None
    undo: Service | None = None
    power: PowerEntry | None = None
    free: Literal["memory"] | None = None
    stop: Literal["robot"] | None = None

    @model_validator(mode="after")
    def _one(self) -> DeedEntry:
        kinds = [self.set, self.scale, self.call, self.power, self.free, self.stop]
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("one of 'set', 'scale', 'call', 'power', 'free' and 'stop' is wanted")
        if self.call == _RELEASE:
            raise ValueError(f"'{_RELEASE}' is the operator's alone")
        if self.undo is not None:
            if self.call is None:
                raise ValueError("'undo' belongs to 'call'; the others know what undoes them")
            if self.call == _STOP:
                raise ValueError(f"what ends '{_STOP}' is the operator's alone: no 'undo' here")
            if self.undo.partition("/")[0] != self.call.partition("/")[0]:
                raise ValueError(f"'undo' must be a service of the same node, got {self.undo}")
        return self

    def deeds(self) -> list[Deed]:
        """The same as what a step does."""
        if self.set is not None:
            return [SetParameter(*_split(target), value) for target, value in self.set.items()]
        if self.scale is not None:
            return [ScaleParameter(*_split(target), one.of, one.by, one.least) for target, one in self.scale.items()]
        if self.power is not None:
            return [SetPower(self.power.mode, self.power.clocks, self.power.fan)]
        if self.call is not None:
            return [_call(self.call, self.undo or "")]
        if self.free is not None:
            return [CallService("inference", "free_memory")]
        return [_call(_STOP)]


class StepEntry(Entry):
    """One step."""

    name: Word
    when: list[Word] = Field(min_length=1)
    do: list[DeedEntry] = Field(min_length=1)
    dwell: Annotated[float, Field(ge=1, le=3600)] = 5.0
    recover: Annotated[float, Field(ge=1, le=86400)] = 10.0
    relapse: Seconds | None = None
    deadline: Annotated[float, Field(ge=0.1, le=600)] | None = None
    undo: Literal["auto", "operator"] = "auto"
    needs: dict[Word, RangeEntry] = {}
    unless: dict[Word, dict[Word, RangeEntry]] = {}
    released: dict[Word, RangeEntry] = {}


class FileEntry(Entry):
    """The whole file."""

    alerts: list[AlertEntry] = []
    steps: list[StepEntry] = []
    retry: Annotated[float, Field(ge=1, le=86400)] = 10.0
    trial: Annotated[float, Field(ge=1, le=86400)] = 120.0
    margin: Annotated[float, Field(ge=0, le=10)] = 0.05


def _call(service: str, undo: str = "") -> CallService:
    node, _, name = service.partition("/")
    return CallService(node, name, undo.partition("/")[2])


def _split(target: str) -> tuple[str, str]:
    node, _, name = target.partition(".")
    return node, name
