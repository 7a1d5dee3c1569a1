import pytest

from benchmarks.registry import TOPICS


@pytest.mark.parametrize("name", TOPICS.names())
def test_every_topic_loads(name):
    pytest.importorskip("onnxruntime")
    assert callable(TOPICS.load(name))
