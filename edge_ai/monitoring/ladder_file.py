"""Reading the file that says what is done against overload: the ladder, and more alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from pydantic import ValidationError

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.core.problems import problems
from edge_ai.core.resources import resource
from edge_ai.monitoring.actions import CallService, SetPower
from edge_ai.monitoring.ladder_entries import FileEntry, RangeEntry, StepEntry
from edge_ai.monitoring.params import OWN_ALERTS, MonitorParams, named
from edge_ai.monitoring.steps import Condition, Deed, Plan, Step

SHIPPED = "config/mitigation.yaml"
_MEND = "see doc/watching.md for every key, and the file that is shipped"
_RELAPSE = 60.0  # s
_STOPPED = Condition("control/stopped", below=0.5)


def plan_of(mitigation: str) -> Plan:
    """The plan that the parameter `mitigation` names: "" the one shipped, "none" an empty one, else a file's.

    Raises:
        EdgeAIError: as for `load_plan`.
    """
    if mitigation == "none":
        return Plan()
    return load_plan(Path(mitigation) if mitigation else resource(SHIPPED))


def load_plan(path: Path) -> Plan:
    """Read a mitigation file.

    Raises:
        EdgeAIError: it is missing or no YAML, or says what cannot be; names every such place.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise EdgeAIError(f"mitigation file '{path}'", got=why, mend="correct parameter 'mitigation'") from None
    except yaml.YAMLError as error:
        raise EdgeAIError(f"mitigation file '{path}' is not YAML", got=" ".join(str(error).split())) from None
    return parse_plan(content, owner=str(path))


def parse_plan(content: object, *, owner: str) -> Plan:
    """Make a plan of what a YAML file holds.

    Args:
        content: the file as plain data.
        owner: where it is from, for messages.

    Raises:
        EdgeAIError: as for `load_plan`.
    """
    try:
        entry = FileEntry.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise EdgeAIError(f"mitigation file '{owner}'", got="; ".join(problems(error)), mend=_MEND) from None
    if wrong := list(_contradictions(entry)):
        raise EdgeAIError(f"mitigation file '{owner}'", got="; ".join(wrong), mend=_MEND)
    return Plan(
        steps=tuple(map(_step, entry.steps)),
        rules=tuple(alert.rule() for alert in entry.alerts),
        retry=entry.retry,
        trial=entry.trial,
        margin=entry.margin,
    )


def check_names(plan: Plan, params: MonitorParams) -> None:
    """Whether the ladder has the steps that are pinned and vetoed.

    Raises:
        ParameterError: it has not.
    """
    names = [step.name for step in plan.steps]
    for parameter, values in (("pinned", params.pinned), ("vetoed", params.vetoed)):
        for value in named(values):
            if value not in names:
                wanted = f"a step of the ladder: {', '.join(names) or 'it has none'}"
                raise ParameterError(f"parameter '{parameter}'", got=f"'{value}'", wanted=wanted)


def _step(entry: StepEntry) -> Step:
    do: tuple[Deed, ...] = tuple(deed for one in entry.do for deed in one.deeds())
    # An emergency stop is never taken back by a machine, and is known to be over when its owner says so.
    stops = any(isinstance(deed, CallService) and deed.service == "emergency_stop" for deed in do)
    return Step(
        entry.name,
        when=tuple(entry.when),
        do=do,
        dwell=entry.dwell,
        recover=entry.recover,
        by_operator=entry.undo == "operator" or stops,
        needs=_conditions(entry.needs),
        unless={alert: _conditions(ranges) for alert, ranges in entry.unless.items()},
        released=_conditions(entry.released) or (_STOPPED,) * stops,
        relapse=max(4 * entry.recover, _RELAPSE) if entry.relapse is None else entry.relapse,
        deadline=_deadline(do) if entry.deadline is None else entry.deadline,
        urgent=stops,
    )


def _deadline(do: tuple[Deed, ...]) -> float:
    """A board takes its time to change its clocks."""
    return 90.0 if any(isinstance(deed, SetPower) for deed in do) else 10.0


def _conditions(entries: dict[str, RangeEntry]) -> tuple[Condition, ...]:
    return tuple(entry.condition(metric) for metric, entry in entries.items())


def _contradictions(entry: FileEntry) -> Iterator[str]:
    own = [alert.name for alert in entry.alerts]
    yield from (
        f"alert '{name}' is every monitor's own: set its parameters instead" for name in own if name in OWN_ALERTS
    )
    yield from (f"two alerts are called '{name}'" for name in _twice(own))
    yield from (f"two steps are called '{name}'" for name in _twice(step.name for step in entry.steps))
    known = (*OWN_ALERTS, *own)
    for step in entry.steps:
        for name in step.when:
            if name not in known:
                yield f"step '{step.name}' is for alert '{name}', which is none of {', '.join(known)}"
        for name in step.unless:
            if name not in step.when:
                yield f"step '{step.name}' has '{name}' under 'unless', but not under 'when'"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
