"""Hot topics beside the executor: it builds its wait set anew, of everything a node has, for every single message."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.subscription import Subscription

from edge_ai.core.clock import NS
from edge_ai.nodes.untaken import Taken, Withheld

log = logging.getLogger(__name__)

_SILENCE = 1.0  # s


class Held(Withheld):
    """Keeps a subscription out of the executor's hands; its QoS events stay in them while it is silent.

    A message that is not taken wakes whoever waits for any event of its subscription (Fast DDS has one condition for
    them all), so that the executor would never rest. And where messages come QoS fits.

    Attributes:
        silent: no message has come for a while.
    """

    def __init__(self) -> None:
        super().__init__()
        self.silent = True

    def can_execute(self, entity: Any) -> bool:
        return self.silent and not isinstance(entity, Subscription)


class Inbox:
    """One subscription whose messages are taken when they are wanted; safe between threads.

    Args:
        subscription: made with a callback group `Held` of its own; its history holds what is not taken yet.
    """

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self._taken = Taken(subscription)
        self._heard_at = 0.0
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> Any:
        """The next message, or bytes if the subscription is raw; None if there is none or the inbox is closed."""
        with self._lock:
            if self._closed:
                return None
            taken = self._taken.take()
            if taken is None:
                return None
            self.look(True)
            return taken[0]

    @property
    def missed(self) -> int:
        """As of `Taken`."""
        return self._taken.missed

    def look(self, ready: bool) -> None:
        """Note whether something has come; called now and then, and with each message taken."""
        now, group = time.monotonic(), self.subscription.callback_group
        if ready:
            self._heard_at, group.silent = now, False
        elif now - self._heard_at > _SILENCE:
            group.silent = True

    def close(self) -> None:
        """Give nothing any more."""
        with self._lock:
            self._closed = True


class Reader:
    """A thread that waits for messages of a few subscriptions and of nothing else.

    Args:
        node: whose subscriptions they are.
        inboxes: of these.
        on_ready: called with each inbox that has a message, again and again until it is taken.
        name: of the thread.
    """

    def __init__(self, node: Node, inboxes: Sequence[Inbox], on_ready: Callable[[Inbox], None], name: str) -> None:
        self._node, self._inboxes, self._on_ready = node, inboxes, on_ready
        self._end = GuardCondition(None, None, context=node.context)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> Sequence[Inbox]:
        """End, once `on_ready` has come back, and close the inboxes; returns them."""
        self._stopping = True
        self._end.trigger()
        if self._thread is not threading.current_thread():
            self._thread.join()
        for inbox in self._inboxes:
            inbox.close()
        self._end.destroy()
        return self._inboxes

    def _run(self) -> None:
        handles = [inbox.subscription.handle for inbox in self._inboxes]
        with self._node.context.handle, self._end.handle:
            waiting = _rclpy.WaitSet(len(handles), 1, 0, 0, 0, 0, self._node.context.handle)
            while not self._stopping:
                waiting.clear_entities()
                for handle in handles:
                    waiting.add_subscription(handle)
                waiting.add_guard_condition(self._end.handle)
                waiting.wait(round(_SILENCE * NS))
                ready = waiting.get_ready_entities("subscription")
                for handle, inbox in zip(handles, self._inboxes, strict=True):
                    inbox.look(handle.pointer in ready)
                    if handle.pointer in ready and not self._stopping:
                        self._hand_on(inbox)

    def _hand_on(self, inbox: Inbox) -> None:
        try:
            self._on_ready(inbox)
        except Exception:
            log.exception("a message of %s was not handled", inbox.subscription.topic_name)
