"""A router with what it needs around it: the way to the server kept open, and the load of this machine."""

from __future__ import annotations

from edge_ai.core.clock import Clock
from edge_ai.monitoring.load import LoadSampler
from edge_ai.routing.decision import Load
from edge_ai.routing.departures import OnError, OnResult
from edge_ai.routing.params import RouterParams
from edge_ai.routing.router import Router
from edge_ai.routing.side import Side
from edge_ai.runtime.uplink import Connected, Uplink


class Routes:
    """Starts and ends a router, its uplink and its load sampler in the order that suits all of them.

    Args:
        edge: this robot's engine; whoever gives it starts and ends it.
        cloud: the server; it is connected in the background, and closed in the end.
        params: how to decide.
        clock: deadlines are on its steady time.
        on_result: called with each answer and its frame, by one thread at a time.
        on_error: called with the frame and the error of each failure; default logs it.
        ping_period: seconds between two looks whether the server is there.

    Raises:
        ParameterError: no policy has that name.

    Attributes:
        router: takes the frames.
    """

    def __init__(
        self,
        edge: Side,
        cloud: Connected,
        params: RouterParams,
        clock: Clock,
        on_result: OnResult,
        on_error: OnError | None = None,
        *,
        ping_period: float = 1.0,
    ) -> None:
        self.router = Router(edge, cloud, params, clock, on_result=on_result, on_error=on_error)
        self._uplink = Uplink(cloud, self.router.pinged, ping_period)
        self._load = LoadSampler(self._feel)

    def start(self) -> None:
        """Begin; call once."""
        self.router.start()
        self._load.start()
        self._uplink.start()

    def stop(self) -> None:
        """End: the router first, so that what is under way does not fail over while the rest goes down."""
        self.router.stop()
        self._uplink.stop()
        self._load.stop()

    @property
    def fault(self) -> str:
        """What is wrong with the way to the server; empty if nothing is."""
        return self._uplink.fault

    def _feel(self, cpu: float, gpu: float, memory: float, temperature: float) -> None:
        self.router.feel(Load(cpu, gpu, memory, temperature))
