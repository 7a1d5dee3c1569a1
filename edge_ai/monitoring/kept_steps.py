"""The steps that are taken, in a file: a monitor that was killed undoes them after its restart, as if nothing had been.

The file is of one boot: after another one the nodes have begun with their own values, and it is left aside.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import boot_id, plain_name, runtime_folder, write_whole
from edge_ai.monitoring.actions import Action, CallService, SetParameter, SetPower
from edge_ai.monitoring.effects import Effect
from edge_ai.monitoring.errand import Errand
from edge_ai.monitoring.ladder import Change
from edge_ai.monitoring.step_record import Deeds, StepRecord

log = logging.getLogger(__name__)

_KINDS: dict[str, type[Any]] = {"set": SetParameter, "call": CallService, "power": SetPower}


@dataclass(frozen=True, slots=True)
class KeptStep:
    """A step as an earlier monitor left it.

    Attributes:
        name, triggers, deeds, effect, by_operator: as of `StepRecord` and its step.
        pending: actions that had no answer yet while the step was being taken: nobody knows whether they were done.
    """

    name: str
    triggers: tuple[str, ...] = ()
    deeds: tuple[Deeds, ...] = ()
    effect: Effect = field(default_factory=Effect)
    by_operator: bool = False
    pending: tuple[Action, ...] = ()

    @classmethod
    def of(cls, record: StepRecord) -> KeptStep:
        """A step that is taken."""
        return cls(record.step.name, record.triggers, record.deeds, record.effect, record.step.by_operator)

    @classmethod
    def begun(cls, change: Change, errand: Errand) -> KeptStep:
        """A step that is being taken."""
        step, effect = change.record.step, Effect(change.before)
        return cls(step.name, change.triggers, errand.deeds, effect, step.by_operator, errand.pending)

    @property
    def to_undo(self) -> tuple[Deeds, ...]:
        """What there is to undo, that of pending actions included where it is known without their answer."""
        calls = (action for action in self.pending if isinstance(action, CallService) and action.undo)
        return self.deeds + tuple(Deeds(call, CallService(call.node, call.undo, call.service)) for call in calls)


class KeptSteps:
    """The file of one monitor.

    Args:
        path: of the file; its folder is made. None: nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self._boot = path, boot_id()
        self._written, self._failed = "", False

    @classmethod
    def of(cls, monitor: str) -> KeptSteps:
        """That of a monitor in this user's runtime or state folder.

        Args:
            monitor: its name, such as a node's with its namespace; empty: nothing is kept.
        """
        if not monitor:
            return cls(None)
        try:
            return cls(runtime_folder() / f"mitigation{plain_name(f'/{monitor}')}.json")
        except EdgeAIError as error:
            log.warning("steps taken are not kept over a crash: %s", error)
            return cls(None)

    def load(self) -> list[KeptStep]:
        """The steps that were taken and not undone, oldest first; none, if they are of another boot."""
        if self._path is None or not self._path.is_file():
            return []
        try:
            content = json.loads(self._path.read_text())
            steps = [_step(one) for one in content["steps"]] if content["boot"] == self._boot else []
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EdgeAIError) as error:
            log.warning("steps taken by an earlier monitor cannot be read from '%s': %s", self._path, error)
            return []
        self._written = "as it was"
        return steps

    def save(self, taken: Iterable[KeptStep]) -> None:
        """Keep the steps that are taken now, or being taken, oldest first. A disk that refuses is reported, once."""
        steps = [_plain(step) for step in taken]
        text = json.dumps({"boot": self._boot, "steps": steps}, indent=1) if steps else ""
        if self._path is None or text == self._written:
            return
        try:
            if steps:
                write_whole(self._path, text.encode())
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            level = logging.DEBUG if self._failed else logging.WARNING
            log.log(level, "steps taken are not kept over a crash: '%s': %s", self._path, error.strerror)
            self._failed = True
        self._written = text


def _plain(step: KeptStep) -> dict[str, Any]:
    return {
        "name": step.name,
        "triggers": list(step.triggers),
        "deeds": [{"did": _as_dict(deeds.did), "undo": _as_dict(deeds.undo)} for deeds in step.deeds],
        "before": dict(step.effect.before),
        "after": dict(step.effect.after),
        "by_operator": step.by_operator,
        "pending": [_as_dict(action) for action in step.pending],
    }


def _step(one: dict[str, Any]) -> KeptStep:
    return KeptStep(
        one["name"],
        tuple(one["triggers"]),
        tuple(Deeds(_as_action(deeds["did"]), _as_action(deeds["undo"])) for deeds in one["deeds"]),
        Effect(one["before"], one["after"]),
        one["by_operator"],
        tuple(_as_action(action) for action in one.get("pending", ())),
    )


def _as_dict(action: Action) -> dict[str, Any]:
    kind = next(kind for kind, cls in _KINDS.items() if isinstance(action, cls))
    return {kind: asdict(action)}


def _as_action(one: dict[str, Any]) -> Action:
    ((kind, values),) = one.items()
    if kind not in _KINDS:
        raise EdgeAIError(f"action '{kind}'", wanted=f"one of {', '.join(_KINDS)}")
    action: Action = _KINDS[kind](**values)
    return action
