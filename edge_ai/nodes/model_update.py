"""Updates of a model as ROS has them: services to stage, switch and take back, and how it all stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from std_msgs.msg import Header, String

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import plain_name
from edge_ai.msg import ModelUpdate
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.convert import ns_to_time
from edge_ai.nodes.deferred_service import DeferredService
from edge_ai.nodes.qos import LATCHED
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.kept import default_folder
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.status import SwapState, SwapStatus
from edge_ai.runtime.told import update_fields
from edge_ai.srv import StageModel, SwitchModel

Send = Callable[[Any], None]

_AT_ONCE = 4
"""Requests in work: one that stages, one that discards it meanwhile, and some to be told that there is one already."""


class ModelUpdates:
    """inference/stage_model, inference/switch_model, inference/model_update and inference/card.

    Args:
        node: offers them.
        swap: open; does what is asked for.
    """

    def __init__(self, node: ManagedNode, swap: HotSwap) -> None:
        self._node, self._swap = node, swap
        self._update = node.publisher(ModelUpdate, "inference/model_update", LATCHED)
        self._card = node.publisher(String, "inference/card", LATCHED)
        self._turn = threading.Lock()
        self._carded: Path | None = None
        self.publish()
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="update")
        self._offers = [
            DeferredService(node, StageModel, "inference/stage_model", self._later(self._stage)),
            DeferredService(node, SwitchModel, "inference/switch_model", self._later(self._decide)),
        ]

    def publish(self) -> None:
        """Say how it stands, and what the model is where that has changed; from any thread."""
        with self._turn:  # whoever comes last says the newest
            stamp = Header(stamp=ns_to_time(self._node.clock.stamp_ns()))
            self._update.publish(ModelUpdate(header=stamp, **update_fields(self._swap.status)))
            card = self._swap.card_path
            if card != self._carded:
                self._carded = card
                self._card.publish(String(data=card.read_text(encoding="utf-8")))

    def refresh(self) -> None:
        """Say how far a probation is: nothing else happens in it for long."""
        if self._swap.status.state is SwapState.PROBATION:
            self.publish()

    def stop(self) -> None:
        """Take no more requests. Closing the `HotSwap` then ends one that is under way."""
        for offer in self._offers:
            offer.stop()

    def close(self) -> None:
        """Answer the requests taken, and take services and topics down."""
        self._workers.shutdown(wait=True)
        for offer in self._offers:
            offer.close()
        self._node.destroy_publishers(self._update, self._card)

    def _later(self, answer: Callable[[Any], Any]) -> Callable[[Any, Send], None]:
        def take(request: Any, send: Send) -> None:
            self._workers.submit(lambda: send(answer(request)))

        return take

    def _stage(self, request: StageModel.Request) -> StageModel.Response:
        status, message = self._attempt(lambda: self._swap.stage(Path(request.model)))
        if not message and request.switch_when_ready:
            status, message = self._attempt(self._swap.switch)
        told = update_fields(status)
        return StageModel.Response(
            success=not message, state=told["state"], message=message or status.message, checks=told["checks"]
        )

    def _decide(self, request: SwitchModel.Request) -> SwitchModel.Response:
        reason = request.reason or "asked for"
        actions = {
            SwitchModel.Request.SWITCH: self._swap.switch,
            SwitchModel.Request.ROLLBACK: lambda: self._swap.roll_back(reason),
            SwitchModel.Request.DISCARD: self._swap.discard,
        }
        action = actions.get(request.action)
        if action is None:
            return SwitchModel.Response(
                state=self._swap.status.state.value,
                message=f"action: got {request.action!r}; wanted {' or '.join(actions)}",
            )
        status, message = self._attempt(action)
        return SwitchModel.Response(success=not message, state=status.state.value, message=message or status.message)

    def _attempt(self, action: Callable[[], SwapStatus]) -> tuple[SwapStatus, str]:
        """How it stands then, and why it could not be done."""
        try:
            return action(), ""
        except EdgeAIError as error:
            return self._swap.status, str(error)
        except Exception as error:
            self._node.get_logger().error(f"update of the model: {type(error).__name__}: {error}")
            return self._swap.status, f"{type(error).__name__}: {error}"


def swap_params(node: ManagedNode) -> SwapParams:
    """Those of a node, with a state folder of its own: robots of one machine must not take over each other's model."""
    params: SwapParams = node.params["swap."]
    if params.state_folder:
        return params
    owner = plain_name(f"{node.context.get_domain_id()}{node.get_fully_qualified_name()}")
    return params.changed(state_folder=str(default_folder() / owner))


def update_words(status: SwapStatus) -> dict[str, object]:
    """What /diagnostics says of an update under way; nothing if there is none."""
    if status.state is SwapState.IDLE:
        return {}
    return {"update": f"{status.candidate}: {status.state.value}"}
