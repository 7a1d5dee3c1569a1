"""The inference node as a side, when topics come and go while it is asked."""

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.nodes import images
from edge_ai.nodes.kept import keep
from edge_ai.nodes.router_node import RouterNode
from edge_ai.nodes.topic_edge import TopicEdge


@pytest.fixture
def edge(ros):
    one = ros()
    side = TopicEdge(one.add(RouterNode()), [""], "raw")
    yield side
    side.destroy()


def frame():
    made = Frame(FrameHeader(7, 7, "eye", 0, 8, 8), np.zeros((8, 8, 3), np.uint8))
    return keep(made, images.image_to_msg(made))


def broken(_message):
    raise RuntimeError("no such handle")


@pytest.mark.parametrize("gone", ["taken down", "broken"])
def test_a_topic_that_cannot_be_published_on_is_an_outcome_and_nothing_is_kept(edge, gone):
    if gone == "broken":
        edge._publishers[""].publish = broken
    else:
        edge.destroy()
    got = []
    call = edge.ask(frame(), 10**18, got.append)
    assert got[0].error is not None
    assert not edge._frames
    assert len(edge._asked) == 0
    call.cancel()


def test_a_subscriber_that_appears_while_it_looks_is_no_fault(edge):
    counts = iter([0, 1, 1])
    edge._publishers[""].get_subscription_count = lambda: next(counts)
    assert "no inference node listens on /edge/camera/image_raw" in edge.unready
    assert edge.unready == ""
