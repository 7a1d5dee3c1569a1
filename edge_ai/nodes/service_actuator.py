"""What a ladder wants, done through the services of other nodes: no node reaches into another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sized
from typing import TypeVar

from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from std_srvs.srv import Trigger

from edge_ai.monitoring.actions import Action, CallService, SetParameter, SetPower
from edge_ai.nodes.caller import Caller, ServiceError
from edge_ai.nodes.neighbours import Neighbours

_TRIGGER = "std_srvs/srv/Trigger"
_MEET = 3.0  # s in which a node that has just started learns of the others
_GLANCE = 0.05  # s

Found = TypeVar("Found", bound=Sized)


class ServiceActuator:
    """An `edge_ai.monitoring.actions.Actuator` for the nodes around it.

    Each action has a thread of its own for as long as it lasts, since it waits for others; actions are rare. Where a
    parameter is one of several cameras, all take the value or none; if they had different ones, what undoes it is a
    `SetParameter` whose value is a mapping of them by the nodes' full names.

    Args:
        node: asks.
        power: sets what is asked of the board and returns what would undo it; None: there is nobody to ask.
        patience: seconds for an action.
    """

    def __init__(
        self, node: Node, power: Callable[[SetPower], Action | None] | None = None, patience: float = 4.0
    ) -> None:
        self._node, self._power, self._patience = node, power, patience
        self._neighbours = Neighbours(node)
        self._ask = Caller(node)
        self._met_at = time.monotonic() + _MEET

    def perform(self, action: Action, done: Callable[[Action | Exception | None], None]) -> None:
        """See `edge_ai.monitoring.actions.Actuator`."""
        threading.Thread(target=self._perform, args=(action, done), name="act", daemon=True).start()

    def _perform(self, action: Action, done: Callable[[Action | Exception | None], None]) -> None:
        try:
            outcome: Action | Exception | None = self._do(action, time.monotonic() + self._patience)
        except Exception as error:
            outcome = error
        done(outcome)

    def _do(self, action: Action, until: float) -> Action | None:
        if isinstance(action, SetPower):
            if self._power is None:
                raise ServiceError("power", got="nobody to ask", wanted="a board whose power can be set")
            return self._power(action)
        if isinstance(action, CallService):
            return self._call(action, until)
        return self._set(action, until)

    def _set(self, action: SetParameter, until: float) -> Action | None:
        targets = self._found(lambda: self._neighbours.named(action.node), until)
        if not targets:
            raise ServiceError(f"parameter {action.node}.{action.name}", got="no such node", wanted="one that runs")
        before: dict[str, object] = {}
        for node, prefix in targets:
            if isinstance(action.value, Mapping) and node not in action.value:
                continue  # it was not there when the others were changed
            value = action.value[node] if isinstance(action.value, Mapping) else action.value
            name = prefix + action.name
            try:
                was = self._get(node, name, until)
                self._put(node, name, _like(value, was), until)
            except ServiceError:
                self._put_back(before, action.name, dict(targets))
                raise
            before[node] = was
        values = list(before.values())
        same = all(value == values[0] for value in values)
        return SetParameter(action.node, action.name, values[0] if same and values else before)

    def _found(self, look: Callable[[], Found], until: float) -> Found:
        """What a look finds. At first, while a monitor that has just started still meets the others, it looks again."""
        while not (found := look()) and time.monotonic() < min(until, self._met_at):
            time.sleep(_GLANCE)
        return found

    def _get(self, node: str, name: str, until: float) -> object:
        answer = self._ask.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=[name]), until)
        value = parameter_value_to_python(answer.values[0]) if answer.values else None
        if value is None:
            raise ServiceError(f"parameter {name} of {node}", got="no such parameter")
        return list(value) if hasattr(value, "typecode") or isinstance(value, tuple) else value

    def _put(self, node: str, name: str, value: object, until: float) -> None:
        parameter = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        result = self._ask.call(SetParameters, f"{node}/set_parameters", request, until).results[0]
        if not result.successful:
            raise ServiceError(f"parameter {name} of {node}", got=f"refused: {result.reason}")

    def _put_back(self, before: Mapping[str, object], name: str, prefixes: Mapping[str, str]) -> None:
        """All cameras or none; a node that does not take its value back either has gone."""
        until = time.monotonic() + self._patience
        for node, value in before.items():
            try:
                self._put(node, prefixes[node] + name, value, until)
            except ServiceError as error:
                self._node.get_logger().error(f"undoing half an action: {error}")

    def _call(self, action: CallService, until: float) -> Action | None:
        targets = self._found(lambda: self._services(action, self._neighbours.services()), until)
        if not targets:
            wanted = "a node that offers it and runs"
            raise ServiceError(f"service {action.node}/{action.service}", got="no such service", wanted=wanted)
        for name in targets:
            answer = self._ask.call(Trigger, name, Trigger.Request(), until)
            if not answer.success:
                raise ServiceError(f"service {name}", got=f"refused: {answer.message}")
        return CallService(action.node, action.undo, action.service) if action.undo else None

    def _services(self, action: CallService, services: Mapping[str, list[str]]) -> list[str]:
        """One that stands under the node's own name, or else under that of the process it is composed into."""
        found: dict[str, None] = {}
        for node, _ in self._neighbours.named(action.node, dict(services)):
            inside = node.rpartition("/")[0]
            names = (f"{inside}/{action.node}/{action.service}", f"{node}/{action.service}")
            offered = [name for name in names if _TRIGGER in services.get(name, [])]
            found.update(dict.fromkeys(offered[:1]))
        return list(found)

    def close(self) -> None:
        """Let go of the services."""
        self._ask.close()


def _like(value: object, was: object) -> object:
    """YAML reads 5 as an int, and a double wants 5.0."""
    return float(value) if isinstance(was, float) and type(value) is int else value
