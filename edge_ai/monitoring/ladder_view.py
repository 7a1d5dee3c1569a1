"""What a ladder's decisions are made from, and what speaks for and against a step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from edge_ai.monitoring.alerts import Standing
from edge_ai.monitoring.readings import Readings
from edge_ai.monitoring.step_record import StepRecord
from edge_ai.monitoring.steps import Step


@dataclass(frozen=True, slots=True)
class View:
    """What a decision is made from.

    Attributes:
        now: steady time, ns.
        standings: of the alerts, by name.
        readings: the newest.
        pinned: steps the operator wants kept once taken.
        vetoed: steps the operator does not want.
    """

    now: int
    standings: Mapping[str, Standing] = field(default_factory=dict)
    readings: Readings = field(default_factory=dict)
    pinned: Collection[str] = ()
    vetoed: Collection[str] = ()


def calling(step: Step, view: View) -> Iterator[str]:
    """The alerts that are active now and that the step is for."""
    return (name for name in step.when if name in view.standings and view.standings[name].active)


def causes(step: Step, view: View) -> Iterator[str]:
    """Those of them that do not call in vain, and whose value is not well already: they will soon be clear."""
    for name in calling(step, view):
        if view.standings[name].well_since_ns is not None:
            continue
        vain = step.unless.get(name, ())
        if not vain or not all(condition.holds(view.readings) for condition in vain):
            yield name


def hindrance(step: Step, view: View) -> str:
    """Why a step is not taken although an alert calls for it."""
    for condition in step.needs:
        if not condition.holds(view.readings):
            return f"not now: {condition.metric} is not as it needs"
    return "" if any(causes(step, view)) else "would not help now"


def trouble(record: StepRecord, view: View) -> str:
    """What of the alerts of a step that is taken is not well; empty: all are."""
    for name in dict.fromkeys((*record.triggers, *record.step.when)):
        standing = view.standings.get(name)
        if standing is None:
            continue  # the rule was switched off
        if standing.active:
            return f"{name} is active"
        if name in record.triggers and standing.well_since_ns is None:
            return f"{standing.rule.metric} is not well yet, or cannot be read"
    return ""
