"""Parameters of the monitor: the only place with their defaults, ranges, units and descriptions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from edge_ai.core.params import Params, param

OWN_ALERTS = ("cpu", "memory", "gpu", "temperature", "fps")
"""Names of the alerts that every monitor has."""

_MOST_SAMPLES = 36_000  # 14 MB with the 100 metrics of a robot, 74 MB with the 512 that are kept


def named(values: list[str]) -> tuple[str, ...]:
    """The names in a list; ROS cannot write an empty list, and has one empty name instead."""
    return tuple(value for value in values if value)


class MonitorParams(Params):
    """When something is wrong, what is done about it, and what is said of it."""

    period: float = param(1.0, "Time between two looks at the machine and the nodes.", unit="s", ge=0.1, le=60)
    target_fps: float = param(
        0.0, "Results a second that the robot as a whole should give; 0: none is asked for.", unit="Hz", ge=0, live=True
    )
    alert_cpu: float = param(
        0.90, "CPU load, over all cores, above which an alert is raised; 0: never.", ge=0, le=1, live=True
    )
    alert_memory: float = param(
        0.85, "Share of the memory in use above which an alert is raised; 0: never.", ge=0, le=1, live=True
    )
    alert_gpu: float = param(0.95, "GPU load above which an alert is raised; 0: never.", ge=0, le=1, live=True)
    alert_temperature: float = param(
        85.0,
        "Temperature of the hottest sensor above which an alert is raised; 0: never.",
        unit="degC",
        ge=0,
        le=150,
        live=True,
    )
    alert_fps: float = param(
        0.2,
        "How far the results a second may fall below target_fps, as a part of it, before an alert is raised.",
        ge=0,
        le=1,
        live=True,
    )
    alert_after: float = param(
        2.0, "How long a limit is broken before the alert is raised.", unit="s", ge=0, le=3600, live=True
    )
    alert_clear_after: float = param(
        2.0, "How long all is well before the alert is cleared.", unit="s", ge=0, le=3600, live=True
    )
    alert_hysteresis: float = param(
        0.05,
        "How far a value must be back on the good side of its limit, as a part of the limit, to count as well.",
        ge=0,
        le=0.5,
        live=True,
    )
    alert_errors: list[str] = param(
        ["temperature"],
        "Which of the alerts cpu, memory, gpu, temperature and fps are errors; the others are warnings.",
        live=True,
    )
    vanish_after: float = param(
        10.0,
        "How long the value of an alert may be missing before the alert is given up; a step taken for it stays.",
        unit="s",
        ge=0,
        le=3600,
        live=True,
    )
    mitigation: str = param(
        "", "Path of the file of the ladder and of more alerts; empty: the one shipped; none: no ladder."
    )
    pinned: list[str] = param(
        [""], "Steps of the ladder that are never undone once taken, by name; empty: none.", live=True
    )
    vetoed: list[str] = param(
        [""],
        "Steps of the ladder that are never taken, and undone where they are, but for an emergency stop; empty: none.",
        live=True,
    )
    history: float = param(3600.0, "How far back reports can reach.", unit="s", ge=10, le=86400)
    log_period: float = param(10.0, "Time between lines in the log; 0: none.", unit="s", ge=0, le=3600)
    metrics_host: str = param(
        "127.0.0.1", "Address that serves /metrics, /livez and /readyz; 0.0.0.0: all of this machine's."
    )
    metrics_port: int = param(9464, "Port of it; 0: nothing is served.", ge=0, le=65535)

    @model_validator(mode="after")
    def _fit(self) -> MonitorParams:
        if unknown := set(named(self.alert_errors)) - set(OWN_ALERTS):
            raise ValueError(f"'alert_errors' are some of {', '.join(OWN_ALERTS)}, got {sorted(unknown)}")
        if both := set(named(self.pinned)) & set(named(self.vetoed)):
            raise ValueError(f"a step is pinned or vetoed, not both: {sorted(both)}")
        if self.history / self.period > _MOST_SAMPLES:
            raise ValueError(f"'history' must not hold more than {_MOST_SAMPLES} periods")
        return self


class PowerParams(Params):
    """What is asked of the board's power management at start and put back at the end; on a Jetson, through jtop."""

    mode: str = param("", "Name or number of nvpmodel's power mode; empty: as it is.")
    clocks: Literal["", "on", "off"] = param("", "jetson_clocks: all clocks at their highest; empty: as it is.")
    fan: str = param("", "Name of the fan's profile; empty: as it is.")

    @field_validator("clocks", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        """YAML reads a bare on and off as truth values."""
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
