"""What every managed node shares: checked parameters, safe transitions, diagnostics and metrics."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.qos import QoSProfile

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.memory import free_memory
from edge_ai.core.params import Params
from edge_ai.monitoring.performance import NodeStats
from edge_ai.monitoring.readings import Readings
from edge_ai.nodes.diagnostics import Diagnosis, Diagnostics
from edge_ai.nodes.node_metrics import MetricsPublisher
from edge_ai.nodes.process_settings import CLASSES, ProcessSettings
from edge_ai.nodes.qos import publisher_events, subscription_events
from edge_ai.nodes.qos_overrides import overridable
from edge_ai.nodes.reader import Held, Inbox
from edge_ai.nodes.ros_clock import RosClock
from edge_ai.nodes.ros_params import NodeParams
from edge_ai.nodes.upkeep import Upkeep


class ManagedNode(LifecycleNode):
    """A lifecycle node whose subclass says only what is its own.

    A subclass writes `configure`, `activate`, `deactivate`, `cleanup`, `diagnose`, `measure` and,
    if parameters may change while it runs, `params_changed`. Each may raise `EdgeAIError`: the reason is logged, shown
    on /diagnostics, and the transition fails.

    Attributes:
        stats: takes what the node does; it goes out on node_metrics once a second.

    Args:
        name: of the node.
        classes: its parameter classes by prefix, see `NodeParams`; `RealtimeParams` come on top as ``process.``.
        rates: names of what it counts, told as 0 while nothing comes.

    Raises:
        ParameterError: a parameter given at start is wrong.
    """

    def __init__(self, name: str, classes: Mapping[str, type[Params]], rates: Sequence[str] = ()) -> None:
        super().__init__(name)
        self.params = NodeParams(self, {**classes, **CLASSES})
        self.params.watch(frozen=lambda: self.state != State.PRIMARY_STATE_UNCONFIGURED, on_change=self.params_changed)
        self.clock = RosClock(self)
        self.fault = ""
        self._qos_faults: dict[str, str] = {}
        self._process = ProcessSettings(self)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._diagnostics = Diagnostics(self)
        self.stats = NodeStats(self.clock, rates=rates)
        self._metrics = MetricsPublisher(self)
        self._upkeep = Upkeep(self)
        self.every(1.0, self._tell)

    # What a subclass writes -------------------------------------------------------------------------------------

    def configure(self) -> None:
        """Parse, load and warm up."""

    def activate(self) -> None:
        """Start."""

    def deactivate(self) -> None:
        """Stop; must leave nothing moving."""

    def cleanup(self) -> None:
        """Free everything `configure` made; must bear being called twice."""

    def params_changed(self) -> None:
        """Take over live parameters; refuse by raising."""

    def diagnose(self) -> Diagnosis:
        """Level, message and values while active."""
        return DiagnosticStatus.OK, "active", {}

    def measure(self) -> Mapping[str, Readings]:
        """Give `stats` what it does not have yet, once a second while active.

        Returns:
            Readings of the parts of a composed node, by the names that they have as nodes.
        """
        return {}

    def free_memory(self) -> int:
        """Give back what can be had again; returns bytes."""
        return free_memory()

    # What a subclass uses ---------------------------------------------------------------------------------------

    @property
    def state(self) -> int:
        """The lifecycle state, a constant of lifecycle_msgs/State."""
        return int(self._state_machine.current_state[0])

    def every(self, period: float, callback: Callable[[], None]) -> Any:
        """A timer on the steady clock: simulated time that stands still does not stop it."""
        return self.create_timer(period, callback, clock=self._steady)

    def publisher(self, kind: Any, topic: str, qos: QoSProfile) -> Any:
        """A publisher that reports incompatible subscribers; its QoS may be overridden by parameters.

        Raises:
            ParameterError: a QoS override is wrong.
        """
        events = publisher_events(topic, self._qos_fault)
        return self.create_publisher(kind, topic, event_callbacks=events, **overridable(self, topic, "publisher", qos))

    def subscription(self, kind: Any, topic: str, callback: Callable[[Any], None], qos: QoSProfile) -> Any:
        """A subscription that reports incompatible publishers; its QoS may be overridden by parameters.

        Raises:
            ParameterError: a QoS override is wrong.
        """
        return self._subscribe(kind, topic, qos, callback)

    def inbox(self, kind: Any, topic: str, qos: QoSProfile, *, raw: bool = False) -> Inbox:
        """As `subscription`, but for a `Reader`, not for the executor; ``raw``: of the bytes that came over the wire.

        Raises:
            ParameterError: a QoS override is wrong.
        """
        return Inbox(self._subscribe(kind, topic, qos, callback_group=Held(), raw=raw))

    def _subscribe(
        self, kind: Any, topic: str, qos: QoSProfile, callback: Callable[[Any], None] = id, **how: Any
    ) -> Any:
        events = subscription_events(topic, self._qos_fault)
        how |= overridable(self, topic, "subscription", qos)
        return self.create_subscription(kind, topic, callback, event_callbacks=events, **how)

    def say(self, level: bytes, text: str) -> None:
        """Log at a level of diagnostics; rclpy ties each calling line to one severity."""
        if level == DiagnosticStatus.ERROR:
            self.get_logger().error(text)
        elif level == DiagnosticStatus.WARN:
            self.get_logger().warning(text)
        else:
            self.get_logger().info(text)

    def destroy_publishers(self, *publishers: Any) -> None:
        """Take topics down."""
        for publisher in publishers:
            self.destroy_publisher(publisher)

    # Transitions ------------------------------------------------------------------------------------------------

    def on_configure(self, _state: Any) -> TransitionCallbackReturn:
        done = self._attempt("configure", lambda: self._process.configure(self.configure))
        if done is not TransitionCallbackReturn.SUCCESS:
            self._attempt("cleanup", self._cleanup, keep_fault=True)
        return done

    def on_activate(self, _state: Any) -> TransitionCallbackReturn:
        done = self._attempt("activate", self.activate)
        if done is not TransitionCallbackReturn.SUCCESS:
            self._attempt("deactivate", self.deactivate, keep_fault=True)
        return done

    def on_deactivate(self, _state: Any) -> TransitionCallbackReturn:
        self._attempt("deactivate", self.deactivate)
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, _state: Any) -> TransitionCallbackReturn:
        self._attempt("cleanup", self._cleanup)
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, _state: Any) -> TransitionCallbackReturn:
        self._attempt("deactivate", self.deactivate)
        self._attempt("cleanup", self._cleanup)
        return TransitionCallbackReturn.SUCCESS

    on_error = on_shutdown

    def destroy_node(self) -> None:
        """Take everything down."""
        self._upkeep.close()
        super().destroy_node()

    def _cleanup(self) -> None:
        self._process.cleanup(self.cleanup)

    def _attempt(self, what: str, action: Callable[[], None], *, keep_fault: bool = False) -> TransitionCallbackReturn:
        fault = ""
        # It may take its time, such as to load a model, or be the last thing it does.
        with contextlib.suppress(Exception):  # such as ROS gone: no reason to leave anything moving
            self._metrics.excuse()
        try:
            action()
        except EdgeAIError as error:
            fault = str(error)
            self.get_logger().error(f"{what}: {fault}")
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            self.get_logger().error(f"{what} failed unexpectedly: {traceback.format_exc()}")
        if not keep_fault:
            self.fault = fault
        return TransitionCallbackReturn.FAILURE if fault else TransitionCallbackReturn.SUCCESS

    # Diagnostics and metrics ------------------------------------------------------------------------------------

    def _tell(self) -> None:
        self._publish_diagnostics()
        parts = self.measure() if self.state == State.PRIMARY_STATE_ACTIVE else {}
        self._metrics.publish({self.get_name(): self.stats.readings(), **parts})

    def _qos_fault(self, topic: str, words: str) -> None:
        self._qos_faults[topic] = words
        self.get_logger().error(f"topic {self.resolve_topic_name(topic)}: {words}")

    def _publish_diagnostics(self) -> None:
        level, message, values = DiagnosticStatus.OK, self._state_machine.current_state[1], {}
        if self.state == State.PRIMARY_STATE_ACTIVE:
            level, message, values = self.diagnose()
        if self.fault:
            level, message = DiagnosticStatus.ERROR, self.fault
        faults = [
            (f"QoS of {self.resolve_topic_name(topic)}", DiagnosticStatus.ERROR, words)
            for topic, words in self._qos_faults.items()
        ]
        missing = [(parameter, DiagnosticStatus.WARN, words) for parameter, words in self._process.missing.items()]
        self._diagnostics.publish((level, message, values), [*faults, *missing])
