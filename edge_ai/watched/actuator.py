"""Does what the ladder wants to a robot in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.core.params import Params, specs
from edge_ai.monitoring.actions import Action, CallService, SetParameter, SetPower

log = logging.getLogger(__name__)

_AT_ONCE = "emergency_stop"

Done = Callable[[Action | Exception | None], None]
Service = Callable[[], object]


class DirectActuator:
    """Changes parameters and calls services on a thread of its own, one after the other.

    An emergency stop waits for none of them: it is done at once, by whoever wants it.

    Args:
        params: of each node, by its name; changed in place when a change was taken over.
        apply: takes all of them over; raises EdgeAIError where one does not suit.
        services: what can be called, by "node/service".
        power: asks the board for other clocks and gives what would undo it; None: this is no such board.
    """

    def __init__(
        self,
        params: dict[str, Params],
        apply: Callable[[Mapping[str, Any]], None],
        services: Mapping[str, Service],
        power: Callable[[SetPower], SetPower] | None = None,
    ) -> None:
        self._params, self._apply, self._services, self._power = params, apply, services, power
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="actuator")

    def perform(self, action: Action, done: Done) -> None:
        """See `edge_ai.monitoring.actions.Actuator`."""
        if isinstance(action, CallService) and action.service == _AT_ONCE:
            self._perform(action, done)
        else:
            self._worker.submit(self._perform, action, done)

    def close(self) -> None:
        """Do what was asked for, and end."""
        self._worker.shutdown(wait=True)

    def _perform(self, action: Action, done: Done) -> None:
        try:
            outcome: Action | Exception | None = self._do(action)
        except Exception as error:
            if not isinstance(error, EdgeAIError):
                log.exception("%s failed", action)
            outcome = error
        done(outcome)

    def _do(self, action: Action) -> Action | None:
        if isinstance(action, SetParameter):
            return self._set(action)
        if isinstance(action, CallService):
            return self._call(action)
        if self._power is None:
            raise EdgeAIError("power mode", got="no board that has one", wanted="a Jetson with jetson-stats")
        return self._power(action)

    def _set(self, action: SetParameter) -> SetParameter:
        node = self._params.get(action.node)
        if node is None:
            raise ParameterError(f"node '{action.node}'", got="none", wanted=f"one of {', '.join(self._params)}")
        spec = next((spec for spec in specs(type(node)) if spec.name == action.name), None)
        name = f"parameter '{action.node}.{action.name}'"
        if spec is None:
            raise ParameterError(name, got="no such parameter", wanted="one of doc/parameters.md")
        if not spec.live:
            raise ParameterError(name, got="one that is fixed while the node runs", wanted="a live parameter")
        before = getattr(node, action.name)
        value = float(action.value) if spec.type == "double" and isinstance(action.value, int) else action.value
        changed = {**self._params, action.node: node.changed(**{action.name: value})}
        self._apply(changed)
        self._params.update(changed)
        return SetParameter(action.node, action.name, before)

    def _call(self, action: CallService) -> CallService | None:
        service = self._services.get(f"{action.node}/{action.service}")
        if service is None:
            wanted = f"one of {', '.join(self._services)}"
            raise EdgeAIError(f"service '{action.node}/{action.service}'", got="none", wanted=wanted)
        service()
        return CallService(action.node, action.undo, action.service) if action.undo else None
