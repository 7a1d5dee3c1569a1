"""The service of a cloud_node as a side that a router may ask."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from functools import partial

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from edge_ai.core.clock import Clock
from edge_ai.core.errors import ParameterError
from edge_ai.nodes.ros_call import RosCall
from edge_ai.routing.alarms import Alarms
from edge_ai.routing.cloud.base import CloudError, CloudUnreachableError
from edge_ai.routing.params import CloudParams
from edge_ai.routing.quality import JpegQuality
from edge_ai.routing.side import Outcome, Side, Source
from edge_ai.runtime.worker_pool import WorkerPool
from edge_ai.srv import CloudInference

_THREADS, _BACKLOG = 2, 4


class RosSide(Side):
    """Asks a cloud_node for every frame. Thread-safe; the node's executor brings the answers.

    Images are encoded on threads of its own; frames that wait for one are dropped for newer ones.

    Args:
        node: makes the client.
        service: name of the service, such as /cloud/infer.
        params: of the way to it.
        clock: deadlines and timings.

    Raises:
        ParameterError: no name, or an impossible one.
    """

    def __init__(self, node: Node, service: str, params: CloudParams, clock: Clock) -> None:
        if not service:
            raise ParameterError("parameter 'url'", got="ros: without a service", wanted="ros:SERVICE")
        self.name = f"ros:{service}"
        self.params, self.clock = params, clock
        self.pool, self.alarms = WorkerPool("ros-side", _THREADS, _BACKLOG), Alarms(clock)
        self.threshold, self.classes = 0.0, frozenset[str]()
        self.quality, self.pixels = JpegQuality(), 0
        self._node = node
        try:
            self.client = node.create_client(CloudInference, service, callback_group=ReentrantCallbackGroup())
        except Exception as error:
            raise ParameterError(f"service '{service}'", got=str(error), wanted="a name of ROS") from None
        self._why = "the service has not been reached yet"
        self._closed = False
        self._ids = map(f"{uuid.uuid4().hex[:12]}-{{}}".format, itertools.count())

    @property
    def unready(self) -> str:
        """Why it cannot be asked; empty once `open` has succeeded."""
        return self._why

    def open(self) -> None:
        """Wait for the service as long as ``connect_timeout`` says.

        Raises:
            CloudUnreachableError: it did not come.
        """
        if self._closed or not self.client.wait_for_service(self.params.connect_timeout):
            self._why = "it was closed" if self._closed else "no such service"
            raise CloudUnreachableError(self.name, got=self._why, mend="start a cloud_node, or correct cloud.url")
        self.alarms.start()
        self._why = ""

    def adjust(self, params: CloudParams) -> None:
        """Take over the parameters that may change while it works."""
        self.params = self.params.changed(jpeg_quality=params.jpeg_quality, jpeg_least=params.jpeg_least)

    def configure(self, *, score_threshold: float, classes: Sequence[str]) -> None:
        """Report only these of what the service found, from the next answer on.

        Args:
            score_threshold: least score; 0: as the service says.
            classes: names; empty for all.
        """
        self.threshold, self.classes = score_threshold, frozenset(name for name in classes if name)

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> RosCall:
        """See `Side`."""
        call = RosCall(self, frame, deadline_ns, done)
        if fault := self.fault():
            call.end(Outcome(error=fault))
        elif not self.pool.submit(call.begin, call.drop):
            call.end(Outcome(error=CloudUnreachableError(self.name, got="it was closed")))
        return call

    def fault(self) -> CloudError | None:
        """Why nothing can be sent just now."""
        if self._why:
            return CloudUnreachableError(self.name, got=self._why)
        if not self.client.service_is_ready():
            return CloudUnreachableError(self.name, got="no such service any more")
        return None

    def expected_bytes(self, frame: Source) -> float:
        """See `Side`."""
        pixels = frame.header.width * frame.header.height or self.pixels
        if self.params.payload == "raw":
            return 3.0 * pixels
        return self.quality.expected_bytes(pixels, self.params.jpeg_quality)

    def ping(self, done: Callable[[float | Exception], None]) -> None:
        """Ask for a sign of life: a request without an image, which is answered at once."""
        if fault := self.fault():
            done(fault)
            return
        begun = self.clock.steady_ns()
        deadline_ns = begun + round(self.params.connect_timeout * 1e9)
        call = RosCall(self, None, deadline_ns, partial(self._heard, begun, done))
        if not self.pool.urgent(call.begin):
            done(CloudUnreachableError(self.name, got="it was closed"))

    def close(self) -> None:
        """Give up all that is under way; it cannot be used again. Harmless twice."""
        if self._closed:
            return
        self._closed, self._why = True, "it was closed"
        self.pool.close()
        self.alarms.stop()
        self._node.destroy_client(self.client)

    def next_id(self) -> str:
        """A request id of one's own."""
        return next(self._ids)

    def _heard(self, begun: int, done: Callable[[float | Exception], None], outcome: Outcome) -> None:
        # Whatever it said of a request without an image: it is there.
        alive = outcome.error is None or (isinstance(outcome.error, CloudError) and not outcome.error.fault)
        done((self.clock.steady_ns() - begun) / 1e9 if alive else outcome.error or CloudUnreachableError(self.name))
