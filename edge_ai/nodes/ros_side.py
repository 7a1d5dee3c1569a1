"""The service of a cloud_node as a side that a router may ask."""

from __future__ import annotations

import itertools
import threading
import uuid
from array import array
from collections.abc import Callable, Sequence
from functools import partial

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from edge_ai.core.clock import Clock
from edge_ai.core.errors import ParameterError
from edge_ai.core.types import PendingFrame
from edge_ai.msg import InferenceRequest
from edge_ai.nodes import images
from edge_ai.nodes.kept import KeptPendingFrame
from edge_ai.nodes.ros_call import RosCall
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.routing.alarms import Alarms
from edge_ai.routing.cloud.base import CloudError, CloudUnreachableError
from edge_ai.routing.estimates import LinkEstimate
from edge_ai.routing.params import CloudParams
from edge_ai.routing.quality import JpegQuality
from edge_ai.routing.side import Outcome, Side, Source
from edge_ai.runtime.worker_pool import WorkerPool
from edge_ai.srv import CloudInference

_THREADS, _BACKLOG = 2, 4


class RosSide(Side):
    """Asks a cloud_node for every frame, once. Thread-safe; the node's executor brings the answers.

    Images are encoded on threads of its own, at a quality that the link has the time for; frames that wait for one are
    dropped for newer ones.

    Args:
        node: makes the client.
        service: name of the service, such as /cloud/infer.
        params: of the way to it.
        clock: deadlines and timings.
        priority: of a frame, 0 low to 2 high; default normal.

    Raises:
        ParameterError: no name, or an impossible one.
    """

    def __init__(
        self,
        node: Node,
        service: str,
        params: CloudParams,
        clock: Clock,
        priority: Callable[[Source], int] | None = None,
    ) -> None:
        if not service:
            raise ParameterError("parameter 'url'", got="ros: without a service", wanted="ros:SERVICE")
        self.name = f"ros:{service}"
        self.params, self.clock = params, clock
        self.pool, self.alarms = WorkerPool("ros-side", _THREADS, _BACKLOG), Alarms(clock)
        self.threshold, self.classes = 0.0, frozenset[str]()
        self.link, self.under_way = LinkEstimate(), set[RosCall]()
        self._quality, self._pixels, self._chosen = JpegQuality(), 0, params.jpeg_quality
        self._priority = priority
        self._node = node
        try:
            self.client = node.create_client(CloudInference, service, callback_group=ReentrantCallbackGroup())
        except Exception as error:
            raise ParameterError(f"service '{service}'", got=str(error), wanted="a name of ROS") from None
        self._why = "the service has not been reached yet"
        self._closed, self._lock = False, threading.Lock()
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
        try:
            found = not self._closed and self.client.wait_for_service(self.params.connect_timeout)
        except Exception:  # it is closed meanwhile, and the client gone
            found = False
        with self._lock:
            if found and not self._closed:
                self.alarms.start()
                self._why = ""
                return
            self._why = "it was closed" if self._closed else "no such service"
        raise CloudUnreachableError(self.name, got=self._why, mend="start a cloud_node, or correct cloud.url")

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
        try:
            ready = self.client.service_is_ready()
        except Exception:  # it is being closed
            ready = False
        return None if ready else CloudUnreachableError(self.name, got="no such service any more")

    def expected_bytes(self, frame: Source) -> float:
        """See `Side`."""
        pixels = frame.header.width * frame.header.height or self._pixels
        if self.params.payload == "raw":
            return 3.0 * pixels
        return self._quality.expected_bytes(pixels, self._chosen)

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
        """Give up all that is under way, telling who asked; it cannot be used again. Harmless twice."""
        with self._lock:
            if self._closed:
                return
            self._closed, self._why = True, "it was closed"
        self.pool.close()  # from here on nothing is sent
        for call in list(self.under_way):
            call.end(Outcome(error=CloudUnreachableError(self.name, got=self._why)))
        self.alarms.stop()
        self._node.destroy_client(self.client)

    def next_id(self) -> str:
        """A request id of one's own."""
        return next(self._ids)

    def fill(self, message: InferenceRequest, frame: Source, seconds: float) -> int:
        """Put the image and its priority into a request; on a thread of the pool.

        Args:
            message: the request, its header set.
            frame: the image; one that a camera compressed goes as it is.
            seconds: for which the answer is of use.

        Returns:
            Bytes of the image.

        Raises:
            ImageError: the image cannot be read.
        """
        if self._priority is not None:
            message.priority = self._priority(frame)
        if isinstance(frame, KeptPendingFrame) and frame.message is not None:
            message.compressed_image = frame.message
            return len(frame.message.data)
        frame = frame.read() if isinstance(frame, PendingFrame) else frame
        pixels = self._pixels = frame.header.width * frame.header.height
        if self.params.payload == "raw":
            message.image = images.image_to_msg(frame)
            return len(message.image.data)
        bandwidth = self.link.state(self.clock.steady_ns()).bandwidth
        quality = self._chosen = self._quality.choose(pixels, bandwidth, seconds, self.params)
        data = frame_to_jpeg(frame, quality)
        self._quality.learn(quality, pixels, len(data))
        message.compressed_image = CompressedImage(header=message.header, format="jpeg", data=array("B", data))
        return len(data)

    def transferred(self, sent: int, seconds: float, service: float) -> None:
        """Learn from an answer how fast the link is."""
        self.link.transfer(sent, seconds, service, self.clock.steady_ns())

    def _heard(self, begun: int, done: Callable[[float | Exception], None], outcome: Outcome) -> None:
        # Whatever it said of a request without an image: it is there.
        if outcome.error is not None and (not isinstance(outcome.error, CloudError) or outcome.error.fault):
            done(outcome.error)
            return
        now = self.clock.steady_ns()
        self.link.ping((now - begun) / 1e9, now)
        done((now - begun) / 1e9)
