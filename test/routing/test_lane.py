import numpy as np

from edge_ai.core.types import Classification, Detections, Frame, FrameHeader, Result, Segmentation
from edge_ai.routing.decision import Decision, Where
from edge_ai.routing.journey import Journey
from edge_ai.routing.lane import Lane, best_score


def journey(at_ns):
    header = FrameHeader(at_ns, at_ns, "f", 0, 8, 6)
    return Journey(Frame(header, np.zeros((6, 8, 3), np.uint8)), Decision(Where.EDGE, ("so",)), at_ns + 100)


def answered(one, now, score=0.5):
    found = Detections(np.zeros((1, 4), np.float32), np.array([score], np.float32), np.zeros(1, np.int32))
    one.settle(Result(one.frame.header, found, "m", "1"), Where.EDGE, now)
    return one


def test_an_answer_leaves_at_once_and_older_frames_are_overtaken():
    lane, old, new = Lane(), journey(1), journey(2)
    assert lane.enter(old)
    assert lane.enter(new)
    assert lane.release(2, 0.0) == ([], [], None)
    answered(new, 3)
    assert lane.release(3, 0.0) == ([new], [old], None)
    assert (lane.newest_ns, lane.confidence, lane.size, len(lane)) == (2, 0.5, (8, 6), 0)


def test_with_patience_it_waits_for_the_older_one_and_says_until_when():
    lane, old, new = Lane(), journey(1), journey(2)
    lane.enter(old)
    lane.enter(new)
    answered(new, 10)
    assert lane.release(10, 1.0) == ([], [], 1_000_000_010)
    answered(old, 20)
    assert lane.release(20, 1.0) == ([old, new], [], None)


def test_an_older_frame_with_a_provisional_answer_leaves_before_the_newer_one():
    lane, old, new = Lane(), journey(1), journey(2)
    lane.enter(old)
    lane.enter(new)
    old.provisional = Result(old.frame.header, Detections(), "m", "1")
    answered(new, 10)
    assert lane.release(10, 0.0) == ([old, new], [], None)
    assert "no second opinion" in old.answer.reason


def test_frames_enter_once_and_not_behind_what_has_left():
    lane, one = Lane(), journey(5)
    assert lane.enter(one)
    assert not lane.enter(journey(5))
    answered(one, 6)
    lane.release(6, 0.0)
    assert not lane.enter(journey(4))
    assert lane.enter(journey(6))


def test_the_best_score_of_every_kind_of_answer():
    header = FrameHeader(0, 0, "f", 0, 8, 6)
    assert best_score(Result(header, Detections(), "m", "1")) == 0.0
    classes = Classification(np.array([0.7, 0.1], np.float32), np.zeros(2, np.int32))
    assert best_score(Result(header, Detections(), "m", "1", classification=classes)) == np.float32(0.7)
    mask = Segmentation(np.zeros((6, 8), np.uint8))
    assert np.isnan(best_score(Result(header, Detections(), "m", "1", segmentation=mask)))
    found = Detections(np.zeros((1, 4), np.float32), np.array([0.6], np.float32), np.zeros(1, np.int32))
    assert best_score(Result(header, found, "m", "1", segmentation=mask)) == np.float32(0.6)
