"""What says which side is in charge: HAProxy for requests, the lifecycle managers for wheels, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.checks import Check
from edge_ai.deployment.blue_green.hand_over import HandOver
from edge_ai.deployment.blue_green.haproxy import Traffic
from edge_ai.deployment.blue_green.plan import TrafficPlan
from edge_ai.deployment.blue_green.side import Side

_FEWEST = 3  # errors that are more than an accident


class Switch:
    """Puts one of two sides in charge; all of it may be done again.

    Args:
        traffic: moves requests; None: there are none.
        hand_over: moves the wheels; None: there are none.
        shares: of the requests that a new side gets first, from the plan of the traffic.
        error_share: of a new side's requests that may fail.
    """

    def __init__(
        self, traffic: Traffic | None, hand_over: HandOver | None, plan: TrafficPlan | None, error_share: float
    ) -> None:
        self._traffic, self._hand_over, self._plan, self._error_share = traffic, hand_over, plan, error_share

    def check(self) -> None:
        """Whether what it needs is there.

        Raises:
            DeploymentError: HAProxy is not, or does not know both sides.
        """
        if self._traffic is not None:
            self._traffic.check()

    def prepare(self, side: Side, other: Side) -> list[str]:
        """Make a side ready to take over, without anything that the one in charge would feel; what was found.

        Raises:
            DeploymentError: it cannot take over, or both could be in charge at once.
        """
        if self._hand_over is None:
            return []
        found = [self._hand_over.standby(side)]
        if other.running():
            found.append(self._hand_over.check_exclusive(side, other))
        return found

    def to(self, side: Side, before: Side, watch: Callable[[float], object] | None = None) -> None:
        """Put a side in charge; wheels first, so that whoever answers requests sees what drives.

        Args:
            side: that takes over; it is ready.
            before: the other one, whether it runs or not.
            watch: looks at a new side for some seconds, between two shares of the requests; None: it is no new one, and
                the other one is not to answer in its place.

        Raises:
            DeploymentError: it does not take over; who is in charge then has to be said again.
        """
        if self._hand_over is not None:
            self._hand_over.to(side, before, back=watch is None)
        if self._traffic is None:
            return
        if watch is not None and self._plan is not None:
            for share in self._plan.shares:
                self._traffic.share(side.name, before.name, share)
                watch(self._plan.share_time)
        self._traffic.move(side.name, before.name, spare=watch is not None)

    def halt(self, side: Side) -> None:
        """Let a side that is not well drive no more, where no other one can; answers may be better than none."""
        if self._hand_over is not None:
            self._hand_over.stop(side)

    def retire(self, side: Side) -> None:
        """Let nothing reach a side that is in charge no more; it may then be ended."""
        if self._hand_over is not None:
            self._hand_over.stop(side)
        if self._traffic is not None:
            self._traffic.retire(side.name)

    def checks(self, side: Side) -> list[Check]:
        """What shows that a side in charge does its work, from now on."""
        checks: list[Check] = []
        if self._hand_over is not None:
            hand_over = self._hand_over
            checks.append(lambda: hand_over.check(side))
        if self._traffic is not None:
            traffic, begin = self._traffic, self._counts(self._traffic, side.name)
            checks.append(lambda: self._check_errors(traffic, side.name, begin))
        return checks

    def states(self) -> Mapping[str, str]:
        """What is seen of the servers, for people."""
        if self._traffic is None:
            return {}
        return {
            name: f"{server.state}, weight {server.weight}, {server.sessions} requests now, {server.requests} in all"
            for name, server in self._traffic.states().items()
        }

    def _check_errors(self, traffic: Traffic, side: str, begin: tuple[int, int]) -> str:
        counts = self._counts(traffic, side)
        if min(now - then for now, then in zip(counts, begin, strict=True)) < 0:  # an HAProxy that began anew
            begin = (0, 0)
        requests, errors = (now - then for now, then in zip(counts, begin, strict=True))
        if errors >= _FEWEST and errors > self._error_share * requests:
            got = f"{errors} errors in {requests} requests"
            raise DeploymentError(f"answers of side {side}", got=got, wanted=f"at most {self._error_share:.1%}")
        return f"{errors} errors in {requests} requests"

    @staticmethod
    def _counts(traffic: Traffic, side: str) -> tuple[int, int]:
        servers = [server for name, server in traffic.states().items() if name.endswith(f"/{side}")]
        return sum(server.requests for server in servers), sum(server.errors for server in servers)
