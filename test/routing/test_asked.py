import threading

from edge_ai.routing.asked import Asked
from edge_ai.routing.side import Outcome


def test_an_answer_ends_the_older_frames_of_its_camera_only():
    asked, ended = Asked(), []
    for camera, at_ns in (("a", 1), ("a", 2), ("b", 1), ("a", 3)):
        assert asked.add(camera, at_ns, lambda outcome, key=(camera, at_ns): ended.append((key, outcome.dropped)))
    asked.answer("a", 2, Outcome())
    assert ended == [(("a", 1), True), (("a", 2), False)]
    assert len(asked) == 2
    asked.answer("a", 2, Outcome())
    assert len(ended) == 2


def test_an_older_frame_never_takes_the_place_of_a_newer_one():
    asked, ended = Asked(), []
    assert asked.add("", 2, ended.append)
    assert not asked.add("", 1, ended.append)
    assert ended == [Outcome(dropped=True)]


def test_a_forgotten_frame_is_not_told_of():
    asked, ended = Asked(), []
    asked.add("", 1, ended.append)
    asked.forget("", 1)
    asked.end("", 1, Outcome())
    assert not ended
    assert not len(asked)


def test_done_may_ask_again_from_within():
    asked, ended = Asked(), []
    asked.add("", 1, lambda _: asked.add("", 2, ended.append))
    worker = threading.Thread(target=asked.answer, args=("", 1, Outcome()))
    worker.start()
    worker.join(5)
    assert not worker.is_alive()
    assert len(asked) == 1
