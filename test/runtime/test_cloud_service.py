"""What a cloud_node does with a request, before a side that is told how to end."""

from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.types import PendingFrame
from edge_ai.processing.card import ModelCard
from edge_ai.routing.side import Outcome
from edge_ai.runtime.cloud_service import CloudService, CloudServiceParams, Status
from edge_ai.runtime.resources import shipped_card


class Held:
    """A side that keeps who asked."""

    def __init__(self):
        self.asked = []

    def ask(self, frame, deadline_ns, done):
        self.asked.append(done)


def service(**params):
    side, clock = Held(), ManualClock()
    return CloudService(side, ModelCard.load(shipped_card()), CloudServiceParams(**params), clock), side, clock


def ask(one, clock):
    got = []
    one.ask(PendingFrame(None, None), ("", ""), clock.steady_ns() + NS, lambda *reply: got.append(reply))
    return got


def test_what_a_side_gave_up_for_newer_requests_is_overload_and_says_why():
    one, side, clock = service()
    got = ask(one, clock)
    side.asked[0](Outcome(dropped=True))
    ((status, message, result),) = got
    assert (status, result) == (Status.OVERLOADED, None)
    assert "more requests came at once" in message
    assert one.in_flight == 0


def test_a_limit_that_is_raised_lets_more_in_at_once():
    one, side, clock = service(max_in_flight=1)
    ask(one, clock)
    assert ask(one, clock)[0][0] is Status.OVERLOADED
    one.params = CloudServiceParams(max_in_flight=2)
    assert not ask(one, clock)
    assert (len(side.asked), one.in_flight) == (2, 2)
