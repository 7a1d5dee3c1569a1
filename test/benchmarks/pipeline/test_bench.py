"""The real nodes as the topic runs them, for a moment."""

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run through `make test`, or source a ROS installation")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run through `make test`, or colcon build first")

from benchmarks.pipeline.bench import COMPOSED, Bench
from benchmarks.sides.replay import SYNTHETIC
from benchmarks.topic import Context, MeasurementError, Report


@pytest.fixture(name="bench")
def _bench(tmp_path):
    return Bench(Context(True, tmp_path, print), Report(), SYNTHETIC, tmp_path / "log")


def test_the_composed_process_replays_and_is_heard_and_starts_again(bench):
    with bench.nodes(COMPOSED, ["results", "commands"], {"source": bench.replay(50.0)}) as probe:
        for _ in range(2):
            heard = probe.measure(warm=0.5, seconds=1.0)
            assert heard["results"]
            assert heard["results"][0]["timings"]["infer"] > 0
            assert heard["commands"][0]["age"] > 0
        unheard = probe.measure(warm=0.5, seconds=2.2, unheard=True)
        assert set(unheard) == {"processed", "others_cores"}
        assert unheard["processed"][-1]["count"] > unheard["processed"][0]["count"]


def test_the_camera_alone_is_heard_whole(bench):
    camera = {"source": "synthetic://320x240@30"}
    with bench.nodes(("camera",), ["images", "captured"], camera) as probe:
        heard = probe.measure(seconds=0.5, whole=True)
    sent, arrived = ([one["index"] for one in heard[topic]] for topic in ("captured", "images"))
    assert arrived
    assert None not in arrived
    assert set(arrived) <= set(sent)
    assert heard["counters"]["camera"] is not None


def test_a_node_that_cannot_start_is_named_with_its_reason(bench):
    with (
        pytest.raises(MeasurementError, match=r"pipeline: video 'none\.avi' cannot be read"),
        bench.nodes(COMPOSED, ["results"], {"source": "replay:50:none.avi"}) as probe,
    ):
        probe.measure(seconds=0.1)
