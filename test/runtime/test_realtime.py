import sys

import pytest

from edge_ai.runtime.realtime import prompt_threads


@pytest.fixture
def interval():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_threads_are_switched_sooner_than_by_default(interval):
    sys.setswitchinterval(0.005)
    prompt_threads()
    assert sys.getswitchinterval() < 0.001
