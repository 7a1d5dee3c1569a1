import threading

import pytest

from edge_ai.platforms.patience import within


def test_an_answer_in_time():
    assert within(20, lambda: 42) == 42


def test_what_the_question_raises():
    with pytest.raises(KeyError, match="gpu"):
        within(20, lambda: {}["gpu"])


def test_a_question_with_a_time_limit_of_its_own():
    def ask():
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        within(20, ask)


def test_no_answer():
    door = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0.05 s"):
        within(0.05, door.wait)
    door.set()
